"""Which weight sits in which cell.

Layer 1 fills the columns of all sub-arrays but the last: hidden unit h is signed column
h % n of sub-array h // n, where n is the number of signed columns of a sub-array; image pixels
drive the rows. Layer 2 fills the last sub-array with copies of the output columns: signed column
c * outputs + o holds copy c of output o, and its row r is driven by hidden unit
(c * rows + r) % hidden. So more hidden units than rows fit, and no cell is left idle: each copy of
an output sees another stretch of the hidden units, and each hidden unit sits in several copies.
Copies that want different rows driven (`wirings`) are read one after the other.

On a measured die other columns than these may hold the units (`training.assignment`): then
``hidden_columns`` and ``output_columns`` say which.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from crossbar.geometry import CellIndices, DieGeometry
from training.encoding import Encoding


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A two-layer network on a die; its inputs are the die's rows."""

    geometry: DieGeometry = field(default_factory=DieGeometry)
    hidden: int
    """Hidden units."""
    outputs: int = 10
    encoding: Encoding = Encoding.SINGLE_ENDED
    rows_at_once: int
    """Rows driven together; a dot product over all rows is read in ``groups`` parts."""
    hidden_columns: tuple[int, ...] | None = None
    """Signed column of each hidden unit, counted over all sub-arrays but the last; None for one
    after the other. Columns not named are spare."""
    output_columns: tuple[int, ...] | None = None
    """Signed column of the last sub-array of each ``copy * outputs + output``; None likewise."""

    def __post_init__(self) -> None:
        places = (self.geometry.subarrays - 1) * self.signed_columns
        if not 1 <= self.hidden <= places:
            raise ConfigurationError(
                f"{self.hidden} hidden units do not fit: all sub-arrays but the last have "
                f"{places} {self.encoding.value} columns. Choose 1 to {places}."
            )
        if self.copies < 1 or self.copies * self.geometry.rows < self.hidden:
            raise ConfigurationError(
                f"{self.outputs} outputs of {self.hidden} hidden units do not fit the last "
                f"sub-array ({self.geometry.rows} rows, {self.signed_columns} "
                f"{self.encoding.value} columns). Choose fewer of either."
            )
        if not 1 <= self.rows_at_once <= self.geometry.rows or (
            self.geometry.rows % self.rows_at_once
        ):
            raise ConfigurationError(
                f"{self.rows_at_once} rows at once do not divide the {self.geometry.rows} rows "
                "evenly. Choose a divisor."
            )
        _check_columns("hidden_columns", self.column_of_hidden, self.hidden, places)
        _check_columns(
            "output_columns",
            self.column_of_output,
            self.copies * self.outputs,
            self.signed_columns,
        )

    @property
    def signed_columns(self) -> int:
        """Columns of signed weights in a sub-array."""
        return self.geometry.columns // self.encoding.cells_a_weight

    @property
    def groups(self) -> int:
        """Parts in which a dot product over all rows is read."""
        return self.geometry.rows // self.rows_at_once

    @property
    def copies(self) -> int:
        """Columns that each output has."""
        return self.signed_columns // self.outputs

    @property
    def hidden_subarrays(self) -> int:
        """Sub-arrays that layer 1 takes; the first ones."""
        return int(self.column_of_hidden.max()) // self.signed_columns + 1

    @cached_property
    def column_of_hidden(self) -> NDArray[np.intp]:
        """(hidden,) Signed column of each hidden unit, over all sub-arrays but the last."""
        return _columns(self.hidden_columns, self.hidden)

    @cached_property
    def column_of_output(self) -> NDArray[np.intp]:
        """(copies * outputs,) Signed column of the last sub-array of each copy of each output."""
        return _columns(self.output_columns, self.copies * self.outputs)

    @cached_property
    def hidden_of_row(self) -> NDArray[np.intp]:
        """(copies, rows) The hidden unit that drives each row of the last sub-array."""
        rows = self.geometry.rows
        return np.arange(self.copies * rows).reshape(self.copies, rows) % self.hidden

    @cached_property
    def wirings(self) -> tuple[tuple[int, ...], ...]:
        """Copies that are read together, because they want the same rows driven alike."""
        together: dict[bytes, list[int]] = {}
        for copy, sources in enumerate(self.hidden_of_row):
            together.setdefault(sources.tobytes(), []).append(copy)
        return tuple(tuple(copies) for copies in together.values())

    @cached_property
    def used(self) -> NDArray[np.bool_]:
        """(subarrays, rows, columns) True where a cell holds a weight."""
        width = self.encoding.cells_a_weight
        signed = np.zeros((self.geometry.subarrays, self.signed_columns), dtype=np.bool_)
        signed[:-1].reshape(-1)[self.column_of_hidden] = True
        signed[-1, self.column_of_output] = True
        mask = np.zeros(self.geometry.shape, dtype=np.bool_)
        mask[:, :, : self.signed_columns * width] = np.repeat(signed, width, axis=1)[:, None]
        return mask

    def target_states(self, target_low: NDArray[np.bool_]) -> tuple[CellIndices, NDArray[np.bool_]]:
        """What to program: flat indices of the n used cells, and (n,) True where LOW is wanted.

        ``target_low`` has the die's shape (subarrays, rows, columns).
        """
        if target_low.shape != self.geometry.shape:
            raise ConfigurationError(
                f"Weights of shape {target_low.shape} were given for a die of "
                f"{self.geometry.shape}. Program the kind of die that they were trained for."
            )
        cells = np.flatnonzero(self.used)
        return cells, target_low.ravel()[cells]


def _columns(given: tuple[int, ...] | None, count: int) -> NDArray[np.intp]:
    return np.arange(count) if given is None else np.array(given, dtype=np.intp)


def _check_columns(name: str, columns: NDArray[np.intp], count: int, places: int) -> None:
    """Raise ConfigurationError unless ``count`` different columns of ``places`` are named."""
    found = len(np.unique(columns))
    if not len(columns) == found == count or not 0 <= columns.min() <= columns.max() < places:
        raise ConfigurationError(
            f"{name} names {found} different columns from {columns.min(initial=0)} to "
            f"{columns.max(initial=0)}; it must name {count} of 0 to {places - 1}, each once. "
            "Assign the columns again."
        )
