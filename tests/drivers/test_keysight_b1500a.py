import numpy as np
import pytest
from pymeasure.test import expected_protocol

from crossbar.errors import (
    InstrumentError,
    LimitError,
    ReplyError,
    ReportedError,
    WrongInstrumentError,
)
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.pulses import Pulse
from drivers.keysight_b1500a import KeysightB1500A, same_numbers, whole_steps
from drivers.visa import connect
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench

ADDRESS = "GPIB0::17::INSTR"
DIE = DieAddress(0, 0)
CELL = 5
FINE = '+0,"No Error."'
UNITS = ("UNT?", "B1517A,0;B1517A,0;B1520A,0;B1525A,0" + ";0,0" * 6)
PREPARED = [
    ("*RST", None),
    ("ERRX?", '+120,"Incorrect parameter value."'),
    ("ERRX?", FINE),
    ("FMT 1,0;TM 1;CM 0;AV -1;SIM 0;SPRM 1,1", None),
    ("ERRX?", FINE),
    UNITS,
    ("CN 1;DV 1,0,0,0.001", None),
    ("ERRX?", FINE),
    ("*LRN? 1", "DV1,0,0,0.001,0,0"),
]
OFF = [("SPP", None), ("DZ", None), ("CL", None), ("ERRX?", FINE)]
SET_UP = [
    ("CL 1;CL 401", None),
    ("ERRX?", FINE),
    ("SIM 0;SPRM 1,1;SPPER 1e-06;SPM 401,1", None),
    ("ERRX?", FINE),
    ("SER 401,1000000;SPT 401,1,0,1e-07,2e-08,2e-08;SPV 401,1,0,-1.2", None),
    ("ERRX?", FINE),
]
PULSE = Pulse(amplitude=-1.2, width=100e-9)


def bench_of(**options):
    wafer = SimulatedWafer(
        addresses=[DIE], geometry=DieGeometry(subarrays=1, rows=4, columns=4), seed=5
    )
    bench = SimulatedBench(wafer, {ADDRESS: "keysight_b1500a"}, options={ADDRESS: options})
    bench.station.die_under_needles, bench.station.in_contact = DIE, True
    bench.station.route(CELL)
    return bench


def opened(bench, **options):
    adapter = connect(ADDRESS, visa_library=bench.visa_library, termination="\r\n")
    return KeysightB1500A(adapter, **options)


@pytest.fixture
def bench():
    return bench_of()


@pytest.fixture
def unit(bench):
    driver = opened(bench)
    driver.prepare(1.5, 1e-3)
    return driver


def test_preparing_sets_the_compliance_and_reads_it_back():
    """Errors of others are read away first."""
    with expected_protocol(KeysightB1500A, PREPARED) as unit:
        unit.prepare(1.5, 1e-3)


def test_a_compliance_that_does_not_hold_is_an_error_and_outputs_go_off():
    session = [*PREPARED[:-1], ("*LRN? 1", "DV1,0,0,0.1,0,0"), *OFF]
    message = r"told to limit the current to 1 mA.*100 mA"
    with (
        expected_protocol(KeysightB1500A, session) as unit,
        pytest.raises(InstrumentError, match=message),
    ):
        unit.prepare(1.5, 1e-3)


def test_one_pulse_is_set_up_read_back_and_sent_once():
    session = [
        *PREPARED,
        *SET_UP,
        ("SPV? 401,1", "0,-1.2"),
        ("SPT? 401,1", "0,1E-07,2E-08,2E-08"),
        ("SER? 401", "1E+06"),
        ("SPM? 401", "1"),
        ("SPRM?", "1,1"),
        ("CN 401;SPUPD 401", None),
        ("ERRX?", FINE),
        ("SRP", None),
        ("ERRX?", FINE),
        ("SPST?", "1"),
        ("SPST?", "0"),
        ("SPP;CL 401", None),
        ("ERRX?", FINE),
    ]
    with expected_protocol(KeysightB1500A, session) as unit:
        unit.prepare(1.5, 1e-3)
        unit.apply(PULSE)


def test_a_level_that_reads_back_otherwise_is_not_sent():
    """The SPGU has no limits of its own; this takes their place."""
    session = [*PREPARED, *SET_UP, ("SPV? 401,1", "0,-12"), *OFF]
    with expected_protocol(KeysightB1500A, session) as unit:
        unit.prepare(1.5, 1e-3)
        with pytest.raises(InstrumentError, match=r"'0,-12' to SPV\? 401,1.*was not sent"):
            unit.apply(PULSE)


def test_a_refused_setting_stops_the_pulse():
    session = [
        *PREPARED,
        *SET_UP[:-1],
        ("ERRX?", '+120,"Incorrect parameter value."'),
        ("ERRX?", FINE),
        *OFF,
    ]
    with expected_protocol(KeysightB1500A, session) as unit:
        unit.prepare(1.5, 1e-3)
        with pytest.raises(ReportedError, match=r"Incorrect parameter value.*SPV 401"):
            unit.apply(PULSE)


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("NAI+010.000E-06", (1e-5, False)),
        ("CAI-001.000E-03", (-1e-3, True)),
        ("TAI+010.000E-06", (1e-5, False)),
    ],
)
def test_a_reading_says_whether_it_is_clamped(reply, answer):
    session = [
        *PREPARED,
        ("CL 401;CN 1", None),
        ("ERRX?", FINE),
        ("DV 1,0,0.1,0.001", None),
        ("ERRX?", FINE),
        ("TI 1,0", reply),
        ("DV 1,0,0,0.001", None),
        ("ERRX?", FINE),
    ]
    with expected_protocol(KeysightB1500A, session) as unit:
        unit.prepare(1.5, 1e-3)
        assert unit.measure(0.1) == (pytest.approx(answer[0]), answer[1])


@pytest.mark.parametrize("reply", ["VAI+199.999E+99", "XAI+001.000E-06", "NAV+000.100E+00", ""])
def test_what_is_no_reading_is_an_error(unit, monkeypatch, reply):
    """Overflow, oscillation, a voltage; the outputs go off."""
    ask = unit.ask
    monkeypatch.setattr(unit, "ask", lambda text: reply if text.startswith("TI") else ask(text))
    with pytest.raises(ReplyError, match="to a measurement"):
        unit.measure(0.1)
    assert ask("*LRN? 0").strip() == "CL"


def test_measures_and_pulses_in_turns(unit, bench):
    """Never both connected; the reading follows the pulse's sign."""
    truth = bench.station.die.conductance(np.array([CELL]), 0.1)[0]
    assert unit.measure(0.1)[0] == pytest.approx(0.1 * truth, rel=0.05)
    for sign in (1, -1):
        unit.apply(Pulse(amplitude=sign * 1.2, width=1e-6))
        assert unit.ask("*LRN? 0").strip() == "CL"
        truth = bench.station.die.conductance(np.array([CELL]), 0.1)[0]
        assert unit.measure(0.1)[0] == pytest.approx(0.1 * truth, rel=0.05)
        assert unit.ask("*LRN? 0").strip() == "CN1"
    assert bench.station.die.pulses_given[CELL] == 2


def test_protections_are_those_of_the_closed_switch(unit):
    assert [str(protection) for protection in unit.protections()] == ["current limit 1 mA"]
    unit.off()
    assert unit.protections() == ()


def test_the_selector_is_switched_along():
    bench = bench_of(selector=True)
    unit = opened(bench, selector=True)
    unit.prepare(1.5, 1e-3)
    truth = bench.station.die.conductance(np.array([CELL]), 0.1)[0]
    assert unit.measure(0.1)[0] == pytest.approx(0.1 * truth, rel=0.05)
    unit.apply(PULSE)
    assert bench.station.die.pulses_given[CELL] == 1
    assert unit.measure(0.1)[0] > 1e-6
    unit.off()
    assert unit.ask("ERSSP? 0").strip() == "0"


@pytest.mark.parametrize(
    ("pulse", "message"),
    [
        (Pulse(amplitude=41.0, width=1e-6), "to 40 V"),
        (Pulse(amplitude=1.6, width=1e-6), "prepared for at most 1.5 V"),
        (Pulse(amplitude=1.0, width=40e-9), "50 ns"),
        (Pulse(amplitude=1.0, width=1.005e-7), "multiples of 10 ns"),
    ],
)
def test_pulses_out_of_reach_are_refused_before_anything_is_sent(unit, pulse, message):
    sent = unit.adapter.messages
    with pytest.raises(LimitError, match=message):
        unit.apply(pulse)
    assert unit.adapter.messages == sent


def test_limits_are_checked_before_anything_is_sent():
    with expected_protocol(KeysightB1500A, []) as unit:
        with pytest.raises(LimitError, match="current limit of 200 mA"):
            unit.prepare(1.5, 0.2)
        with pytest.raises(LimitError, match="largest amplitude"):
            unit.prepare(50.0, 1e-3)
        with pytest.raises(InstrumentError, match="prepare it first"):
            unit.measure(0.1)
        with pytest.raises(InstrumentError, match="prepare it first"):
            unit.apply(PULSE)


def test_readings_stay_within_what_it_was_prepared_for(unit):
    with pytest.raises(LimitError, match=r"1\.6 V"):
        unit.measure(1.6)


def test_another_instrument_is_told_from_a_b1500a(unit):
    unit.check_identity()
    assert unit.modules == {1: "B1517A", 2: "B1517A", 3: "B1520A", 4: "B1525A"}
    assert (unit.smu, unit.pulse_output) == (1, 401)
    with (
        expected_protocol(KeysightB1500A, [("*IDN?", "Agilent,B1505A,0,A")]) as other,
        pytest.raises(WrongInstrumentError, match="B1505A"),
    ):
        other.check_identity()


def test_slots_can_be_chosen_and_must_hold_what_is_needed(bench):
    assert opened(bench, smu=2, pulse_output=402).smu == 2
    with pytest.raises(InstrumentError, match="SMU 3 and SPGU output 401"):
        _ = opened(bench, smu=3).smu
    with pytest.raises(InstrumentError, match="B1517A in 1, and SMU 1 and SPGU output None"):
        _ = opened(bench_of(modules=("B1517A",))).pulse_output


def test_old_errors_do_not_keep_the_outputs_on(unit):
    unit.write("XYZ")
    unit.off()
    assert unit.check_errors() == []
    unit.write("XYZ")
    with pytest.raises(ReportedError, match="Undefined GPIB command"):
        unit.check_errors()


def test_a_pulse_that_never_ends_is_given_up(unit, monkeypatch):
    """And the output is switched off."""
    ask = unit.ask
    monkeypatch.setattr("drivers.keysight_b1500a.PATIENCE", -1.0)
    monkeypatch.setattr(unit, "ask", lambda text: "1" if text == "SPST?" else ask(text))
    with pytest.raises(InstrumentError, match="still reports a pulse of 100 ns under way"):
        unit.apply(PULSE)
    assert ask("*LRN? 0").strip() == "CL"


@pytest.mark.parametrize("width", [50e-9, 1e-7, 123.45e-6, 1.0])
def test_widths_on_the_grid_are_sent_as_they_are(width):
    assert whole_steps(width) == width


def test_numbers_that_read_back():
    assert same_numbers("0, -1.2001", (0.0, -1.2))
    assert not same_numbers("0,-1.3", (0.0, -1.2))
    assert not same_numbers("0", (0.0, -1.2))
    assert not same_numbers("x,1", (0.0, -1.2))
