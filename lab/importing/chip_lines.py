"""Lines of the files that come from 65,536-cell 1T1R chips: an address first, readings after it."""

import numpy as np
from numpy.typing import NDArray

from crossbar.geometry import DieGeometry
from lab.importing.text_table import Line, TextTable

CHIP = DieGeometry(subarrays=1, rows=256, columns=256)
"""Which word and bit line an address is, the files do not say; the address is the flat index."""


def cell_of(table: TextTable, line: Line, column: int = 0) -> int:
    """The cell that a line's first value names. Raises DataError if no chip has it."""
    address = table.number(line, column, "address")
    if address != int(address) or not 0 <= address < CHIP.cells:
        raise table.refusal(
            line,
            f"the address is {line.values[column].strip()}; expected a whole number from 0 to "
            f"{CHIP.cells - 1}, a cell of a chip of {CHIP.cells:,} cells.",
        )
    return int(address)


def readings_of(table: TextTable, line: Line, first: int, what: str) -> NDArray[np.float64]:
    """Ohm from place ``first`` of a line on, as many as in the file's first line.

    ``what`` says, for the message, what a line must hold. Raises DataError for another number of
    values, one that is no number, or zero.
    """
    expected = len(table.lines[0].values)
    if len(line.values) != expected:
        cut = " The file seems to be cut off: fetch it again." * (line is table.lines[-1])
        raise table.refusal(
            line,
            f"holds {len(line.values)} values; expected {what}, {expected} values as in line "
            f"{table.lines[0].number}.{cut}",
        )
    readings = np.array(
        [table.number(line, place, f"value {place + 1}") for place in range(first, expected)]
    )
    if not readings.all():
        place = first + int(np.flatnonzero(readings == 0)[0])
        raise table.refusal(line, f"value {place + 1} is 0 Ohm, which no cell has. Mend the line.")
    return readings
