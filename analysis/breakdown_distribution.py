"""At which amplitude barriers break in a rising ramp: median and spread, survivors included.

A cell that broke did so between the last amplitude that it survived and the one that broke it; one
that survived breaks somewhere above. Both are what a likelihood needs (Nelson, Applied Life Data
Analysis, 1982), so nothing is lost by coarse steps or an early end of the ramp. The amplitude
depends on the ramp, for stress adds up: it says nothing about other widths without a law.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.special import ndtr
from scipy.stats import f as fisher

from analysis.intervals import check_confidence
from crossbar.errors import DataError
from crossbar.estimate import Estimate
from crossbar.records import PulseTrain
from crossbar.units import Ratio

Distribution = Literal["log-normal", "Weibull"]
SPREADS = (1e-4, 2.0)
"""Standard deviations of ln V that are tried."""
FAR = 3.0
"""Factor on the median that is tried on both sides."""
FACTOR: Ratio = 2.0
"""A cell whose LOW state is this far from the median of all is no junction, but a short or open."""

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class BreakdownFit:
    """Intervals are of profile likelihood with `allowed_drop`."""

    median: Estimate
    """Volts: magnitude of the amplitude at which half of the cells are broken."""
    spread: Estimate
    """Standard deviation of its logarithm, cell to cell; a low end of 0 is open."""
    distribution: Distribution
    log_likelihood: float
    cells: int
    broken: int


def breakdown_fit(
    trains: Sequence[PulseTrain],
    distribution: Distribution = "log-normal",
    confidence: float = 0.95,
) -> BreakdownFit:
    """Fit the amplitudes of a run of breakdown_ramp. ``distribution`` is that of ln V: normal, or
    that of the logarithm of a Weibull number (weakest link), which has more early failures.

    Raises DataError unless cells broke in two steps or more: a median alone can be anywhere.
    """
    check_confidence(confidence)
    below, above = censored(trains)
    broken = np.isfinite(above)
    if len(set(above[broken])) < 2:
        raise DataError(
            f"{np.count_nonzero(broken)} of {len(above)} cells broke, all in the same step: that "
            "tells no distribution. Ramp further or in smaller steps: --set stop=... --set step=..."
        )

    def surprise(logarithms: Values) -> float:
        center, scale = logarithms[0], np.exp(logarithms[1])
        return -_log_likelihood(distribution, center, scale, below, above)

    middle = float(np.median(above[broken]))
    start = np.array([middle, np.log(max(float(np.std(above[broken])), 1e-3))])
    best = minimize(surprise, start, method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-9})
    drop = allowed_drop(len(above), confidence)
    ranges = ((best.x[0] - np.log(FAR), best.x[0] + np.log(FAR)), tuple(np.log(SPREADS)))
    ends = [_profile_ends(surprise, best.x, axis, ranges, best.fun + drop) for axis in (0, 1)]
    median, spread = (Estimate.of(*np.exp([best.x[axis], *ends[axis]])) for axis in (0, 1))
    return BreakdownFit(
        median=median,
        spread=spread,
        distribution=distribution,
        log_likelihood=-float(best.fun),
        cells=len(above),
        broken=int(np.count_nonzero(broken)),
    )


def allowed_drop(cells: int, confidence: float) -> float:
    """In log-likelihood, to the ends of an interval from so many cells.

    That for the median of a log-normal distribution whose amplitudes are all known, which is exact
    (Student's t); chi-squared / 2 with many cells. For the spread, Weibull, steps and survivors it
    is taken over, and holds by simulation (docs/experiments.md).
    """
    others = cells - 1
    return float(cells / 2 * np.log1p(fisher.ppf(confidence, 1, others) / others))


def censored(trains: Sequence[PulseTrain]) -> tuple[Values, Values]:
    """ln V that each cell survived, and that at which it was broken: (n,) -inf and inf are open.

    Cells whose LOW state is further than `FACTOR` from the median of all are left out.
    """
    if not trains:
        raise DataError("No ramp to fit: lab run breakdown-ramp.")
    low = np.array([train.conductance[0] for train in trains])
    sound = np.abs(np.log(np.maximum(low, 1e-30) / np.median(low))) < np.log(FACTOR)
    below, above = [], []
    for train in np.array(list(trains), dtype=object)[sound]:
        volts = np.log(np.abs(train.amplitude[1:]))  # the first step is the reading in LOW
        if train.outcome == "broken":
            below.append(volts[-2] if len(volts) > 1 else -np.inf)
            above.append(volts[-1])
        else:
            below.append(volts[-1])
            above.append(np.inf)
    return np.array(below), np.array(above)


def _log_likelihood(
    distribution: Distribution, median: float, spread: float, below: Values, above: Values
) -> float:
    """Of the cells' breaking between their ends, which are logarithms of volts."""
    if distribution == "Weibull":
        scale = spread * 6**0.5 / np.pi
        with np.errstate(over="ignore"):  # far above the median nothing survives
            survived, broken = (
                np.exp(-np.log(2) * np.exp((ends - median) / scale)) for ends in (below, above)
            )
    else:
        survived, broken = (ndtr((median - ends) / spread) for ends in (below, above))
    return float(np.log(np.maximum(survived - broken, 1e-300)).sum())


def _profile_ends(
    surprise: Callable[[Values], float],
    best: Values,
    axis: int,
    ranges: tuple[tuple[float, float], ...],
    level: float,
) -> tuple[float, float]:
    """Where the other parameter's best surprise passes the level; open ends are infinite."""
    other = 1 - axis

    def beyond(value: float) -> float:
        def along(free: float) -> float:
            point = np.empty(2)
            point[axis], point[other] = value, free
            return surprise(point)

        found = minimize_scalar(along, bounds=ranges[other], method="bounded")
        return min(float(found.fun), along(float(best[other]))) - level

    ends = []
    for bound, open_end in zip(ranges[axis], (-np.inf, np.inf), strict=True):
        closed = beyond(bound) > 0
        ends.append(float(brentq(beyond, best[axis], bound, xtol=1e-7)) if closed else open_end)
    return ends[0], ends[1]
