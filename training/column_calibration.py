"""Gain and offset of every column of a programmed die, from unlabelled images shown to it.

No weight is trained and no label is used: the die's own column sums are set beside those that the
same network has on perfect cells, and a least-squares line makes one of the other. A column that
carries nothing of its unit gets a gain near zero and the unit's mean for an offset, so a dead
column needs no rule of its own. Ours.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from training.calibration import Calibration
from training.column_sums import (
    PartCurrents,
    Sums,
    currents_of_cells,
    driven_by,
    hidden_sums,
    output_sums,
)
from training.solution import Solution

PERFECT = Calibration(median_low=1.0, median_high=0.5, read_amplitude=1.0)
"""Of cells that are exactly 1 or 0.5; the window of perfect cells drops out."""
FEWEST_IMAGES = 20
RIDGE = 0.02
"""How strongly the gains of an output's copies are held to their trained ratios, as a fraction of
the copies' variance; ours, insensitive from 0.005 to 0.1."""
STILL = 1e-6
"""A column whose variance is below this fraction of what it should be counts as constant."""


def calibrated(
    currents: PartCurrents, solution: Solution, images: NDArray[np.float32], known: Calibration
) -> Solution:
    """The solution with the gains and offsets that suit the die which makes these currents.

    ``images`` (n, rows) from 0 to 1 need no labels; a few hundred do. First the hidden columns are
    fitted, then, driven by these, each output: its copies are weighed by how much of it they carry.
    Raises ConfigurationError for fewer than 20 images, which determine no gains.
    """
    if len(images) < FEWEST_IMAGES:
        raise ConfigurationError(
            f"{len(images)} images cannot calibrate the columns of a die; show it "
            f"{FEWEST_IMAGES} or more, better a few hundred."
        )
    wanted, scores = perfect_sums(solution, images)
    measured = hidden_sums(currents, solution, images, known)
    gain, offset = straight_line(measured.T, wanted.T)
    hidden = replace(
        solution,
        hidden_gain=(solution.hidden_gain * gain).astype(np.float32),
        hidden_offset=(solution.hidden_offset + solution.hidden_gain * offset).astype(np.float32),
    )
    sums = output_sums(currents, hidden, driven_by(hidden, measured), known)
    output_gain, output_offset = _weighed_copies(sums, scores, solution.output_gain)
    return replace(hidden, output_gain=output_gain, output_offset=output_offset)


def perfect_sums(solution: Solution, images: NDArray[np.float32]) -> tuple[Sums, Sums]:
    """(n, hidden) sums of layer 1 and (n, outputs) scores of the network on perfect cells."""
    cells = np.where(solution.target_low, PERFECT.median_low, PERFECT.median_high)
    perfect = currents_of_cells(cells, solution)
    hidden = hidden_sums(perfect, solution, images, PERFECT)
    sums = output_sums(perfect, solution, driven_by(solution, hidden), PERFECT)
    return hidden, (sums * solution.output_gain).sum(1) + solution.output_offset


def straight_line(measured: NDArray, wanted: NDArray) -> tuple[NDArray, NDArray]:
    """Gain and offset, each (...,), that bring (..., n) measured sums nearest to wanted ones.

    Least squares, so the gain shrinks by as much as the measured sums are noise.
    """
    mean, aim = measured.mean(-1), wanted.mean(-1)
    around = measured - mean[..., None]
    variance = (around * around).mean(-1)
    still = STILL * wanted.var(-1)
    gain = (around * wanted).mean(-1) / np.maximum(variance, np.maximum(still, 1e-30))
    return gain, aim - gain * mean


def _weighed_copies(
    sums: Sums, scores: Sums, gains: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(copies, outputs) gains and (outputs,) offsets: ridge regression of each output's score.

    ``sums`` (n, copies, outputs), ``scores`` (n, outputs).
    """
    copies = (sums * gains).transpose(2, 0, 1)  # (outputs, n, copies)
    mean, aim = copies.mean(1, keepdims=True), scores.mean(0)
    around = copies - mean
    spread = around.var(axis=(1, 2)) * len(sums)
    held = RIDGE * np.maximum(spread, 1e-30)[:, None, None] * np.eye(len(gains))
    normal = around.transpose(0, 2, 1) @ around + held
    towards = around.transpose(0, 2, 1) @ (scores - aim).T[:, :, None] + held.sum(2)[:, :, None]
    factor = np.linalg.solve(normal, towards)[:, :, 0]  # (outputs, copies), 1 where all is well
    offset = aim - (factor * mean[:, 0]).sum(1)
    return (gains * factor.T).astype(np.float32), offset.astype(np.float32)
