"""What every SMU with SCPI commands must do, with the bytes of its own page, and on its emulator.

A new one is a line in ``PAGES``.
"""

import pytest
from pymeasure.test import expected_protocol

from crossbar.errors import InstrumentError, LimitError, WrongInstrumentError
from tests.drivers.pages import cases
from tests.drivers.test_keithley_2400 import PAGE as KEITHLEY_2400
from tests.drivers.test_keithley_2450 import PAGE as KEITHLEY_2450
from tests.drivers.test_keysight_b2900 import PAGE as KEYSIGHT_B2900

PAGES = (KEITHLEY_2400, KEITHLEY_2450, KEYSIGHT_B2900)


@pytest.fixture(params=PAGES, ids=lambda page: page.name)
def page(request):
    return request.param


def test_prepare_reads_the_limit_back_before_switching_on(page):
    """Construction sends nothing."""
    with expected_protocol(page.driver, [*page.preparation(), *page.on]) as smu:
        smu.prepare(1e-3)
        assert smu.current_limit_set == 1e-3


@pytest.mark.parametrize(
    ("page", "read_back"),
    [
        pytest.param(page, other, id="-".join([page.name, *other]))
        for page in PAGES
        for other in page.did_not_take
    ],
)
def test_prepare_leaves_the_output_off_if_a_setting_did_not_take(page, read_back):
    with (
        expected_protocol(page.driver, page.preparation(*read_back)) as smu,
        pytest.raises(InstrumentError, match="stays off"),
    ):
        smu.prepare(1e-3)


@pytest.mark.parametrize("limit", [0.0, -1e-3, 2.0, float("nan")])
def test_an_impossible_limit_sends_nothing(page, limit):
    """Nor is it clipped, as PyMeasure's own drivers would."""
    with expected_protocol(page.driver, []) as smu, pytest.raises(LimitError):
        smu.prepare(limit)


@pytest.mark.parametrize(("page", "name", "value"), cases(PAGES, "strict"))
def test_settings_are_strict(page, name, value):
    with expected_protocol(page.driver, []) as smu, pytest.raises(LimitError):
        setattr(smu, name, value)


def test_nine_digits_are_sent(page):
    name, value, sent = page.nine_digits
    with expected_protocol(page.driver, [(sent, None)]) as smu:
        setattr(smu, name, value)


@pytest.mark.parametrize(("page", "reply", "expected"), cases(PAGES, "readings"))
def test_measure_is_one_round_trip(page, reply, expected):
    with expected_protocol(page.driver, [(page.measuring, reply)]) as smu:
        smu.current_limit_set = 1e-3
        assert smu.measure(0.1) == expected


@pytest.mark.parametrize(("page", "reply", "then", "error", "words"), cases(PAGES, "distrusted"))
def test_measure_distrusts_replies(page, reply, then, error, words):
    """After an error the return to 0 V may be skipped with the rest of the message."""
    with expected_protocol(page.driver, [(page.measuring, reply), *then]) as smu:
        smu.current_limit_set = 1e-3
        with pytest.raises(error, match=words):
            smu.measure(0.1)


@pytest.mark.parametrize("voltage", [22.0, -22.0, float("nan")])
def test_unprepared_or_out_of_range_sends_nothing(page, voltage):
    with expected_protocol(page.driver, []) as smu:
        with pytest.raises(InstrumentError, match="prepare"):
            smu.measure(0.1)
        smu.current_limit_set = 1e-3
        with pytest.raises(LimitError):
            smu.measure(voltage)


def test_another_instrument_is_recognised(page):
    identity, words = page.stranger
    with (
        expected_protocol(page.driver, [("*IDN?", identity)]) as smu,
        pytest.raises(WrongInstrumentError, match=words),
    ):
        smu.check_identity()


def test_the_output_follows_prepare_and_off(page, opened):
    smu, bench = opened(page)
    states = []
    for action in (lambda: smu.prepare(1e-3), smu.off, lambda: smu.prepare(1e-3), smu.shutdown):
        action()
        states.append(page.channel(bench.emulators[page.address]).output)
    assert states == [True, False, True, False]


def test_readings_and_clamping(page, opened):
    smu, bench = opened(page)
    smu.prepare(1e-3)
    current, clamped = smu.measure(-0.1)
    assert -1e-4 < current < -1e-6
    assert not clamped
    assert page.channel(bench.emulators[page.address]).level_volts == 0

    smu.prepare(1e-7)
    assert smu.measure(0.1) == (pytest.approx(1e-7), True)


def test_the_limit_is_told_as_a_protection(page, opened):
    smu, _ = opened(page)
    smu.prepare(2e-4)
    assert [str(protection) for protection in smu.protections()] == ["current limit 200 µA"]


@pytest.mark.parametrize("page", [KEITHLEY_2400, KEITHLEY_2450], ids=lambda page: page.name)
def test_a_protection_says_when_it_is_not_in_force(page, opened):
    """PyMeasure's drivers can source currents as well."""
    smu, _ = opened(page)
    smu.prepare(2e-4)
    assert smu.protections()[0].in_force
    smu.source_mode = "current"
    assert not smu.protections()[0].in_force
