"""How many errors a network bears: the largest error rate whose loss is allowed."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import isotonic_regression

from crossbar.errors import DataError
from crossbar.units import Ratio


def tolerated_rate(rates: ArrayLike, losses: ArrayLike, allowed: float) -> Ratio:
    """The largest error rate up to which the loss stays within ``allowed``.

    ``rates`` (n,) rise, ``losses`` (n,) are what was lost at each, in any unit, chance included.
    More errors cannot do less harm on average, so the losses are first made to rise, by the least
    squares (isotonic regression); between rates they are linear in the rate's logarithm. Gives 0.0
    where already the smallest rate loses more, and infinity where the largest does not: then all
    that is known is that the answer lies beyond. Raises DataError for rates that do not rise.
    """
    at, lost = np.asarray(rates, np.float64), np.asarray(losses, np.float64)
    if at.ndim != 1 or at.shape != lost.shape or not at.size or not np.all(np.diff(at) > 0):
        raise DataError(
            f"A tolerated rate needs rising rates with a loss each; got {at.tolist()} with "
            f"{lost.tolist()}."
        )
    if not (at[0] > 0 and np.isfinite(lost).all()):
        raise DataError(
            f"Rates must be positive and losses finite: {at.tolist()}, {lost.tolist()}."
        )
    rising = isotonic_regression(lost).x
    if rising[0] > allowed:
        return 0.0
    if rising[-1] <= allowed:
        return float("inf")
    return float(np.exp(np.interp(allowed, rising, np.log(at))))
