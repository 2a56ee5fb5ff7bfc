import dataclasses

import numpy as np
import pytest

from crossbar.defect_map import CellClass, DefectMap, DefectThresholds, LineDefect
from crossbar.errors import DataError, StorageError
from db.rows import ConductanceMap
from db.store import Store

LINE = LineDefect(subarray=1, axis="column", index=2, cell_class=CellClass.SHORT, cells=3)


def defect_map(seed: int) -> DefectMap:
    rng = np.random.default_rng(seed)
    return DefectMap(
        classes=rng.integers(0, 6, (2, 3, 4)).astype(np.int8),
        low=rng.random((2, 3, 4)),
        high=rng.random((2, 3, 4)),
        median_low=2e-4 / 3,
        median_high=1e-4 / 3,
        lines=(LINE,),
        thresholds=DefectThresholds(short=1.7),
    )


def assert_same(found: DefectMap, expected: DefectMap) -> None:
    for field in dataclasses.fields(DefectMap):
        np.testing.assert_array_equal(getattr(found, field.name), getattr(expected, field.name))
    assert found.classes.dtype == np.int8
    assert found.lines[0].cell_class is CellClass.SHORT
    assert found.thresholds == expected.thresholds


def test_a_defect_map_comes_back_exactly(begun):
    """Classes, conductances, medians, lines and thresholds are what they were."""
    expected = defect_map(1)
    begun.store.save_defect_map(begun.wafer_id, begun.die, expected, run_id=begun.run_id)

    assert_same(begun.store.defect_map(begun.wafer_id, begun.die), expected)


def test_the_latest_defect_map_of_each_die_counts(begun):
    """A second classification stands beside the first and is the one that is given back."""
    save = begun.store.save_defect_map
    save(begun.wafer_id, begun.die, defect_map(1), source="import")
    save(begun.wafer_id, begun.other_die, defect_map(2), source="import")
    save(begun.wafer_id, begun.die, defect_map(3), source="import")

    found = begun.store.defect_maps(begun.wafer_id)

    assert list(found) == sorted([begun.die, begun.other_die])
    assert_same(found[begun.die], defect_map(3))
    assert_same(found[begun.other_die], defect_map(2))
    assert begun.store.counts()["defect_maps"] == 3


def test_a_resumed_run_does_not_store_a_map_twice(begun):
    """The same run, die and thresholds: one map. Other thresholds: another map."""
    save = begun.store.save_defect_map
    first = save(begun.wafer_id, begun.die, defect_map(1), run_id=begun.run_id)
    again = save(begun.wafer_id, begun.die, defect_map(1), run_id=begun.run_id)
    stricter = dataclasses.replace(defect_map(1), thresholds=DefectThresholds(short=1.9))
    other = save(begun.wafer_id, begun.die, stricter, run_id=begun.run_id)

    assert first == again != other
    assert begun.store.counts()["defect_maps"] == 2


def test_a_die_without_defect_map_says_how_to_measure_it(begun):
    """The message names die, wafer and remedy."""
    with pytest.raises(DataError, match=r"Die \(3, 1\) of wafer W1 has no defect map.* lab run"):
        begun.store.defect_map(begun.wafer_id, begun.die)


def test_a_damaged_defect_map_is_not_given_back(begun):
    """A die whose stored conductances are damaged raises, naming the table, instead of lying."""
    begun.store.save_defect_map(begun.wafer_id, begun.die, defect_map(1))
    with begun.store.transaction(writing=True) as connection:
        connection.exec_driver_sql("UPDATE arrays SET data = zeroblob(length(data)) WHERE id = 2")

    with pytest.raises(StorageError, match="Array 2 of table defect_maps is damaged"):
        begun.store.defect_map(begun.wafer_id, begun.die)


def imported(programming: int, value: float = 1e-4) -> ConductanceMap:
    return ConductanceMap(
        source="doi:10.1038/x",
        kernel="kernel-2",
        programming=programming,
        conductance=np.full((25, 25), value),
    )


def test_imported_maps_come_back_in_order(store: Store):
    """Maps are found by source, sorted by kernel and programming, with exact conductances."""
    for programming in (2, 1):
        store.save_conductance_map(imported(programming, 1e-4 * programming))

    found = store.conductance_maps("doi:10.1038/x")

    assert [each.programming for each in found] == [1, 2]
    np.testing.assert_array_equal(found[1].conductance, np.full((25, 25), 1e-4 * 2))
    assert store.conductance_maps("elsewhere") == []
    assert len(store.conductance_maps()) == 2


def test_importing_again_changes_nothing_but_other_values_are_refused(store: Store):
    """The same map twice is one map; another one under its name is an error."""
    first = store.save_conductance_map(imported(1))

    assert store.save_conductance_map(imported(1)) == first
    with pytest.raises(StorageError, match=r"Kernel kernel-2, programming 1 .* other values"):
        store.save_conductance_map(imported(1, 2e-4))
    assert store.counts()["arrays"] == 1
