"""Distributions over cells of a value that is known with an error each, by maximum likelihood.

The families of the weak RESET model: exponential, normal, and log-normal as a normal of logarithms.
Errors are normal; what is seen of a family is the family with the error on top. Free of torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr, ndtri
from scipy.stats import chi2, truncnorm

from analysis.intervals import check_confidence
from analysis.likelihood_profile import Loss, most_likely, profile_interval
from crossbar.errors import DataError
from crossbar.units import Ratio

Values = NDArray[np.float64]
FEWEST_CELLS = 8
"""Below it a family cannot be told from another. Ours."""
REPLICATES = 99
"""Samples of the fitted family that the goodness of fit is judged by."""
STEP = 1e-5
"""Of numeric derivatives, in coordinates that are logarithms or close to 1."""
SCALES = (1e-4, 1e3)
"""That are tried, over the values' own size. Ours."""


class Family(Protocol):
    """A family of distributions; its parameters are the coordinates that the search goes by."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parameters."""

    def start(self, values: Values, errors: Values) -> Values:
        """Coordinates by moments."""

    def bounds(self, values: Values) -> Values:
        """(parameters, 2) of the coordinates."""

    def log_density(self, at: Values, values: Values, errors: Values) -> Values:
        """(n,) of what is seen; (m, n) for coordinates (parameters, m, 1)."""

    def below(self, at: Values, values: Values, errors: Values) -> Values:
        """(n,) probability to see less."""

    def seen(self, at: Values, uniform: Values, errors: Values) -> Values:
        """(n,) what is seen, out of uniform numbers (2, n)."""

    def parameters(self, at: Values) -> Values:
        """The parameters themselves; each rises with its coordinate."""


@dataclass(frozen=True, kw_only=True)
class Exponential:
    """``location`` plus an exponential of mean ``scale``; coordinates (ln scale, location)."""

    located: bool = True
    """False: the location is 0."""

    @property
    def names(self) -> tuple[str, ...]:
        return ("scale", "location") if self.located else ("scale",)

    def start(self, values: Values, errors: Values) -> Values:
        location = max(float(np.min(values + errors)), 0.0) / 2 if self.located else 0.0
        least = 0.05 * np.mean(np.abs(values))  # errors can push a mean below the location
        scale = max(np.mean(values) - location, least)
        return np.array([np.log(scale), location][: len(self.names)])

    def bounds(self, values: Values) -> Values:
        size = float(np.mean(np.abs(values)))
        return np.array([np.log(np.array(SCALES) * size), [0.0, size]][: len(self.names)])

    def parameters(self, at: Values) -> Values:
        return np.array([np.exp(at[0]), *at[1:]])

    def log_density(self, at: Values, values: Values, errors: Values) -> Values:
        scale, location = self._both(at)
        away, blur = (values - location) / errors, errors / scale
        return np.asarray(-np.log(scale) + blur**2 / 2 - away * blur + log_ndtr(away - blur))

    def below(self, at: Values, values: Values, errors: Values) -> Values:
        scale, location = self._both(at)
        away, blur = (values - location) / errors, errors / scale
        tail = np.exp(blur**2 / 2 - away * blur + log_ndtr(away - blur))
        return np.asarray(np.clip(ndtr(away) - tail, 0.0, 1.0))

    def seen(self, at: Values, uniform: Values, errors: Values) -> Values:
        scale, location = self._both(at)
        return np.asarray(location - scale * np.log1p(-uniform[0]) + errors * ndtri(uniform[1]))

    def _both(self, at: Values) -> tuple[Values, Values]:
        return np.exp(at[0]), at[1] if self.located else np.zeros(())


@dataclass(frozen=True, kw_only=True)
class Normal:
    """A normal distribution; coordinates (ln sd, mean). Values are seen from ``low`` to ``high``
    only: what lies outside is not among them, and the likelihood knows that.
    """

    low: float = -np.inf
    high: float = np.inf

    @property
    def names(self) -> tuple[str, ...]:
        return ("sd", "mean")

    def start(self, values: Values, errors: Values) -> Values:
        variance = max(np.var(values) - np.mean(errors**2), 0.05 * np.var(values))
        return np.array([0.5 * np.log(variance), np.mean(values)])

    def bounds(self, values: Values) -> Values:
        size = float(np.std(values))
        middle, reach = float(np.mean(values)), 5 * size
        return np.array([np.log(np.array([1e-2, 20]) * size), [middle - reach, middle + reach]])

    def parameters(self, at: Values) -> Values:
        return np.array([np.exp(at[0]), at[1]])

    def log_density(self, at: Values, values: Values, errors: Values) -> Values:
        width, low, high = self._window(at, errors)
        away = (values - at[1]) / width
        # In the upper half the mirror image, where the difference of two ones keeps its digits.
        low, high = np.where(low > 0, -high, low), np.where(low > 0, -low, high)
        wide = log_ndtr(high)
        share = wide + np.log1p(-np.exp(np.minimum(log_ndtr(low) - wide, -1e-12)))
        return np.asarray(-np.log(width) - away**2 / 2 - np.log(2 * np.pi) / 2 - share)

    def below(self, at: Values, values: Values, errors: Values) -> Values:
        width, low, high = self._window(at, errors)
        return np.asarray(truncnorm.cdf((values - at[1]) / width, low, high))

    def seen(self, at: Values, uniform: Values, errors: Values) -> Values:
        width, low, high = self._window(at, errors)
        return np.asarray(at[1] + width * truncnorm.ppf(uniform[0], low, high))

    def _window(self, at: Values, errors: Values) -> tuple[Values, Values, Values]:
        """What is seen of a cell is this wide; and the window, in these units."""
        width = np.sqrt(np.exp(2 * at[0]) + errors**2)
        return width, (self.low - at[1]) / width, (self.high - at[1]) / width


@dataclass(frozen=True, kw_only=True)
class FamilyFit:
    """The most likely member of a family."""

    family: Family
    estimate: Mapping[str, float]
    interval: Mapping[str, tuple[float, float]]
    """Profile likelihood; by name."""
    confidence: Ratio
    cells: int
    goodness: float
    """p-value of the Kolmogorov-Smirnov distance between the cells' quantiles and a uniform
    distribution, from samples of the fitted member, each fitted anew (parametric bootstrap;
    Stute et al., Metrika 40, 243, 1993)."""


def fit_family(
    family: Family, values: Values, errors: Values, confidence: float = 0.95, seed: int = 0
) -> FamilyFit:
    """Fit a family to the values (n,) of cells, each with its standard error.

    The ends of a location's interval are where the likelihood has fallen twice as far as for a
    regular parameter: chi-square of two degrees of freedom, as where a distribution begins.
    ``seed`` is that of the samples for the goodness of fit. Raises DataError for fewer than
    `FEWEST_CELLS` cells or an error that is not positive, and ConfigurationError for a confidence
    outside 0 to 1.
    """
    check_confidence(confidence)
    if len(values) < FEWEST_CELLS or not np.all(errors > 0) or not np.all(np.isfinite(values)):
        raise DataError(
            f"{len(values)} cells cannot show a distribution: it takes {FEWEST_CELLS}, each with a "
            "finite value and a positive error. Measure more cells."
        )
    unit = float(np.mean(np.abs(values))) if isinstance(family, Exponential) else 1.0
    loss = partial(_loss, family, values / unit, errors / unit)
    bounds = family.bounds(values / unit)
    summit = _summit(family, values / unit, errors / unit)
    estimate = family.parameters(summit)
    interval = {}
    for axis, name in enumerate(family.names):
        stated = confidence
        if name == "location":
            stated = float(chi2.cdf(chi2.ppf(confidence, 2), 1))
        ends = np.array(profile_interval(loss, summit, axis, bounds, stated))
        ends = np.where(np.isfinite(ends), ends, bounds[axis])
        points = np.tile(summit, (2, 1))
        points[:, axis] = ends
        low, high = (float(family.parameters(point)[axis]) for point in points)
        interval[name] = (low * unit, high * unit)
    return FamilyFit(
        family=family,
        estimate={name: float(x) * unit for name, x in zip(family.names, estimate, strict=True)},
        interval=interval,
        confidence=confidence,
        cells=len(values),
        goodness=_goodness(family, summit, values / unit, errors / unit, seed),
    )


def _loss(family: Family, values: Values, errors: Values, at: Values) -> tuple[float, Values]:
    """Minus the log-likelihood and, by differences, its gradient."""
    steps = STEP * np.eye(len(at))
    points = np.concatenate([at[None], at + steps, at - steps]).T[..., None]
    minus = -np.maximum(family.log_density(points, values, errors), -1e4).sum(-1)
    forth, back = minus[1:].reshape(2, -1)
    return float(minus[0]), np.asarray((forth - back) / (2 * STEP))


def _summit(family: Family, values: Values, errors: Values) -> Values:
    bounds = family.bounds(values)
    begin = np.clip(family.start(values, errors), bounds[:, 0], bounds[:, 1])
    loss: Loss = partial(_loss, family, values, errors)
    return most_likely(loss, begin, bounds)[0]


def _goodness(family: Family, summit: Values, values: Values, errors: Values, seed: int) -> float:
    distance = _distance(family, summit, values, errors)
    draws = np.random.default_rng(seed).random((REPLICATES, 2, len(values)))
    farther = 0
    for uniform in draws:
        sample = family.seen(summit, uniform, errors)
        farther += _distance(family, _summit(family, sample, errors), sample, errors) >= distance
    return (1 + farther) / (1 + REPLICATES)


def _distance(family: Family, at: Values, values: Values, errors: Values) -> float:
    quantile = np.sort(family.below(at, values, errors))
    steps = np.arange(len(quantile) + 1) / len(quantile)
    return float(max(np.max(quantile - steps[:-1]), np.max(steps[1:] - quantile)))
