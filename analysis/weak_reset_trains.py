"""Readings of weak RESET trains, laid out for a fit: cells, their trains, numbers of pulses.

Free of torch.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import DataError
from crossbar.geometry import CellIndices
from crossbar.records import PulseTrain
from crossbar.units import Seconds, Volts

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class WeakResetTrains:
    """Trains of one amplitude and width: n cells, up to k trains each, read at m numbers of pulses.

    Every train begins with a SET.
    """

    amplitude: Volts
    """At the cell, signed: weak RESET pulses are negative."""
    width: Seconds
    cells: CellIndices
    """(n,) flat indices."""
    pulses: NDArray[np.int64]
    """(m,) since the SET, rising; 0 is the reading before the first pulse."""
    log_r: Values
    """(n, k, m) ln(R / Ohm), of several readings without a pulse between their mean; NaN where
    nothing was read, or nothing that can be a resistance."""

    def __post_init__(self) -> None:
        if self.log_r.ndim != 3 or self.log_r.shape[::2] != (len(self.cells), len(self.pulses)):
            raise DataError(
                f"Trains of {len(self.cells)} cells, read {len(self.pulses)} times, need log_r of "
                f"shape ({len(self.cells)}, trains, {len(self.pulses)}), got {self.log_r.shape}."
            )
        if np.any(np.diff(self.pulses) <= 0) or np.any(self.pulses < 0):
            raise DataError("The numbers of pulses must rise, and none may be negative.")

    def spaced(self, pulses: int) -> "WeakResetTrains":
        """Only readings that lie at least so many pulses apart, and from the SET."""
        kept, last = [], 0
        for place, number in enumerate(self.pulses):
            if number - last >= pulses:
                kept.append(place)
                last = int(number)
        return WeakResetTrains(
            amplitude=self.amplitude,
            width=self.width,
            cells=self.cells,
            pulses=self.pulses[kept],
            log_r=self.log_r[:, :, kept],
        )

    def of_cells(self, rows: NDArray[np.intp]) -> "WeakResetTrains":
        """Only the cells in these rows."""
        return WeakResetTrains(
            amplitude=self.amplitude,
            width=self.width,
            cells=self.cells[rows],
            pulses=self.pulses,
            log_r=self.log_r[rows],
        )


def gather_trains(records: Iterable[PulseTrain]) -> list[WeakResetTrains]:
    """The trains of every amplitude and width, in their order; cells in the order of their numbers.

    A train belongs to the pulse of its steps; one with several amplitudes or widths is no train of
    weak RESETs and is left out, as is one without a pulse. Raises DataError if nothing is left.
    """
    conditions: dict[tuple[float, float], dict[int, list[PulseTrain]]] = {}
    for record in records:
        given = record.pulses > 0
        pulse = set(zip(record.amplitude[given], record.width[given], strict=True))
        if len(pulse) == 1:
            amplitude, width = pulse.pop()
            of_cell = conditions.setdefault((float(amplitude), float(width)), {})
            of_cell.setdefault(record.cell, []).append(record)
    if not conditions:
        raise DataError("None of the pulse trains has equal pulses throughout; nothing to fit.")
    return [
        _of_one_condition(amplitude, width, conditions[amplitude, width])
        for amplitude, width in sorted(conditions, key=lambda c: (abs(c[0]), c[1]))
    ]


def _of_one_condition(
    amplitude: Volts, width: Seconds, trains: dict[int, list[PulseTrain]]
) -> WeakResetTrains:
    cells = sorted(trains)
    reached = [np.cumsum(record.pulses) for cell in cells for record in trains[cell]]
    pulses = np.unique(np.concatenate(reached))
    shape = (len(cells), max(len(trains[cell]) for cell in cells), len(pulses))
    total, readings = np.zeros(shape), np.zeros(shape)
    for row, cell in enumerate(cells):
        for place, record in enumerate(sorted(trains[cell], key=lambda train: train.part)):
            at = np.searchsorted(pulses, np.cumsum(record.pulses))
            conducts = record.conductance > 0
            np.add.at(total[row, place], at[conducts], -np.log(record.conductance[conducts]))
            np.add.at(readings[row, place], at[conducts], 1)
    log_r = np.divide(total, readings, out=np.full(shape, np.nan), where=readings > 0)
    return WeakResetTrains(
        amplitude=amplitude,
        width=width,
        cells=np.array(cells, dtype=np.intp),
        pulses=pulses.astype(np.int64),
        log_r=log_r,
    )
