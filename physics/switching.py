"""How often a write pulse fails: ln WER from the Fokker-Planck table, batched over cells.

The table and how it is refined and interpolated stand in `physics.switching_table`; here it is in
torch, with gradients.

Outside the grid, joined continuously: shorter and longer pulses by the straight line ln WER ~ t
(exact below the critical current; for long pulses the asymptotic exponential); currents above 8 in
proportion to i - 1; without current, or against the switching direction, nothing switches.
"""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from crossbar.errors import ConfigurationError
from physics.fokker_planck import KNEE, LARGEST_CURRENT
from physics.mtj_laws import check_barrier_exponent
from physics.switching_table import switching_table


@dataclass(frozen=True, kw_only=True)
class TorchTable:
    """The refined table of `physics.switching_table`, for torch."""

    log_hazard: Tensor
    """(currents, durations, deltas) float32"""
    origin: tuple[float, ...]
    step: tuple[float, ...]


@cache
def torch_table() -> TorchTable:
    """The refined table as a tensor; once per process."""
    table = switching_table()
    return TorchTable(
        log_hazard=torch.from_numpy(table.log_hazard),
        origin=tuple(float(axis[0]) for axis in table.axes),
        step=tuple(float(axis[1] - axis[0]) for axis in table.axes),
    )


def log_wer(
    current: Tensor, duration: Tensor, delta: Tensor, barrier_exponent: float = 2.0
) -> Tensor:
    """Natural log of the probability that a pulse leaves a cell unswitched; at most 0.

    ``current`` i = V / V_c0, positive towards the target state; ``duration`` t = width / tau_d,
    positive; ``delta`` the thermal stability factor. They broadcast; float64; gradients flow.
    ``barrier_exponent`` is that of `physics.mtj_laws.MtjLaws`; 2 is the equation's own.

    Raises ConfigurationError for a delta outside 20 to 120, where the table ends.
    """
    table = torch_table()
    _check_delta(delta)
    current = macrospin_current(current, barrier_exponent)
    current, duration, delta = torch.broadcast_tensors(
        current.double(), duration.double(), delta.double()
    )
    inside = current.clamp(1e-9, LARGEST_CURRENT)
    logs = torch.log(duration)
    coordinates = (torch.asinh((inside - 1) / KNEE), logs, delta)
    flat, fractions, strides = _locate(table, coordinates)
    log_hazard = _interpolate(table.log_hazard.view(-1), flat, fractions, strides)
    end = table.origin[1] + table.step[1] * (table.log_hazard.shape[1] - 1)
    log_hazard = log_hazard + logs - logs.clamp(table.origin[1], end)
    stronger = torch.log((current.clamp(min=LARGEST_CURRENT) - 1) / (LARGEST_CURRENT - 1))
    hazard = torch.exp(log_hazard + stronger)
    return torch.where(current > 0, -hazard, torch.zeros_like(hazard))


def macrospin_current(current: Tensor, barrier_exponent: float) -> Tensor:
    """The current at which a macrospin's barrier is that of another exponent at ``current``.

    The barrier delta (1 - i)^exponent is delta (1 - i')^2 at i' = 1 - (1 - i)^(exponent / 2), so
    the thermal regime follows the other exponent. From the critical current on, where there is no
    barrier, i' is i. Ours; for an exponent below 2 the rate has a kink at i = 1.
    """
    if check_barrier_exponent(barrier_exponent) == 2:
        return current
    below = (1 - current).clamp(min=1e-12)  # where the root has a slope
    return torch.where((current > 0) & (current < 1), 1 - below ** (barrier_exponent / 2), current)


def _check_delta(delta: Tensor) -> None:
    """Refuse what the table does not hold, NaN among it."""
    if delta.numel() and not bool(((delta >= 20) & (delta <= 120)).all()):
        raise ConfigurationError(
            f"Delta from {float(delta.min()):g} to {float(delta.max()):g} was asked for; the "
            "switching table of physics.switching covers 20 to 120. Check the cell population, or "
            "bound the fit."
        )


def _locate(
    table: TorchTable, coordinates: tuple[Tensor, ...]
) -> tuple[Tensor, list[Tensor], list[int]]:
    """Flat index of the lower corner of each point's box, its place in the box, the strides."""
    flat = torch.zeros_like(coordinates[0], dtype=torch.int64)
    fractions, strides = [], list(table.log_hazard.stride())
    for axis, coordinate in enumerate(coordinates):
        nodes = table.log_hazard.shape[axis]
        place = ((coordinate - table.origin[axis]) / table.step[axis]).clamp(0, nodes - 1)
        lower = place.detach().long().clamp(max=nodes - 2)
        fractions.append(place - lower)
        flat += lower * strides[axis]
    return flat, fractions, strides


def _interpolate(
    values: Tensor, flat: Tensor, fractions: list[Tensor], strides: list[int]
) -> Tensor:
    """Linear in every coordinate, by recursion over the axes."""
    if not strides:
        return values[flat].double()
    low = _interpolate(values, flat, fractions[1:], strides[1:])
    high = _interpolate(values, flat + strides[0], fractions[1:], strides[1:])
    return torch.lerp(low, high, fractions[0])
