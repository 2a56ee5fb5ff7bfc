"""How much a loss that one allows saves: read off a curve that several seeds made."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from analysis.mean_interval import mean_interval
from crossbar.errors import DataError
from crossbar.units import Ratio

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class SavingAtLoss:
    """What is saved where the mean loss is the allowed one."""

    value: Ratio
    low: Ratio
    high: Ratio
    """Ends of the interval; infinite ones for a single seed."""
    is_last: bool
    """True where even the strongest saving loses less: then more may be saved than was tried."""
    is_below: bool
    """True where already the gentlest setting loses more: then the value, between nothing and that
    setting, is hardly more than an upper bound, ``first``."""
    first: Ratio
    """What the gentlest setting saves."""


def saving_at_loss(
    losses: Values, savings: Values, allowed: Ratio, confidence: float = 0.95
) -> SavingAtLoss:
    """Where the mean curve of loss over saving, which starts at nothing, is at ``allowed``.

    ``losses`` and ``savings`` are (settings, seeds), from gentle to harsh, each against its own
    seed's reference. Settings that save no more than a gentler one are left out; mean losses are
    made to rise (isotonic regression), then interpolated. The interval is the jackknife's over the
    seeds with Student's t (Tukey 1958; Efron and Tibshirani 1993, ch. 11). Raises DataError for
    other shapes.
    """
    if losses.ndim != 2 or losses.shape != savings.shape or not losses.size:
        raise DataError(
            f"Losses of shape {losses.shape} and savings of shape {savings.shape} make no curve; "
            "both must be (settings, seeds)."
        )
    value, is_last = _crossing(losses, savings, allowed)
    first, half = float(savings[0].mean()), np.inf
    seeds = losses.shape[1]
    if seeds > 1:
        without = [
            _crossing(np.delete(losses, seed, 1), np.delete(savings, seed, 1), allowed)[0]
            for seed in range(seeds)
        ]
        found = mean_interval(seeds * value - (seeds - 1) * np.array(without), confidence)
        half = (found.high - found.low) / 2
    return SavingAtLoss(
        value=value,
        low=value - half,
        high=value + half,
        is_last=is_last,
        is_below=not is_last and value < first,
        first=first,
    )


def _crossing(losses: Values, savings: Values, allowed: float) -> tuple[float, bool]:
    loss, saving = [0.0], [0.0]
    for one, other in zip(losses.mean(axis=1), savings.mean(axis=1), strict=True):
        if other > saving[-1]:
            loss.append(float(one))
            saving.append(float(other))
    rising = np.maximum(isotonic_regression(loss).x, 0.0)
    if rising[-1] <= allowed:
        return saving[-1], True
    return float(np.interp(allowed, rising, saving)), False
