"""Each fault at the seam, as a client sees it; scenarios and what is wrong with them."""

import pytest

from crossbar.errors import (
    ConfigurationError,
    DataError,
    NoReplyError,
    NotConnectedError,
    ReportedError,
)
from crossbar.geometry import DieAddress, DieGeometry
from drivers.formfactor_velox import FormFactorVelox
from drivers.keithley_2600b import Keithley2600B
from drivers.keysight_81160a import Keysight81160A
from drivers.visa import connect
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench
from simulated_instruments.faults import KINDS, Scenario, garbled, inject, read_scenario

ADDRESSES = {
    "smu": "GPIB0::26::INSTR",
    "pulse_generator": "TCPIP0::192.168.0.11::inst0::INSTR",
    "prober": "GPIB0::28::INSTR",
    "die_board": "TCPIP0::192.168.0.12::5025::SOCKET",
}
DRIVERS = {
    "smu": "keithley_2600b",
    "pulse_generator": "keysight_81160a",
    "prober": "formfactor_velox",
    "die_board": "die_board",
}


@pytest.fixture
def disturbed():
    """Make a bench with one fault; returns it and the adapter of a role."""

    def make(at="pulse_generator", **fault):
        wafer = SimulatedWafer(
            addresses=[DieAddress(0, 0)],
            geometry=DieGeometry(subarrays=1, rows=4, columns=4),
            seed=1,
        )
        bench = SimulatedBench(wafer, {ADDRESSES[role]: DRIVERS[role] for role in ADDRESSES})
        scenario = Scenario.model_validate({"seed": 1, "faults": [fault]})
        inject(bench, scenario, ADDRESSES)
        adapter = connect(ADDRESSES[at], role=at, visa_library=bench.visa_library)
        return bench, adapter

    return make


def ask(adapter, question):
    adapter.write(question)
    return adapter.read()


@pytest.mark.parametrize("role", ["pulse_generator", "die_board"])
@pytest.mark.parametrize("kind", ["lost_reply", "late_reply"])
def test_one_reply_does_not_come_in_time_and_the_next_one_is_the_right_one(disturbed, kind, role):
    _, adapter = disturbed(role, kind=kind, role=role, message=2)
    adapter.write("*CLS")
    with pytest.raises(NoReplyError, match=role):
        ask(adapter, "*IDN?")

    assert ask(adapter, "*OPC?").lstrip("+") == "1"


def test_a_garbled_reply_is_no_number_and_a_garbled_block_too_short():
    assert garbled(b"+1.250000E-03\n", b"\n") == b"+1.2" + b"\xff" * 5 + b"E-03\n"
    assert garbled(b"1\r", b"\r") == b"\xff\r"
    assert garbled(b"#15abcde\n", b"\n") == b"#15a\n"


@pytest.mark.parametrize("role", ["pulse_generator", "die_board"])
def test_a_dropped_connection_is_opened_anew_by_the_next_message(disturbed, role):
    _, adapter = disturbed(role, kind="dropped_connection", address=ADDRESSES[role], message=1)
    with pytest.raises(NotConnectedError, match=role):
        adapter.write("*IDN?")

    assert "," in ask(adapter, "*IDN?")


def test_a_lasting_drop_cannot_be_opened_again(disturbed):
    bench, adapter = disturbed(kind="dropped_connection", message=1, lasting=True)
    for _ in range(3):
        with pytest.raises(NotConnectedError):
            adapter.write("*IDN?")
    with pytest.raises(NotConnectedError):
        connect(ADDRESSES["pulse_generator"], visa_library=bench.visa_library)


@pytest.mark.parametrize(
    ("role", "driver"), [("pulse_generator", Keysight81160A), ("smu", Keithley2600B)]
)
def test_an_entry_in_the_error_queue(disturbed, role, driver):
    _, adapter = disturbed(role, kind="error_entry", role=role, message=1)
    with pytest.raises(ReportedError, match="injected fault"):
        driver(adapter).check_errors()
    driver(adapter).check_errors()


def test_a_restart_loses_settings_and_closes_no_relay(disturbed):
    bench, adapter = disturbed("die_board", kind="restart", role="die_board", message=3)
    adapter.write("LIM:AMPL 1.2")
    adapter.write("ROUT:CLOS 0,1,1")
    assert bench.station.pulsed_cell == 5

    assert float(ask(adapter, "LIM:AMPL?")) == 0
    assert bench.station.pulsed_cell is None
    assert bench.emulators[ADDRESSES["die_board"]].event_status == 0x80


def test_a_needle_that_lifts(disturbed):
    bench, adapter = disturbed("prober", kind="needle_lifts", role="prober", message=3)
    prober = FormFactorVelox(adapter)
    prober.ask("StepFirstDie")
    prober.ask("MoveChuckContact")
    assert bench.station.in_contact

    assert prober.preset_height == "C"  # the prober does not know
    assert not bench.station.in_contact


def test_a_chuck_refuses_once(disturbed):
    bench, adapter = disturbed("prober", kind="chuck_refuses", message=1)
    prober = FormFactorVelox(adapter)
    prober.ask("ReadChuckHeights Y")  # nothing moves, so nothing is refused
    with pytest.raises(ReportedError, match="571"):
        prober.ask("MoveChuckContact")
    assert not bench.station.in_contact
    prober.ask("StepFirstDie")
    prober.ask("MoveChuckContact")
    assert bench.station.in_contact


def test_what_happened_can_be_looked_up(disturbed):
    bench, adapter = disturbed(kind="lost_reply", message=1)
    adapter.write("*CLS")
    assert bench.visa_library.happened == []
    adapter.write("*IDN?")
    [(fault, role, message)] = bench.visa_library.happened
    assert (fault.kind, role, message) == ("lost_reply", "pulse_generator", b"*IDN?\n")


def test_a_scenario_is_read_from_toml_and_json(tmp_path):
    toml, json = tmp_path / "faults.toml", tmp_path / "faults.json"
    toml.write_text('seed = 4\n[[faults]]\nkind = "restart"\nrole = "smu"\nmessage = 3\n')
    json.write_text('{"seed": 4, "faults": [{"kind": "restart", "role": "smu", "message": 3}]}')

    assert read_scenario(toml) == read_scenario(json)
    assert read_scenario(toml).faults[0].message == 3


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("[[faults]]", ConfigurationError, "faults.0.kind.*chuck_refuses"),
        ('[[faults]]\nkind = "rain"\nmessage = 1', ConfigurationError, "faults.0.kind"),
        ('[[faults]]\nkind = "restart"\nmessage = 0', ConfigurationError, "faults.0.message"),
        ("[[", DataError, "cannot be read"),
    ],
)
def test_a_wrong_scenario_is_refused(tmp_path, text, error, message):
    path = tmp_path / "faults.toml"
    path.write_text(text)
    with pytest.raises(error, match=message):
        read_scenario(path)


@pytest.mark.parametrize("place", [{"role": "switch_matrix"}, {"address": "GPIB0::3::INSTR"}])
def test_a_fault_at_an_absent_instrument_is_refused(disturbed, place):
    with pytest.raises(ConfigurationError, match="which the bench does not have"):
        disturbed(kind=KINDS[0], message=1, **place)
