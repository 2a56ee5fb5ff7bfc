"""Contact check: do the needles touch? A few cells, spread over the die, are read once."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from crossbar.memory_die import MemoryDie
from crossbar.records import ContactRecord, Key
from crossbar.units import Ratio, Siemens, Volts


@dataclass(frozen=True, kw_only=True)
class ContactCheckParameters:
    """How the contact is judged."""

    cells: int = 16
    """Number of cells read, evenly spread over the die."""
    read_amplitude: Volts = 0.1
    min_conductance: Siemens = 10e-6
    """A cell that conducts less counts as not connected; ours, a tenth of a healthy HIGH cell."""
    min_fraction: Ratio = 0.5
    """This fraction must conduct: single open cells are no reason to complain."""


def contact_check(
    die: MemoryDie, parameters: ContactCheckParameters, done: frozenset[Key] = frozenset()
) -> Iterator[ContactRecord]:
    """Yield one record; ``touching`` is the verdict."""
    if ("contact",) in done:
        return
    count = min(parameters.cells, die.geometry.cells)
    # The middle of equal stretches: a regular stride from 0 would stay in a single column.
    cells = ((np.arange(count) + 0.5) * die.geometry.cells / count + np.arange(count)).astype(
        np.intp
    )
    cells = np.unique(np.minimum(cells, die.geometry.cells - 1))  # on a tiny die they coincide
    conductance = die.read(cells, parameters.read_amplitude).conductance
    connected = conductance >= parameters.min_conductance
    yield ContactRecord(
        cells=cells,
        conductance=conductance,
        touching=bool(np.mean(connected) >= parameters.min_fraction),
    )
