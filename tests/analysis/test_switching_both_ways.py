"""Both directions of cells of known parameters, counted and fitted together."""

import numpy as np
import pytest
import torch

from analysis.hierarchical_fit import FEWEST_CELLS
from analysis.switching_both_ways import fit_both_ways
from crossbar.errors import DataError
from crossbar.pulses import State
from crossbar.records import WerPoint
from physics.switching import log_wer

MEDIAN = {"delta": 60.0, "vc0_low": 0.35, "vc0_high": 0.40, "tau_d": 1.9e-9}
SPREAD = {"delta": 0.08, "vc0_low": 0.05, "vc0_high": 0.05, "tau_d": 0.06}


def counted(cells, seed=1, attempts=2_000, directions=tuple(State)):
    """Points of a grid, drawn from the model; and the parameters of the cells."""
    generator = np.random.default_rng(seed)
    real = {
        name: MEDIAN[name] * np.exp(SPREAD[name] * generator.standard_normal(cells))
        for name in MEDIAN
    }
    points = []
    for state in directions:
        for volts in (0.45, 0.5, 0.55, 0.6, 0.65, 0.7):
            for width in (10e-9, 20e-9, 50e-9):
                chance = log_wer(
                    torch.from_numpy(volts / real[f"vc0_{state.value}"]),
                    torch.from_numpy(width / real["tau_d"]),
                    torch.from_numpy(real["delta"]),
                ).exp()
                errors = generator.binomial(attempts, chance.numpy())
                points += [
                    WerPoint(
                        cell=cell, target=state, amplitude=state.write_sign * volts, width=width,
                        attempts=attempts, errors=int(errors[cell]), rejected=0, interval_low=0,
                        interval_high=1, confidence=0.95, execution="board", stopped_by="budget",
                    )
                    for cell in range(cells)
                ]  # fmt: skip
    return points, real


def test_shared_parameters_are_known_better_together():
    """Of cells and of their population; critical voltages stay apart."""
    points, real = counted(24)

    both = fit_both_ways(points)
    ways = [fit_both_ways([p for p in points if p.target is state]) for state in State]

    def error(found, name):
        return np.sqrt(np.nanmean(np.log(found.parameters[name] / real[name]) ** 2))

    assert error(both, "delta") < np.mean([error(way, "delta") for way in ways])
    assert error(both, "delta") < 0.045
    assert error(both, "vc0_low") < 0.02
    assert error(both, "vc0_high") < 0.02
    for name in MEDIAN:
        assert both.population[name] == pytest.approx(MEDIAN[name], rel=0.05), name
    assert both.population["delta_spread"] == pytest.approx(0.08, rel=0.5)
    assert both.population["vc0_spread"] == pytest.approx(0.05, rel=0.4)


def test_one_direction_leaves_the_other_open():
    """Nothing is made up: not counted is NaN, and no median either."""
    points, _ = counted(10, directions=(State.HIGH,))

    found = fit_both_ways(points)

    assert np.isnan(found.parameters["vc0_low"]).all()
    assert not np.isnan(found.parameters["vc0_high"]).any()
    assert "vc0_low" not in found.population


def test_few_cells_are_fitted_one_by_one():
    """They make no population."""
    points, real = counted(FEWEST_CELLS - 1, attempts=20_000)

    found = fit_both_ways(points)

    assert found.population == {}
    assert found.parameters["vc0_low"] == pytest.approx(real["vc0_low"], rel=0.05)


def test_nothing_counted_is_refused():
    """With the analysis' own message."""
    with pytest.raises(DataError, match="nothing to fit"):
        fit_both_ways([])
