"""Whether a mean keeps to a limit, as far as its interval decides: True, False, or None."""

from analysis.mean_interval import MeanInterval


def at_most(found: MeanInterval, limit: float) -> bool | None:
    """Whether the mean is at or below the limit, in its unit."""
    return True if found.high <= limit else False if found.low > limit else None


def at_least(found: MeanInterval, limit: float) -> bool | None:
    """Whether it is at or above."""
    return True if found.low >= limit else False if found.high < limit else None


def below(found: MeanInterval, limit: float) -> bool | None:
    """Whether it is below; an interval that ends on the limit decides nothing."""
    return True if found.high < limit else False if found.low > limit else None


def above(found: MeanInterval, limit: float) -> bool | None:
    """Whether it is above; an interval that ends on the limit decides nothing."""
    return True if found.low > limit else False if found.high < limit else None
