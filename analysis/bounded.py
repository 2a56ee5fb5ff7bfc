"""A number with its confidence interval."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Bounded:
    """An estimate, and the ends of its interval; infinite where open."""

    value: float
    low: float
    high: float
