"""Which column of a measured die holds which unit: the one whose defects spoil it least.

A short where the image is always dark, or a stuck cell in the state that the unit wants anyway,
costs nothing. So every unit is tried in every column, in emulation from the measured map and on
unlabelled images, and the assignment of least total error is taken. Columns beyond the number of
units stay spare. No weight is trained. Ours.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from crossbar.defect_map import DefectMap
from crossbar.errors import ConfigurationError
from crossbar.units import Ratio
from training.calibration import Calibration
from training.column_calibration import PERFECT, perfect_sums, straight_line
from training.column_sums import currents_of_cells, driven_by, output_sums
from training.encoding import signed
from training.placement import Placement
from training.solution import Solution

Floats = NDArray[np.float32]


def assigned(solution: Solution, found: DefectMap, images: NDArray[np.float32]) -> Solution:
    """The solution with its units in the best columns of the mapped die.

    ``images`` (n, rows) from 0 to 1 need no labels; a hundred are enough. Sums are judged as
    `training.column_calibration` will leave them, so calibrate afterwards. Raises
    ConfigurationError for a map of another kind of die.
    """
    place = solution.placement
    if found.low.shape != place.geometry.shape:
        raise ConfigurationError(
            f"A die of {found.low.shape} was given for a solution for dies of "
            f"{place.geometry.shape}. Train one for this geometry."
        )
    low, high = (side / found.median_low for side in (found.low, found.high))
    window = Calibration.of(found, 1.0).window
    moved = replace(
        place,
        hidden_columns=_hidden_columns(solution, images, low, high, window),
        output_columns=_output_columns(solution, images, low, high, window),
    )
    return replace(solution, placement=moved, target_low=_moved(solution, moved))


def _hidden_columns(
    solution: Solution, images: NDArray[np.float32], low: NDArray, high: NDArray, window: Ratio
) -> tuple[int, ...]:
    place = solution.placement
    wanted = perfect_sums(solution, images)[0].T.astype(np.float32)
    sums = sums_of_every_pairing(
        images,
        tuple(_side_by_side(side[:-1]) for side in (low, high)),
        _states(_side_by_side(solution.target_low[:-1]), place.column_of_hidden, place),
        place, solution.bound, window,
    )  # fmt: skip
    lined_up = _lined_up(sums, wanted)
    gain, offset = solution.hidden_gain[:, None, None], solution.hidden_offset[:, None, None]
    error = np.tanh(gain * lined_up + offset) - np.tanh(gain * wanted[:, None] + offset)
    heard = np.bincount(place.hidden_of_row.ravel(), minlength=place.hidden)
    cost = (error**2).mean(-1) * (solution.drive**2 * heard)[:, None]
    return _cheapest(cost)


def _output_columns(
    solution: Solution, images: NDArray[np.float32], low: NDArray, high: NDArray, window: Ratio
) -> tuple[int, ...]:
    place = solution.placement
    driven = driven_by(solution, perfect_sums(solution, images)[0])
    cells = np.where(solution.target_low, PERFECT.median_low, PERFECT.median_high)
    wanted = output_sums(currents_of_cells(cells, solution), solution, driven, PERFECT)
    states = _states(solution.target_low[-1], place.column_of_output, place)
    cost = []
    for copy in range(place.copies):
        mine = slice(copy * place.outputs, (copy + 1) * place.outputs)
        sums = sums_of_every_pairing(
            driven[:, place.hidden_of_row[copy]].astype(np.float32),
            (low[-1], high[-1]), states[mine], place, solution.bound, window,
        )  # fmt: skip
        aim = wanted[:, copy].T.astype(np.float32)
        error = _lined_up(sums, aim) - aim[:, None]
        cost.append((error**2).mean(-1) * solution.output_gain[copy][:, None] ** 2)
    return _cheapest(np.concatenate(cost))


def sums_of_every_pairing(
    drive: Floats,
    cells: tuple[NDArray, ...],
    states: NDArray[np.bool_],
    place: Placement,
    bound: Ratio,
    window: Ratio,
) -> Floats:
    """(units, columns, n) sums that each unit would have in each signed column.

    ``drive`` (n, rows) activations; ``cells`` LOW and HIGH conductances, (rows, cells side by side)
    relative to the median; ``states`` (units, rows, cells a weight) True where a unit wants LOW.
    A part has few different states (four with two rows), so each is worked out once a column.
    """
    width, together = place.encoding.cells_a_weight, place.rows_at_once
    low, high = (side.reshape(place.groups, together, -1, width) for side in cells)
    parts, chosen = [], []
    for group in range(place.groups):
        rows = slice(group * together, (group + 1) * together)
        patterns, which = np.unique(
            states[:, rows].reshape(len(states), -1), axis=0, return_inverse=True
        )
        wants_low = patterns.reshape(-1, together, 1, width)
        found = np.where(wants_low, low[group], high[group]).reshape(len(patterns), together, -1)
        weights = signed(found, 1.0, window, place.encoding).astype(np.float32)
        sums = drive[:, rows] @ weights
        limit = bound * np.abs(drive[:, rows]).sum(1)[:, None]
        parts.append(np.where(np.abs(sums) <= limit, sums, np.float32(0)))
        chosen.append(np.eye(len(patterns), dtype=np.float32)[which.ravel()])
    stacked = np.concatenate(parts).transpose(0, 2, 1)  # (patterns, columns, n)
    total = np.concatenate(chosen, axis=1) @ stacked.reshape(len(stacked), -1)
    return total.reshape(len(states), *stacked.shape[1:])


def _lined_up(sums: Floats, wanted: Floats) -> Floats:
    """(units, columns, n) sums, each brought nearest to (units, n) wanted ones by a line."""
    gain, offset = straight_line(sums, wanted[:, None])
    return gain[..., None] * sums + offset[..., None]


def _cheapest(cost: NDArray) -> tuple[int, ...]:
    return tuple(int(column) for column in linear_sum_assignment(cost)[1])


def _side_by_side(subarrays: NDArray) -> NDArray:
    """(subarrays, rows, columns) to (rows, all columns)."""
    return np.concatenate(list(subarrays), axis=1)


def _states(
    target_low: NDArray[np.bool_], columns: NDArray[np.intp], place: Placement
) -> NDArray[np.bool_]:
    """(units, rows, cells a weight) states that the units in these signed columns want."""
    width = place.encoding.cells_a_weight
    signed_columns = target_low[:, : target_low.shape[1] // width * width]
    return signed_columns.reshape(len(target_low), -1, width)[:, columns].transpose(1, 0, 2)


def _moved(solution: Solution, to: Placement) -> NDArray[np.bool_]:
    """The die's target states once every unit sits where ``to`` has it; spare cells HIGH."""
    source = solution.placement
    target = np.zeros_like(solution.target_low)
    width, each = source.encoding.cells_a_weight, source.signed_columns
    moves = (
        *zip(source.column_of_hidden, to.column_of_hidden, strict=True),
        *(
            ((len(target) - 1) * each + old, (len(target) - 1) * each + new)
            for old, new in zip(source.column_of_output, to.column_of_output, strict=True)
        ),
    )
    for old, new in moves:
        for cell in range(width):
            wanted = solution.target_low[old // each, :, old % each * width + cell]
            target[new // each, :, new % each * width + cell] = wanted
    return target
