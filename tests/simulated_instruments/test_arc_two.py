import numpy as np
import pytest

from crossbar.geometry import DieAddress, DieGeometry
from physics.wafer import SimulatedWafer
from simulated_instruments.arc_two import ArC2Error, EmulatedArcTwo
from simulated_instruments.probe_station import ProbeStation

GEOMETRY = DieGeometry(subarrays=1, rows=20, columns=20)


@pytest.fixture
def station():
    wafer = SimulatedWafer(addresses=[DieAddress(0, 0)], geometry=GEOMETRY, seed=1)
    return ProbeStation(wafer=wafer, die_under_needles=DieAddress(0, 0), in_contact=True)


@pytest.fixture
def arc(station):
    return EmulatedArcTwo(station)


@pytest.fixture
def pulses(station, monkeypatch):
    """What the cells get."""
    given, pulse = [], station.die.pulse

    def note(cells, what):
        given.append((int(cells[0]), what.amplitude))
        pulse(cells, what)

    monkeypatch.setattr(station.die, "pulse", note)
    return given


def test_a_pulse_waits_in_the_buffer_until_execute(arc, pulses):
    """The trap of this board: without `execute` nothing happens, later everything does."""
    arc.connect_to_gnd([]).float_all().pulse_one(0, 16, 0.5, 100)
    assert pulses == []

    arc.execute()
    assert pulses == [(0, 0.5)]
    arc.execute()
    assert len(pulses) == 1


def test_lines_at_ground_share_a_pulse(arc, pulses):
    """Every row that was not floated is a return of the pulsed column."""
    arc.pulse_one(0, 16, 0.5, 100).execute()

    assert [cell for cell, _ in pulses] == [row * 20 for row in range(20)]


def test_channels_are_rows_and_columns_of_32(arc, pulses):
    """Rows go on at channel 32, columns at 48."""
    arc.float_all().pulse_one(32, 48, 0.5, 100).pulse_one(48, 32, 0.5, 100).execute()

    assert pulses == [(16 * 20 + 16, 0.5), (16 * 20 + 16, -0.5)]


def test_reads_act_at_once_and_flush_the_buffer(arc, pulses, station):
    """Time passes for the delay before the read."""
    arc.float_all().delay(1000)
    current = arc.read_one(0, 16, 0.1)

    assert 1e-6 < current < 1e-3
    assert arc.read_one(16, 0, 0.1) == pytest.approx(current, rel=0.2)
    assert station.clock.now == pytest.approx(1e-6)


def test_masked_reads_answer_nan_for_the_rest(arc):
    """32 values, of which one is a current."""
    values = arc.read_slice_masked(0, [17], 0.1)

    assert values.shape == (32,)
    assert list(np.flatnonzero(~np.isnan(values))) == [1]
    assert arc.read_all(0.1, None).shape == (32, 32)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda arc: arc.pulse_one(64, 0, 0.5, 100), ArC2Error),
        (lambda arc: arc.pulse_one(0, 16, 11.0, 100), ArC2Error),
        (lambda arc: arc.pulse_one(0, 16, 0.5, 100.0), TypeError),
        (lambda arc: arc.pulse_slice_fast_open([], [None] * 7, False), ValueError),
        (
            lambda arc: arc.pulse_slice_fast_open(
                [(0, 1.0, 0.0), (1, -1.0, 0.0)], [100, *[None] * 7], False
            ),
            ArC2Error,
        ),
        (
            lambda arc: arc.pulse_slice_fast_open([(9, 1.0, 0.0)], [100, *[None] * 7], False),
            ArC2Error,
        ),
        (
            lambda arc: arc.pulse_slice_fast_open(
                [(0, 1.0, 0.0)], [600_000_000, *[None] * 7], False
            ),
            ArC2Error,
        ),
    ],
)
def test_what_the_package_refuses_is_refused(arc, pulses, call, error):
    """Mixed polarity in a cluster, missing timings, too long, too high, wrong types."""
    with pytest.raises(error):
        call(arc)
    arc.execute()
    assert pulses == []


def test_a_fast_pulse_uses_the_lines_at_ground_as_returns(arc, pulses):
    """Without a low channel: whatever is at 0 V."""
    arc.connect_to_gnd([1]).float_all()
    arc.pulse_slice_fast_open([(16, 0.4, 0.0)], [None, None, 100, *[None] * 5], True).execute()

    assert pulses == [(20, 0.4)]
