"""How often intervals held the truth, as lines of one table for all protocols."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from analysis.intervals import clopper_pearson
from crossbar.estimate import Estimate

HEAD = (
    "| protocol | quantity | stated (%) | intervals | covered (%) | 95 % of the coverage (%) |\n"
    "|---|---|---|---|---|---|"
)


@dataclass
class Tally:
    """Counts intervals of one quantity as they come."""

    quantity: str
    stated: float = 0.95
    held: int = 0
    intervals: int = 0

    def see(self, found: Estimate, truth: float) -> None:
        """Count one interval."""
        self.intervals += 1
        self.held += bool(found.low <= truth <= found.high)


@dataclass
class Tallies:
    """The tallies of one protocol, by quantity."""

    protocol: str
    quantities: dict[str, Tally] = field(default_factory=dict)

    def see(self, quantity: str, found: Estimate, truth: float) -> None:
        """Count one interval of a quantity."""
        self.quantities.setdefault(quantity, Tally(quantity)).see(found, truth)

    def lines(self) -> Iterable[str]:
        """Markdown rows; `HEAD` goes above."""
        for tally in self.quantities.values():
            low, high = clopper_pearson(tally.held, tally.intervals)
            covered = 100 * tally.held / tally.intervals
            yield (
                f"| {self.protocol} | {tally.quantity} | {100 * tally.stated:g} "
                f"| {tally.intervals} | {covered:.1f} | {100 * low:.1f} to {100 * high:.1f} |"
            )

    def joined(self, other: Self) -> Self:
        """These and another's intervals together."""
        for name, tally in other.quantities.items():
            mine = self.quantities.setdefault(name, Tally(name, tally.stated))
            mine.held += tally.held
            mine.intervals += tally.intervals
        return self
