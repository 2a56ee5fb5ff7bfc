"""Delta, V_c0 and tau_D of every cell from its counted write errors, by maximum likelihood.

The model is `physics.switching.log_wer` with i = |V| / vc0 and t = width / tau_d; counts are
binomial. What tells the three parameters apart is how the rate falls with amplitude on both sides
of vc0, and with width: six amplitudes by four widths do.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import chi2, norm
from torch import Tensor

from analysis.intervals import check_confidence
from analysis.switching_counts import SwitchingCounts
from analysis.switching_grid import grid_starts
from analysis.switching_intervals import switching_intervals
from analysis.switching_likelihood import (
    Observations,
    Optimum,
    linearized,
    log_likelihood_at,
    log_success,
    maximize,
    score_and_information,
)
from crossbar.geometry import CellIndices
from crossbar.pulses import State
from crossbar.units import Ratio, Seconds
from physics.mtj_laws import check_barrier_exponent

PARAMETERS = ("delta", "vc0", "tau_d")
"""Order of the columns; delta has no unit, vc0 is in volts, tau_d in seconds."""
DELTA_RANGE = (20.5, 118.0)
"""Thermal stability factors that the search may try: the model's 20 to 120, less the reach of the
numeric derivatives."""
BLOCK = 1000
"""Pairs fitted at once: enough to be fast, few enough to fit into memory for a whole die."""
WORST_ERROR = 10.0
"""Standard error of a parameter's logarithm beyond which the likelihood counts as flat."""


@dataclass(frozen=True, kw_only=True)
class SwitchingFits:
    """What the counts say about the switching of n (cell, target) pairs."""

    cells: CellIndices
    """(n,) flat indices."""
    targets: tuple[State, ...]
    """(n,) the state that the writes aim at."""
    estimate: NDArray[np.float64]
    """(n, 3) most likely `PARAMETERS`."""
    low: NDArray[np.float64]
    """(n, 3) low end of each profile-likelihood interval; 0 where the counts set no lower bound
    within the search range (`DELTA_RANGE` for delta)."""
    high: NDArray[np.float64]
    """(n, 3) high end; infinite where they set no upper bound."""
    confidence: Ratio
    barrier_exponent: Ratio
    """That was supposed."""
    covariance: NDArray[np.float64]
    """(n, 3, 3) of the logarithms of the parameters: inverse of the expected information."""
    log_likelihood: NDArray[np.float64]
    """(n,) at the estimate, without the binomial coefficients."""
    deviance: NDArray[np.float64]
    """(n,) twice what a model with a free rate at each point gains; much more than ``dof``
    shows that this one does not describe the cell."""
    dof: NDArray[np.int64]
    """(n,) points with attempts, less three. Points at which the model expects no error, or
    nothing else, add nothing to the deviance, so it is usually somewhat less than this."""
    converged: NDArray[np.bool_]
    """(n,) True where the estimate is a maximum inside the search range, not a plateau. Elsewhere
    the estimate is only where the search ended; the intervals are then those of a likelihood
    confined to the search range."""


@dataclass(frozen=True, kw_only=True)
class WerBand:
    """Model curves with a pointwise band, for plots. Natural logarithms, (n, amplitudes)."""

    log_wer: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def fit_switching(
    counts: SwitchingCounts, confidence: float = 0.95, barrier_exponent: float = 2.0
) -> SwitchingFits:
    """Fit (delta, vc0, tau_d) to each row of counts, with profile-likelihood intervals.

    A parameter's interval holds the values at which the likelihood, maximized over the other two,
    is within chi2(confidence, 1) / 2 of its maximum (Wilks, Ann. Math. Stat. 9, 60, 1938).
    Stopping rules that looked at the counts do not disturb it. The barrier exponent is supposed,
    not fitted (`physics.mtj_laws.MtjLaws`): a delta of one exponent is no delta of another. Raises
    ConfigurationError for a confidence outside 0 to 1, or an exponent outside 1 to 2.
    """
    check_confidence(confidence)
    seen = Observations.of(counts, check_barrier_exponent(barrier_exponent))
    bounds = search_range(seen)
    drop = float(chi2.ppf(confidence, 1)) / 2
    blocks = [
        fit_block(seen.rows(rows), bounds, drop)
        for rows in torch.arange(len(seen.errors)).split(BLOCK)
    ]
    columns = {name: torch.cat([block[name] for block in blocks]).numpy() for name in blocks[0]}
    return SwitchingFits(
        cells=counts.cells,
        targets=counts.targets,
        confidence=confidence,
        barrier_exponent=barrier_exponent,
        dof=np.count_nonzero(counts.attempts, axis=1) - 3,
        **columns,
    )


def fit_block(seen: Observations, bounds: tuple[Tensor, Tensor], drop: float) -> dict[str, Tensor]:
    """The columns of `SwitchingFits` that a fit fills, for some pairs.

    ``drop`` in log-likelihood marks the ends of the intervals.
    """
    optimum = best_optimum(seen, bounds)
    _, information = score_and_information(optimum.parameters, seen)
    covariance = invert(information)
    low, high, summit = switching_intervals(seen, optimum, covariance, bounds, drop)
    inside = (optimum.parameters > bounds[0]) & (optimum.parameters < bounds[1])
    determined = covariance.diagonal(dim1=-2, dim2=-1) < WORST_ERROR**2
    rate = seen.errors / seen.attempts.clamp(min=1)
    saturated = log_likelihood_at(rate.log().clamp(-700.0, -1e-16), seen)
    return {
        "estimate": optimum.parameters.exp(),
        "low": low.exp(),
        "high": high.exp(),
        "covariance": covariance,
        "log_likelihood": optimum.log_likelihood,
        "deviance": 2 * (saturated - optimum.log_likelihood),
        "converged": optimum.converged & summit & (inside & determined).all(1),
    }


def invert(information: Tensor) -> Tensor:
    """Inverse (n, 3, 3), with a huge variance, not none, along directions without information."""
    values, vectors = torch.linalg.eigh(information)
    floor = (1e-14 * values.amax(-1, keepdim=True)).clamp(min=1e-8)
    return vectors @ torch.diag_embed(1 / values.maximum(floor)) @ vectors.mT


def search_range(seen: Observations) -> tuple[Tensor, Tensor]:
    """Bounds (3,) and (3,) of the parameters' logarithms: what these pulses could tell at all."""
    low = [DELTA_RANGE[0], 0.02 * float(seen.amplitude.min()), 1e-3 * float(seen.width.min())]
    high = [DELTA_RANGE[1], 20 * float(seen.amplitude.max()), 10 * float(seen.width.max())]
    return torch.tensor(low, dtype=torch.float64).log(), torch.tensor(
        high, dtype=torch.float64
    ).log()


def best_optimum(seen: Observations, bounds: tuple[Tensor, Tensor]) -> Optimum:
    """The best end of the searches from each start."""
    free = torch.ones((len(seen.errors), 3), dtype=torch.bool)
    ends = [maximize(seen, start, free, bounds) for start in grid_starts(seen)]
    values = torch.stack([end.log_likelihood for end in ends])
    # Of ends that are equally likely prefer one that converged.
    winner = (values + 1e-6 * torch.stack([end.converged for end in ends])).argmax(0)
    pairs = torch.arange(len(winner))
    return Optimum(
        parameters=torch.stack([end.parameters for end in ends])[winner, pairs],
        log_likelihood=values[winner, pairs],
        converged=torch.stack([end.converged for end in ends])[winner, pairs],
    )


def wer_band(fits: SwitchingFits, amplitudes: NDArray[np.float64], width: Seconds) -> WerBand:
    """Each pair's curve over ``amplitudes`` (volts, magnitudes) at one width, with its band.

    The band holds the curve at each point with ``fits.confidence``, by the delta method on the
    logit of the rate, where it is closest to normal and cannot leave 0 to 1. It is as good as the
    quadratic approximation to the likelihood, hence for plots; the parameters' own intervals do
    not need that approximation.
    """
    parameters = torch.as_tensor(fits.estimate).log()
    volts = torch.as_tensor(amplitudes, dtype=torch.float64).expand(len(parameters), -1)
    widths = torch.full_like(volts, width)
    log_error, slopes = linearized(parameters, volts, widths, fits.barrier_exponent)
    slopes = slopes / -torch.expm1(log_error).unsqueeze(-1)  # of the logit
    variance = torch.einsum("nmp,npq,nmq->nm", slopes, torch.as_tensor(fits.covariance), slopes)
    reach = float(norm.ppf(0.5 + fits.confidence / 2)) * variance.clamp(min=0).sqrt()
    logit = log_error - log_success(log_error)
    return WerBand(
        log_wer=log_error.numpy(),
        low=torch.nn.functional.logsigmoid(logit - reach).numpy(),
        high=torch.nn.functional.logsigmoid(logit + reach).numpy(),
    )
