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
from crossbar.pulses import Pulse
from drivers.bnc_577 import BNC577
from drivers.visa import connect

ADDRESS = "TCPIP::192.168.0.51::2001::SOCKET"
IDENTITY = ("*IDN?", "BNC,577-2,12345,2.0.7")
OFF = [
    (":PULSE0:STATE OFF", None),
    ("*IDN?", "ok"),  # the answer to the command before
    (None, IDENTITY[1]),
    (":PULSE1:WIDTH?", "0.00000100000"),
    (":PULSE0:STATE OFF", "ok"),
    (":PULSE1:STATE OFF", "ok"),
    (":PULSE0:TRIG:MODE DIS", "ok"),
]
AS_PREPARED = [
    (":PULSE0:MODE?", "SING"),
    (":PULSE0:TRIG:MODE?", "DIS"),
    (":PULSE1:POL?", "NORM"),
    (":PULSE1:OUTP:MODE?", "ADJ"),
]
SET = [
    (":PULSE0:PERIOD 0.001", "ok"),
    (":PULSE1:OUTP:AMPL 3.5", "ok"),
    (":PULSE1:WIDTH 1e-07", "ok"),
]
READ_BACK = [(":PULSE1:OUTP:AMPL?", "3.50"), (":PULSE1:WIDTH?", "0.00000010000")]


def identified(generator):
    """Its identity has been asked for, as the bench does first."""
    generator.check_identity()
    return generator


def test_prepare_sets_single_shots_of_channel_a_with_every_channel_off():
    """Every command is answered."""
    with expected_protocol(
        BNC577,
        [
            IDENTITY,
            *OFF,
            ("*RST", "ok"),
            (":PULSE0:STATE OFF", "ok"),
            (":PULSE1:STATE OFF", "ok"),
            (":PULSE2:STATE OFF", "ok"),
            (":PULSE0:MODE SING", "ok"),
            (":PULSE0:TRIG:MODE DIS", "ok"),
            (":PULSE0:TRIG:LEV 2.5", "ok"),
            (":PULSE0:GATE:MODE DIS", "ok"),
            (":PULSE1:POL NORM", "ok"),
            (":PULSE1:SYNC T0", "ok"),
            (":PULSE1:MUX 1", "ok"),
            (":PULSE1:DELAY 0", "ok"),
            (":PULSE1:CMOD NORM", "ok"),
            (":PULSE1:OUTP:MODE ADJ", "ok"),
            (":PULSE1:OUTP:AMPL 2", "ok"),
            *AS_PREPARED,
        ],
    ) as generator:
        generator.check_identity()
        generator.prepare(5.0)


def test_apply_sets_up_reads_back_starts_and_switches_off():
    """Set running, it sends the pulse."""
    with expected_protocol(
        BNC577,
        [
            IDENTITY,
            *OFF,
            *SET,
            *AS_PREPARED,
            *READ_BACK,
            (":PULSE1:STATE ON", "ok"),
            (":PULSE0:STATE ON", "ok"),
            *OFF,
        ],
    ) as generator:
        generator.check_identity()
        generator.apply(Pulse(amplitude=3.5, width=100e-9))


def test_a_refused_setting_leaves_the_channel_off():
    """Such as the level of an output that is not adjustable."""
    with (
        expected_protocol(
            BNC577, [IDENTITY, *OFF, SET[0], (":PULSE1:OUTP:AMPL 3.5", "?8"), *OFF]
        ) as generator,
        pytest.raises(ReportedError, match=r"\?8 \(command unavailable in the present state\)"),
    ):
        identified(generator).apply(Pulse(amplitude=3.5, width=100e-9))


@pytest.mark.parametrize(
    ("replies", "words"),
    [
        ([(":PULSE0:MODE?", "NORM"), *AS_PREPARED[1:]], "mode SING, but reads back NORM"),
        ([*AS_PREPARED, (":PULSE1:OUTP:AMPL?", "3.40")], r"amplitude 3\.5 V, but reads back 3\.4"),
        (
            [*AS_PREPARED, READ_BACK[0], (":PULSE1:WIDTH?", "0.000001")],
            "pulse width 100 ns, but reads back 1 µs",
        ),
    ],
)
def test_what_does_not_read_back_keeps_the_channel_off(replies, words):
    with (
        expected_protocol(BNC577, [IDENTITY, *OFF, *SET, *replies, *OFF]) as generator,
        pytest.raises(InstrumentError, match=words),
    ):
        identified(generator).apply(Pulse(amplitude=3.5, width=100e-9))


def test_an_echo_is_told():
    """It would put every answer one behind."""
    with (
        expected_protocol(BNC577, [(":PULSE0:MODE SING", ":PULSE0:MODE SING")]) as generator,
        pytest.raises(ReplyError, match="switch the echo off"),
    ):
        generator.mode = "SING"


@pytest.mark.parametrize(
    ("amplitude", "width", "words"),
    [
        (20.5, 1e-6, "sends 2 to 20 V"),
        (1.9, 1e-6, "sends 2 to 20 V"),
        (-3.0, 1e-6, "sends positive pulses only"),
        (3.0, 20e-9, "takes 30 ns to 999 s"),
        (3.0, 1e3, "takes 30 ns to 999 s"),
    ],
)
def test_pulses_beyond_the_hardware_are_refused_before_a_byte_is_sent(amplitude, width, words):
    """The protocol is empty."""
    with expected_protocol(BNC577, []) as generator, pytest.raises(LimitError, match=words):
        generator.apply(Pulse(amplitude=amplitude, width=width))


@pytest.mark.parametrize(
    ("name", "value"),
    [("width", 5e-9), ("width", float("nan")), ("amplitude", 1.5), ("period", 6e3)],
)
def test_properties_refuse_what_the_hardware_cannot_do(name, value):
    """With a LimitError, as everything that is out of bounds."""
    with expected_protocol(BNC577, []) as generator, pytest.raises(LimitError):
        setattr(generator, name, value)


def test_another_instrument_is_recognised():
    with (
        expected_protocol(BNC577, [("*IDN?", "BNC,575-4,1,1")]) as generator,
        pytest.raises(WrongInstrumentError, match="575"),
    ):
        generator.check_identity()


@pytest.fixture
def bench(bench_with):
    return bench_with("bnc_577", ADDRESS)


@pytest.fixture
def generator(bench):
    generator = BNC577(connect(ADDRESS, visa_library=bench.visa_library, termination="\r\n"))
    generator.check_identity()
    generator.prepare(4.0)
    yield generator
    generator.adapter.close()


def test_one_apply_is_one_pulse_on_the_routed_cell(generator, bench):
    """And none before or after it."""
    die = bench.station.die
    for width in (30e-9, 1e-6, 2e-3):
        generator.apply(Pulse(amplitude=2.5, width=width))

    assert np.flatnonzero(die.pulses_given).tolist() == [2]
    assert die.pulses_given[2] == 3
    assert not bench.emulators[ADDRESS].output
    assert generator.running is False
    generator.check_errors()


def test_what_prepare_does_not_allow_is_refused(generator, bench):
    """The host's is the only limit."""
    for doing in (generator.apply, generator.arm_external):
        with pytest.raises(LimitError, match="prepared for at most 4 V"):
            doing(Pulse(amplitude=4.1, width=1e-6))

    assert bench.station.die.pulses_given[2] == 0
    assert generator.protections() == ()


@pytest.mark.parametrize("volts", [1.3, 21.0, -3.0, float("nan")])
def test_prepare_refuses_a_limit_that_it_cannot_keep(generator, volts):
    """1.3 V for an MTJ: this generator cannot send so little."""
    with pytest.raises(LimitError, match="sends 2 to 20 V"):
        generator.prepare(volts)


def test_an_armed_generator_fires_on_every_external_trigger_until_off(generator, bench):
    """The line of the SMU's digital output."""
    generator.arm_external(Pulse(amplitude=2.5, width=100e-9))
    bench.station.trigger(1)
    bench.station.trigger(1)
    generator.off()
    bench.station.trigger(1)

    assert bench.station.die.pulses_given[2] == 2
    assert generator.trigger_mode == "DIS"
    assert generator.channel_enabled is False


@pytest.mark.parametrize("left_over", [b":PULSE0:STATE?\r\n", b"nonsense\r\n", b"*IDN?\r\n"])
def test_answers_left_unread_by_an_interruption_are_passed_over(generator, bench, left_over):
    """An interrupted program has sent a command and not read its answer."""
    generator.write_bytes(left_over)
    generator.apply(Pulse(amplitude=2.5, width=100e-9))

    assert bench.station.die.pulses_given[2] == 1
    assert generator.width == pytest.approx(100e-9)


def test_after_a_power_cycle_nothing_is_sent(generator, bench):
    """Its defaults are another pulse than the one that was prepared."""
    bench.restart(ADDRESS)
    with pytest.raises(InstrumentError, match="was it switched off and on"):
        generator.apply(Pulse(amplitude=2.5, width=100e-9))

    assert bench.station.die.pulses_given[2] == 0


def test_over_tcp_it_is_the_same(bench):
    with bench.serve() as addresses:
        generator = BNC577(connect(addresses[ADDRESS], visa_library="@py", termination="\r\n"))
        generator.check_identity()
        generator.prepare(4.0)
        generator.apply(Pulse(amplitude=2.5, width=100e-9))
        generator.adapter.close()

    assert bench.station.die.pulses_given[2] == 1


def test_shutdown_leaves_the_channel_off(generator, bench):
    generator.arm_external(Pulse(amplitude=2.5, width=100e-9))
    generator.shutdown()

    assert not bench.emulators[ADDRESS].output
