"""When the window of a cycled cell closed: one change of the failure rate, by likelihood."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy
from scipy.stats import chi2

from crossbar.errors import DataError
from crossbar.estimate import Estimate
from crossbar.units import Ratio

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class EndOfLife:
    """When the rate of failed RESETs of one cell changed."""

    cycles: Estimate
    """Its interval: where the likelihood is within chi2(confidence, 1) / 2 of the best."""
    before: Ratio
    """Fraction of the checkpoints with a closed window before."""
    after: Ratio
    confidence: Ratio
    gain: float
    """Log-likelihood gained over one rate for the whole life; a few say nothing."""
    last_open: float
    """Cycles at the last checkpoint with an open window."""


def end_of_life(cycles: Values, failed: NDArray[np.bool_], confidence: Ratio = 0.95) -> EndOfLife:
    """The change that explains best at which checkpoints (n,) the window was closed.

    Raises DataError for fewer than four checkpoints.
    """
    if len(cycles) < 4:
        raise DataError(f"{len(cycles)} checkpoints do not show when a window closes.")
    gone = np.cumsum(failed, dtype=np.int64)
    count = np.arange(1, len(cycles))
    before, after = gone[:-1], gone[-1] - gone[:-1]
    likelihood = _binomial(before, count) + _binomial(after, len(cycles) - count)
    place = int(np.argmax(likelihood))
    good = np.flatnonzero(likelihood >= likelihood[place] - chi2.ppf(confidence, 1) / 2)
    still_open = np.flatnonzero(~failed)
    return EndOfLife(
        cycles=Estimate.of(cycles[place + 1], cycles[good[0]], cycles[good[-1] + 1]),
        before=float(before[place]) / (place + 1),
        after=float(after[place]) / (len(cycles) - place - 1),
        confidence=confidence,
        gain=float(likelihood[place] - _binomial(gone[-1:], np.array([len(cycles)]))[0]),
        last_open=float(cycles[still_open[-1]]) if len(still_open) else 0.0,
    )


def _binomial(hits: NDArray[np.int64], tried: NDArray[np.int64]) -> Values:
    """Log-likelihood at the most likely rate."""
    missed = tried - hits
    return np.asarray(xlogy(hits, hits / tried) + xlogy(missed, missed / tried))
