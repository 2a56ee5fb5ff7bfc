"""What a file of somebody else's measurements turns into, before anything of it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crossbar.geometry import DieGeometry
from crossbar.records import PulseTrain, ReadTrace, WerPoint

CellRecord = WerPoint | PulseTrain | ReadTrace
"""What files hold: records of single cells."""


@dataclass(frozen=True, kw_only=True)
class Measurements:
    """Records of one die, and what they were read with."""

    technology: str
    geometry: DieGeometry
    """The smallest that the format's cells fit into, where the file does not say."""
    records: tuple[CellRecord, ...]
    details: Mapping[str, Any] = field(default_factory=dict)
    """What the file says and no record has room for: names of cells, further voltages. JSON."""
    notes: tuple[str, ...] = ()
    """What the user should know of how the file was understood."""


def one_row(cells: int) -> DieGeometry:
    """A die for so many single cells of which nobody said where they are."""
    return DieGeometry(subarrays=1, rows=1, columns=cells)
