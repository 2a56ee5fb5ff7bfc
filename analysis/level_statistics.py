"""How well cells reached the levels that they were programmed to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t, ttest_1samp

from analysis.intervals import clopper_pearson
from crossbar.errors import DataError
from crossbar.estimate import Estimate
from crossbar.records import ProgrammedBlock
from crossbar.units import Ratio, Siemens

Values = NDArray[np.float64]
REMEMBERS = 0.05
"""p-value below which the final reads count as having a memory. Ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelStatistics:
    """One level of the cells of one die, graded by reads that decided nothing.

    "The final reading" is the mean of all final reads of a cell.
    """

    level: int
    """From 0, the lowest conductance."""
    cells: int
    verified: int
    """Cells whose verify read lay in the window."""
    low: Ratio
    """Clopper-Pearson interval of the fraction verified."""
    high: Ratio
    stayed: int
    """Of the verified ones, those whose final reading lay in the window, too."""
    stayed_low: Ratio
    """Clopper-Pearson interval of ``stayed`` over all cells of the level."""
    stayed_high: Ratio
    mean: Estimate
    """Siemens, of the final readings of the verified cells, with Student's interval; NaN without
    any, and ends of NaN below two."""
    deviation: Estimate
    """Siemens: standard deviation from cell to cell, by `deviation_of_cells`."""
    noise: Siemens
    """Standard deviation of one final read of a cell from the next, root mean square over the
    cells; NaN for cells read once."""
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
    final = _final_reads(blocks)
    verified = np.concatenate([block.verified for block in blocks])
    pulses = np.concatenate([block.pulses for block in blocks])
    low, high = (np.concatenate(ends) for ends in zip(*(b.window for b in blocks), strict=True))
    inside = (final.mean(axis=1) >= low) & (final.mean(axis=1) < high)
    return [
        _one_level(int(number), final[here], verified[here], inside[here], pulses[here], confidence)
        for number in np.unique(level)
        for here in [level == number]
    ]


def deviation_of_cells(final: Values, confidence: Ratio = 0.95) -> Estimate:
    """Standard deviation of what n cells conduct, with its interval, from m reads of each (n, m).

    The variance of the cells' means, less an m-th of the variance within the cells. The interval is
    Student's for the mean of the n contributions to that difference, whatever the distribution of
    the cells; its low end, and the estimate, are 0 where the noise explains everything. With one
    read nothing is taken out. NaN below two cells.

    Noise that does not change within the reads cannot be told from the cell. It widens the spread
    that is read; but it also let cells pass the verify read that lie farther out, and those read
    too near. Which of the two is more cannot be told, so where noise `outlasts` the reads the
    spread is a lower bound: the high end is infinite.
    """
    count, reads = final.shape
    if count < 2:
        return Estimate.alone(np.nan)
    means = final.mean(axis=1)
    within = final.var(axis=1, ddof=1) if reads > 1 else np.zeros(count)
    squares = count / (count - 1) * (means - means.mean()) ** 2 - within / reads
    half = float(t.ppf(0.5 + confidence / 2, count - 1) * np.std(squares, ddof=1) / count**0.5)
    found, low, high = (max(squares.mean() + reach, 0.0) ** 0.5 for reach in (0.0, -half, half))
    return Estimate.of(found, low, np.inf if outlasts(final) else high)


def outlasts(final: Values) -> bool:
    """Whether m reads of n cells (n, m) remember each other, so that noise may outlast them all.

    If their order meant nothing, the square of what the halves of a cell's reads differ by would be
    4 / m of their variance on average, whatever its noise; with a memory it is more (Student's
    test over the cells, one-sided, at `REMEMBERS`). Fewer than four reads or two cells whose reads
    differ cannot tell: False.
    """
    half = final.shape[1] // 2
    if half < 2:
        return False
    reads = final[:, : 2 * half]
    reads = reads[np.ptp(reads, axis=1) > 0]
    if len(reads) < 2:
        return False
    moved = reads[:, :half].mean(axis=1) - reads[:, half:].mean(axis=1)
    share = moved**2 / reads.var(axis=1, ddof=1)
    return bool(ttest_1samp(share, 2 / half, alternative="greater").pvalue < REMEMBERS)


def _final_reads(blocks: Sequence[ProgrammedBlock]) -> Values:
    """(n, m) final reads; records of earlier versions have one."""
    found = [block.final for block in blocks if block.final is not None]
    if len(found) < len(blocks):
        return np.concatenate([block.conductance for block in blocks])[:, None]
    return np.concatenate(found)


def _one_level(
    number: int,
    final: Values,
    verified: NDArray[np.bool_],
    inside: NDArray[np.bool_],
    pulses: NDArray[np.int64],
    confidence: Ratio,
) -> LevelStatistics:
    count, good, stayed = len(verified), int(verified.sum()), int((verified & inside).sum())
    low, high = clopper_pearson(good, count, confidence)
    stayed_low, stayed_high = clopper_pearson(stayed, count, confidence)
    read = final[verified]
    means = read.mean(axis=1)
    mean = float(np.mean(means)) if good else np.nan
    half = np.nan
    if good > 1:
        half = np.std(means, ddof=1) / np.sqrt(good) * t.ppf(0.5 + confidence / 2, good - 1)
    repeated = good and read.shape[1] > 1
    return LevelStatistics(
        level=number,
        cells=count,
        verified=good,
        low=float(low),
        high=float(high),
        stayed=stayed,
        stayed_low=float(stayed_low),
        stayed_high=float(stayed_high),
        mean=Estimate.of(mean, mean - half, mean + half),
        deviation=deviation_of_cells(read, confidence),
        noise=float(np.mean(read.var(axis=1, ddof=1)) ** 0.5) if repeated else np.nan,
        pulses=float(np.mean(pulses[verified])) if good else np.nan,
        most_pulses=int(pulses.max()),
    )
