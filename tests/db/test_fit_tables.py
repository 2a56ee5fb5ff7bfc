import dataclasses
import math

import pytest

from crossbar.defect_map import CellClass
from crossbar.errors import ConfigurationError, DataError
from crossbar.estimate import Estimate
from crossbar.pulses import State
from db.rows import Check, FitRow
from db.store import Store

FIT = FitRow(
    cell=3,
    target=State.HIGH,
    parameters={
        "delta": Estimate(estimate=60.1, low=55.0, high=math.inf),
        "vc0": Estimate(estimate=0.4, low=0.39, high=0.1 + 0.3),
    },
    log_likelihood=-12.5,
    converged=True,
)


def test_fits_come_back_exactly(begun):
    """Estimates, open intervals and likelihood are what they were, in the order of the cells."""
    low = dataclasses.replace(FIT, cell=1, target=State.LOW, converged=False, parameters={})
    begun.store.save_fits(begun.run_id, begun.die, [FIT, low])

    assert begun.store.fits(begun.wafer_id, begun.die) == [low, FIT]
    assert begun.store.fits(begun.wafer_id, begun.die, run_id=99) == []
    assert begun.store.fits(begun.wafer_id, begun.die, kind="other") == []
    assert begun.store.fits(begun.wafer_id, begun.other_die) == []


def test_a_failed_fit_keeps_its_nan(begun):
    """NaN, which SQLite has no word for, comes back as NaN."""
    nan = Estimate(estimate=math.nan, low=math.nan, high=1.0)
    failed = dataclasses.replace(FIT, parameters={"delta": nan}, log_likelihood=math.nan)
    begun.store.save_fits(begun.run_id, begun.die, [failed])

    (found,) = begun.store.fits(begun.wafer_id, begun.die)

    assert math.isnan(found.log_likelihood)
    assert math.isnan(found.parameters["delta"].estimate)
    assert found.parameters["delta"].high == 1.0


def test_a_new_fit_takes_the_place_of_the_old_one(begun):
    """Fitting the same points again replaces the fit of that cell, target and kind, no other."""
    other = dataclasses.replace(FIT, target=State.LOW)
    better = dataclasses.replace(FIT, log_likelihood=-3.0)
    begun.store.save_fits(begun.run_id, begun.die, [FIT, other])
    begun.store.save_fits(begun.run_id, begun.die, [better])

    assert begun.store.fits(begun.wafer_id, begun.die) == [better, other]
    assert begun.store.counts()["fit_parameters"] == 4


def test_a_population_comes_back_with_its_dies(begun):
    """The latest population, or a named one, with the dies that it was fitted to."""
    parameters = {"point_rates": {CellClass.SHORT: 0.1 + 0.2}, "short_conductance": (4.0, 10.0)}
    dies = (begun.die, begun.other_die)
    first = begun.store.save_population(parameters, wafer_id=begun.wafer_id, dies=dies)
    second = begun.store.save_population({}, source="sister chip")

    found = begun.store.population(first)

    assert found.parameters == {
        "point_rates": {str(CellClass.SHORT.value): 0.1 + 0.2},
        "short_conductance": [4.0, 10.0],
    }
    assert found.dies == tuple(sorted(dies))
    assert begun.store.population().id == second
    assert begun.store.population().source == "sister chip"


def test_there_is_no_population_before_one_is_fitted(store: Store):
    """The message says what to do first."""
    with pytest.raises(DataError, match="fit one to the dies"):
        store.population()


def test_dies_need_a_wafer(begun):
    """Coordinates without a wafer name no die, and nothing is stored."""
    with pytest.raises(ConfigurationError, match="of which wafer"):
        begun.store.save_population({}, dies=[begun.die])

    assert begun.store.counts()["populations"] == 0


def test_a_fit_of_a_whole_die_has_no_cell_and_no_direction(begun):
    """It comes back with its assumptions and checks, and a new one replaces it."""
    together = dataclasses.replace(
        FIT,
        cell=None,
        target=None,
        assumptions={"distribution": "Weibull", "false_alarm_rate": 0.01},
        checks={"goodness of fit": Check(p_value=0.002, flagged=True)},
    )
    begun.store.save_fits(begun.run_id, begun.die, [together])
    begun.store.save_fits(begun.run_id, begun.die, [together])

    assert begun.store.fits(begun.wafer_id, begun.die) == [together]
    assert begun.store.counts()["fit_checks"] == 1


def test_fits_with_different_assumptions_do_not_mix(begun):
    """A delta of one barrier exponent is no delta of another: asking for both is refused."""
    steep = dataclasses.replace(FIT, cell=4, assumptions={"barrier_exponent": 2.0})
    flat = dataclasses.replace(FIT, cell=5, assumptions={"barrier_exponent": 1.0})
    other_run = begun.store.begin_run(
        begun.wafer_id, "write-error-rate", {}, 1, {}, "", [begun.die]
    )
    begun.store.save_fits(begun.run_id, begun.die, [steep])
    begun.store.save_fits(other_run, begun.die, [flat])

    with pytest.raises(DataError, match="not comparable"):
        begun.store.fits(begun.wafer_id, begun.die)
    assert begun.store.fits(begun.wafer_id, begun.die, run_id=other_run) == [flat]


def test_fits_that_differ_in_other_ways_stand_side_by_side(begun):
    """How many cells there were, or at which rate they were flagged, is no other model."""
    other_run = begun.store.begin_run(
        begun.wafer_id, "write-error-rate", {}, 1, {}, "", [begun.die]
    )
    fits = [dataclasses.replace(FIT, assumptions={"false_alarm_rate": x}) for x in (0.01, 0.05)]
    begun.store.save_fits(begun.run_id, begun.die, fits[:1])
    begun.store.save_fits(other_run, begun.die, fits[1:])

    assert begun.store.fits(begun.wafer_id, begun.die) == fits
