"""What every generator must do that sends its pulses as bursts, with the bytes of its own page.

A new one is a line in ``PAGES``.
"""

import numpy as np
import pytest
from pymeasure.test import expected_protocol

from crossbar.errors import InstrumentError, LimitError, ReportedError, WrongInstrumentError
from crossbar.pulses import Pulse
from tests.drivers.pages import cases
from tests.drivers.test_keysight_33500b import PAGE as KEYSIGHT_33500B
from tests.drivers.test_keysight_81110a import PAGE as KEYSIGHT_81110A
from tests.drivers.test_keysight_81160a import PAGE as KEYSIGHT_81160A
from tests.drivers.test_tektronix_afg31000 import PAGE as TEKTRONIX_AFG31000

PAGES = (KEYSIGHT_33500B, KEYSIGHT_81110A, KEYSIGHT_81160A, TEKTRONIX_AFG31000)
POSITIVE = Pulse(amplitude=0.9, width=30e-9)
NEGATIVE = Pulse(amplitude=-0.8, width=100e-9)


@pytest.fixture(params=PAGES, ids=lambda page: page.name)
def page(request):
    return request.param


@pytest.fixture
def rig(page, opened):
    """Prepared for 1.3 V: the driver, the bench, and the emulator."""
    generator, bench = opened(page)
    generator.prepare(1.3)
    return generator, bench, bench.emulators[page.address]


def test_apply_sets_up_checks_triggers_and_switches_off(page):
    """The trigger comes only after the generator has said that all is well."""
    with expected_protocol(
        page.driver,
        [
            page.off,
            *page.positive,
            *page.accepted(30e-9),
            page.closing("NORM", 0.9, 0.45),
            ("*TRG", None),
            page.opening,
        ],
    ) as generator:
        generator.apply(POSITIVE)


def test_a_negative_pulse_idles_at_the_high_level_which_is_zero(page):
    """Inverted polarity; the offset is half the amplitude, with its sign."""
    with expected_protocol(
        page.driver,
        [
            page.off,
            *page.negative,
            *page.accepted(100e-9),
            page.closing("INV", 0.8, -0.4, armed=True),
        ],
    ) as generator:
        generator.arm_external(NEGATIVE)


def test_a_refused_setting_leaves_the_output_off(page):
    """The relay never closes; all entries of the queue are in the message."""
    with (
        expected_protocol(
            page.driver,
            [
                page.off,
                *page.positive,
                page.answered(page.answers(30e-9), '-222,"Data out of range"'),
                (":SYST:ERR?", '-221,"Settings conflict"'),
                (":SYST:ERR?", page.no_error),
                page.off,
            ],
        ) as generator,
        pytest.raises(ReportedError, match=r"Data out of range.* and .*Settings conflict"),
    ):
        generator.apply(POSITIVE)


@pytest.mark.parametrize("sign", ["restarted", "adjusted"])
def test_a_generator_that_is_not_as_prepared_is_not_triggered(page, sign):
    """Its settings are the factory's, or it adjusted the width by itself, without an error."""
    answers, words = getattr(page, sign)
    with (
        expected_protocol(
            page.driver, [page.off, *page.positive, page.answered(answers), page.off]
        ) as generator,
        pytest.raises(InstrumentError, match=words),
    ):
        generator.apply(POSITIVE)


def test_a_generator_that_restarted_before_the_relay_closed_is_not_triggered(page):
    """Its power-on bit shows it."""
    with (
        expected_protocol(
            page.driver,
            [
                page.off,
                *page.positive,
                *page.accepted(30e-9),
                page.closing("NORM", 0.9, 0.45, events=128),
                page.off,
            ],
        ) as generator,
        pytest.raises(InstrumentError, match=r"'128'.*not sent"),
    ):
        generator.apply(POSITIVE)


@pytest.mark.parametrize(("page", "amplitude", "width", "words"), cases(PAGES, "beyond"))
def test_pulses_beyond_the_hardware_are_refused_before_a_byte_is_sent(
    page, amplitude, width, words
):
    """The protocol is empty."""
    with expected_protocol(page.driver, []) as generator, pytest.raises(LimitError, match=words):
        generator.apply(Pulse(amplitude=amplitude, width=width))


@pytest.mark.parametrize(("page", "name", "value"), cases(PAGES, "strict"))
def test_properties_refuse_what_the_hardware_cannot_do(page, name, value):
    """With a LimitError, as everything that is out of bounds."""
    with expected_protocol(page.driver, []) as generator, pytest.raises(LimitError):
        setattr(generator, name, value)


def test_nine_digits_are_sent(page):
    name, value, sent = page.nine_digits
    with expected_protocol(page.driver, [(sent, None)]) as generator:
        setattr(generator, name, value)


def test_another_instrument_is_recognised(page):
    """By the model field; the identity is asked once."""
    identity, words = page.stranger
    with expected_protocol(page.driver, [("*IDN?", identity)]) as generator:
        for _ in range(2):
            with pytest.raises(WrongInstrumentError, match=words):
                generator.check_identity()


def test_a_limit_that_does_not_read_back_stops_the_bench(page, opened):
    """The emulator stands for a generator with limits of its own."""
    generator, bench = opened(page)
    emulator = bench.emulators[page.address]
    emulator.settings_changed = lambda: emulator.settings.update(limit_high=2.0)

    with pytest.raises(InstrumentError, match=r"read back as -1\.3(0\d*)? to 2(\.00\d*)? V"):
        generator.prepare(1.3)


def test_without_a_limit_the_models_own_is_set(rig):
    generator, _, _ = rig
    largest = generator.reach.largest
    generator.prepare()

    assert [limit.value for limit in generator.protections()] == pytest.approx(
        [largest, -largest], rel=1e-3
    )


@pytest.mark.parametrize("beyond", ["above", "below", "nan"])
def test_a_limit_that_the_model_cannot_hold_is_refused(page, rig, beyond):
    generator, _, _ = rig
    reach = generator.reach
    asked = {"above": 1.02 * reach.largest, "below": reach.smallest / 2, "nan": float("nan")}
    with pytest.raises(LimitError, match=page.sends):
        generator.prepare(asked[beyond])


@pytest.mark.parametrize("amplitude", [1.0, -1.0])
def test_one_apply_is_one_pulse_on_the_routed_cell(rig, amplitude):
    """Of either sign, and none before or after it."""
    generator, bench, emulator = rig
    generator.apply(Pulse(amplitude=amplitude, width=200e-9))

    assert np.flatnonzero(bench.station.die.pulses_given).tolist() == [2]
    assert bench.station.die.pulses_given[2] == 1
    assert not emulator.output


def test_changing_polarity_never_shows_the_cell_another_level(rig):
    """Full swings to and fro, as short as they can be: as many pulses as asked for."""
    generator, bench, _ = rig
    small, width = max(0.1, generator.reach.smallest), 1.34 * generator.reach.shortest
    for amplitude in (1.3, -1.3, small, -small, 1.3, -1.3):
        generator.apply(Pulse(amplitude=amplitude, width=width))

    assert bench.station.die.pulses_given[2] == 6


@pytest.mark.parametrize("amplitude", [0.5, -0.5])
def test_an_armed_generator_fires_on_every_external_trigger_until_off(page, rig, amplitude):
    """The line of the SMU's digital output."""
    generator, bench, _ = rig
    generator.arm_external(Pulse(amplitude=amplitude, width=50e-9))
    assert bench.station.die.pulses_given[2] == 0
    bench.station.trigger(1)
    bench.station.trigger(1)
    generator.off()
    bench.station.trigger(1)

    assert bench.station.die.pulses_given[2] == 2
    for name, value in page.idle.items():
        found = getattr(generator, name)
        assert (found, type(found)) == (value, type(value))


def test_the_generator_itself_refuses_what_is_beyond_its_limits(rig):
    """`prepare` said 1.3 V; the emulator, like the instrument, holds to it."""
    generator, bench, _ = rig
    with pytest.raises(ReportedError, match="LIMit"):
        generator.apply(Pulse(amplitude=1.4, width=50e-9))

    assert bench.station.die.pulses_given[2] == 0


def test_shutdown_leaves_the_output_off(rig):
    """Even with an error left in the queue."""
    generator, _, emulator = rig
    generator.arm_external(Pulse(amplitude=0.5, width=50e-9))
    generator.write(":NONSENSE")
    generator.shutdown()

    assert not emulator.output
