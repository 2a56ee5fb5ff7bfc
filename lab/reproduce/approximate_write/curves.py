"""Curves of lost accuracy over saved energy: settings from gentle to harsh, over the same seeds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.saving_at_loss import SavingAtLoss, saving_at_loss
from crossbar.units import Joules, Ratio
from lab.reproduce.approximate_write.points import written_point
from lab.reproduce.reproducing import Reproduction
from lab.sweep import Outcome, Plain

Values = NDArray[np.float64]
KINDS = {"changed": "changed bits only", "all": "all bits"}
"""Which bits get pulses, hence energy."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One way to write, whatever the seed."""

    rate: Ratio
    """Bit error rate of its pulse; of its weakest one, if there are several."""
    point: dict[str, Plain]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Settings from gentle to harsh, compared with a reference."""

    name: str
    reference: Setting
    settings: tuple[Setting, ...]


@dataclass(frozen=True, kw_only=True)
class MeasuredCurve:
    """What the settings of a curve gave, (settings, seeds), each against its seed's reference."""

    curve: Curve
    losses: Values
    """Accuracy lost, as a fraction."""
    savings: dict[str, Values]
    """Of `KINDS`: the share of the training's programming energy that is saved."""
    savings_after: dict[str, Values]
    """The same, with every pulse's resistance taken after it instead of before."""
    accuracy: float
    """Mean of the reference."""
    spent: dict[str, Joules]
    """Of `KINDS`: the reference's programming energy, mean."""
    failed: Values
    """(settings,) mean share of the changing bits that failed."""

    @property
    def rates(self) -> Values:
        """(settings,) bit error rates of the pulses."""
        return np.array([setting.rate for setting in self.curve.settings])

    def at_loss(self, allowed: Ratio, kind: str = "changed") -> SavingAtLoss:
        """What a loss of so much saves."""
        return saving_at_loss(self.losses, self.savings[kind], allowed)

    def rate_at_loss(self, allowed: Ratio) -> SavingAtLoss:
        """The bit error rate that loses so much: what is "saved" are decades of errors avoided,
        counted from the reference's rate, and interpolated as such.
        """
        start = self.curve.reference.rate
        decades = np.log10(self.rates / start)[:, None].repeat(self.losses.shape[1], axis=1)
        found = saving_at_loss(self.losses, decades, allowed)
        low, value, high, first = (
            start * 10.0**at for at in (found.low, found.value, found.high, found.first)
        )
        return SavingAtLoss(
            value=value,
            low=low,
            high=min(high, 1.0),
            is_last=found.is_last,
            is_below=found.is_below,
            first=first,
        )


def measured_curves(
    reproduction: Reproduction, name: str, curves: Iterable[Curve], seeds: Sequence[int]
) -> list[MeasuredCurve]:
    """Train every setting of the curves, and their references, once a seed."""
    curves = list(curves)
    settings = [each for curve in curves for each in (curve.reference, *curve.settings)]
    points = [{**setting.point, "seed": seed} for setting in settings for seed in seeds]
    outcomes = iter(reproduction.sweep(name, written_point, points))

    def of_settings(count: int) -> list[list[Outcome]]:
        return [[next(outcomes) for _ in seeds] for _ in range(count)]

    return [_measured(curve, of_settings(1 + len(curve.settings))) for curve in curves]


def _measured(curve: Curve, outcomes: list[list[Outcome]]) -> MeasuredCurve:
    def gathered(name: str) -> Values:
        return np.array([[one[name] for one in row] for row in outcomes], dtype=np.float64)

    accuracy, changing = gathered("accuracy"), gathered("changing")

    before = {kind: gathered(f"{kind}_before") for kind in KINDS}
    after = {kind: gathered(f"{kind}_after") for kind in KINDS}
    return MeasuredCurve(
        curve=curve,
        losses=accuracy[0] - accuracy[1:],
        savings={kind: 1 - energy[1:] / energy[0] for kind, energy in before.items()},
        savings_after={kind: 1 - energy[1:] / energy[0] for kind, energy in after.items()},
        accuracy=float(accuracy[0].mean()),
        spent={kind: float(energy[0].mean()) for kind, energy in before.items()},
        failed=(gathered("failed") / np.maximum(changing, 1)).mean(axis=1)[1:],
    )
