"""A number that was estimated, with its confidence interval."""

from dataclasses import dataclass
from typing import Self, SupportsFloat


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """SI. Ends are infinite where the interval is open, NaN where there is none; all three are NaN
    where nothing could be told.
    """

    estimate: float
    low: float
    high: float

    @classmethod
    def of(cls, estimate: SupportsFloat, low: SupportsFloat, high: SupportsFloat) -> Self:
        """Of numbers of any kind, numpy's among them, as plain floats."""
        return cls(estimate=float(estimate), low=float(low), high=float(high))

    @classmethod
    def alone(cls, estimate: SupportsFloat) -> Self:
        """A number that no interval belongs to."""
        return cls.of(estimate, float("nan"), float("nan"))
