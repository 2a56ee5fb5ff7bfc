"""Simulated dies of measured ones."""

import numpy as np
import pytest

from crossbar.defect_map import CellClass, DefectMap, DefectThresholds
from crossbar.geometry import DieAddress, DieGeometry
from physics.measured_die import MeasuredDie, arrays_of, measured_truth, truth_from
from physics.mtj import MtjPopulation
from physics.mtj_die import MtjDie

HERE = DieAddress(2, 1)
GEOMETRY = DieGeometry(subarrays=1, rows=2, columns=4)
LOW = np.array([[[200e-6, 210e-6, 900e-6, 3e-6], [195e-6, 101e-6, 160e-6, 190e-6]]])
HIGH = np.array([[[100e-6, 105e-6, 901e-6, -5e-6], [194e-6, 100e-6, 120e-6, 99e-6]]])
CLASSES = np.array([[[0, 0, 1, 2], [3, 4, 5, 0]]], dtype=np.int8)


def measured(**fits):
    found = DefectMap(
        classes=CLASSES, low=LOW, high=HIGH, median_low=2e-4, median_high=1e-4, lines=(),
        thresholds=DefectThresholds(),
    )  # fmt: skip
    return MeasuredDie(found=found, read_amplitude=0.15, **fits)


def truth_of(die, seed=1, address=HERE):
    return measured_truth(die, seed=seed, address=address, population=MtjPopulation())


@pytest.mark.parametrize("starts_low", [True, False])
def test_every_cell_conducts_as_it_did(starts_low):
    """In either state, at the voltage of the map; what cannot move, as it was on average."""
    truth = truth_of(measured())
    die = MtjDie(geometry=GEOMETRY, truth=truth, seed=np.uint64(5))
    switches = truth.switches
    die.low[switches] = starts_low

    conductance = die.conductance(np.arange(8), 0.15)

    assert np.array_equal(truth.classes, CLASSES.ravel())
    wanted = np.where(switches, (LOW if starts_low else HIGH).ravel(), (LOW + HIGH).ravel() / 2)
    wanted[CLASSES.ravel() == CellClass.OPEN] = 0.0  # -1e-6 on average is the noise of the reading
    assert conductance == pytest.approx(wanted, rel=1e-9, abs=1e-12)


def test_fitted_cells_keep_their_fits_and_the_others_are_drawn():
    """What was fitted in one direction only leaves the other to the population."""
    fits = {"delta": np.array([71.0, 55.0]), "vc0_low": np.array([0.31, np.nan])}
    truth = truth_of(measured(fitted=np.array([0, 7]), parameters=fits))
    drawn = truth_of(measured())

    assert truth.cells.delta[[0, 7]].tolist() == [71.0, 55.0]
    assert truth.cells.vc0_low[0] == 0.31
    assert truth.cells.vc0_low[7] == drawn.cells.vc0_low[7]
    assert truth.cells.delta[1] == drawn.cells.delta[1]
    assert len(np.unique(truth.cells.delta)) == 8


def test_the_same_seed_and_die_give_the_same_twin():
    """And nothing else does."""
    first, again, other_seed, other_die = (
        truth_of(measured(), *given) for given in ((1,), (1,), (2,), (1, DieAddress(2, 2)))
    )

    assert np.array_equal(first.cells.delta, again.cells.delta)
    assert not np.array_equal(first.cells.delta, other_seed.cells.delta)
    assert not np.array_equal(first.cells.delta, other_die.cells.delta)


def test_arrays_bring_a_truth_back():
    """Bit for bit: a wafer's state belongs to its fingerprint."""
    truth = truth_of(measured())

    back = arrays_of(truth_from(arrays_of(truth)))

    for name, array in arrays_of(truth).items():
        assert array.tobytes() == back[name].tobytes(), name
