import numpy as np
import pytest
from pymeasure.test import expected_protocol

from crossbar.errors import (
    InstrumentError,
    LabError,
    LimitError,
    ReplyError,
    ReportedError,
    WrongInstrumentError,
)
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.pulses import Pulse
from drivers import keithley_4200a
from drivers.keithley_4200a import Keithley4200A
from drivers.visa import connect
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench
from simulated_instruments.faults import Fault, Scenario, inject

ADDRESS = "TCPIP::192.168.0.42::1225::SOCKET"
DIE = DieAddress(0, 0)
CELL = 3
NO_ERROR = (":ERROR:LAST:GET", "No error. (0)")
OFF = [("US;DV1", "ACK"), (":PMU:OUTPUT:STATE 1, 0", "ACK"), (":ERROR:LAST:CLEAR", "ACK")]
PREPARED = [
    *OFF,
    ("BC", "ACK"),
    ("*RST", "ACK"),
    (":PMU:RPM:CONFIGURE PMU1-1, 2", "ACK"),
    ("US;DV1,0,0,0.001", "ACK"),
    ("IT2", "ACK"),
    NO_ERROR,
]
SET_UP = [
    ("US;DV1", "ACK"),
    (":PMU:INIT 0", "ACK"),
    (":PMU:RPM:CONFIGURE PMU1-1, 0", "ACK"),
    (":PMU:SOURCE:RANGE 1, 10", "ACK"),
    (":PMU:LOAD 1, 10000000", "ACK"),
    (":PMU:LLEC:CONFIGURE 1, 0", "ACK"),
    (":PMU:MEASURE:MODE 0", "ACK"),
    (":PMU:MEASURE:RANGE 1, 2, 0.2", "ACK"),
    (":PMU:PULSE:BURST:COUNT 1", "ACK"),
    (":PMU:PULSE:TIMES 1, 1.12e-06, 1e-07, 2e-08, 2e-08, 0", "ACK"),
]


def read(status_and_value, voltage="0.1"):
    """The messages of one measurement."""
    return [
        (":PMU:RPM:CONFIGURE PMU1-1, 2", "ACK"),
        (f"US;DV1,0,{voltage},0.001", "ACK"),
        ("TI1", status_and_value),
        ("DV1,0,0,0.001", "ACK"),
        NO_ERROR,
    ]


def test_identity_is_asked_once():
    with expected_protocol(Keithley4200A, [("ID", "KI4200A V4.6.0")]) as driver:
        driver.check_identity()
        driver.check_identity()


@pytest.mark.parametrize("reply", ["KI4200 V1.0", "HP4145B 1.1 1.0", ""])
def test_another_instrument_or_the_4145_command_set_is_refused(reply):
    with (
        expected_protocol(Keithley4200A, [("ID", reply)]) as driver,
        pytest.raises(WrongInstrumentError, match="KCon"),
    ):
        driver.check_identity()


def test_prepare_leaves_the_smu_at_0_v_behind_the_rpm():
    with expected_protocol(Keithley4200A, PREPARED) as driver:
        driver.prepare(1.5, 1e-3)


def test_one_pulse_from_a_reset_card_with_everything_off_that_would_send_more():
    """Load-line compensation and ranging send trial pulses; the amplitude is the last setting."""
    with expected_protocol(
        Keithley4200A,
        [
            *PREPARED,
            *SET_UP,
            (":PMU:PULSE:TRAIN 1, 0, -0.9", "ACK"),
            NO_ERROR,
            (":PMU:OUTPUT:STATE 1, 1", "ACK"),
            (":PMU:EXECUTE", "ACK"),
            (":PMU:TEST:STATUS?", "1"),
            (":PMU:TEST:STATUS?", "0"),
            (":PMU:OUTPUT:STATE 1, 0", "ACK"),
            NO_ERROR,
        ],
    ) as driver:
        driver.prepare(1.5, 1e-3)
        driver.apply(Pulse(amplitude=-0.9, width=100e-9))


def test_the_other_channels_of_a_second_card():
    """PMU2-2 is channel 4."""
    with expected_protocol(
        Keithley4200A,
        [("US;DV3", "ACK"), (":PMU:OUTPUT:STATE 4, 0", "ACK"), (":ERROR:LAST:CLEAR", "ACK")],
        smu=3,
        pulse_channel=4,
    ) as driver:
        assert driver.rpm == "PMU2-2"
        driver.off()


@pytest.mark.parametrize(
    ("reply", "current", "in_compliance"),
    [
        ("NAI+1.2345E-06", 1.2345e-6, False),
        ("NAI 1.2345E-06", 1.2345e-6, False),
        ("CAI +1.0000 E-03", 1e-3, True),
        ("TAI -2.0000E-06", -2e-6, False),
        ("NAI0", 0.0, False),
    ],
)
def test_the_status_letter_tells_compliance(reply, current, in_compliance):
    """C is this channel; T is another one."""
    with expected_protocol(Keithley4200A, [*PREPARED, *read(reply)]) as driver:
        driver.prepare(1.5, 1e-3)
        assert driver.measure(0.1) == (current, in_compliance)


@pytest.mark.parametrize("reply", ["VAI+9.9E+99", "XAI+1.0E-06", "ACK", "NAV+1.0E-01", ""])
def test_a_reading_that_is_none_is_not_returned(reply):
    with expected_protocol(Keithley4200A, [*PREPARED, *read(reply)]) as driver:
        driver.prepare(1.5, 1e-3)
        with pytest.raises(ReplyError):
            driver.measure(0.1)


def test_an_error_that_was_acknowledged_is_found_before_the_pulse():
    """A KXCI that answers ACK to everything tells only by its last error."""
    with expected_protocol(
        Keithley4200A,
        [
            *PREPARED,
            *SET_UP,
            (":PMU:PULSE:TRAIN 1, 0, 0.9", "ACK"),
            (":ERROR:LAST:GET", "KXCI command error. (-992)"),
            (":ERROR:LAST:CLEAR", "ACK"),
            *OFF,
        ],
    ) as driver:
        driver.prepare(1.5, 1e-3)
        with pytest.raises(ReportedError, match="-992"):
            driver.apply(Pulse(amplitude=0.9, width=100e-9))


def test_anything_but_ack_is_an_error_and_switches_off():
    with expected_protocol(
        Keithley4200A, [*PREPARED, ("US;DV1", "ACK"), (":PMU:INIT 0", "BUSY"), *OFF]
    ) as driver:
        driver.prepare(1.5, 1e-3)
        with pytest.raises(ReportedError, match="'BUSY' to ':PMU:INIT 0'"):
            driver.apply(Pulse(amplitude=0.9, width=100e-9))


def test_the_pulse_unit_goes_off_even_if_the_smu_does_not():
    with (
        expected_protocol(Keithley4200A, [("US;DV1", "ERROR"), *OFF[1:]]) as driver,
        pytest.raises(ReportedError, match="DV1"),
    ):
        driver.off()


def test_a_pulse_card_that_nobody_initialized_is_reset_instead():
    """What it answers then is not public; its outputs are off in either case."""
    with expected_protocol(
        Keithley4200A,
        [OFF[0], (OFF[1][0], "not initialized. (-992)"), (":PMU:INIT 0", "ACK"), OFF[2]],
    ) as driver:
        driver.off()


@pytest.mark.parametrize("reply", ["", "No error. (0)", "No error (0)", '0,"No error"'])
def test_what_public_programs_take_for_no_error_is_none(reply):
    with expected_protocol(Keithley4200A, [(":ERROR:LAST:GET", reply)]) as driver:
        assert driver.check_errors() == []


@pytest.mark.parametrize("limits", [(1.5, 0.2), (1.5, 1e-9), (1.5, float("nan")), (11.0, 1e-3)])
def test_limits_out_of_range_send_nothing(limits):
    with expected_protocol(Keithley4200A, []) as driver, pytest.raises(LimitError):
        driver.prepare(*limits)


@pytest.mark.parametrize(
    ("amplitude", "width"),
    [(1.6, 1e-7), (-1.6, 1e-7), (1.0, 50e-9), (1.0, 0.6), (1.0, 105e-9), (0.001, 1e-7)],
)
def test_a_pulse_that_it_cannot_or_must_not_send_is_refused(amplitude, width):
    """Beyond what it was prepared for; and 105 ns is no multiple of 10 ns."""
    with expected_protocol(Keithley4200A, PREPARED) as driver:
        driver.prepare(1.5, 1e-3)
        with pytest.raises(LimitError, match="refused"):
            driver.apply(Pulse(amplitude=amplitude, width=width))


@pytest.mark.parametrize("volts", [1.6, -20.0, 30.0, float("nan")])
def test_a_voltage_that_it_must_not_force_is_refused(volts):
    """At the SMU's terminals the limit of the amplitude holds as well."""
    with expected_protocol(Keithley4200A, PREPARED) as driver:
        driver.prepare(1.5, 1e-3)
        with pytest.raises(LimitError):
            driver.measure(volts)


def test_nothing_happens_before_it_is_prepared():
    with expected_protocol(Keithley4200A, []) as driver:
        with pytest.raises(InstrumentError, match="prepare"):
            driver.measure(0.1)
        with pytest.raises(InstrumentError, match="prepare"):
            driver.apply(Pulse(amplitude=1.0, width=1e-7))
        with pytest.raises(LimitError):
            driver.measure(30.0)


def test_a_pulse_that_does_not_end_is_switched_off(monkeypatch):
    monkeypatch.setattr(keithley_4200a, "PATIENCE", -1.0)
    with expected_protocol(
        Keithley4200A,
        [
            *PREPARED,
            *SET_UP,
            (":PMU:PULSE:TRAIN 1, 0, 0.9", "ACK"),
            NO_ERROR,
            (":PMU:OUTPUT:STATE 1, 1", "ACK"),
            (":PMU:EXECUTE", "ACK"),
            (":PMU:TEST:STATUS?", "1"),
            *OFF,
        ],
    ) as driver:
        driver.prepare(1.5, 1e-3)
        with pytest.raises(InstrumentError, match="not finished"):
            driver.apply(Pulse(amplitude=0.9, width=100e-9))


@pytest.fixture(params=[False, True], ids=["errors answered", "errors acknowledged"])
def bench(request):
    """Both ways in which a KXCI might tell of errors."""
    wafer = SimulatedWafer(
        addresses=[DIE], geometry=DieGeometry(subarrays=1, rows=2, columns=2), seed=1
    )
    options = {ADDRESS: {"acknowledges_errors": request.param}}
    bench = SimulatedBench(wafer, {ADDRESS: "keithley_4200a"}, options=options)
    bench.station.die_under_needles, bench.station.in_contact = DIE, True
    bench.station.route(CELL)
    return bench


@pytest.fixture
def driver(bench):
    adapter = connect(
        ADDRESS, role="pulse_measure_unit", visa_library=bench.visa_library, termination="\0"
    )
    driver = Keithley4200A(adapter)
    driver.check_identity()
    driver.prepare(1.5, 1e-3)
    yield driver
    adapter.close()


def test_pulses_and_readings_in_turn_never_switch_the_rpm_under_voltage(driver, bench):
    """The cell gets exactly what was asked for, and the relays last."""
    die = bench.station.die
    for count, amplitude in enumerate((1.2, -1.2, 1.2), 1):
        driver.apply(Pulse(amplitude=amplitude, width=200e-9))
        assert die.pulses_given.tolist() == [0, 0, 0, count]
        current, in_compliance = driver.measure(0.1)
        expected = 0.1 * die.conductance(np.array([CELL]), 0.1)[0]
        assert current == pytest.approx(expected, rel=0.05)
        assert not in_compliance
    assert bench.emulators[ADDRESS].rpms[1].hot_switches == 0
    driver.check_errors()


def test_it_measures_after_off_with_the_limit_it_was_prepared_with(driver):
    driver.off()
    driver.prepare(1.5, 2e-6)
    driver.off()
    current, in_compliance = driver.measure(0.3)
    assert current == pytest.approx(2e-6)
    assert in_compliance


def test_a_mainframe_that_started_anew_is_set_up_anew(driver, bench):
    bench.restart(ADDRESS)
    driver.apply(Pulse(amplitude=1.0, width=100e-9))
    assert bench.station.die.pulses_given[CELL] == 1
    assert abs(driver.measure(0.1)[0]) > 1e-7


ROLE = "pulse_measure_unit"
FAULTS = (
    ("lost_reply",),
    ("late_reply",),
    ("garbled_block",),
    ("error_entry",),
    ("dropped_connection",),
    ("restart", "dropped_connection"),  # it is a PC: when it starts anew, the connection is gone
)


@pytest.mark.parametrize("kinds", FAULTS, ids="+".join)
@pytest.mark.parametrize("message", range(1, 25))
def test_whatever_goes_wrong_no_pulse_is_repeated_or_different(bench, kinds, message):
    """At any message of a pulse and a reading: an error, or what was asked for; afterwards all is
    off, and the next pulse is as it should be. Counted from about the end of `prepare`.
    """
    sent = []
    die = bench.station.die
    pulse = die.pulse
    die.pulse = lambda cells, what: (sent.append(what), pulse(cells, what))[1]
    place = len(PREPARED) + 1 + message  # one more: the card was not initialized yet
    faults = tuple(Fault(kind=kind, role=ROLE, message=place) for kind in kinds)
    library = inject(bench, Scenario(seed=message, faults=faults), {ROLE: ADDRESS})
    adapter = connect(ADDRESS, role=ROLE, visa_library=library, termination="\0")
    driver = Keithley4200A(adapter)
    driver.prepare(1.5, 1e-3)
    errors = 0
    for count in (1, 2):
        try:
            driver.apply(Pulse(amplitude=1.0, width=100e-9))
            assert errors or len(sent) == count
            current, _ = driver.measure(0.1)
            assert current == pytest.approx(0.1 * die.conductance(np.array([CELL]), 0.1)[0], 0.05)
        except LabError:
            errors += 1
    assert library.happened
    assert errors <= 1
    assert 2 - errors <= len(sent) <= 2
    for given in sent:
        assert given.amplitude == pytest.approx(1.0, rel=0.05)
        assert given.width == pytest.approx(100e-9)
    driver.off()
    mainframe = bench.emulators[ADDRESS]
    assert not mainframe.smus.channels[1].output
    assert not mainframe.pulse_unit.channels[1].output
    adapter.close()


def test_an_error_left_by_somebody_else_is_told_and_forgotten(driver):
    driver.ask("XX")
    with pytest.raises(ReportedError, match="-992"):
        driver.check_errors()
    driver.check_errors()
    driver.off()
