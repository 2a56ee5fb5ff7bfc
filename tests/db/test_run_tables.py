from datetime import UTC, datetime

import pytest

from crossbar.errors import StorageError
from crossbar.geometry import DieAddress
from crossbar.pulses import Pulse, State
from db.rows import UsedInstrument

METER = UsedInstrument(
    role="meter",
    driver="keithley.2600b",
    address="TCPIP::10.0.0.4::INSTR",
    identity="Keithley Instruments Inc., Model 2636B, 4012345, 3.2.2",
)
PULSER = UsedInstrument(role="pulse_source", driver="keysight.81160a", address="b", identity="c")


def test_a_run_comes_back_as_it_was_begun(begun):
    """Parameters, versions, bench and dies, in their order, are what they were."""
    run = begun.store.run(begun.run_id)

    assert (run.protocol, run.seed, run.bench) == ("array-map", 7, "[bench]")
    assert run.parameters == {"read": 0.1}
    assert run.versions == {"lab": "0.1"}
    assert run.dies == (begun.die, begun.other_die)
    assert run.status == "running"
    assert run.finished_at is None
    assert run.training_run_id is None
    assert abs((datetime.now(UTC) - run.started_at).total_seconds()) < 60


def test_parameters_may_hold_what_a_protocol_takes(begun):
    """Pulses, states, tuples and dies become plain JSON; floats stay exact."""
    parameters = {
        "pulse": Pulse(amplitude=0.1 + 0.2, width=3e-8),
        "target": State.HIGH,
        "amplitudes": (0.5, 0.55),
    }
    run_id = begun.store.begin_run(begun.wafer_id, "wer", parameters, 1, {}, "", [])

    assert begun.store.run(run_id).parameters == {
        "pulse": {"amplitude": 0.1 + 0.2, "width": 3e-8},
        "target": "high",
        "amplitudes": [0.5, 0.55],
    }


@pytest.mark.parametrize("value", [object(), float("nan"), {DieAddress(1, 2): 1}])
def test_what_json_cannot_hold_is_refused(begun, value):
    """A parameter that would come back as something else stops the run before it begins."""
    before = begun.store.counts()

    with pytest.raises(StorageError, match="The beginning of a run of wer was not stored"):
        begun.store.begin_run(begun.wafer_id, "wer", {"x": value}, 1, {}, "", [])

    assert begun.store.counts() == before


def test_a_die_twice_in_a_run_is_refused(begun):
    """A run visits each die once."""
    with pytest.raises(StorageError, match="nothing is stored twice"):
        begun.store.begin_run(begun.wafer_id, "wer", {}, 1, {}, "", [begun.die, begun.die])


def test_finished_dies_are_remembered(begun):
    """What a resumed run may leave out is what was finished, no more."""
    begun.store.finish_die(begun.run_id, begun.other_die)

    assert begun.store.done_dies(begun.run_id) == {begun.other_die}


def test_finishing_a_die_of_no_run_is_refused(begun):
    """A die that the run does not visit cannot be finished."""
    with pytest.raises(StorageError, match=r"Die \(0, 0\) is not among the dies of run"):
        begun.store.finish_die(begun.run_id, DieAddress(0, 0))


@pytest.mark.parametrize("status", ["interrupted", "failed", "done"])
def test_a_run_ends_with_a_status_and_a_message(begun, status):
    """How a run ended, when, and why stands in its row."""
    begun.store.finish_run(begun.run_id, status, "needles lifted")
    run = begun.store.run(begun.run_id)

    assert (run.status, run.message) == (status, "needles lifted")
    assert run.finished_at >= run.started_at


def test_a_run_can_be_taken_up_again(begun):
    """Setting an interrupted run running again clears its end."""
    begun.store.finish_run(begun.run_id, "interrupted", "by the user")
    begun.store.finish_run(begun.run_id, "running")
    run = begun.store.run(begun.run_id)

    assert (run.status, run.message, run.finished_at) == ("running", "", None)


@pytest.mark.parametrize(
    ("run_id", "status", "message"),
    [(99, "done", "no run 99"), (1, "finished", "cannot be 'finished'; it is one of .*'done'")],
)
def test_an_unknown_run_or_status_is_refused(begun, run_id, status, message):
    """Neither a run that is not there nor a status that does not exist is passed over."""
    with pytest.raises(StorageError, match=message):
        begun.store.finish_run(run_id, status)


def test_asking_for_an_unknown_run_is_an_error(begun):
    """The message names the run."""
    with pytest.raises(StorageError, match="no run 99"):
        begun.store.run(99)


def test_runs_that_can_be_resumed_are_those_that_did_not_end(begun):
    """Interrupted, failed, or killed with their process; latest first and by wafer."""
    begin = begun.store.begin_run
    ids = [begin(begun.wafer_id, "wer", {}, 0, {}, "", []) for _ in range(3)]
    begun.store.finish_run(ids[0], "interrupted")
    begun.store.finish_run(ids[1], "done")
    begun.store.finish_run(begun.run_id, "failed")

    resumable = [run.id for run in begun.store.interrupted_runs(begun.wafer_id)]
    assert resumable == [ids[2], ids[0], begun.run_id]
    assert [run.id for run in begun.store.runs()] == [*reversed(ids), begun.run_id]
    assert begun.store.interrupted_runs(wafer_id=99) == []


def test_instruments_are_stored_once_and_belong_to_runs(begun):
    """Two runs with the same meter share its row; saying it again on resuming changes nothing."""
    second = begun.store.begin_run(begun.wafer_id, "wer", {}, 0, {}, "", [])
    begun.store.record_instruments(begun.run_id, [METER])
    begun.store.record_instruments(second, [METER, PULSER])
    begun.store.record_instruments(second, [METER])

    assert begun.store.instruments(begun.run_id) == [METER]
    assert begun.store.instruments(second) == [METER, PULSER]
    assert begun.store.counts()["instruments"] == 2
