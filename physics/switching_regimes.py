"""Closed forms of switching, each with the range in which it holds.

`physics.switching.log_wer`, from the Fokker-Planck equation itself, holds everywhere and is what
cells and fits use; these say why it looks as it does, and serve where a formula is wanted. Reduced
units as there: current i = V / V_c0, duration t = width / tau_d. Torch float64; arguments
broadcast. Accuracies are against the Fokker-Planck solution, delta 40 to 80.
"""

import math

import torch
from torch import Tensor

from physics.switching import log_wer


def butler_log_wer(current: Tensor, duration: Tensor, delta: Tensor) -> Tensor:
    """ln WER = ln(1 - exp(-(pi^2 / 4) delta (i - 1) / (i exp(2 (i - 1) t) - 1))).

    The common closed form (Butler et al., IEEE Trans. Magn. 48, 4684, 2012). Down to a WER of 1e-6:
    up to 7 % high at i = 3, 10 to 22 % low at i = 4 to 6, but 1.1 to 1.8 times too high at i = 2
    and 1.3 to 6 times at i = 1.5; without meaning from i = 1 down.
    """
    hazard = math.pi**2 / 4 * delta * (current - 1)
    return _log_failed(hazard / (current * torch.exp(2 * (current - 1) * duration) - 1))


def ballistic_log_wer(current: Tensor, duration: Tensor, delta: Tensor) -> Tensor:
    """The same with C(i) for pi^2 / 4, and with the decay's correction for a finite delta.

    ln WER = ln(1 - exp(-C delta (i - 1) / (i exp(lambda t) - 1))), where C(i) = 2 ((i - 1) / i)^(2
    / (i + 1)) 2^((i - 1) / (i + 1)) is that of the exact trajectory without temperature, and lambda
    = 2 (i - 1) + (3 - i) / ((i - 1) delta). Derived for this project. Valid for i >= 2 and WER
    above 1e-6: within 5 %, from i = 2.5 on within 2 %; 3 to 12 % low at i = 1.75, 11 to 33 % low at
    i = 1.5.
    """
    away = current - 1
    factor = 2 * (away / current) ** (2 / (current + 1)) * 2 ** (away / (current + 1))
    decay = 2 * away + (3 - current) / (away * delta)
    return _log_failed(factor * delta * away / (current * torch.exp(decay * duration) - 1))


def thermal_mean_time(current: Tensor, delta: Tensor) -> Tensor:
    """Mean time to switch by thermal activation, in units of tau_d.

    sqrt(pi / delta) exp(delta (1 - i)^2) / ((1 - i^2) (1 - i)) (Brown, Phys. Rev. 130, 1677, 1963,
    for a perpendicular macrospin under spin torque). Valid for 0 <= i <= 0.6, there 3 to 12 % short
    at delta 60; 1.27 times too short at 0.7, 1.5 times at 0.8, without meaning from 0.85 on, where
    `physics.fokker_planck.mean_first_passage` is exact.
    """
    below = 1 - current
    return torch.sqrt(math.pi / delta) * torch.exp(delta * below**2) / ((1 - current**2) * below)


def thermal_log_wer(current: Tensor, duration: Tensor, delta: Tensor) -> Tensor:
    """ln WER = -t / <t>: switching at the constant rate of `thermal_mean_time`, with its range."""
    return -duration / thermal_mean_time(current, delta)


def read_disturb(
    current: Tensor, duration: Tensor, delta: Tensor, barrier_exponent: float = 2.0
) -> Tensor:
    """Probability that a read of this reduced current and duration switches the cell.

    1 - WER: at the read's current the cell should not switch. From the Fokker-Planck table, hence
    for any current. Reads of more than some 100 tau_d switch at the constant rate of
    `thermal_mean_time` where i is below 0.6; shorter ones less often than that, at 10 tau_d by a
    factor of 3 to 5, since the flow over the barrier takes its time to set up. Below 1e-11, where
    the table is continued, a read this short is given 30 % too few.
    """
    return -torch.expm1(log_wer(current, duration, delta, barrier_exponent))


def _log_failed(hazard: Tensor) -> Tensor:
    """ln(1 - exp(-hazard)), to full precision where the hazard is small."""
    return torch.log(-torch.expm1(-hazard))
