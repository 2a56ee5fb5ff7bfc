"""What came of the approximate write, and how it is worded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.mean_interval import MeanInterval, mean_interval
from analysis.saving_at_loss import SavingAtLoss
from crossbar.units import Ratio
from lab.reproduce.approximate_write.curves import KINDS, MeasuredCurve
from lab.reproduce.approximate_write.settings import CLAIMED, CheapestPulses
from lab.reproduce.measured_junctions import MeasuredJunctions

NARROW = 0.1
"""Width of an interval that, around the claim, counts as bearing it out. Ours."""


@dataclass(frozen=True, kw_only=True)
class FreshRow:
    """One setting, tried with fresh seeds."""

    name: str
    loss: MeanInterval
    saving: MeanInterval


@dataclass(frozen=True, kw_only=True)
class Results:
    """Everything that was worked out."""

    knobs: Mapping[tuple[str, Ratio], MeasuredCurve]
    """By knob and spread."""
    usual: MeasuredCurve
    """Of them, the amplitude at the usual spread."""
    variants: Mapping[str, MeasuredCurve]
    junctions: MeasuredJunctions
    cheapest: CheapestPulses
    chosen: Sequence[MeasuredCurve]
    """On the measured population; the first is the paper's way."""
    picks: Mapping[tuple[Ratio, str], str]
    """Allowed loss and kind -> the curve that saves most there; rows of ``fresh``, in order."""
    fresh: MeasuredCurve
    checks: Mapping[Ratio, MeanInterval]
    """Predicted bit error rate -> the one counted on other dies."""

    def fresh_row(self, number: int) -> FreshRow:
        """What the pick of that number does with seeds that had no part in choosing it."""
        (_, kind), name = list(self.picks.items())[number]
        return FreshRow(
            name=name,
            loss=mean_interval(self.fresh.losses[number]),
            saving=mean_interval(self.fresh.savings[kind][number]),
        )


def percent(value: float) -> str:
    """A saving for people."""
    return f"{100 * value:.1f} %"


def saved(found: SavingAtLoss) -> str:
    """What is saved at a loss; a bound where the loss lies outside of what was tried."""
    if found.is_below:
        return f"less than {percent(found.first)}"
    return f"{'at least ' if found.is_last else ''}{percent(found.value)}"


def saved_with_interval(found: SavingAtLoss) -> str:
    """The same with its interval, where it has one."""
    return saved(found) if found.is_below else f"{saved(found)} ({interval(found)})"


def interval(found: SavingAtLoss | MeanInterval) -> str:
    """Its ends in per cent; no more than everything can be saved."""
    return f"{100 * found.low:.1f} to {100 * min(found.high, 1.0):.1f} %"


def reached(found: SavingAtLoss, claimed: Ratio) -> bool | None:
    """Whether so much is saved: yes if the interval ends above it or, being narrow, around it."""
    if found.low >= claimed:
        return True
    if found.high < claimed:
        return None if found.is_last else False
    return True if found.high - found.low < NARROW else None


def points(found: MeanInterval) -> str:
    """Ends of a loss."""
    return f"{100 * found.low:.2f} to {100 * found.high:.2f} points"


def why_not(results: Results) -> str:
    """What the saving hinges on, as far as it was tried."""
    others = [
        f"{saved(found)} of the energy of {KINDS[kind]} with {name}"
        for name, curve in results.variants.items()
        for kind in KINDS
        if (found := curve.at_loss(0.01, kind)).low >= CLAIMED
    ]
    return (
        "it hinges on words and pulse width, of which the abstract says nothing (last part). By "
        f"amplitude, at a spread of 5 %: {'; '.join(others) or 'nothing else that was tried'}"
    )


def tolerated(curve: MeasuredCurve) -> str:
    """The bit error rate at which a point is lost, with its interval."""
    found = curve.rate_at_loss(0.01)
    if found.is_below:
        return f"below {found.first:.2g}"
    return (
        f"{'above ' if found.is_last else ''}{found.value:.2g} "
        f"({found.low:.2g} to {found.high:.2g})"
    )
