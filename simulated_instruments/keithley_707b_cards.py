"""The cards of a 707B: what they are called, how many relays they have, how fast those are.

After the instrument's help on ``slot[X].idn`` and ``slot[X].pseudocard``. The descriptions follow
the help's two examples (``7173,4x12 Hi Freq Matrix AAAA,02.01a,99999999`` and ``7072,Pseudo 8x12
SemiMatrix,00.00a,????????``); the other texts, firmware and serial numbers are ours. The operating
times are from memory, not confirmed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from crossbar.units import Seconds
from simulated_instruments.matrix_paths import Crosspoint

ROWS = "ABCDEFGH"
NO_CARD = "Empty Slot"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardKind:
    """A model of card."""

    model: str
    rows: int
    columns: int
    description: str
    settling: Seconds
    """Of opening, and of closing."""
    pseudo_number: int
    """What ``slot[X].pseudocard`` calls it."""


KINDS = {
    kind.model: kind
    for kind in (
        CardKind(
            model="7072", rows=8, columns=12, description="SemiMatrix", settling=15e-3,
            pseudo_number=7072,
        ),
        CardKind(
            model="7072-HV", rows=8, columns=12, description="HV SemiMatrix", settling=15e-3,
            pseudo_number=70721,
        ),
        CardKind(
            model="7173", rows=4, columns=12, description="Hi Freq Matrix", settling=10e-3,
            pseudo_number=7173,
        ),
        CardKind(
            model="7174", rows=8, columns=12, description="Low Current Matrix", settling=1e-3,
            pseudo_number=7174,
        ),
    )
}  # fmt: skip
"""By model, as the first field of ``slot[X].idn`` has it: a 7174A says 7174 (not confirmed)."""
PSEUDO_NUMBERS = {kind.pseudo_number: kind for kind in KINDS.values()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One slot's card; a pseudocard has no relays, but answers as if it had."""

    slot: int
    kind: CardKind
    pseudo: bool = False

    @property
    def identity(self) -> str:
        """What ``slot[X].idn`` says."""
        kind = self.kind
        size = f"{kind.rows}x{kind.columns} {kind.description}"
        if self.pseudo:
            return f"{kind.model},Pseudo {size},00.00a,????????"
        return f"{kind.model},{size},01.10a,0{self.slot}123456"

    def crosspoints(self) -> Iterator[Crosspoint]:
        """All of them, row by row."""
        for row in ROWS[: self.kind.rows]:
            for column in range(1, self.kind.columns + 1):
                yield self.slot, row, column


def crosspoint_name(crosspoint: Crosspoint) -> str:
    """``1A01``: slot, row, column."""
    slot, row, column = crosspoint
    return f"{slot}{row}{column:02d}"
