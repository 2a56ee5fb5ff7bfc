"""From accuracies over seeds to losses and a ranking, each with its interval."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import ttest_ind

from analysis.mean_interval import MeanInterval, mean_interval
from lab.reproduce.weak_reset.plan import CELL_TO_CELL

Accuracies = Mapping[str, Sequence[float]]
"""By condition, one a seed, in the order of the seeds."""


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What one condition costs."""

    condition: str
    accuracy: MeanInterval
    loss: MeanInterval
    """Of accuracy against none of the imperfections, seed by seed; a fraction."""


def losses(found: Accuracies) -> list[Loss]:
    """Every condition but none, the largest loss first."""
    rows = [
        Loss(
            condition=condition,
            accuracy=mean_interval(values),
            loss=paired(found["none"], values),
        )
        for condition, values in found.items()
        if condition != "none"
    ]
    return sorted(rows, key=lambda row: -row.loss.mean)


def ahead(found: Accuracies, among: Sequence[str]) -> tuple[str, MeanInterval]:
    """The imperfection among these that, alone, harms most beside cell to cell, and by how much
    cell to cell harms more than it, seed by seed.
    """
    others = [row.condition for row in losses(found) if row.condition in among]
    second = next(name for name in others if name != CELL_TO_CELL)
    return second, paired(found[second], found[CELL_TO_CELL])


def welch(one: Sequence[float], other: Sequence[float]) -> MeanInterval:
    """Mean of one less that of the other, over independent seeds: Welch's interval at 95 %,
    infinite for a single one.
    """
    count, apart = len(one) + len(other), float(np.mean(one) - np.mean(other))
    if min(len(one), len(other)) < 2:
        return MeanInterval(mean=apart, low=-math.inf, high=math.inf, count=count)
    interval = ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    return MeanInterval(
        mean=apart,
        low=float(interval.low),
        high=float(interval.high),
        count=count,
    )


def points(interval: MeanInterval) -> str:
    """For people: the mean of a fraction, in percentage points."""
    return f"{100 * interval.mean:.2f} points"


def span(interval: MeanInterval) -> str:
    """For people: the ends of a fraction's interval, in percent."""
    return f"{100 * interval.low:.2f} to {100 * interval.high:.2f}"


def paired(above: Sequence[float], below: Sequence[float]) -> MeanInterval:
    """Mean of one less that of the other, seed by seed."""
    return mean_interval(np.array(above) - np.array(below))
