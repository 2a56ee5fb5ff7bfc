"""Counted write errors, laid out for a fit: one row a (cell, target), one column a point.

Free of torch.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.intervals import check_counts
from crossbar.errors import DataError
from crossbar.geometry import CellIndices
from crossbar.pulses import State
from crossbar.records import WerPoint


@dataclass(frozen=True, kw_only=True)
class SwitchingCounts:
    """What was counted on n (cell, target) pairs at up to m pulses each.

    A pair with fewer points than the others is padded with points of 0 attempts, which say nothing.
    """

    cells: CellIndices
    """(n,) flat indices."""
    targets: tuple[State, ...]
    """(n,) the state that the writes aim at."""
    amplitude: NDArray[np.float64]
    """(n, m) Volts at the cell; magnitudes, positive."""
    width: NDArray[np.float64]
    """(n, m) Seconds."""
    attempts: NDArray[np.int64]
    """(n, m) Valid attempts: those from a verified initial state."""
    errors: NDArray[np.int64]
    """(n, m)"""

    def __post_init__(self) -> None:
        shape = (len(self.cells), self.amplitude.shape[-1])
        for name in ("amplitude", "width", "attempts", "errors"):
            if getattr(self, name).shape != shape:
                raise DataError(
                    f"Counts of {shape[0]} cells at {shape[1]} points need {name} of shape "
                    f"{shape}, got {getattr(self, name).shape}."
                )
        if len(self.targets) != len(self.cells):
            raise DataError(f"{len(self.cells)} cells came with {len(self.targets)} targets.")
        if not (np.all(self.amplitude > 0) and np.all(self.width > 0)):
            raise DataError("Amplitudes and widths of a fit must be positive magnitudes.")
        check_counts(self.errors.astype(np.float64), self.attempts.astype(np.float64))


def gather_counts(points: Iterable[WerPoint]) -> SwitchingCounts:
    """Sort records into rows by cell and target, in order of cell, LOW before HIGH.

    Points without valid attempts (cells without a window) say nothing and are left out; a cell
    with no other points has no row. Raises DataError if nothing is left.
    """
    rows: dict[tuple[int, str], list[WerPoint]] = {}
    for point in points:
        if point.attempts:
            rows.setdefault((point.cell, point.target.value), []).append(point)
    if not rows:
        raise DataError("None of the write-error points has a valid attempt; nothing to fit.")
    keys = sorted(rows, key=lambda key: (key[0], key[1] == State.HIGH.value))
    longest = max(map(len, rows.values()))
    # Padding repeats a pulse that was given, so that the model is evaluated where it is valid.
    padded = [rows[key] + [rows[key][0]] * (longest - len(rows[key])) for key in keys]
    real = np.array([[column < len(rows[key]) for column in range(longest)] for key in keys])

    def table(field: str) -> NDArray[np.float64]:
        return np.array([[getattr(point, field) for point in row] for row in padded])

    return SwitchingCounts(
        cells=np.array([cell for cell, _ in keys], dtype=np.intp),
        targets=tuple(State(target) for _, target in keys),
        amplitude=np.abs(table("amplitude")),
        width=table("width"),
        attempts=np.where(real, table("attempts"), 0).astype(np.int64),
        errors=np.where(real, table("errors"), 0).astype(np.int64),
    )
