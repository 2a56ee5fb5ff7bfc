"""How well cells reached the levels that they were programmed to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from analysis.intervals import clopper_pearson
from crossbar.errors import DataError
from crossbar.records import ProgrammedBlock
from crossbar.units import Ratio, Siemens


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelStatistics:
    """One level of the cells of one die."""

    level: int
    """From 0, the lowest conductance."""
    cells: int
    verified: int
    """Cells whose verify read lay in the window."""
    low: Ratio
    """Clopper-Pearson interval of the fraction verified."""
    high: Ratio
    stayed: int
    """Of the verified ones, those whose next reading lay in the window, too."""
    mean: Siemens
    """Of that next reading, over the verified cells; NaN without any."""
    mean_low: Siemens
    """Student's interval of the mean; NaN below two cells."""
    mean_high: Siemens
    deviation: Siemens
    """Standard deviation from cell to cell; NaN below two cells."""
    pulses: Ratio
    """Mean number given to a verified cell; NaN without any."""
    most_pulses: int
    """Given to any cell of this level."""


def level_statistics(
    blocks: Sequence[ProgrammedBlock], confidence: Ratio = 0.95
) -> list[LevelStatistics]:
    """One line a level, of all blocks of a die together.

    Raises DataError for blocks without levels: weights were written there (`lab program`).
    """
    levels = [block.level for block in blocks if block.level is not None]
    if not levels or len(levels) < len(blocks):
        raise DataError("These cells were programmed to states, not to levels.")
    level = np.concatenate(levels)
    conductance = np.concatenate([block.conductance for block in blocks])
    verified = np.concatenate([block.verified for block in blocks])
    pulses = np.concatenate([block.pulses for block in blocks])
    low, high = (np.concatenate(ends) for ends in zip(*(b.window for b in blocks), strict=True))
    stayed = verified & (conductance >= low) & (conductance < high)
    return [
        _one_level(
            int(number), conductance[here], verified[here], stayed[here], pulses[here], confidence
        )
        for number in np.unique(level)
        for here in [level == number]
    ]


def _one_level(
    number: int,
    conductance: NDArray[np.float64],
    verified: NDArray[np.bool_],
    stayed: NDArray[np.bool_],
    pulses: NDArray[np.int64],
    confidence: Ratio,
) -> LevelStatistics:
    count, good = len(verified), int(verified.sum())
    low, high = clopper_pearson(good, count, confidence)
    read = conductance[verified]
    mean = float(np.mean(read)) if good else np.nan
    deviation = float(np.std(read, ddof=1)) if good > 1 else np.nan
    half = deviation / np.sqrt(good) * t.ppf(0.5 + confidence / 2, good - 1) if good > 1 else np.nan
    return LevelStatistics(
        level=number,
        cells=count,
        verified=good,
        low=float(low),
        high=float(high),
        stayed=int(stayed.sum()),
        mean=mean,
        mean_low=mean - half,
        mean_high=mean + half,
        deviation=deviation,
        pulses=float(np.mean(pulses[verified])) if good else np.nan,
        most_pulses=int(pulses.max()),
    )
