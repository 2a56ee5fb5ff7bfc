"""From trains to rows of the database, and to what `lab run` shows."""

from types import SimpleNamespace

import numpy as np
import pytest

from crossbar.errors import DataError
from crossbar.records import PulseTrain
from lab.fits import RECIPES
from tests.analysis.weak_reset_truth import simulated_trains


def records(count, amplitude, part, stretch):
    """Trains as the protocol stores them; ``stretch`` makes the rise faster."""
    trains, _, _ = simulated_trains(count, seed=9, readings=60)
    for cell, of_cell in enumerate(trains.log_r):
        for repeat, log_r in enumerate(of_cell):
            steps = np.diff(trains.pulses, prepend=0)
            yield PulseTrain(
                cell=cell,
                part=part + repeat,
                amplitude=np.where(steps > 0, amplitude, np.nan),
                width=np.where(steps > 0, 200e-9, np.nan),
                pulses=steps.astype(np.int64),
                conductance=np.exp(-(log_r[0] + stretch * (log_r - log_r[0]))),
                read_amplitude=0.2,
                outcome="complete",
            )


@pytest.fixture(scope="module")
def rows():
    every = [*records(10, -0.52, 0, 1.0), *records(10, -0.582, 2, np.e)]
    return RECIPES["weak-reset"].fit(every, SimpleNamespace(bench=""))


def test_what_is_fitted_to_all_cells_comes_first(rows):
    """Distributions and parts of either condition, the scaling, and then every cell."""
    together = [row for row in rows if row.cell is None]
    assert [row.kind for row in together] == [
        "weak reset -0.52 V 200 ns",
        "weak reset parts -0.52 V 200 ns",
        "weak reset -0.582 V 200 ns",
        "weak reset parts -0.582 V 200 ns",
        "weak reset scaling",
    ]
    assert rows[: len(together)] == together
    assert len({(row.kind, row.cell) for row in rows}) == len(rows) == 5 + 20
    assert max(len(row.kind) for row in rows) <= 40


def test_values_have_their_units_and_intervals(rows):
    """Knees in pulses, not logarithms; R0 in Ohm; e-fold in volts; every estimate inside."""
    first, parts = rows[0].parameters, rows[1].parameters
    assert 100 < first["t_star_median"].estimate < 5000
    assert 6000 < first["r0_median"].estimate < 9000
    for found in (*first.values(), *parts.values()):
        assert found.low <= found.estimate <= found.high
    assert rows[4].parameters["e_fold"].estimate == pytest.approx(0.062, rel=0.1)
    assert set(rows[0].checks) == {"m1 exponential", "t_star log-normal", "m2 exponential"}


def test_a_few_cells_have_their_own_fits_only():
    """Distributions take more cells; nothing at all is refused."""
    found = RECIPES["weak-reset"].fit(list(records(3, -0.5, 0, 1.0)), SimpleNamespace(bench=""))
    assert [row.cell for row in found] == [0, 1, 2]
    with pytest.raises(DataError):
        RECIPES["weak-reset"].fit([], SimpleNamespace(bench=""))
