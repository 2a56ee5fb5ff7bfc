"""How likely counted write errors are under the switching model, and where they are most likely.

Everything is batched over n (cell, target) pairs, in float64. The parameters of a pair are the
logarithms of (delta, vc0, tau_d), in this order: all three are positive, and their errors are
relative ones.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from analysis.switching_counts import SwitchingCounts
from physics.switching import log_wer

DIFFERENCE = 0.01
"""Step of the numeric derivatives, in logarithms of the parameters: about half a cell of the table
that the model interpolates in, so that its kinks are averaged out."""
LONGEST_STEP = 0.5
"""No parameter changes by more than this factor (as a logarithm) in one step."""
NEGLIGIBLE = 0.005
"""A gain in log-likelihood this small is a step of a tenth of a standard error."""
STALLED = 1e5
"""Damping beyond which a step is too small to matter."""
UNFELT = 1e-20
"""Information below which the counts do not feel a parameter at all."""
NEARLY_SURE = -1e-12
"""ln(WER) closest to 0: beyond it 1 - WER has no digits left, and a success no likelihood."""


@dataclass(frozen=True, kw_only=True)
class Observations:
    """The counts of `SwitchingCounts` as float64 tensors, all (n, m)."""

    amplitude: Tensor
    width: Tensor
    attempts: Tensor
    errors: Tensor
    barrier_exponent: float = 2.0
    """That the model supposes for all of them."""

    @classmethod
    def of(cls, counts: SwitchingCounts, barrier_exponent: float = 2.0) -> "Observations":
        """Tensors of these counts."""
        names = ("amplitude", "width", "attempts", "errors")
        return cls(
            **{name: torch.as_tensor(getattr(counts, name)).to(torch.float64) for name in names},
            barrier_exponent=barrier_exponent,
        )

    def rows(self, index: Tensor) -> "Observations":
        """The observations of some pairs, in the order of ``index`` (mask or indices)."""
        return Observations(
            amplitude=self.amplitude[index],
            width=self.width[index],
            attempts=self.attempts[index],
            errors=self.errors[index],
            barrier_exponent=self.barrier_exponent,
        )


def model(
    parameters: Tensor, amplitude: Tensor, width: Tensor, barrier_exponent: float = 2.0
) -> Tensor:
    """(..., m) ln(WER) of pulses (..., m), for parameters (..., 3)."""
    delta, vc0, tau_d = parameters.exp().unsqueeze(-2).unbind(-1)
    found = log_wer(amplitude / vc0, width / tau_d, delta, barrier_exponent)
    return found.clamp(max=NEARLY_SURE)


def log_success(log_error: Tensor) -> Tensor:
    """ln(1 - WER) from ln(WER), to full precision at both ends (Maechler 2012, log1mexp)."""
    large = log_error > -0.6931471805599453
    return torch.where(
        large,
        torch.log(-torch.expm1(torch.where(large, log_error, -1.0))),
        torch.log1p(-torch.exp(torch.where(large, -1.0, log_error))),
    )


def log_likelihood(parameters: Tensor, seen: Observations) -> Tensor:
    """(n,) binomial log-likelihood of the counts, without the binomial coefficients."""
    log_error = model(parameters, seen.amplitude, seen.width, seen.barrier_exponent)
    return log_likelihood_at(log_error, seen)


def log_likelihood_at(log_error: Tensor, seen: Observations) -> Tensor:
    """(n,) the same, from ln(WER) of every point, (n, m)."""
    successes = seen.attempts - seen.errors
    return (seen.errors * log_error + successes * log_success(log_error)).sum(-1)


def linearized(
    parameters: Tensor, amplitude: Tensor, width: Tensor, barrier_exponent: float = 2.0
) -> tuple[Tensor, Tensor]:
    """ln(WER) (n, m) and its central-difference derivatives (n, m, 3), for parameters (n, 3)."""
    # All seven models in one call: for few pairs the cost is that of the calls.
    steps = DIFFERENCE * torch.eye(3, dtype=parameters.dtype)
    shifts = torch.cat([torch.zeros_like(steps[:1]), steps, -steps])
    values = model(parameters + shifts[:, None], amplitude, width, barrier_exponent)
    return values[0], ((values[1:4] - values[4:]) / (2 * DIFFERENCE)).movedim(0, -1)


def score_and_information(parameters: Tensor, seen: Observations) -> tuple[Tensor, Tensor]:
    """Gradient (n, 3) of the log-likelihood, and the expected information (n, 3, 3)."""
    log_error, slopes = linearized(parameters, seen.amplitude, seen.width, seen.barrier_exponent)
    success = -torch.expm1(log_error)
    expected = seen.attempts * log_error.exp()
    score = torch.einsum("nmp,nm->np", slopes, (seen.errors - expected) / success)
    information = torch.einsum("nmp,nm,nmq->npq", slopes, expected / success, slopes)
    return score, information


@dataclass(frozen=True, kw_only=True)
class Optimum:
    """Where the likelihood is largest."""

    parameters: Tensor
    """(n, 3)"""
    log_likelihood: Tensor
    """(n,)"""
    converged: Tensor
    """(n,) True where the search ended at a maximum, which may be on a bound, and not for lack of
    patience."""


def maximize(
    seen: Observations,
    start: Tensor,
    free: Tensor,
    bounds: tuple[Tensor, Tensor],
    tolerance: float = 1e-7,
    iterations: int = 60,
) -> Optimum:
    """Maximize the likelihood by Fisher scoring with Levenberg-Marquardt damping.

    The observed second derivatives are replaced by the expected ones, which are never negative
    (Fisher scoring), and are damped until a step gains (Marquardt, SIAM J. Appl. Math. 11, 1963).
    ``start`` is (n, 3); ``free`` (n, 3) bool, False for parameters that stay at their start (for
    profiles); ``bounds`` are two (3,). The search of a pair ends when the next step promises to
    gain less than ``tolerance`` in log-likelihood, or no step gains anything, as at a kink of the
    interpolated model; that counts as converged if the promise is `NEGLIGIBLE`.
    """
    parameters = start.clone()
    best = log_likelihood(parameters, seen)
    damping = torch.full_like(best, 1e-3)
    converged = torch.zeros_like(best, dtype=torch.bool)
    active = torch.arange(len(best))
    for _ in range(iterations):
        if len(active) == 0:
            break
        here = seen.rows(active)
        step, gain = damped_step(parameters[active], here, free[active], bounds, damping[active])
        trial = (parameters[active] + step).clamp(*bounds)
        value = log_likelihood(trial, here)
        better = value > best[active]
        stalled = damping[active] > STALLED
        parameters[active] = torch.where(better[:, None], trial, parameters[active])
        best[active] = torch.where(better, value, best[active])
        damping[active] = (damping[active] * torch.where(better, 0.1, 10.0)).clamp(min=1e-9)
        converged[active] = gain < NEGLIGIBLE
        active = active[~(stalled | (gain < tolerance))]
    return Optimum(parameters=parameters, log_likelihood=best, converged=converged)


def damped_step(
    parameters: Tensor,
    seen: Observations,
    free: Tensor,
    bounds: tuple[Tensor, Tensor],
    damping: Tensor,
) -> tuple[Tensor, Tensor]:
    """The next step (n, 3) of the free parameters, and the undamped step's expected gain (n,)."""
    score, information = score_and_information(parameters, seen)
    outward = torch.where(score > 0, parameters >= bounds[1], parameters <= bounds[0])
    diagonal = information.diagonal(dim1=-2, dim2=-1)
    moving = free & ~outward & (diagonal > UNFELT)
    # In units of each parameter's own standard error; one that does not move gets a unit of its own
    # and no score.
    scale = torch.where(moving, diagonal, 1.0).sqrt()
    score = torch.where(moving, score, 0.0) / scale
    both = moving[:, :, None] & moving[:, None, :]
    scaled = torch.where(both, information, 0.0) / (scale[:, :, None] * scale[:, None, :])
    scaled.diagonal(dim1=-2, dim2=-1).fill_(1.0)
    unit = torch.eye(3, dtype=scaled.dtype)
    gain = 0.5 * (score * torch.linalg.solve(scaled + 1e-10 * unit, score)).sum(-1)
    step = torch.linalg.solve(scaled + damping[:, None, None] * unit, score) / scale
    longest = step.abs().amax(-1, keepdim=True).clamp(min=LONGEST_STEP)
    return step * LONGEST_STEP / longest, gain
