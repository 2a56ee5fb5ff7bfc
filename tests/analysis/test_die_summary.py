import dataclasses

import numpy as np
import pytest

from analysis.die_summary import describe_dies, describe_population
from crossbar.defect_map import CellClass, DefectMap, DefectThresholds, LineDefect
from crossbar.errors import DataError


def defect_map(shorts: int) -> DefectMap:
    """A die of 200 cells, so many of them shorts."""
    classes = np.zeros((1, 20, 10), dtype=np.int8)
    classes.ravel()[:shorts] = CellClass.SHORT
    line = LineDefect(subarray=0, axis="row", index=0, cell_class=CellClass.SHORT, cells=10)
    return DefectMap(
        classes=classes,
        low=np.full(classes.shape, 2e-4),
        high=np.full(classes.shape, 1e-4),
        median_low=2e-4,
        median_high=1e-4,
        lines=(line,) * (shorts // 10),
        thresholds=DefectThresholds(),
    )


def test_a_die_is_described_by_its_fractions():
    """Fractions add up to one, yield is the healthy one, and lines and medians are there."""
    clean, bad = describe_dies([defect_map(0), defect_map(20)])

    assert clean.healthy == 1.0
    assert bad.fractions[CellClass.SHORT] == pytest.approx(0.1)
    assert sum(bad.fractions.values()) == pytest.approx(1.0)
    assert (bad.line_defects, bad.median_low, bad.median_high) == (2, 2e-4, 1e-4)


def test_the_interval_covers_the_mean_of_uneven_dies():
    """Over wafers of 36 over-dispersed dies, the 95 % interval holds the true mean."""
    generator = np.random.default_rng(1)
    template = describe_dies([defect_map(0)])[0]
    held = []
    for _ in range(60):
        rates = 0.02 * generator.gamma(3, 1 / 3, 36)
        dies = [
            dataclasses.replace(template, fractions={**template.fractions, CellClass.SHORT: rate})
            for rate in rates
        ]
        shorts = describe_population(dies, generator)[CellClass.SHORT]
        held.append(shorts.interval_low <= 0.02 <= shorts.interval_high)

    assert 0.85 <= np.mean(held) <= 0.99


def test_the_same_generator_state_gives_the_same_interval():
    """The bootstrap is repeatable, and its numbers are those of the dies given."""
    dies = describe_dies([defect_map(count) for count in (0, 4, 8, 12)])
    first, second = (describe_population(dies, np.random.default_rng(3)) for _ in range(2))

    assert first == second
    assert first[CellClass.SHORT].mean == pytest.approx(0.03)
    assert first[CellClass.SHORT].die_to_die == pytest.approx(np.std([0, 0.02, 0.04, 0.06], ddof=1))


def test_one_die_has_no_spread():
    """With a single die the spread between dies is zero."""
    alone = describe_population(describe_dies([defect_map(4)]), np.random.default_rng(1))

    assert alone[CellClass.SHORT].die_to_die == 0


def test_no_die_is_refused():
    """A table of nothing raises."""
    with pytest.raises(DataError, match="at least one die"):
        describe_population([], np.random.default_rng(1))
