"""What the emulators of several files are tested with."""

import pytest

from simulated_instruments.keithley_707b import EmulatedKeithley707B
from tests.simulated_instruments.ohmic_board import make_board
from tests.simulated_instruments.stations import one_cell_station


@pytest.fixture
def station():
    """In contact; all instruments reach one cell, and pulses are noted."""
    return one_cell_station()


@pytest.fixture
def pulses(station, monkeypatch):
    """Amplitude and width of everything that the cells of the station's die get."""
    given, pulse = [], station.die.pulse

    def note(cells, what):
        given.append((what.amplitude, what.width))
        pulse(cells, what)

    monkeypatch.setattr(station.die, "pulse", note)
    return given


@pytest.fixture
def matrix(station):
    """A switch matrix whose scripts end soon."""
    return EmulatedKeithley707B(station, instruction_budget=200_000)


@pytest.fixture
def board():
    """The die board, in contact with a die of known resistors."""
    return make_board()


@pytest.fixture
def die(board):
    """That die."""
    return board.station.die
