"""What the closed crosspoints of a switch matrix connect: at most one cell to each instrument.

Lines joined by closed crosspoints are one net. A cell is connected where the instrument's net holds
its bit line and the net of ground its word line, as `drivers.matrix_wiring` wires them. The station
knows single cells only, so what is not one cell conducts nothing here, and the log says why:
several cells in parallel, a cell the wrong way round (instrument at the word line), an instrument
shorted to ground, and two instruments on one net. Currents through floating lines are left out.
"""

import logging
from collections.abc import Iterable
from itertools import product

from crossbar.geometry import CellAddress, DieGeometry
from drivers.matrix_wiring import COLUMNS_PER_SLOT, MatrixWiring
from simulated_instruments.probe_station import ProbeStation

LOG = logging.getLogger(__name__)

Crosspoint = tuple[int, str, int]
"""Slot, row letter, column from 1."""
Line = str | int
"""A row's letter, or a column counted from 0 through the slots of the wiring."""


class MatrixPaths:
    """Keeps the station's two paths as the relays are."""

    def __init__(self, station: ProbeStation, wiring: MatrixWiring) -> None:
        self.station = station
        self.wiring = wiring
        self.explanation = ""
        """Why something that is closed does not conduct; empty if there is nothing to explain."""

    def update(self, closed: Iterable[Crosspoint]) -> None:
        """Connect in the station what these crosspoints connect, and nothing else."""
        nets = self._nets(closed)
        before, self.explanation = self.explanation, ""
        self.station.measured_cell = self._cell(self.wiring.meter, nets)
        self.station.pulsed_cell = self._cell(self.wiring.pulse_source, nets)
        if self.explanation and self.explanation != before:
            LOG.warning("switch matrix: %s; nothing is connected there", self.explanation)

    def _nets(self, closed: Iterable[Crosspoint]) -> dict[Line, set[Line]]:
        """The net of every line that a closed crosspoint touches."""
        nets: dict[Line, set[Line]] = {}
        for slot, row, column in closed:
            place = (slot - self.wiring.first_slot) * COLUMNS_PER_SLOT + column - 1
            if not self.wiring.first_slot <= slot < self.wiring.first_slot + self.wiring.slots:
                place = -1 - 100 * slot - column  # a column of a card that the die is not wired to
            joined = nets.get(row, {row}) | nets.get(place, {place})
            nets |= dict.fromkeys(joined, joined)
        return nets

    def _cell(self, instrument: str, nets: dict[Line, set[Line]]) -> int | None:
        """Flat index of the one cell between an instrument and ground, or None."""
        found = self._cell_or_reason(instrument, nets)
        if not isinstance(found, str):
            return found
        if found not in self.explanation:
            self.explanation = f"{self.explanation}, {found}" if self.explanation else found
        return None

    def _cell_or_reason(self, instrument: str, nets: dict[Line, set[Line]]) -> int | str | None:
        """The cell, None where nothing is closed, or why what is closed is no single cell."""
        wiring, geometry = self.wiring, self.station.wafer.geometry
        net, ground = nets.get(instrument), nets.get(wiring.ground)
        if net is None:
            return None
        if net & ({wiring.meter, wiring.pulse_source} - {instrument}):
            return "meter and pulse source are joined"
        if ground is None:
            return None
        if wiring.ground in net:
            return f"row {instrument} is shorted to ground"
        if cells_between(wiring, geometry, ground, net):
            return f"row {instrument} is at a word line and ground at its bit line"
        cells = cells_between(wiring, geometry, net, ground)
        if len(cells) > 1:
            return f"row {instrument} reaches {len(cells)} cells in parallel"
        return cells[0] if cells else None


def cells_between(
    wiring: MatrixWiring, geometry: DieGeometry, bit_lines: set[Line], word_lines: set[Line]
) -> list[int]:
    """Flat indices of the cells with their bit line in one net and their word line in the other."""
    rows = [
        (subarray, row)
        for subarray, row in product(range(geometry.subarrays), range(geometry.rows))
        if wiring.word_line(geometry, CellAddress(subarray, row, 0)) in word_lines
    ]
    columns = [
        (subarray, column)
        for subarray, column in product(range(geometry.subarrays), range(geometry.columns))
        if wiring.bit_line(geometry, CellAddress(subarray, 0, column)) in bit_lines
    ]
    return [
        geometry.index(CellAddress(subarray, row, column))
        for (subarray, row), (other, column) in product(rows, columns)
        if subarray == other
    ]
