"""The distribution of forming voltages, from ramps: what is known of a cell is between which two
pulses it formed.

Forming voltages are taken to have a Gumbel distribution, F(V) = exp(-exp(-(V - location) / scale)),
which has the long upper tail that is seen; that it is this one is ours, and the goodness of fit
says whether the ramps agree. A share of cells never forms, whatever the voltage: open and stuck
ones. Maximum likelihood of interval-censored data, with profile-likelihood intervals. Free of
torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from analysis.likelihood_profile import Loss, most_likely, profile_interval
from crossbar.errors import DataError
from crossbar.estimate import Estimate
from crossbar.units import Ratio, Volts

EULER = 0.5772156649015329
"""The mean lies so many scales above the location."""
FEWEST_CELLS = 30
FEWEST_EXPECTED = 5.0
"""In a bin of the goodness of fit, by custom."""
LARGEST_SHARE = 0.99
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class FormingCounts:
    """How many cells formed at which pulse of the ramp, of those that were given pulses."""

    amplitudes: FloatArray
    """(n,) Volts, rising."""
    formed: NDArray[np.int64]
    """(n,) Cells that this pulse formed."""
    unformed: int
    """Cells that the last pulse did not form."""

    @property
    def cells(self) -> int:
        """How many were given pulses."""
        return int(self.formed.sum()) + self.unformed


@dataclass(frozen=True, kw_only=True)
class FormingFit:
    """What the ramps say."""

    mean: Estimate
    """Volts, of the forming voltages."""
    scale: Estimate
    """Volts; the standard deviation is 1.28 of it."""
    mostly: Estimate
    """Volts by which 99 % of the cells that can be formed are."""
    never: Estimate
    """Share of cells that cannot be formed."""
    log_likelihood: float
    p_value: Ratio
    """Of the goodness of fit (Pearson's chi-squared over the ramp's steps); NaN where too few steps
    hold enough cells."""


def forming_counts(
    amplitudes: Sequence[Volts], pulses: NDArray[np.int64], formed: NDArray[np.bool_]
) -> FormingCounts:
    """Count cells by the pulse that formed them, (n,) numbers of pulses and verdicts. Cells without
    pulses conducted before and say nothing.
    """
    by_pulse = np.bincount(pulses[formed & (pulses > 0)], minlength=len(amplitudes) + 1)
    return FormingCounts(
        amplitudes=np.asarray(amplitudes, dtype=np.float64),
        formed=by_pulse[1:],
        unformed=int(np.sum(~formed)),
    )


def fit_forming(counts: FormingCounts, confidence: Ratio = 0.95) -> FormingFit:
    """Fit one die or many together. Raises DataError where too few cells formed to tell."""
    steps = int(np.count_nonzero(counts.formed))
    if counts.formed.sum() < FEWEST_CELLS or steps < 3:
        raise DataError(
            f"{int(counts.formed.sum())} cells formed by {steps} different pulses say too little "
            f"of their forming voltages: {FEWEST_CELLS} cells and 3 pulses are the least. Form "
            "fresh cells, and begin the ramp where none forms yet."
        )
    found = {
        name: _fitted(counts, anchor, confidence)
        for name, anchor in (("mean", EULER), ("mostly", -np.log(-np.log(0.99))))
    }
    summit, least, intervals = found["mean"]
    mostly, _, of_mostly = found["mostly"]
    return FormingFit(
        mean=Estimate.of(summit[0], *intervals[0]),
        scale=Estimate.of(*(np.exp(x) for x in (summit[1], *intervals[1]))),
        mostly=Estimate.of(mostly[0], *of_mostly[0]),
        never=Estimate.of(summit[2], max(0.0, intervals[2][0]), min(1.0, intervals[2][1])),
        log_likelihood=-least,
        p_value=_goodness(counts, summit),
    )


def _fitted(
    counts: FormingCounts, anchor: float, confidence: Ratio
) -> tuple[FloatArray, float, list[tuple[float, float]]]:
    """Best (anchor voltage, ln scale, share that never forms), the loss there, and intervals. The
    anchor voltage lies ``anchor`` scales above the location.
    """
    loss = _loss(counts, anchor)
    low, high = float(counts.amplitudes[0]), float(counts.amplitudes[-1])
    span = high - low
    bounds = np.array(
        [
            [low - 2 * span, high + 2 * span],
            [np.log(1e-3 * span), np.log(3 * span)],
            [0.0, LARGEST_SHARE],
        ]
    )
    middle = float(np.average(counts.amplitudes, weights=counts.formed))
    spread = float(np.sqrt(np.cov(counts.amplitudes, fweights=counts.formed)))
    scale = max(0.03 * span, spread / 1.28)
    never = min(0.5, counts.unformed / counts.cells)
    start = np.array([middle + (anchor - EULER) * scale, np.log(scale), never / 2])
    summit, least = most_likely(loss, start, bounds)
    return summit, least, [profile_interval(loss, summit, k, bounds, confidence) for k in range(3)]


def _loss(counts: FormingCounts, anchor: float) -> Loss:
    """Minus the log-likelihood and its gradient, for these parameters."""
    numbers = np.r_[counts.formed, counts.unformed]

    def loss(parameters: FloatArray) -> tuple[float, FloatArray]:
        chances, slopes = _chances(counts.amplitudes, parameters, anchor)
        known = numbers > 0
        kept = np.maximum(chances[known], 1e-300)
        weights = numbers[known] / kept
        value = -float(numbers[known] @ np.log(kept))
        return value, -(slopes[:, known] @ weights)

    return loss


def _chances(
    amplitudes: FloatArray, parameters: FloatArray, anchor: float
) -> tuple[FloatArray, FloatArray]:
    """(n + 1,) probabilities to form at each pulse, and not at all; and (3, n + 1) their slopes."""
    volts, log_scale, never = parameters
    scale = np.exp(log_scale)
    z = (amplitudes - volts) / scale + anchor
    tail = np.exp(-np.clip(z, -500, None))
    below = np.exp(-tail)
    density = below * tail  # of z
    by_volts = -density / scale
    by_log_scale = -density * (z - anchor)
    each = np.diff(np.r_[0.0, below, 1.0])
    able = 1 - never
    chances = able * each
    chances[-1] += never
    slopes = able * np.diff(
        np.c_[[0.0, 0.0], np.stack([by_volts, by_log_scale]), [0.0, 0.0]], axis=1
    )
    of_never = -each
    of_never[-1] += 1
    return chances, np.concatenate([slopes, of_never[None]])


def _goodness(counts: FormingCounts, summit: FloatArray) -> float:
    """The p-value of Pearson's test, neighbouring pulses joined until enough cells are expected."""
    chances, _ = _chances(counts.amplitudes, summit, EULER)
    expected, observed = [0.0], [0]
    numbers = np.r_[counts.formed, counts.unformed]
    for chance, number in zip(chances, numbers, strict=True):
        if expected[-1] >= FEWEST_EXPECTED:
            expected.append(0.0)
            observed.append(0)
        expected[-1] += chance * counts.cells
        observed[-1] += int(number)
    if len(expected) > 1 and expected[-1] < FEWEST_EXPECTED:
        expected[-2:] = [expected[-2] + expected[-1]]
        observed[-2:] = [observed[-2] + observed[-1]]
    freedom = len(expected) - 1 - len(summit)
    if freedom < 1:
        return float("nan")
    wanted, seen = np.array(expected), np.array(observed)
    return float(chi2.sf(np.sum((seen - wanted) ** 2 / wanted), freedom))
