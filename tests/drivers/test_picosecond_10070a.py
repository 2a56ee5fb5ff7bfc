import numpy as np
import pytest
from pymeasure.test import expected_protocol

from crossbar.errors import InstrumentError, LimitError, ReportedError, WrongInstrumentError
from crossbar.pulses import Pulse
from drivers import picosecond_10070a
from drivers.picosecond_10070a import Picosecond10070A
from drivers.visa import connect

ADDRESS = "GPIB0::6::INSTR"
OFF = [("disable", None), ("enable?", "NO"), ("trigger GPIB", None)]
AS_PREPARED = [("trigger?", "GPIB"), ("gate?", "OFF"), ("limit?", "ON"), ("offset?", "0.00E+0")]
STEP = 15 * 10 ** (-20 / 20)
"""1.5 V, an amplitude that the attenuator makes."""


@pytest.fixture(autouse=True)
def _fast_relays(monkeypatch):
    """Nothing moves here that would have to settle."""
    monkeypatch.setattr(picosecond_10070a, "SETTLING", 0.0)


def test_prepare_sets_single_pulses_without_offset_and_the_limit():
    """The limit is the amplitude at the moment when it is switched on: the step below."""
    with expected_protocol(
        Picosecond10070A,
        [
            ("header off", None),
            *OFF,
            ("gate OFF", None),
            ("offset 0", None),
            ("delay 0", None),
            ("level 1", None),
            ("slope POS", None),
            ("limit OFF", None),
            ("amplitude 0.595746176", None),
            ("amplitude?", "5.957E-1"),
            ("limit ON", None),
            ("amplitude 0.000668438204", None),
            ("amplitude?", "6.684E-4"),
            *AS_PREPARED,
        ],
    ) as generator:
        generator.prepare(1.3)


def test_apply_sets_up_reads_back_triggers_and_disables():
    """Half the open-circuit volts go out; the trigger comes after everything has read back."""
    with expected_protocol(
        Picosecond10070A,
        [
            *OFF,
            ("amplitude -0.75", None),
            ("amplitude?", "-7.500E-1"),
            ("duration 1e-09", None),
            *AS_PREPARED,
            ("duration?", "1.000E-9"),
            ("amplitude?", "-7.500E-1"),
            ("enable", None),
            ("enable?", "YES"),
            ("*TRG", None),
            ("disable", None),
            ("enable?", "NO"),
        ],
    ) as generator:
        generator.apply(Pulse(amplitude=-1.5, width=1e-9))


@pytest.mark.parametrize(
    ("replies", "words"),
    [
        ([("trigger?", "INT")], "trigger source GPIB, but reads back INT"),
        ([*AS_PREPARED[:3], ("offset?", "0.5")], "offset 0 V, but reads back 0.5 V"),
        ([*AS_PREPARED, ("duration?", "2E-9")], "pulse width 1 ns, but reads back 2 ns"),
    ],
)
def test_what_does_not_read_back_keeps_the_output_disabled(replies, words):
    """As after the generator was switched off and on: its defaults would be another pulse."""
    with (
        expected_protocol(
            Picosecond10070A,
            [
                *OFF,
                ("amplitude 0.75", None),
                ("amplitude?", "7.5E-1"),
                ("duration 1e-09", None),
                *replies,
                *OFF,
            ],
        ) as generator,
        pytest.raises(InstrumentError, match=words),
    ):
        generator.apply(Pulse(amplitude=1.5, width=1e-9))


def test_an_amplitude_that_the_instrument_did_not_take_is_told():
    with (
        expected_protocol(
            Picosecond10070A, [*OFF, ("amplitude 0.75", None), ("amplitude?", "0.6684"), *OFF]
        ) as generator,
        pytest.raises(InstrumentError, match=r"amplitude 1\.5 V, but reads back 1\.337 V"),
    ):
        generator.apply(Pulse(amplitude=1.5, width=1e-9))


@pytest.mark.parametrize(
    ("amplitude", "width", "words"),
    [
        (15.2, 1e-9, r"sends 0\.00133688 to 15 V"),
        (-1e-3, 1e-9, "Change the amplitude"),
        (0.0, 1e-9, "Change the amplitude"),
        (1.0, 1e-9, r"makes 0\.9464 V and 1\.062 V open circuit, and nothing between"),
        (-1.0, 1e-9, r"makes -0\.9464 V and -1\.062 V"),
        (STEP * 1.02, 1e-9, "nothing between"),
        (STEP, 0.05e-9, "takes 100 ps to 10 ns"),
        (STEP, 11e-9, "takes 100 ps to 10 ns"),
    ],
)
def test_pulses_beyond_the_hardware_are_refused_before_a_byte_is_sent(amplitude, width, words):
    """And those between two steps: they would be other pulses than the record says."""
    with (
        expected_protocol(Picosecond10070A, []) as generator,
        pytest.raises(LimitError, match=words),
    ):
        generator.apply(Pulse(amplitude=amplitude, width=width))


def test_the_reach_names_the_attainable_amplitudes():
    """By the decibel, with the sign."""
    reach = Picosecond10070A.reach

    assert reach.nearest(1.01) == pytest.approx(1.0619, rel=1e-4)
    assert reach.nearest(-0.99) == pytest.approx(-0.9464, rel=1e-4)
    assert reach.below(1.0) == pytest.approx(0.9464, rel=1e-4)
    assert reach.below(1.5) == reach.nearest(1.5) == pytest.approx(1.5)
    assert reach.nearest(1e-9) == pytest.approx(reach.smallest)
    for decibels in range(82):
        step = 15 * 10 ** (-decibels / 20)
        assert reach.check(Pulse(amplitude=-step, width=1e-9)).amplitude == -step
        assert reach.below(step) == pytest.approx(step)


@pytest.mark.parametrize(
    ("name", "value"),
    [("amplitude", 7.6), ("amplitude", float("nan")), ("duration", 11e-9), ("offset", -5.5)],
)
def test_properties_refuse_what_the_hardware_cannot_do(name, value):
    """With a LimitError, as everything that is out of bounds."""
    with expected_protocol(Picosecond10070A, []) as generator, pytest.raises(LimitError):
        setattr(generator, name, value)


def test_replies_with_a_header_are_understood():
    """Before `prepare` has switched the headers off."""
    with expected_protocol(
        Picosecond10070A,
        [("enable?", "ENABLE NO"), ("amplitude?", "AMPLITUDE 7.500E+00"), ("trigger?", "INT")],
    ) as generator:
        assert generator.output_enabled is False
        assert generator.amplitude == 7.5
        assert generator.trigger_source == "INT"


@pytest.mark.parametrize("answer", ["Picosecond Pulse Labs,10070A,1", "PSPL 10,070A rev 2"])
def test_its_identity_is_recognised(answer):
    """Asked once; the form of the reply is not confirmed."""
    with expected_protocol(Picosecond10070A, [("*IDN?", answer)]) as generator:
        generator.check_identity()
        generator.check_identity()


def test_another_instrument_is_recognised():
    with (
        expected_protocol(Picosecond10070A, [("*IDN?", "Picosecond,10060A,1")]) as generator,
        pytest.raises(WrongInstrumentError, match="10060A"),
    ):
        generator.check_identity()


@pytest.fixture
def bench(bench_with):
    return bench_with("picosecond_10070a", ADDRESS)


@pytest.fixture
def generator(bench):
    generator = Picosecond10070A(connect(ADDRESS, visa_library=bench.visa_library))
    generator.check_identity()
    generator.prepare(1.6)
    yield generator
    generator.adapter.close()


def test_one_apply_is_one_pulse_of_that_amplitude_on_the_routed_cell(generator, bench):
    """Of either sign, and none before or after it."""
    die = bench.station.die
    seen = []
    pulse = die.pulse
    die.pulse = lambda cells, what: (seen.append(what), pulse(cells, what))
    for sign in (1, -1):
        generator.apply(Pulse(amplitude=sign * STEP, width=2e-9))

    assert np.flatnonzero(die.pulses_given).tolist() == [2]
    assert die.pulses_given[2] == 2
    assert [round(what.width * 1e12) for what in seen] == [2000, 2000]
    # Less than open circuit by the divider of 50 Ohm, the path and the cell.
    assert 0.9 * STEP < seen[0].amplitude < STEP
    assert -STEP < seen[1].amplitude < -0.9 * STEP
    assert not bench.emulators[ADDRESS].output
    generator.check_errors()


def test_what_prepare_does_not_allow_is_refused_by_the_host_and_by_the_instrument(generator, bench):
    beyond = generator.reach.nearest(1.7)
    with pytest.raises(LimitError, match=r"prepared for at most 1\.6 V"):
        generator.apply(Pulse(amplitude=beyond, width=1e-9))
    with pytest.raises(LimitError, match="prepared for at most"):
        generator.arm_external(Pulse(amplitude=-beyond, width=1e-9))
    generator.amplitude = beyond / 2
    with pytest.raises(ReportedError, match="execution error"):
        generator.check_errors()

    assert bench.station.die.pulses_given[2] == 0
    assert generator.protections() == ()


def test_the_step_that_would_be_sent_must_be_within_the_limit_too(generator, bench):
    """1.49 V is near enough to the step of 1.5 V, but the cell would see that one."""
    generator.prepare(1.495)
    with pytest.raises(LimitError, match="prepared for at most"):
        generator.apply(Pulse(amplitude=1.49, width=1e-9))

    assert bench.station.die.pulses_given[2] == 0


@pytest.mark.parametrize("volts", [15.5, 1e-3, -1.0, float("nan")])
def test_prepare_refuses_a_limit_that_it_cannot_keep(generator, volts):
    with pytest.raises(LimitError, match="max_amplitude"):
        generator.prepare(volts)


def test_an_armed_generator_fires_on_every_external_trigger_until_off(generator, bench):
    """The line of the SMU's digital output."""
    generator.arm_external(Pulse(amplitude=STEP, width=10e-9))
    bench.station.trigger(1)
    bench.station.trigger(1)
    generator.off()
    bench.station.trigger(1)

    assert bench.station.die.pulses_given[2] == 2
    assert generator.trigger_source == "GPIB"
    assert generator.output_enabled is False


def test_after_a_power_cycle_nothing_is_sent(generator, bench):
    """Its defaults are another pulse than the one that was prepared."""
    generator.apply(Pulse(amplitude=STEP, width=1e-9))
    bench.restart(ADDRESS)
    with pytest.raises(InstrumentError, match="was it switched off and on"):
        generator.apply(Pulse(amplitude=STEP, width=1e-9))

    assert bench.station.die.pulses_given[2] == 1
    assert not bench.emulators[ADDRESS].output


def test_an_output_that_stays_enabled_is_told(bench):
    """Rather than trusted."""
    generator = Picosecond10070A(connect(ADDRESS, visa_library=bench.visa_library))
    bench.emulators[ADDRESS].settings["header"] = "OFF"
    emulator = bench.emulators[ADDRESS]
    emulator.settings["trigger_source"] = "GPIB"
    emulator.output = True
    emulator.receive = lambda data, *, end=False: (
        None if data.startswith(b"disable") else type(emulator).receive(emulator, data, end=end)
    )
    with pytest.raises(InstrumentError, match="says that it is enabled"):
        generator.off()
    generator.adapter.close()


def test_shutdown_leaves_the_output_disabled(generator, bench):
    generator.arm_external(Pulse(amplitude=STEP, width=10e-9))
    generator.write("nonsense")
    generator.shutdown()

    assert not bench.emulators[ADDRESS].output
