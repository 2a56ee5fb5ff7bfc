import time

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
from drivers.tektronix_afg31000 import MODELS, TektronixAFG31000
from drivers.visa import connect
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench

ADDRESS = "USB0::0x0699::0x035C::C019999::INSTR"
NO_ERROR = '0,"No error"'
RESTS_AT_ITS_END = ":SOUR1:BURS:IDLE END;:TRIG:SOUR EXT"
OFF = (f"*CLS;:OUTP1:STAT OFF;{RESTS_AT_ITS_END};:SYST:ERR?", NO_ERROR)
POSITIVE = [
    OFF,
    (":OUTP1:POL NORM", None),
    (":SOUR1:VOLT:AMPL 0.9", None),
    (":SOUR1:VOLT:OFFS 0.45", None),
    (":SOUR1:PULS:WIDT 1.6e-08", None),
    (":SOUR1:PULS:PER 1.6e-07", None),
    (":SOUR1:PULS:WIDT 3e-08", None),
]
ASKED = ":SOUR1:FUNC:SHAP?;:SOUR1:PULS:WIDT?;:SYST:ERR?"
ACCEPTED = (ASKED, f"PULS;3.000E-08;{NO_ERROR}")
UNSEEN = (":OUTP1:STAT OFF;*TRG;:SYST:ERR?", NO_ERROR)


def closing(polarity, amplitude, offset, wait, events=0):
    """The message that closes the relay says once more what keeps the cell at 0 V."""
    message = (
        f":SOUR1:FUNC:SHAP PULS;{RESTS_AT_ITS_END};:OUTP1:POL {polarity}"
        f";:SOUR1:VOLT:AMPL {amplitude};:SOUR1:VOLT:OFFS {offset}"
        f";{wait};:OUTP1:STAT ON;*ESR?;:SYST:ERR?"
    )
    return message, f"{events};{NO_ERROR}"


@pytest.fixture
def bench():
    geometry = DieGeometry(subarrays=1, rows=2, columns=2)
    wafer = SimulatedWafer(addresses=[DieAddress(0, 0)], geometry=geometry, seed=1)
    bench = SimulatedBench(wafer, {ADDRESS: "tektronix_afg31000"})
    bench.station.die_under_needles, bench.station.in_contact = DieAddress(0, 0), True
    bench.station.route(2)
    return bench


@pytest.fixture
def generator(bench):
    generator = TektronixAFG31000(connect(ADDRESS, visa_library=bench.visa_library))
    generator.check_identity()
    generator.prepare(1.3)
    yield generator
    generator.adapter.close()


def test_prepare_asks_for_single_pulses_in_open_circuit_volts_and_reads_the_limits_back():
    """One page of the manual; the limits have no switch."""
    with expected_protocol(
        TektronixAFG31000,
        [
            ("*CLS;*RST", None),
            (":OUTP1:STAT OFF", None),
            (":SOUR1:FUNC:SHAP PULS", None),
            (":OUTP1:IMP INF", None),
            (":SOUR1:BURS:MODE TRIG", None),
            (":SOUR1:BURS:NCYC 1", None),
            (":TRIG:SOUR EXT", None),
            (":SOUR1:BURS:IDLE END", None),
            (":SOUR1:BURS:STAT ON", None),
            (":SOUR1:PULS:HOLD WIDT", None),
            (":SOUR1:PULS:TRAN:LEAD MIN", None),
            (":SOUR1:PULS:TRAN:TRA MIN", None),
            (":OUTP1:POL NORM", None),
            (":SOUR1:VOLT:AMPL 0.002", None),
            (":SOUR1:VOLT:OFFS 0.001", None),
            (":SOUR1:VOLT:LIM:HIGH 1.3", None),
            (":SOUR1:VOLT:LIM:LOW -1.3", None),
            (":SYST:ERR?", NO_ERROR),
            (":SOUR1:VOLT:LIM:HIGH?", "1.3"),
            (":SOUR1:VOLT:LIM:LOW?", "-1.3"),
            (":OUTP1:IMP?", "9.9E+37"),
        ],
    ) as generator:
        generator.prepare(1.3)


def test_apply_runs_the_pulse_unseen_before_it_closes_the_relay():
    """Only after a burst does the output rest at its end point, 0 V."""
    with expected_protocol(
        TektronixAFG31000,
        [
            *POSITIVE,
            ACCEPTED,
            UNSEEN,
            closing("NORM", 0.9, 0.45, RESTS_AT_ITS_END),
            ("*TRG", None),
            (":OUTP1:STAT OFF;:SYST:ERR?", NO_ERROR),
        ],
    ) as generator:
        generator.apply(Pulse(amplitude=0.9, width=30e-9))


def test_a_negative_pulse_idles_at_the_high_level_which_is_zero():
    """Inverted polarity; the offset is half the amplitude, with its sign."""
    with expected_protocol(
        TektronixAFG31000,
        [
            OFF,
            (":OUTP1:POL INV", None),
            (":SOUR1:VOLT:AMPL 0.8", None),
            (":SOUR1:VOLT:OFFS -0.4", None),
            (":SOUR1:PULS:WIDT 1.6e-08", None),
            (":SOUR1:PULS:PER 3e-07", None),
            (":SOUR1:PULS:WIDT 1e-07", None),
            (ASKED, f"PULS;1e-07;{NO_ERROR}"),
            UNSEEN,
            closing("INV", 0.8, -0.4, ":TRIG:SOUR EXT"),
        ],
    ) as generator:
        generator.arm_external(Pulse(amplitude=-0.8, width=100e-9))


def test_a_refused_setting_leaves_the_output_off():
    """Not even the unseen burst runs; all entries of the queue are in the message."""
    with (
        expected_protocol(
            TektronixAFG31000,
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
    ("answer", "words"),
    [
        (f"SIN;3e-08;{NO_ERROR}", r"'SIN'.*not sent"),
        (f"PULS;1.6e-08;{NO_ERROR}", r"1.6e-08 s of a width of 3e-08 s.*not sent"),
    ],
)
def test_a_generator_that_is_not_as_prepared_is_not_triggered(answer, words):
    with (
        expected_protocol(TektronixAFG31000, [*POSITIVE, (ASKED, answer), OFF]) as generator,
        pytest.raises(InstrumentError, match=words),
    ):
        generator.apply(Pulse(amplitude=0.9, width=30e-9))


def test_a_generator_that_restarted_is_not_triggered():
    """Its power-on bit shows it."""
    with (
        expected_protocol(
            TektronixAFG31000,
            [
                *POSITIVE,
                ACCEPTED,
                UNSEEN,
                closing("NORM", 0.9, 0.45, RESTS_AT_ITS_END, events=128),
                OFF,
            ],
        ) as generator,
        pytest.raises(InstrumentError, match=r"'128'.*not sent"),
    ):
        generator.apply(Pulse(amplitude=0.9, width=30e-9))


@pytest.mark.parametrize(
    ("amplitude", "width", "words"),
    [
        (5.1, 1e-7, "Pulse of 5.1 V refused"),
        (-5.1, 1e-7, "Pulse of -5.1 V refused"),
        (0.001, 1e-7, "Pulse of 0.001 V refused"),
        (1.0, 15e-9, "Pulse width of 15 ns refused: the Tektronix AFG31000"),
        (1.0, 401.0, "Pulse width of 401 s refused"),
    ],
)
def test_pulses_beyond_any_model_are_refused_before_a_byte_is_sent(amplitude, width, words):
    """The protocol is empty."""
    with (
        expected_protocol(TektronixAFG31000, []) as generator,
        pytest.raises(LimitError, match=words),
    ):
        generator.apply(Pulse(amplitude=amplitude, width=width))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("amplitude", 20.5),
        ("amplitude", float("nan")),
        ("offset", -10.5),
        ("limit_high", 11),
        ("limit_low", -11),
    ],
)
def test_properties_refuse_what_the_hardware_cannot_do(name, value):
    """With a LimitError, as everything that is out of bounds."""
    with expected_protocol(TektronixAFG31000, []) as generator, pytest.raises(LimitError):
        setattr(generator, name, value)


@pytest.mark.parametrize(
    ("model", "channels", "largest", "shortest"),
    [("AFG31022", 2, 10.0, 16e-9), ("AFG31101", 1, 10.0, 6e-9), ("AFG31252", 2, 5.0, 4e-9)],
)
def test_a_model_brings_its_own_ratings(model, channels, largest, shortest):
    with expected_protocol(
        TektronixAFG31000, [("*IDN?", f"TEKTRONIX,{model},C100101,SCPI:99.0 FV:1.0")]
    ) as generator:
        generator.check_identity()
        assert generator.channels_available == channels
        assert generator.reach.largest == largest
        assert generator.reach.shortest == shortest


def test_another_instrument_is_recognised():
    """By the model field; the identity is asked once."""
    with expected_protocol(
        TektronixAFG31000, [("*IDN?", "TEKTRONIX,AFG3152C,C010101,SCPI:99.0 FV:1.0")]
    ) as generator:
        for _ in range(2):
            with pytest.raises(WrongInstrumentError, match=r"AFG3152C.*AFG31152"):
                generator.check_identity()


def test_limits_that_read_as_no_number_are_told():
    with (
        expected_protocol(
            TektronixAFG31000,
            [
                (":SOUR1:VOLT:LIM:HIGH?", "1.3"),
                (":SOUR1:VOLT:LIM:LOW?", "-1.3"),
                (":OUTP1:IMP?", "INF ohms"),
            ],
        ) as generator,
        pytest.raises(ReplyError, match="INF ohms"),
    ):
        generator.protections()


def test_limits_are_open_circuit_volts_whatever_the_load():
    """1 V across 50 Ohm behind 50 Ohm is 2 V open circuit."""
    with expected_protocol(
        TektronixAFG31000,
        [
            (":SOUR1:VOLT:LIM:HIGH?", "1.0"),
            (":SOUR1:VOLT:LIM:LOW?", "-0.5"),
            (":OUTP1:IMP?", "50"),
        ],
    ) as generator:
        high, low = generator.protections()
        assert (high.value, low.value) == (2.0, -1.0)
        assert high.in_force
        assert low.in_force


def test_a_limit_that_does_not_read_back_stops_the_bench(bench):
    """The emulator stands for a generator with limits of its own."""
    generator = TektronixAFG31000(connect(ADDRESS, visa_library=bench.visa_library))
    emulator = bench.emulators[ADDRESS]
    emulator.settings_changed = lambda: emulator.settings.update(limit_high=2.0)

    with pytest.raises(InstrumentError, match=r"read back as -1\.3 to 2 V"):
        generator.prepare(1.3)
    generator.adapter.close()


def test_without_a_limit_the_models_own_is_set(generator):
    generator.prepare()
    assert [limit.value for limit in generator.protections()] == [5.0, -5.0]


@pytest.mark.parametrize("max_amplitude", [5.1, 0.001, float("nan")])
def test_a_limit_that_the_model_cannot_hold_is_refused(generator, max_amplitude):
    with pytest.raises(LimitError, match=r"sends 0\.002 to 5 V"):
        generator.prepare(max_amplitude)


def test_what_prepare_set_reads_back(generator):
    assert generator.shape == "PULS"
    assert generator.load == 9.9e37
    assert generator.burst_idle == "END"
    assert generator.trigger_source == "EXT"
    assert generator.polarity == "NORM"
    assert generator.output_enabled is False
    assert (generator.amplitude, generator.offset) == (0.002, 0.001)
    assert generator.channels_available == MODELS["AFG31152"].channels


@pytest.mark.parametrize("amplitude", [1.0, -1.0])
def test_one_apply_is_one_pulse_on_the_routed_cell(generator, bench, amplitude):
    """Of either sign, and none before or after it."""
    generator.apply(Pulse(amplitude=amplitude, width=200e-9))

    assert np.array_equal(bench.station.die.pulses_given, [0, 0, 1, 0])
    assert not bench.emulators[ADDRESS].output


def test_changing_polarity_never_shows_the_cell_another_level(generator, bench):
    """Full swings to and fro: as many pulses as asked for."""
    for amplitude in (1.3, -1.3, 0.1, -0.1, 1.3, -1.3):
        generator.apply(Pulse(amplitude=amplitude, width=20e-9))

    assert bench.station.die.pulses_given[2] == 6


def test_an_armed_generator_fires_on_every_external_trigger_until_off(generator, bench):
    """The line of the SMU's digital output."""
    generator.arm_external(Pulse(amplitude=-0.5, width=50e-9))
    assert bench.station.die.pulses_given[2] == 0
    bench.station.trigger(1)
    bench.station.trigger(1)
    generator.off()
    bench.station.trigger(1)

    assert bench.station.die.pulses_given[2] == 2
    assert generator.output_enabled is False


def test_the_generator_itself_refuses_what_is_beyond_its_limits(generator, bench):
    """`prepare` said 1.3 V; the emulator, like the instrument, holds to it."""
    with pytest.raises(ReportedError, match="LIMit"):
        generator.apply(Pulse(amplitude=1.4, width=50e-9))

    assert bench.station.die.pulses_given[2] == 0


def test_a_pulse_longer_than_a_message_is_waited_for(generator, bench):
    """The unseen burst too, or the relay would close in its midst."""
    began = time.monotonic()
    generator.apply(Pulse(amplitude=1.0, width=20e-3))

    assert time.monotonic() - began > 40e-3 + 20e-3
    assert bench.station.die.pulses_given[2] == 1


def test_shutdown_leaves_the_output_off(generator, bench):
    """Even with an error left in the queue."""
    generator.arm_external(Pulse(amplitude=0.5, width=50e-9))
    generator.write(":NONSENSE")
    generator.shutdown()

    assert not bench.emulators[ADDRESS].output
