"""What the next die will reach at least, from the dies seen, whatever their distribution.

Dies that could have come in any order (exchangeable: of one population, none of them chosen by its
value) leave the next one's rank among all equally likely. So it falls below the k-th smallest of n
with a probability of at most k / (n + 1), however values are spread (Wilks 1941, doi
10.1214/aoms/1177731788; conformal prediction rests on the same fact).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

from analysis.intervals import check_confidence
from crossbar.errors import DataError
from crossbar.units import Ratio


@dataclass(frozen=True, kw_only=True)
class NextDieBound:
    """A value that the next die reaches, and how surely."""

    bound: float
    """The ``rank``-th smallest of the values seen, in their unit."""
    rank: int
    dies: int
    """Seen."""
    confidence: Ratio
    """Probability that the next die is at or above the bound, before any die was seen."""
    coverage: Ratio
    """Fraction of all further dies at or above the bound, at least, at the confidence asked for."""


def next_die_bound(values: Sequence[float], confidence: Ratio = 0.95) -> NextDieBound:
    """The highest bound that holds for the next die with at least this confidence.

    Too few dies for it (fewer than 19 for 95 %) give the smallest value seen and the confidence
    that it does have, n / (n + 1). Raises DataError for less than one finite value.
    """
    check_confidence(confidence)
    found = np.sort(np.asarray(values, dtype=np.float64))
    if not len(found) or not np.isfinite(found).all():
        raise DataError(
            f"{len(found)} values, {int(np.isfinite(found).sum())} of them finite, bound no next "
            "die. Grade at least one die, and leave out none that failed: give those 0."
        )
    dies = len(found)
    # 1e-9: (1 - 0.95) * 20 is a rounding error above or below 1.
    rank = max(1, int((1 - confidence) * (dies + 1) + 1e-9))
    return NextDieBound(
        bound=float(found[rank - 1]),
        rank=rank,
        dies=dies,
        confidence=1 - rank / (dies + 1),
        coverage=float(beta.ppf(1 - confidence, dies + 1 - rank, rank)),
    )
