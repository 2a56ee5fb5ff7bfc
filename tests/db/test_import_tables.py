import dataclasses

import pytest

from crossbar.errors import ConfigurationError, StorageError
from crossbar.geometry import DieGeometry
from crossbar.pulses import State
from crossbar.records import WerPoint
from db.import_tables import IMPORTED, ONLY_DIE, ImportedFile
from db.store import Store

POINT = WerPoint(
    cell=2, target=State.LOW, amplitude=0.9, width=1e-9, attempts=50, errors=3, rejected=0,
    interval_low=0.01, interval_high=0.17, confidence=0.95, execution="imported",
    stopped_by="imported",
)  # fmt: skip
FILE = ImportedFile(
    wafer="theirs",
    technology="mtj",
    geometry=DieGeometry(subarrays=1, rows=1, columns=3),
    name="table.csv",
    format="csv",
    checksum="ab" * 32,
    parameters={"cells": {"2": "C"}},
    records=(POINT,),
)


def test_a_file_is_a_finished_run_of_its_own_wafer(store: Store):
    """Records, die, status and what was said come back."""
    run = store.save_imported(FILE, {"lab": "0.1"})
    row = store.run(run)

    assert (row.protocol, row.status, row.message, row.seed) == (IMPORTED, "done", "csv", None)
    assert row.parameters["file"] == "table.csv"
    assert row.parameters["cells"] == {"2": "C"}
    assert store.done_dies(run) == {ONLY_DIE}
    assert store.records(run, ONLY_DIE, WerPoint) == [POINT]
    assert store.interrupted_runs() == []


def test_a_file_that_fails_leaves_nothing(store: Store):
    """Two records of one condition: not even the wafer is stored."""
    with pytest.raises(StorageError, match=r"table\.csv was not stored"):
        store.save_imported(dataclasses.replace(FILE, records=(POINT, POINT)), {})

    assert not any(store.counts().values())


def test_the_same_bytes_are_taken_once_for_a_wafer(store: Store):
    """Again under another name; other bytes under the same one."""
    store.save_imported(FILE, {})
    with pytest.raises(StorageError, match="is stored already, as run 1"):
        store.save_imported(FILE, {})
    assert store.save_imported(dataclasses.replace(FILE, wafer="again"), {}) == 2
    assert store.save_imported(dataclasses.replace(FILE, checksum="cd" * 32), {}) == 3


def test_a_wafer_keeps_its_size_and_technology(store: Store):
    """Cells beyond it, or of another kind, belong to another wafer."""
    store.save_imported(FILE, {})
    far = dataclasses.replace(POINT, cell=3)
    with pytest.raises(StorageError, match="has a cell 3, but dies of the wafer 'theirs' have"):
        store.save_imported(dataclasses.replace(FILE, checksum="x", records=(far,)), {})
    with pytest.raises(ConfigurationError, match="asked for as hfox"):
        store.save_imported(dataclasses.replace(FILE, checksum="x", technology="hfox"), {})
