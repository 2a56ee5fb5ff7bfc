"""What the trainings came to: accuracies, losses, and the error rates that networks bear."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.mean_interval import MeanInterval, mean_interval
from analysis.tolerated_rate import tolerated_rate
from crossbar.units import Ratio
from lab.reproduce.no_ecc.plan import PERFECT, WRITTEN, NetworkPlan

STATIC, FRESH = "static", "fresh"
"""Where errors are, of a network that is trained already."""
PLAIN = (PERFECT, 0.0)
"""The training that never saw an error."""
ALLOWED = 0.005
"""Loss of accuracy that counts as none. Ours."""


@dataclass(frozen=True, kw_only=True)
class BorneRate:
    """The bit error rate that a network bears, over seeds."""

    seeds: Sequence[Ratio]
    """Of each; 0 and infinity where it lies beyond the rates that were graded."""
    mean: Ratio
    """Geometric; with Student's interval of the logarithms. NaN where a seed's is unknown."""
    low: Ratio
    high: Ratio

    @property
    def known(self) -> bool:
        """Whether it lies between the graded rates for every seed."""
        return math.isfinite(self.mean)


@dataclass(frozen=True, kw_only=True)
class NetworkResult:
    """A network's outcomes: of each training, one a seed."""

    plan: NetworkPlan
    seeds: Sequence[int]
    outcomes: Mapping[tuple[str, Ratio], Sequence[Mapping[str, Any]]]

    def perfect(self) -> MeanInterval:
        """Accuracy of the network that never saw an error."""
        return mean_interval([one["perfect"] for one in self.outcomes[PLAIN]])

    def accuracy(self, training: tuple[str, Ratio], placement: str, rate: Ratio) -> MeanInterval:
        """Over seeds, at one of the plan's rates; of static errors each the mean over its dies."""
        return mean_interval(self._accuracies(training, placement, rate))

    def held(self, rate: Ratio) -> MeanInterval:
        """Accuracy of the network that was trained in memory, at that rate of failing writes."""
        return mean_interval([one["held"] for one in self.outcomes[WRITTEN, rate]])

    def die_spread(self, rate: Ratio) -> float:
        """Standard deviation of the accuracy from die to die of one network, static errors."""
        place = self.plan.rates.index(rate)
        dies = np.array([one[STATIC][place] for one in self.outcomes[PLAIN]])
        return float(np.sqrt(dies.var(axis=1, ddof=1).mean())) if dies.shape[1] > 1 else math.nan

    def loss(self, training: tuple[str, Ratio], placement: str, rate: Ratio) -> MeanInterval:
        """Accuracy lost against the same seed's network that never saw an error."""
        lost = self._references() - np.array(self._accuracies(training, placement, rate))
        return mean_interval(lost)

    def loss_of_writing(self, rate: Ratio) -> MeanInterval:
        """The same of the network that was trained in memory."""
        held = np.array([one["held"] for one in self.outcomes[WRITTEN, rate]])
        return mean_interval(self._references() - held)

    def borne(
        self, training: tuple[str, Ratio], placement: str, allowed: float = ALLOWED
    ) -> BorneRate:
        """The highest bit error rate that loses no more than ``allowed``."""
        losses = np.array(
            [
                self._references() - np.array(self._accuracies(training, placement, rate))
                for rate in self.plan.rates
            ]
        )
        seeds = [tolerated_rate(self.plan.rates, of_seed, allowed) for of_seed in losses.T]
        if not all(0 < rate < math.inf for rate in seeds):
            return BorneRate(seeds=seeds, mean=math.nan, low=math.nan, high=math.nan)
        found = mean_interval(np.log(seeds))
        mean, low, high = (
            float(np.exp(min(end, 700.0))) for end in (found.mean, found.low, found.high)
        )
        return BorneRate(seeds=seeds, mean=mean, low=low, high=high)

    @property
    def aware(self) -> tuple[str, Ratio]:
        """The training that saw errors."""
        return FRESH, self.plan.aware

    def _references(self) -> np.ndarray:
        return np.array([one["perfect"] for one in self.outcomes[PLAIN]])

    def _accuracies(self, training: tuple[str, Ratio], placement: str, rate: Ratio) -> list[float]:
        place = self.plan.rates.index(rate)
        return [float(np.mean(one[placement][place])) for one in self.outcomes[training]]
