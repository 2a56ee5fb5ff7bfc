import numpy as np
import pytest
from pymeasure.test import expected_protocol

from crossbar.errors import InstrumentError, LimitError, ReportedError, WrongInstrumentError
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.pulses import Pulse
from drivers.keysight_33500b import Keysight33500B
from drivers.visa import connect
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench

NO_ERROR = '+0,"No error"'
OFF = ("*CLS;:OUTP1 OFF;:TRIG1:SOUR BUS;:SYST:ERR?", NO_ERROR)
POSITIVE = [
    OFF,
    (":OUTP1:POL NORM", None),
    (":VOLT 0.9", None),
    (":VOLT:OFFS 0.45", None),
    (":FUNC:PULS:WIDT 1.6e-08", None),
    (":FUNC:PULS:PER 1.6e-07", None),
    (":FUNC:PULS:WIDT 3e-08", None),
]
ASKED = ":FUNC?;:FUNC:PULS:WIDT?;:SYST:ERR?"
ACCEPTED = (ASKED, f"PULS;3e-08;{NO_ERROR}")


def switched_on(polarity, amplitude, offset, events=0, source="BUS"):
    """The message that closes the relay says once more what keeps the cell at 0 V."""
    message = (
        f":FUNC PULS;:TRIG1:SOUR BUS;:OUTP1:POL {polarity};:VOLT {amplitude};:VOLT:OFFS {offset}"
        f";:TRIG1:SOUR {source};:OUTP1 ON;*ESR?;:SYST:ERR?"
    )
    return message, f"{events};{NO_ERROR}"


ADDRESS = "USB0::0x0957::0x2807::MY57801234::INSTR"


def test_prepare_asks_for_single_pulses_in_open_circuit_volts_and_reads_the_limits_back():
    """One page of the manual."""
    with expected_protocol(
        Keysight33500B,
        [
            ("*CLS;*RST", None),
            (":OUTP1 OFF", None),
            ("FUNC PULS", None),
            ("OUTP:LOAD INF", None),
            ("BURS:MODE TRIG", None),
            ("BURS:NCYC 1", None),
            (":TRIG1:SOUR BUS", None),
            ("BURS:STAT 1", None),
            ("FUNC:PULS:HOLD WIDT", None),
            ("FUNC:PULS:TRAN:BOTH 8.400000e-09", None),
            (":OUTP1:POL NORM", None),
            (":VOLT 0.02", None),
            (":VOLT:OFFS 0.01", None),
            (":VOLT:LIM:HIGH 1.3", None),
            (":VOLT:LIM:LOW -1.3", None),
            (":VOLT:LIM:STAT 1", None),
            (":SYST:ERR?", NO_ERROR),
            (":VOLT:LIM:HIGH?", "1.3"),
            (":VOLT:LIM:LOW?", "-1.3"),
            (":VOLT:LIM:STAT?", "1"),
            ("OUTP:LOAD?", "9.9E+37"),
        ],
    ) as generator:
        generator.prepare(1.3)


def test_apply_sets_up_checks_triggers_and_switches_off():
    """The trigger comes only after the generator has said that all is well."""
    with expected_protocol(
        Keysight33500B,
        [
            *POSITIVE,
            ACCEPTED,
            switched_on("NORM", 0.9, 0.45),
            ("*TRG", None),
            (":OUTP1 OFF;:SYST:ERR?", NO_ERROR),
        ],
    ) as generator:
        generator.apply(Pulse(amplitude=0.9, width=30e-9))


def test_a_negative_pulse_idles_at_the_high_level_which_is_zero():
    """Inverted polarity; the offset is half the amplitude, with its sign."""
    with expected_protocol(
        Keysight33500B,
        [
            OFF,
            (":OUTP1:POL INV", None),
            (":VOLT 0.8", None),
            (":VOLT:OFFS -0.4", None),
            (":FUNC:PULS:WIDT 1.6e-08", None),
            (":FUNC:PULS:PER 3e-07", None),
            (":FUNC:PULS:WIDT 1e-07", None),
            (ASKED, f"PULS;1e-07;{NO_ERROR}"),
            switched_on("INV", 0.8, -0.4, source="EXT"),
        ],
    ) as generator:
        generator.arm_external(Pulse(amplitude=-0.8, width=100e-9))


def test_a_refused_setting_leaves_the_output_off():
    """The relay never closes; all entries of the queue are in the message."""
    with (
        expected_protocol(
            Keysight33500B,
            [
                *POSITIVE,
                (ASKED, 'PULS;3e-08;-222,"Data out of range"'),
                (":SYST:ERR?", '-221,"Settings conflict"'),
                (":SYST:ERR?", NO_ERROR),
                OFF,
            ],
        ) as generator,
        pytest.raises(ReportedError, match=r"Data out of range.* and .*Settings conflict"),
    ):
        generator.apply(Pulse(amplitude=0.9, width=30e-9))


@pytest.mark.parametrize(
    ("amplitude", "width", "words"),
    [
        (10.1, 1e-7, "Pulse of 10.1 V refused"),
        (-10.1, 1e-7, "Pulse of -10.1 V refused"),
        (0.01, 1e-7, "Pulse of 0.01 V refused"),
        (1.0, 1e-9, "Pulse width of 1 ns refused: the Keysight 33500B"),
        (1.0, 2e6, "Pulse width of 2 Ms refused"),
    ],
)
def test_pulses_beyond_the_hardware_are_refused_before_a_byte_is_sent(amplitude, width, words):
    """The protocol is empty."""
    with (
        expected_protocol(Keysight33500B, []) as generator,
        pytest.raises(LimitError, match=words),
    ):
        generator.apply(Pulse(amplitude=amplitude, width=width))


@pytest.mark.parametrize(
    ("name", "value"),
    [("amplitude", 20.5), ("amplitude", float("nan")), ("offset", -10.5), ("limit_high", 11)],
)
def test_properties_refuse_what_the_hardware_cannot_do(name, value):
    """With a LimitError, as everything that is out of bounds."""
    with expected_protocol(Keysight33500B, []) as generator, pytest.raises(LimitError):
        setattr(generator, name, value)


def test_a_limit_that_does_not_read_back_stops_the_bench(bench):
    """The emulator stands for a generator with limits of its own."""
    generator = open_generator(bench)
    bench.emulators[ADDRESS].settings_changed = lambda: bench.emulators[ADDRESS].settings.update(
        limit_high=5.0
    )

    with pytest.raises(InstrumentError, match=r"read back as -1\.3 to 5 V"):
        generator.prepare(1.3)
    generator.adapter.close()


def test_another_instrument_is_recognised():
    """By the model field; the identity is asked once."""
    with expected_protocol(
        Keysight33500B, [("*IDN?", "Agilent Technologies,81110A,1,1.0")]
    ) as generator:
        for _ in range(2):
            with pytest.raises(WrongInstrumentError, match="81110A"):
                generator.check_identity()


@pytest.fixture
def bench():
    geometry = DieGeometry(subarrays=1, rows=2, columns=2)
    wafer = SimulatedWafer(addresses=[DieAddress(0, 0)], geometry=geometry, seed=1)
    return SimulatedBench(wafer, {ADDRESS: "keysight_33500b"})


def open_generator(bench):
    return Keysight33500B(connect(ADDRESS, visa_library=bench.visa_library))


@pytest.fixture
def generator(bench):
    bench.station.die_under_needles = DieAddress(0, 0)
    bench.station.in_contact = True
    bench.station.route(2)
    generator = open_generator(bench)
    generator.check_identity()
    generator.prepare(1.3)
    yield generator
    generator.adapter.close()


@pytest.mark.parametrize("amplitude", [1.0, -1.0])
def test_one_apply_is_one_pulse_on_the_routed_cell(generator, bench, amplitude):
    """Of either sign, and none before or after it."""
    die = bench.station.die
    generator.apply(Pulse(amplitude=amplitude, width=200e-9))

    assert np.array_equal(die.pulses_given, [0, 0, 1, 0])
    assert not bench.emulators[ADDRESS].output


def test_changing_polarity_never_shows_the_cell_another_level(generator, bench):
    """Full swings to and fro: as many pulses as asked for."""
    for amplitude in (1.3, -1.3, 0.1, -0.1, 1.3, -1.3):
        generator.apply(Pulse(amplitude=amplitude, width=20e-9))

    assert bench.station.die.pulses_given[2] == 6


def test_an_armed_generator_fires_on_every_external_trigger_until_off(generator, bench):
    """The line of the SMU's digital output."""
    generator.arm_external(Pulse(amplitude=0.5, width=50e-9))
    bench.station.trigger(1)
    bench.station.trigger(1)
    generator.off()
    bench.station.trigger(1)

    assert bench.station.die.pulses_given[2] == 2
    assert generator.trigger_source == "BUS"
    assert generator.output is False


def test_the_generator_itself_refuses_what_is_beyond_its_limits(generator, bench):
    """`prepare` said 1.3 V; the emulator, like the instrument, holds to it."""
    with pytest.raises(ReportedError, match="LIMit"):
        generator.apply(Pulse(amplitude=1.4, width=50e-9))

    assert bench.station.die.pulses_given[2] == 0


def test_shutdown_leaves_the_output_off(generator, bench):
    """Even with an error left in the queue."""
    generator.arm_external(Pulse(amplitude=0.5, width=50e-9))
    generator.write(":NONSENSE")
    generator.shutdown()

    assert not bench.emulators[ADDRESS].output


def test_a_generator_that_restarted_is_not_triggered():
    """Whether it happened before the settings were checked or just before the relay closed."""
    pulse = Pulse(amplitude=0.9, width=30e-9)
    with (
        expected_protocol(
            Keysight33500B, [*POSITIVE, (ASKED, f"SIN;3e-08;{NO_ERROR}"), OFF]
        ) as generator,
        pytest.raises(InstrumentError, match=r"'SIN'.*not sent"),
    ):
        generator.apply(pulse)
    with (
        expected_protocol(
            Keysight33500B,
            [*POSITIVE, ACCEPTED, switched_on("NORM", 0.9, 0.45, events=128), OFF],
        ) as generator,
        pytest.raises(InstrumentError, match=r"'128'.*not sent"),
    ):
        generator.apply(pulse)


def test_a_width_that_the_generator_changed_is_not_sent():
    """It adjusts times by itself, without an error."""
    with (
        expected_protocol(
            Keysight33500B, [*POSITIVE, (ASKED, f"PULS;1.6e-08;{NO_ERROR}"), OFF]
        ) as generator,
        pytest.raises(InstrumentError, match=r"1.6e-08 s of a width of 3e-08 s"),
    ):
        generator.apply(Pulse(amplitude=0.9, width=30e-9))


def test_a_33600a_has_shorter_pulses():
    """By its own ratings, adopted with its identity."""
    with expected_protocol(
        Keysight33500B, [("*IDN?", "Agilent Technologies,33622A,MY1,1.0")]
    ) as generator:
        generator.check_identity()
        assert generator.reach.shortest == 5e-9
        assert generator.reach.name == "Keysight 33600A"
        assert generator.channels_available == 2
