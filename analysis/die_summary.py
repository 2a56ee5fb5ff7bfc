"""How good each die is, and how the dies of a wafer spread. Free of torch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.intervals import check_confidence
from crossbar.defect_map import CellClass, DefectMap
from crossbar.errors import DataError
from crossbar.units import Ratio, Siemens

RESAMPLES = 4000
"""Bootstrap samples; their own scatter is then a few per cent of an interval's width."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DieSummary:
    """One die's line in a table."""

    fractions: dict[CellClass, Ratio]
    """Fraction of the die's cells of each class; they add up to 1."""
    line_defects: int
    """Number of defective rows and columns."""
    median_low: Siemens
    median_high: Siemens

    @property
    def healthy(self) -> Ratio:
        """The cell yield."""
        return self.fractions[CellClass.HEALTHY]


@dataclass(frozen=True, slots=True, kw_only=True)
class FractionSummary:
    """One class's fraction over the dies of a wafer."""

    mean: Ratio
    interval_low: Ratio
    interval_high: Ratio
    """Of the mean: what another set of as many dies from the same process would give."""
    die_to_die: Ratio
    """Standard deviation between dies; 0 for a single die."""


def describe_dies(maps: Sequence[DefectMap]) -> list[DieSummary]:
    """Yield, class fractions and medians of each die, in the order of the maps."""
    return [
        DieSummary(
            fractions={cell_class: found.fraction(cell_class) for cell_class in CellClass},
            line_defects=len(found.lines),
            median_low=found.median_low,
            median_high=found.median_high,
        )
        for found in maps
    ]


def describe_population(
    dies: Sequence[DieSummary], generator: np.random.Generator, confidence: float = 0.95
) -> dict[CellClass, FractionSummary]:
    """Mean fraction of each class over the dies, with its interval and die-to-die spread.

    Defects come in bunches, so cells are no independent trials and a binomial interval would be
    far too narrow: dies are what is resampled (percentile bootstrap; Efron and Tibshirani 1993).
    With fewer than about ten dies it is too narrow as well. Raises DataError without a die.
    """
    check_confidence(confidence)
    if not dies:
        raise DataError("No die to describe: classify at least one die first.")
    table = np.array([[die.fractions[cell_class] for cell_class in CellClass] for die in dies])
    chosen = generator.integers(0, len(dies), (RESAMPLES, len(dies)))
    means = table[chosen].mean(axis=1)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    spread = table.std(axis=0, ddof=1) if len(dies) > 1 else np.zeros(table.shape[1])
    return {
        cell_class: FractionSummary(
            mean=float(table[:, column].mean()),
            interval_low=float(low[column]),
            interval_high=float(high[column]),
            die_to_die=float(spread[column]),
        )
        for column, cell_class in enumerate(CellClass)
    }
