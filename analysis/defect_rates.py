"""How often single cells fail, and how much dies differ in it: rates over-dispersed between dies.

Each die has its own rate, a gamma factor on the mean (`physics.defects.DefectPopulation`), so the
counts of a class over dies are negative binomial: the form that the beta-binomial has at rates far
below 1. A binomial interval would take the cells of all dies for independent, and be far too short.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import chi2

from analysis.defect_population import DISPERSION_RANGE, fit_dispersion, surprise
from analysis.intervals import check_confidence, clopper_pearson
from crossbar.errors import DataError
from crossbar.estimate import Estimate

LOG_SHAPES = (float(np.log(DISPERSION_RANGE[0])), float(np.log(DISPERSION_RANGE[1])))
LOG_REACH = 6.0
"""ln of how far from the observed mean rate its ends are sought."""


@dataclass(frozen=True, kw_only=True)
class DefectRate:
    """Of one class over dies."""

    rate: Estimate
    """Mean fraction of defective cells: what another set of dies would give."""
    die_to_die: Estimate
    """Standard deviation of the dies' own rates over their mean, shape**-0.5; low ends near 0.03
    are open, and so are high ones near 3. NaN where no cell failed, or for a single die."""


def defect_rate(
    counts: NDArray[np.int64], cells: NDArray[np.int64], confidence: float = 0.95
) -> DefectRate:
    """The rate of one class from its (dies,) counts among (dies,) cells, by profile likelihood.

    A single die, or no defect at all, gives Clopper-Pearson's interval, which holds for these dies
    and, without over-dispersion, for others. Raises DataError without a cell.
    """
    check_confidence(confidence)
    if not cells.sum():
        raise DataError("No cell to count defects among: classify at least one die first.")
    total, tried = int(counts.sum()), int(cells.sum())
    if len(cells) < 2 or not total:
        ends = clopper_pearson(total, tried, confidence)
        return DefectRate(rate=Estimate.of(total / tried, *ends), die_to_die=Estimate.alone(np.nan))
    drop = float(chi2.ppf(confidence, 1)) / 2
    log_mean = float(np.log(total / tried))

    def profile(log_rate: float) -> float:
        def loss(log_shape: float) -> float:
            return surprise(counts[:, None], np.exp(log_rate) * cells[:, None], log_shape)

        return float(minimize_scalar(loss, bounds=LOG_SHAPES, method="bounded").fun)

    least = profile(log_mean)
    low = brentq(lambda x: profile(x) - least - drop, log_mean - LOG_REACH, log_mean, xtol=1e-6)
    high = _end(lambda x: profile(x) - least - drop, log_mean, log_mean + LOG_REACH)
    shape = dispersion_interval(counts[:, None], cells, confidence)
    return DefectRate(
        rate=Estimate.of(total / tried, np.exp(low), min(1.0, np.exp(high))),
        die_to_die=Estimate.of(shape.estimate**-0.5, shape.high**-0.5, shape.low**-0.5),
    )


def dispersion_interval(
    counts: NDArray[np.int64], cells: NDArray[np.int64], confidence: float = 0.95
) -> Estimate:
    """Shape k of `analysis.defect_population.fit_dispersion`, with its likelihood-ratio interval.

    ``counts`` (dies, classes) share k; ends at the limits of `DISPERSION_RANGE` are open. With dies
    of one size the likeliest mean rates do not depend on k, so this is the profile likelihood.
    """
    shape = fit_dispersion(counts, cells)
    expected = counts.sum(axis=0) / max(int(cells.sum()), 1) * cells[:, None]
    level = surprise(counts, expected, float(np.log(shape)))
    level += float(chi2.ppf(check_confidence(confidence), 1)) / 2

    def beyond(log_shape: float) -> float:
        return surprise(counts, expected, log_shape) - level

    best = float(np.log(shape))
    return Estimate.of(shape, *(np.exp(_end(beyond, best, limit)) for limit in LOG_SHAPES))


def _end(beyond: Callable[[float], float], inside: float, limit: float) -> float:
    """Where the function rises through 0 on the way to the limit; the limit if it does not."""
    if beyond(limit) <= 0 or beyond(inside) >= 0:
        return limit if beyond(limit) <= 0 else inside
    return float(brentq(beyond, inside, limit, xtol=1e-6))
