from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from analysis.slow_noise import one_over_f
from analysis.weak_reset_fit import fit_weak_reset
from analysis.weak_reset_population import fit_population, pulse_scaling, separate_parts
from analysis.weak_reset_trains import WeakResetTrains, gather_trains
from crossbar.errors import ConfigurationError, DataError
from crossbar.records import PulseTrain
from tests.analysis.weak_reset_truth import simulated_trains

CELLS = 40


@pytest.fixture(scope="module")
def simulated():
    """Trains, their cells' truth, and the fits of the trains."""
    trains, cells, starts = simulated_trains(CELLS, seed=31)
    return cells, starts, fit_weak_reset(trains)


def inside(interval, truth):
    return (interval[:, 0] <= truth) & (truth <= interval[:, 1])


@pytest.mark.parametrize("name", ["m1", "t_star", "m2"])
def test_intervals_hold_the_truth_as_often_as_they_say(simulated, name):
    """Of 40 cells; `benchmarks/coverage_weak_reset.py` has many more, through instruments."""
    cells, _, fits = simulated
    covered = inside(getattr(fits, f"{name}_interval"), getattr(cells, name).numpy())
    assert binomtest(int(covered.sum()), CELLS, 0.95).pvalue > 0.01


def test_starts_and_noise_come_out(simulated):
    """Where each train begins, in units of its error; the pink noise and the telegraph's odds."""
    _, starts, fits = simulated
    settled = starts + 0.054  # the published pink noise is not centred
    assert np.std((fits.start - settled) / fits.start_error) == pytest.approx(1, abs=0.3)
    assert np.median(fits.noise) == pytest.approx(np.hypot(0.0100, 0.003), rel=0.05)
    assert fits.chain.rise == pytest.approx(8e-4, rel=0.5)
    assert fits.chain.fall == pytest.approx(2e-3, rel=0.5)


def test_residuals_are_found_independent_where_they_are(simulated):
    """About one cell in twenty falls below 5 %; what is no line at all falls below everything."""
    _, _, fits = simulated
    assert binomtest(int(np.sum(fits.misfit < 0.05)), CELLS, 0.05).pvalue > 0.001
    pulses = np.arange(0, 2001, 20)
    curve = 0.3 * np.sin(pulses / 150) * np.ones((3, 1, 1))
    wavy = WeakResetTrains(
        amplitude=-0.5,
        width=2e-7,
        cells=np.arange(3),
        pulses=pulses,
        log_r=9 + curve + 0.01 * np.random.default_rng(1).standard_normal(curve.shape),
    )
    assert np.all(fit_weak_reset(wavy).misfit < 1e-6)


def test_slow_noise_of_the_readings_is_no_misfit(simulated):
    """1/f noise of a twelfth of the white variance: a test for white noise flags 9 of these 40."""
    trains = simulated_trains(CELLS, seed=31)[0]
    covariance = one_over_f(trains.pulses.astype(float), np.zeros(len(trains.pulses), np.int64))
    root = 0.003 * np.linalg.cholesky(covariance + 5 + 1e-6 * np.eye(len(covariance)))
    slow = np.random.default_rng(6).standard_normal(trains.log_r.shape) @ root.T
    fits = fit_weak_reset(replace(trains, log_r=trains.log_r + slow))
    assert binomtest(int(np.sum(fits.misfit < 0.05)), CELLS, 0.05).pvalue > 0.01


def test_population_and_parts_hold_the_truth(simulated):
    """What the paper gives as the cells' distributions, and the parts of the spread."""
    cells, _, fits = simulated
    population = fit_population(fits)
    low, high = population.m1.interval["scale"]
    assert low <= 6.56e-4 <= high
    low, high = population.m2.interval["scale"]
    assert low <= 2.8e-5 <= high
    low, high = population.log_t_star.interval["mean"]
    assert low <= np.log(542.5) <= high
    assert population.start.between.low <= 0.053 <= population.start.between.high
    assert min(f.goodness for f in (population.m1, population.m2, population.log_t_star)) > 0.01
    parts = separate_parts(fits, 1000)
    early = np.minimum(1000, cells.t_star.numpy())
    rise = cells.m1.numpy() * early + cells.m2.numpy() * (1000 - early)
    assert parts.progress.estimate == pytest.approx(np.median(rise), abs=0.01)
    assert parts.cell_to_cell.estimate == pytest.approx(np.std(rise, ddof=1), rel=0.05)
    assert parts.cycle_to_cycle.low <= 0.048 <= parts.cycle_to_cycle.high


def test_stronger_pulses_are_found_to_be_stronger(simulated):
    """The same readings, said to be of pulses that rise e-fold faster with 62 mV."""
    _, _, fits = simulated
    factor = np.exp(1.0)
    faster = replace(fits.scan, slopes=factor * fits.scan.slopes)
    trains = replace(fits.trains, amplitude=-0.582)
    found = pulse_scaling([fits, replace(fits, scan=faster, trains=trains)])
    assert found.e_fold.estimate == pytest.approx(0.062, rel=1e-6)
    assert np.isnan(found.width_exponent.estimate)


def test_what_cannot_be_told_stays_open():
    """Straight lines have no knee: its interval is open above, and m2 is not known at all."""
    pulses = np.arange(0, 1001, 20)
    line = 9 + 1e-4 * pulses * np.ones((4, 1, 1))
    noise = 0.01 * np.random.default_rng(2).standard_normal(line.shape)
    trains = WeakResetTrains(
        amplitude=-0.5, width=2e-7, cells=np.arange(4), pulses=pulses, log_r=line + noise
    )
    fits = fit_weak_reset(trains)
    assert np.isinf(fits.t_star_interval[:, 1]).all()
    assert np.isinf(fits.m2_interval).all()
    assert np.all(np.abs(fits.m1 - 1e-4) < 1e-4)


def test_missing_readings_and_missing_trains_do_not_matter(simulated):
    """A train that ended early, and a cell with one train instead of two."""
    trains, _, _ = simulated_trains(4, seed=5)
    short = trains.log_r.copy()
    short[0, 1, 60:] = np.nan
    short[1, 1] = np.nan
    fits = fit_weak_reset(replace(trains, log_r=short))
    assert np.isnan(fits.start[1, 1])
    assert np.isfinite(fits.m1).all()
    empty = short.copy()
    empty[2] = np.nan
    assert fit_weak_reset(replace(trains, log_r=empty)).trains.cells.tolist() == [0, 1, 3]


def test_records_become_trains():
    """By amplitude and width, cells in order, repeated readings averaged, closed reads left out."""

    def train(cell, part, amplitude, conductance):
        return PulseTrain(
            cell=cell,
            part=part,
            amplitude=np.array([np.nan, amplitude, np.nan, amplitude]),
            width=np.array([np.nan, 2e-7, np.nan, 2e-7]),
            pulses=np.array([0, 10, 0, 10]),
            conductance=np.array(conductance),
            read_amplitude=0.2,
            outcome="complete",
        )

    found = gather_trains(
        [
            train(7, 0, -0.6, [1e-4, 9e-5, 8e-5, 0.0]),
            train(3, 1, -0.5, [1e-4] * 4),
            train(3, 0, -0.6, [1e-4] * 4),
        ]
    )
    assert [(t.amplitude, t.cells.tolist()) for t in found] == [(-0.5, [3]), (-0.6, [3, 7])]
    assert found[1].pulses.tolist() == [0, 10, 20]
    seven = found[1].log_r[1, 0]
    assert seven[:2] == pytest.approx([-np.log(1e-4), -np.log(9e-5 * 8e-5) / 2])
    assert np.isnan(seven[2])
    with pytest.raises(DataError, match="equal pulses"):
        gather_trains([])


def test_too_little_is_refused():
    """Few readings, and a confidence that is none."""
    trains, _, _ = simulated_trains(2, seed=1, readings=6)
    with pytest.raises(DataError, match="9 readings"):
        fit_weak_reset(trains)
    with pytest.raises(ConfigurationError, match="between 0 and 1"):
        fit_weak_reset(trains, confidence=95)
