"""Write error rates through real drivers and bytes, against the truth of the simulated die."""

import math

import numpy as np
import pytest
import torch

from crossbar.attempts import AttemptPlan
from crossbar.errors import ConfigurationError, LimitError
from crossbar.pulses import Pulse, State
from physics.switching import log_wer
from protocols.attempts import execution_of, run_attempts, software_attempts
from protocols.cell_choice import chosen_cells
from protocols.write_error_rate import (
    WriteErrorRateParameters,
    write_error_rate,
)

SMALL = WriteErrorRateParameters(
    sample=3, amplitudes=(0.5, 0.7), widths=(10e-9,), max_attempts=4000, first_chunk=4000
)


def true_wer(simulated, point) -> float:
    """The rate that the point should find."""
    cells = simulated.truth.cells
    vc0 = cells.vc0_low if point.target is State.LOW else cells.vc0_high
    values = (
        abs(point.amplitude) / vc0[point.cell],
        point.width / cells.tau_d[point.cell],
        cells.delta[point.cell],
    )
    return math.exp(float(log_wer(*(torch.tensor(v, dtype=torch.float64) for v in values))))


def test_the_counts_are_those_of_the_cells_truth(die_of):
    """Every 99.99 % interval of a fixed number of attempts covers the true rate."""
    parameters = WriteErrorRateParameters(
        sample=20, amplitudes=(0.4, 0.5, 0.7), widths=(5e-9, 20e-9), max_attempts=10_000,
        confidence=0.9999,
    )  # fmt: skip
    with die_of(defect_scale=0) as (die, simulated):
        points = list(write_error_rate(die, parameters))

    assert len(points) == 20 * 3 * 2 * 2
    for point in points:
        assert point.interval_low <= true_wer(simulated, point) <= point.interval_high


def test_all_executions_give_the_same_records(die_of):
    """Board, SMU script and software: the same keys, and rates that agree."""
    parameters = WriteErrorRateParameters(
        cells=("0:10:7",), amplitudes=(0.45,), widths=(10e-9,), restore_width=100e-6,
        restore_amplitude=0.6, max_attempts=400, first_chunk=400,
    )  # fmt: skip
    found = {}
    for execution in ("board", "instrument", "software"):
        with die_of(execution=execution, defect_scale=0) as (die, simulated):
            found[execution] = list(write_error_rate(die, parameters))

    keys = {execution: [p.key for p in points] for execution, points in found.items()}
    assert keys["board"] == keys["instrument"] == keys["software"]
    for execution, points in found.items():
        assert {point.execution for point in points} == {execution}
        for point in points:
            rate = true_wer(simulated, point)
            spread = 4.5 * np.sqrt(rate * (1 - rate) / point.attempts)
            assert point.attempts == 400
            assert abs(point.errors / point.attempts - rate) < spread


def test_rejected_restores_are_counted_and_not_written(die_of):
    """A restore too weak to work leaves few valid attempts, and the counts say so."""
    with die_of(defect_scale=0) as (die, _):
        cells = np.array([3])
        threshold, _ = SMALL.restoring.thresholds(die, cells)
        plan = AttemptPlan(
            initial=State.HIGH,
            restore=Pulse.writing(State.HIGH, 0.42, 10e-9),
            write=Pulse.writing(State.LOW, 0.9, 50e-9),
            read_amplitude=0.1,
            threshold=threshold,
            attempts=300,
        )
        board = run_attempts(die, cells, plan)
        software = software_attempts(die, cells, plan)

    for counts in (board, software):
        assert 0 < counts.rejected[0] < 300
        assert counts.errors[0] == 0
    assert abs(board.rejected[0] - software.rejected[0]) < 60


def test_a_cell_without_a_window_is_recorded_and_left_alone(die_of):
    """Shorts and opens get a record that says why there is no rate."""
    with die_of() as (die, simulated):
        short = int(np.flatnonzero(simulated.truth.classes.ravel() == 1)[0])
        parameters = WriteErrorRateParameters(
            cells=(str(die.geometry.address(short)),), amplitudes=(0.5,), widths=(10e-9,)
        )
        points = list(write_error_rate(die, parameters))

    assert [point.stopped_by for point in points] == ["no window"] * 2
    assert all(point.attempts == 0 for point in points)


def test_measurement_stops_when_the_interval_is_tight(die_of):
    """Precision where errors are frequent, the budget where they are rare."""
    with die_of(defect_scale=0) as (die, _):
        parameters = WriteErrorRateParameters(
            sample=1, amplitudes=(0.4, 0.9), widths=(20e-9,), targets=(State.HIGH,),
            max_attempts=50_000, first_chunk=1000,
        )  # fmt: skip
        often, rare = write_error_rate(die, parameters)

    assert often.stopped_by == "precision"
    assert rare.stopped_by == "budget"
    assert rare.attempts == 50_000


def test_nothing_is_sent_if_any_condition_is_over_the_limit(die_of):
    """The whole run is refused before its first pulse."""
    parameters = WriteErrorRateParameters(sample=1, amplitudes=(0.5, 1.3))
    with die_of() as (die, simulated):
        with pytest.raises(LimitError, match=r"1\.3 V refused"):
            list(write_error_rate(die, parameters))

        assert not simulated.pulses_given.any()


@pytest.mark.parametrize(
    "wrong", [{"amplitudes": ()}, {"amplitudes": (-0.5,)}, {"sample": 0}, {"targets": ()}]
)
def test_senseless_parameters_are_refused(wrong):
    """Before a bench is opened."""
    with pytest.raises(ConfigurationError):
        WriteErrorRateParameters(**wrong)


def test_a_short_restore_leaves_the_smu_script_out(die_of):
    """The SMU cannot make pulses under 100 us; software takes over by itself."""
    with die_of(execution="instrument") as (die, _):
        plan = AttemptPlan(
            initial=State.HIGH,
            restore=Pulse.writing(State.HIGH, 0.9, 200e-9),
            write=Pulse.writing(State.LOW, 0.9, 50e-9),
            read_amplitude=0.1,
            threshold=np.array([1.4e-4]),
            attempts=1,
        )

        assert execution_of(die, plan) == "software"


def test_the_sample_spreads_over_rows_and_columns(die_of):
    """A sample is not a single column."""
    with die_of() as (die, _):
        cells = chosen_cells((), 40, die.geometry)

    places = np.unravel_index(cells, die.geometry.shape)
    assert len(set(cells)) == 40
    assert len(set(places[0])) == 4
    assert len(set(places[2])) > 10
