"""How sure an error rate is, once a fixed number of attempts is over. Free of torch."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, ndtri

from crossbar.errors import ConfigurationError, DataError


def clopper_pearson(
    errors: ArrayLike, attempts: ArrayLike, confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two-sided exact interval for an error rate (Clopper and Pearson, Biometrika 26, 404, 1934).

    The ends are quantiles of beta distributions: low at ``(1 - confidence) / 2`` of
    Beta(errors, attempts - errors + 1), high at the mirrored quantile of
    Beta(errors + 1, attempts - errors). The interval covers the true rate at least ``confidence``
    of the time, whatever the rate; near 0 and 1 it covers it more often than that.

    Exact for any count, zero included: without errors in n attempts low is 0 and high is
    ``1 - (alpha / 2) ** (1 / n)``, so "none seen" is never reported as zero; with nothing but
    errors the mirror image. No attempts at all give (0, 1).

    ``errors`` and ``attempts`` are counts, scalars or arrays that broadcast; low and high have the
    broadcast shape (numpy scalars for scalars). Raises DataError for counts that cannot be, and
    ConfigurationError for a confidence outside 0 to 1.
    """
    wrong, tried = checked_counts(errors, attempts)
    tail = (1 - check_confidence(confidence)) / 2
    right = tried - wrong
    # At either end a beta is improper and the quantile a plain power; a stand-in of 1 keeps those
    # elements finite until they are replaced.
    low = betaincinv(np.maximum(wrong, 1), right + 1, tail)
    high = betaincinv(wrong + 1, np.maximum(right, 1), 1 - tail)
    each = np.maximum(tried, 1)
    low = np.where(wrong == 0, 0.0, np.where(right == 0, tail ** (1 / each), low))
    high = np.where(right == 0, 1.0, np.where(wrong == 0, -np.expm1(np.log(tail) / each), high))
    return low[()], high[()]


def wilson(
    errors: ArrayLike, attempts: ArrayLike, confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two-sided score interval for an error rate (Wilson, J. Am. Stat. Assoc. 22, 209, 1927).

    Calibrated: it covers the true rate ``confidence`` of the time on average over rates, at single
    rates more or less often; least often where fewer than one error is expected. Shorter than
    `clopper_pearson`, which never covers less often than it says.

    Counts, shapes and errors are those of `clopper_pearson`; no attempts give (0, 1).
    """
    wrong, tried = checked_counts(errors, attempts)
    z = ndtri((1 + check_confidence(confidence)) / 2)
    each = np.maximum(tried, 1)
    rate = wrong / each
    center = (rate + z**2 / (2 * each)) / (1 + z**2 / each)
    half = z * np.sqrt(rate * (1 - rate) / each + (z / (2 * each)) ** 2) / (1 + z**2 / each)
    low = np.where(wrong == 0, 0.0, center - half)
    high = np.where(wrong == tried, 1.0, center + half)
    return low[()], high[()]


def jeffreys(
    errors: ArrayLike, attempts: ArrayLike, confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two-sided interval of Jeffreys' prior (Brown, Cai and DasGupta, Stat. Sci. 16, 101, 2001).

    Quantiles of Beta(errors + 1/2, attempts - errors + 1/2), except that low is 0 without errors
    and high is 1 with nothing but errors. Calibrated as `wilson` is, and more even at small rates.

    Counts, shapes and errors are those of `clopper_pearson`; no attempts give (0, 1).
    """
    wrong, tried = checked_counts(errors, attempts)
    tail = (1 - check_confidence(confidence)) / 2
    right = tried - wrong
    low = np.where(wrong == 0, 0.0, betaincinv(wrong + 0.5, right + 0.5, tail))
    high = np.where(right == 0, 1.0, betaincinv(wrong + 0.5, right + 0.5, 1 - tail))
    return low[()], high[()]


def checked_counts(
    errors: ArrayLike, attempts: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both as arrays of one shape. Raises DataError as `check_counts` does."""
    wrong, tried = np.broadcast_arrays(
        np.asarray(errors, dtype=np.float64), np.asarray(attempts, dtype=np.float64)
    )
    check_counts(wrong, tried)
    return wrong, tried


def check_counts(errors: NDArray[np.float64], attempts: NDArray[np.float64]) -> None:
    """Raise DataError unless ``0 <= errors <= attempts`` and all are whole numbers."""
    sound = (errors >= 0) & (errors <= attempts)
    sound &= (errors == np.floor(errors)) & (attempts == np.floor(attempts))
    sound &= np.isfinite(attempts)
    if not np.all(sound):
        first = np.flatnonzero(~np.ravel(sound))[0]
        raise DataError(
            f"{np.ravel(errors)[first]:g} errors in {np.ravel(attempts)[first]:g} attempts cannot "
            f"be: both must be whole numbers with 0 <= errors <= attempts "
            f"({np.count_nonzero(~sound)} of {sound.size} counts are wrong). Check what counted."
        )


def check_confidence(confidence: float) -> float:
    """Return a confidence between 0 and 1 as it is, or raise ConfigurationError."""
    if not 0 < confidence < 1:
        raise ConfigurationError(
            f"Confidence {confidence!r} refused: it is a fraction between 0 and 1, such as 0.95."
        )
    return confidence
