import numpy as np
import pytest

from analysis.array_statistics import state_statistics
from crossbar.defect_map import CellClass, DefectMap, DefectThresholds
from crossbar.errors import DataError

SHAPE = (1, 20, 20)


def wafer(generator, dies=12):
    """Maps of dies whose ln G spreads by 5 % within and 2 % between dies; some cells are shorts."""
    maps = []
    for _ in range(dies):
        low = 200e-6 * np.exp(
            0.02 * generator.standard_normal() + 0.05 * generator.standard_normal(SHAPE)
        )
        classes = np.where(generator.random(SHAPE) < 0.02, CellClass.SHORT, CellClass.HEALTHY)
        low[classes == CellClass.SHORT] = 1e-3
        maps.append(
            DefectMap(
                classes=classes.astype(np.int8),
                low=low,
                high=low / 2,
                median_low=200e-6,
                median_high=100e-6,
                lines=(),
                thresholds=DefectThresholds(),
            )
        )
    return maps


def test_intervals_hold_the_three_numbers():
    """150 wafers of 12 dies: median, cell to cell and die to die, 91 to 99 % each."""
    generator = np.random.default_rng(5)
    truth = {"median": 200e-6, "cell_to_cell": 0.05, "die_to_die": 0.02}
    found = [state_statistics(wafer(generator), "low") for _ in range(150)]

    for name, value in truth.items():
        estimates = [getattr(each, name) for each in found]
        assert 0.91 <= np.mean([each.low <= value <= each.high for each in estimates]) <= 0.99, name


def test_a_single_die_has_a_median_of_its_own():
    """No spread between dies; the median's interval is that of the cells."""
    found = state_statistics(wafer(np.random.default_rng(6), dies=1), "high")

    assert found.die_to_die is None
    assert np.log(found.median.high / found.median.low) == pytest.approx(
        2 * 1.96 * 0.05 / 20, rel=0.1
    )


def test_no_die_is_refused():
    """Nothing to describe."""
    with pytest.raises(DataError, match="one die is needed"):
        state_statistics([], "low")
