import numpy as np
import pytest
from pymeasure.test import expected_protocol

from crossbar.errors import InstrumentError, LimitError, ReportedError, WrongInstrumentError
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.pulses import Pulse
from drivers.keysight_81110a import Keysight81110A
from drivers.visa import connect
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench

NO_ERROR = '+0,"No error"'
OFF = ("*CLS;:OUTP1 OFF;:ARM:SOUR MAN;:SYST:ERR?", NO_ERROR)
POSITIVE = [
    OFF,
    (":OUTP1:POL NORM", None),
    (":VOLT1 0.9", None),
    (":VOLT1:OFF 0.45", None),
    (":PULS:WIDT1 3e-08", None),
]
QUERY = ":OUTP1:IMP:EXT?;:PULS:WIDT1?;:SYST:ERR?"
ACCEPTED = (QUERY, f"+999000.0;+3.0000E-008;{NO_ERROR}")
ADDRESS = "GPIB0::12::INSTR"


def switched_on(polarity, amplitude, offset, waits_for="MAN"):
    """The message that closes the relay says once more what keeps the cell at 0 V."""
    message = (
        f":TRIG:COUN 1;:ARM:SOUR {waits_for};:OUTP1:POL {polarity};:VOLT1 {amplitude}"
        f";:VOLT1:OFF {offset};:OUTP1 ON;*ESR?;:SYST:ERR?"
    )
    return message, f"0;{NO_ERROR}"


def test_prepare_asks_for_single_pulses_in_open_circuit_volts_and_reads_the_limits_back():
    """One page of the manual."""
    with expected_protocol(
        Keysight81110A,
        [
            ("*CLS;*RST", None),
            (":OUTP1 OFF", None),
            (":OUTP2 OFF;:CHAN:MATH OFF;:SYST:ERR?", NO_ERROR),
            (":OUTP1:IMP:EXT 999000", None),
            (":ARM:SOUR MAN", None),
            (":ARM:MODE STAR;SENS EDGE", None),
            (":TRIG:SOUR IMM", None),
            (":DIG:PATT OFF", None),
            (":TRIG:COUN 1", None),
            (":PULS:TRAN1 2e-09", None),
            (":PULS:TRAN1:TRA 2e-09", None),
            (":PULS:HOLD1 WIDT", None),
            (":OUTP1:POL NORM", None),
            (":VOLT1 0.2", None),
            (":VOLT1:OFF 0.1", None),
            (":VOLT1:LIM:HIGH 1.3", None),
            (":VOLT1:LIM:LOW -1.3", None),
            (":VOLT1:LIM:STAT ON", None),
            (":SYST:ERR?", NO_ERROR),
            (":VOLT1:LIM:HIGH?", "1.3"),
            (":VOLT1:LIM:LOW?", "-1.3"),
            (":VOLT1:LIM:STAT?", "1"),
            (":OUTP1:IMP:EXT?", "999000"),
        ],
    ) as generator:
        generator.prepare(1.3)


def test_apply_sets_up_checks_triggers_and_switches_off():
    """The trigger comes only after the generator has said that all is well."""
    with expected_protocol(
        Keysight81110A,
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
        Keysight81110A,
        [
            OFF,
            (":OUTP1:POL INV", None),
            (":VOLT1 0.8", None),
            (":VOLT1:OFF -0.4", None),
            (":PULS:WIDT1 1e-07", None),
            (QUERY, f"+999000.0;+1.0000E-007;{NO_ERROR}"),
            switched_on("INV", 0.8, -0.4, waits_for="EXT"),
        ],
    ) as generator:
        generator.arm_external(Pulse(amplitude=-0.8, width=100e-9))


def test_a_refused_setting_leaves_the_output_off():
    """The relay never closes; all entries of the queue are in the message."""
    with (
        expected_protocol(
            Keysight81110A,
            [
                *POSITIVE,
                (QUERY, '+999000.0;+3.0E-008;-222,"Data out of range"'),
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
        (0.15, 1e-7, "Pulse of 0.15 V refused"),
        (1.0, 1e-9, "Pulse width of 1 ns refused"),
        (1.0, 2e3, "Pulse width of 2 ks refused"),
    ],
)
def test_pulses_beyond_the_hardware_are_refused_before_a_byte_is_sent(amplitude, width, words):
    """The protocol is empty."""
    with (
        expected_protocol(Keysight81110A, []) as generator,
        pytest.raises(LimitError, match=words),
    ):
        generator.apply(Pulse(amplitude=amplitude, width=width))


@pytest.mark.parametrize(
    ("name", "value"),
    [("width", 1e-9), ("width", float("nan")), ("amplitude", 11.0), ("offset", -10.5)],
)
def test_properties_refuse_what_the_hardware_cannot_do(name, value):
    """With a LimitError, as everything that is out of bounds."""
    with expected_protocol(Keysight81110A, []) as generator, pytest.raises(LimitError):
        setattr(generator, name, value)


def test_a_limit_that_does_not_read_back_stops_the_bench(bench):
    """The emulator stands for a generator with limits of its own."""
    generator = open_generator(bench)
    bench.emulators[ADDRESS].settings_changed = lambda: bench.emulators[ADDRESS].settings.update(
        limit_high=5.0
    )

    with pytest.raises(InstrumentError, match=r"read back as -1\.30\d* to 5\.00\d* V"):
        generator.prepare(1.3)
    generator.adapter.close()


def test_another_instrument_is_recognised():
    """By the model field; the identity is asked once."""
    with expected_protocol(
        Keysight81110A, [("*IDN?", "HEWLETT-PACKARD,HP81104A,1,1.0")]
    ) as generator:
        for _ in range(2):
            with pytest.raises(WrongInstrumentError, match="81104A"):
                generator.check_identity()


@pytest.fixture
def bench():
    geometry = DieGeometry(subarrays=1, rows=2, columns=2)
    wafer = SimulatedWafer(addresses=[DieAddress(0, 0)], geometry=geometry, seed=1)
    return SimulatedBench(wafer, {ADDRESS: "keysight_81110a"})


def open_generator(bench):
    return Keysight81110A(connect(ADDRESS, visa_library=bench.visa_library))


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
    for amplitude in (1.3, -1.3, 0.2, -0.2, 1.3, -1.3):
        generator.apply(Pulse(amplitude=amplitude, width=4e-9))

    assert bench.station.die.pulses_given[2] == 6


def test_an_armed_generator_fires_on_every_external_trigger_until_off(generator, bench):
    """The line of the SMU's digital output."""
    generator.arm_external(Pulse(amplitude=0.5, width=10e-9))
    bench.station.trigger(1)
    bench.station.trigger(1)
    generator.off()
    bench.station.trigger(1)

    assert bench.station.die.pulses_given[2] == 2
    assert generator.arm_source == "MAN"
    assert generator.output_enabled is False


def test_the_generator_itself_refuses_what_is_beyond_its_limits(generator, bench):
    """`prepare` said 1.3 V; the emulator, like the instrument, holds to it."""
    with pytest.raises(ReportedError, match="LIMit"):
        generator.apply(Pulse(amplitude=1.4, width=10e-9))

    assert bench.station.die.pulses_given[2] == 0


def test_shutdown_leaves_the_output_off(generator, bench):
    """Even with an error left in the queue."""
    generator.arm_external(Pulse(amplitude=0.5, width=10e-9))
    generator.write(":NONSENSE")
    generator.shutdown()

    assert not bench.emulators[ADDRESS].output


def test_a_width_that_the_instrument_adjusted_stops_the_pulse():
    """It only warns, so the width is read back; the relay never closes."""
    with (
        expected_protocol(
            Keysight81110A, [*POSITIVE, (QUERY, f"+999000.0;+5.0000E-008;{NO_ERROR}"), OFF]
        ) as generator,
        pytest.raises(InstrumentError, match=r"told a pulse width of 30 ns.*reads back 50 ns"),
    ):
        generator.apply(Pulse(amplitude=0.9, width=30e-9))


def test_a_generator_that_restarted_is_not_triggered():
    """The factory's load is 50 Ohm: every level would be twice as high on a cell."""
    with (
        expected_protocol(
            Keysight81110A, [*POSITIVE, (QUERY, f"+50.0;+3.0000E-008;{NO_ERROR}"), OFF]
        ) as generator,
        pytest.raises(InstrumentError, match=r"OUTP1:IMP:EXT answered.*not sent"),
    ):
        generator.apply(Pulse(amplitude=0.9, width=30e-9))


def test_the_second_output_has_settings_of_its_own_and_common_triggers():
    """The arming is both outputs'; the first one stays off."""
    geometry = DieGeometry(subarrays=1, rows=2, columns=2)
    wafer = SimulatedWafer(addresses=[DieAddress(0, 0)], geometry=geometry, seed=1)
    bench = SimulatedBench(wafer, {ADDRESS: "keysight_81110a"}, options={ADDRESS: {"output": 2}})
    bench.station.die_under_needles, bench.station.in_contact = DieAddress(0, 0), True
    bench.station.route(2)
    generator = Keysight81110A(connect(ADDRESS, visa_library=bench.visa_library), output=2)
    generator.prepare(1.3)
    generator.arm_external(Pulse(amplitude=0.9, width=200e-9))
    bench.station.trigger(1)
    generator.off()
    bench.station.trigger(1)

    assert np.array_equal(bench.station.die.pulses_given, [0, 0, 1, 0])
    assert not bench.emulators[ADDRESS].output
    generator.adapter.close()
