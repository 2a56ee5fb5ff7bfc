"""Adaptive write error rates through real drivers and bytes, against the simulated truth."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from analysis.amplitude_interval import fit_amplitudes
from analysis.switching_counts import gather_counts
from crossbar.errors import ConfigurationError, LimitError
from crossbar.geometry import DieAddress
from crossbar.pulses import State
from crossbar.records import WerPoint
from protocols.adaptive_write_error_rate import (
    CHECK,
    AdaptiveWriteErrorRateParameters,
    Pair,
    adaptive_write_error_rate,
)

PARAMETERS = AdaptiveWriteErrorRateParameters(sample=8, relative_width=0.03, check_attempts=0)
SHORT = replace(PARAMETERS, sample=5, max_attempts=2000)
"""Ended by the budget, after a few rounds."""
POINT = WerPoint(
    cell=7,
    target=State.HIGH,
    amplitude=-0.45,
    width=5e-9,
    attempts=200,
    errors=50,
    rejected=0,
    interval_low=0.2,
    interval_high=0.3,
    confidence=0.95,
    execution="board",
    stopped_by="design",
)


def true_amplitudes(simulated, counts, quantity):
    """(n,) volts, of the pairs of some counts."""
    cells = simulated.truth.cells
    vc0 = [
        (cells.vc0_low if target is State.LOW else cells.vc0_high)[cell]
        for cell, target in zip(counts.cells, counts.targets, strict=True)
    ]
    return quantity.of(
        np.stack([cells.delta[counts.cells], vc0, cells.tau_d[counts.cells]], axis=1)
    )


def test_every_interval_is_narrow_enough_and_holds_the_truth(die_of):
    """In both directions, at the 99.9 % level; every record is of a pulse of its own."""
    with die_of(defect_scale=0) as (die, simulated):
        points = list(adaptive_write_error_rate(die, PARAMETERS))
    counts, quantity = gather_counts(points), PARAMETERS.quantities[0]

    narrow = fit_amplitudes(counts, quantity, PARAMETERS.confidence)
    wide = fit_amplitudes(counts, quantity, 0.999)

    assert len(counts.cells) == 16
    assert narrow.log_width.max() <= 0.03
    truth = true_amplitudes(simulated, counts, quantity)
    assert np.all((wide.low <= truth) & (truth <= wide.high))
    assert np.all(counts.attempts.sum(axis=1) < 12_000)
    assert len({point.key for point in points}) == len(points)
    assert {point.stopped_by for point in points} == {"design"}
    assert {point.width for point in points} <= set(PARAMETERS.pulse_widths)
    assert all(0 < abs(p.amplitude) <= PARAMETERS.largest_amplitude for p in points)
    assert all((p.amplitude > 0) == (p.target is State.LOW) for p in points)


def test_a_round_is_one_list_for_all_cells(bench_of):
    """However many cells there are: one list a round and direction, in two messages."""
    rounds = {}
    for sample in (2, 30):
        with bench_of(defect_scale=0) as bench, bench.contacted(DieAddress(0, 0)) as die:
            before = bench.messages
            points = list(adaptive_write_error_rate(die, replace(SHORT, sample=sample)))
            messages = bench.messages - before
        each = Counter((point.cell, point.target) for point in points)
        rounds[sample] = max(each.values())
        # The states of all cells first; then a list and its counts, in both directions.
        assert messages <= 6 + 2 * 2 * rounds[sample]

    assert rounds[30] == rounds[2]


def test_a_run_that_was_broken_off_goes_on_as_if_nothing_had_happened(die_of):
    """In the middle of a round: the same records in the end, but for the order."""
    with die_of() as (die, _):
        whole = list(adaptive_write_error_rate(die, SHORT))
    with die_of() as (die, _):
        rest = list(adaptive_write_error_rate(die, SHORT, whole[:33]))

    assert len(rest) == len(whole) - 33
    assert {(p.key, p.errors, p.attempts) for p in rest} == {
        (p.key, p.errors, p.attempts) for p in whole[33:]
    }


def test_nothing_is_left_to_do_when_everything_is_stored(die_of):
    """Not even the states are read."""
    with die_of() as (die, _):
        whole = list(adaptive_write_error_rate(die, SHORT))
    with die_of() as (die, simulated):
        assert list(adaptive_write_error_rate(die, SHORT, whole)) == []
        assert not simulated.pulses_given.any()


def test_a_cell_without_a_window_is_recorded_and_left_alone(die_of):
    """One record in each direction says why there is no amplitude."""
    with die_of() as (die, simulated):
        short = int(np.flatnonzero(simulated.truth.classes.ravel() == 1)[0])
        parameters = replace(PARAMETERS, cells=(str(die.geometry.address(short)),))
        points = list(adaptive_write_error_rate(die, parameters))

    assert [(p.stopped_by, p.attempts) for p in points] == [("no window", 0)] * 2


def test_other_executions_give_records_of_the_same_cells(die_of):
    """Software, one cell at a time: slow, the same physics."""
    parameters = replace(
        PARAMETERS, cells=("0:10:7",), targets=(State.LOW,), max_attempts=120, first_block=60
    )
    with die_of(execution="software", defect_scale=0) as (die, simulated):
        points = list(adaptive_write_error_rate(die, parameters))

    counts = gather_counts(points)
    wide = fit_amplitudes(counts, PARAMETERS.quantities[0], 0.999)
    truth = true_amplitudes(simulated, counts, PARAMETERS.quantities[0])
    assert {point.execution for point in points} == {"software"}
    assert sum(point.attempts for point in points) == 120
    assert wide.low[0] <= truth[0] <= wide.high[0]


def test_nothing_is_sent_if_a_pulse_might_pass_the_limit(die_of):
    """The whole run is refused before its first pulse."""
    with die_of() as (die, simulated):
        with pytest.raises(LimitError, match=r"1\.3 V refused"):
            list(adaptive_write_error_rate(die, replace(PARAMETERS, largest_amplitude=1.3)))

        assert not simulated.pulses_given.any()


def test_a_budget_ends_the_search(die_of):
    """Rejected attempts count."""
    with die_of(defect_scale=0) as (die, _):
        points = list(adaptive_write_error_rate(die, SHORT))

    spent: Counter = Counter()
    for point in points:
        spent[point.cell, point.target] += point.attempts + point.rejected
    assert set(spent.values()) == {2000}


CHECKED = replace(PARAMETERS, sample=5, relative_width=0.1, check_attempts=400)
"""With a check, after a short search."""


def test_the_check_comes_last_and_changes_nothing_before_it(die_of):
    """The same records as without it; then two a cell and direction, the second one above."""
    with die_of(defect_scale=0) as (die, _):
        without = list(adaptive_write_error_rate(die, replace(CHECKED, check_attempts=0)))
    with die_of(defect_scale=0) as (die, _):
        whole = list(adaptive_write_error_rate(die, CHECKED))

    assert whole[: len(without)] == without
    checks = whole[len(without) :]
    assert {point.stopped_by for point in checks} == {CHECK}
    assert len(checks) == 2 * 2 * 5
    counts = gather_counts(without)
    found = fit_amplitudes(counts, CHECKED.quantities[0], CHECKED.confidence).estimate
    pairs = list(zip(counts.cells.tolist(), counts.targets, strict=True))
    for (cell, target), volts in zip(pairs, found.tolist(), strict=True):
        own = [abs(p.amplitude) for p in checks if (p.cell, p.target) == (cell, target)]
        assert own == pytest.approx([volts, min(1.2 * volts, 0.9)], abs=0.003)
    assert {point.width for point in checks} == {CHECKED.width}
    assert all(point.attempts + point.rejected == 400 for point in checks)
    assert len({point.key for point in whole}) == len(whole)


@pytest.mark.parametrize("missing", [3, 12])
def test_a_check_that_was_broken_off_is_completed(die_of, missing):
    """Only what is missing is made, with the pulses that it would have had."""
    with die_of(defect_scale=0) as (die, _):
        whole = list(adaptive_write_error_rate(die, CHECKED))
    with die_of(defect_scale=0) as (die, _):
        rest = list(adaptive_write_error_rate(die, CHECKED, whole[:-missing]))

    assert {point.key for point in rest} == {point.key for point in whole[-missing:]}
    assert {point.stopped_by for point in rest} == {CHECK}


def test_the_check_obeys_the_limit_at_the_working_width(die_of):
    """Which no other pulse needs to have: refused before anything is sent."""
    with die_of() as (die, simulated):
        with pytest.raises(LimitError, match="max_width"):
            list(adaptive_write_error_rate(die, replace(CHECKED, width=2.0)))

        assert not simulated.pulses_given.any()


def test_a_pulse_that_was_given_makes_room_for_its_neighbour():
    """To the nearest millivolt, and never above the largest."""
    given = [replace(POINT, amplitude=-volts) for volts in (0.9, 0.899, 0.45)]
    pair = Pair(cell=7, target=State.HIGH, points=given)

    assert pair.unused_amplitude(0.95, 5e-9, 0.9) == 0.898
    assert pair.unused_amplitude(0.4502, 5e-9, 0.9) == 0.451
    assert pair.unused_amplitude(0.4498, 5e-9, 0.9) == 0.449
    assert pair.unused_amplitude(0.4502, 10e-9, 0.9) == 0.45
    with pytest.raises(ConfigurationError, match="every amplitude up to 1e-05 V"):
        pair.unused_amplitude(0.5, 5e-9, 1e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"wer": 0.0}, {"other_rates": (2.0,)}, {"targets": ()}, {"pulse_widths": ()},
        {"growth": 0.0}, {"sample": 0}, {"expected_delta": 10.0}, {"confidence": 95.0},
        {"largest_amplitude": -0.5}, {"relative_width": 1.5}, {"check_attempts": -1},
        {"check_step": 0.0},
    ],
)  # fmt: skip
def test_senseless_parameters_are_refused(wrong):
    """Before a bench is opened."""
    with pytest.raises(ConfigurationError):
        AdaptiveWriteErrorRateParameters(**wrong)
