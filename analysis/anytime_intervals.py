"""How sure an error rate is while it is still being counted, however it is decided to stop."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, expit, log_expit

from analysis.intervals import check_confidence, checked_counts

PRIOR = 0.5
"""Both parameters of the beta mixture (Jeffreys' prior). Ours: any choice is valid; this one gives
short intervals at small rates.
"""
WIDEST = 100.0
"""Log-odds beyond which no count resolves a rate (4e-44)."""
HALVINGS = 60
"""Of a range of log-odds 200 wide: the ends are then as sharp as doubles are."""


def anytime(
    errors: ArrayLike, attempts: ArrayLike, confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Interval of a confidence sequence for an error rate (Robbins, Ann. Math. Stat. 41, 1397).

    The intervals of a growing count cover the true rate *all at once* with at least ``confidence``:
    one may look after every attempt, and stop because of what is seen. `clopper_pearson` promises
    that only for a number of attempts that was fixed before. Excluded are the rates whose
    likelihood is below ``1 - confidence`` times that of the beta mixture (Ville's inequality).

    Counts, shapes and errors are those of `clopper_pearson`; no attempts give (0, 1).
    """
    wrong, tried = checked_counts(errors, attempts)
    right = tried - wrong
    mixture = betaln(wrong + PRIOR, right + PRIOR) - betaln(PRIOR, PRIOR)
    least = mixture + np.log(1 - check_confidence(confidence))
    with np.errstate(divide="ignore", invalid="ignore"):  # 0 and 1 are clipped, 0 of 0 is unused
        likeliest = np.nan_to_num(np.clip(np.log(wrong) - np.log(right), -WIDEST, WIDEST))
    ends = []
    for end in (-WIDEST, WIDEST):
        inside, outside = likeliest.copy(), np.full_like(likeliest, end)
        for _ in range(HALVINGS):
            log_odds = (inside + outside) / 2
            kept = wrong * log_expit(log_odds) + right * log_expit(-log_odds) >= least
            inside = np.where(kept, log_odds, inside)
            outside = np.where(kept, outside, log_odds)
        ends.append(expit(outside))
    low = np.where(wrong == 0, 0.0, ends[0])
    high = np.where(right == 0, 1.0, ends[1])
    return low[()], high[()]
