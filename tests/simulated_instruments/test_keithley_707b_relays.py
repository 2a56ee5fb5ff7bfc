"""In which order the relays move, and how long that takes."""

import pytest

from simulated_instruments.keithley_707b import EmulatedKeithley707B
from tests.simulated_instruments.stations import matrix_station
from tests.simulated_instruments.tsp_messages import ask


@pytest.fixture
def station():
    return matrix_station()


def test_switching_takes_its_time(station):
    """Two steps for break before make, one for any order; one relay at a time if told so."""
    matrix = EmulatedKeithley707B(station, cards={1: "7072"})
    took = []
    for line in (
        'channel.close("1A01,1B01")',
        'channel.exclusiveclose("1A02,1B02")',
        'channel.connectrule = channel.OFF channel.exclusiveclose("1A03,1B03")',
        'channel.connectsequential = channel.ON channel.exclusiveclose("1A04,1B04")',
        'channel.connectsequential = 0 channel.setdelay("1A05", 1) channel.close("1A05,1B05")',
        'channel.close("1A05,1B05")',
    ):
        before = station.clock.now
        ask(matrix, line)
        took.append(station.clock.now - before)
    assert took == pytest.approx([15e-3, 30e-3, 15e-3, 30e-3, 1 + 15e-3, 0])


@pytest.mark.parametrize(("rule", "seen"), [(1, set()), (2, {"1A01", "1A02"})])
def test_the_order_in_which_relays_move(station, monkeypatch, rule, seen):
    matrix = EmulatedKeithley707B(station)
    ask(matrix, f'channel.connectrule = {rule} channel.close("1A01")')
    states = []
    monkeypatch.setattr(
        station.clock,
        "advance",
        lambda duration: (
            states.append(ask(matrix, 'print(channel.getclose("slot1"))').strip())
            if duration
            else None
        ),
    )
    ask(matrix, 'channel.exclusiveclose("1A02")')
    monkeypatch.undo()
    assert states[0] == (";".join(sorted(seen)) or "nil")
    assert states[-1] == "1A02"


def test_power_off_and_on_opens_everything(matrix, station):
    ask(matrix, 'channel.close("1A05,1C01")')
    matrix.__init__(station)
    assert station.measured_cell is None
