"""Potentials and currents everywhere in a crossbar without selectors, lines driven or floating.

Kirchhoff's current law at both ends of every cell, solved as one sparse system. Nodes that 0 Ohm
joins are one node. Rounding takes as many of the 16 digits as cells exceed segments in resistance:
with 10 kOhm cells and milliohms nine are left. `physics.line_resistance` is the fast path where
all columns are grounded; here lines may float or be biased, as while one cell is read or written.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import spsolve

from crossbar.units import Amperes, Volts
from physics.line_resistance import Wires

FloatArray = NDArray[np.float64]
Nodes = NDArray[np.integer]


@dataclass(frozen=True, kw_only=True)
class CrossbarSolution:
    """The circuit at rest. Where no driven line is connected to a node, its potential is NaN and
    no current flows.
    """

    rows: FloatArray
    """(rows, columns) volts of the word lines, at each crosspoint."""
    columns: FloatArray
    """(rows, columns) volts of the bit lines, at each crosspoint."""
    cell_current: FloatArray
    """(rows, columns) amperes, from word line to bit line."""

    @property
    def cell_voltage(self) -> FloatArray:
        """(rows, columns) volts across the cells, word line minus bit line."""
        return self.rows - self.columns

    @property
    def row_current(self) -> FloatArray:
        """(rows,) amperes out of the drivers, those of both ends together; 0 where it floats."""
        return self.cell_current.sum(axis=1)

    @property
    def column_current(self) -> FloatArray:
        """(columns,) amperes into the columns' terminals; 0 where a column floats."""
        return self.cell_current.sum(axis=0)

    def sneak_current(self, row: int, column: int) -> Amperes:
        """What the meter of this column reads beyond the current of the cell in this row."""
        return float(self.column_current[column] - self.cell_current[row, column])


class BiasScheme(Enum):
    """What the other lines are tied to while one cell is read at V: its row at V, its column at 0.

    The value is the fraction of V on the other rows and on the other columns; NaN floats.
    """

    GROUNDED = (0.0, 0.0)
    FLOATING = (np.nan, np.nan)
    HALF = (1 / 2, 1 / 2)
    """Cells on the selected lines see V / 2, all others nothing."""
    THIRD = (1 / 3, 2 / 3)
    """Every cell but the selected one sees V / 3, of either sign."""


def line_voltages(
    scheme: BiasScheme, shape: tuple[int, int], row: int, column: int, voltage: Volts
) -> tuple[FloatArray, FloatArray]:
    """(rows,) and (columns,) volts that select one cell, for `solve`."""
    rest_of_rows, rest_of_columns = scheme.value
    rows = np.full(shape[0], rest_of_rows * voltage)
    columns = np.full(shape[1], rest_of_columns * voltage)
    rows[row], columns[column] = voltage, 0.0
    return rows, columns


def solve(
    conductance: FloatArray, wires: Wires, row_volts: FloatArray, column_volts: FloatArray
) -> CrossbarSolution:
    """The circuit for (rows, columns) siemens, (rows,) volts at the drivers and (columns,) volts
    at the meters; NaN volts leave a line floating.
    """
    first, second, siemens, nodes = _branches(conductance, wires)
    driven = np.concatenate([np.full(2 * conductance.size, np.nan), row_volts, column_volts])
    merged, node = _merged(first, second, siemens, nodes)
    known = np.full(merged, np.nan)
    fixed = ~np.isnan(driven)
    known[node[fixed]] = driven[fixed]
    real = np.isfinite(siemens) & (siemens > 0)
    potential = _potentials(node[first[real]], node[second[real]], siemens[real], known)[node]
    rows, columns = potential[: 2 * conductance.size].reshape(2, *conductance.shape)
    current = np.nan_to_num(conductance * (rows - columns))
    return CrossbarSolution(rows=rows, columns=columns, cell_current=current)


def _branches(conductance: FloatArray, wires: Wires) -> tuple[Nodes, Nodes, FloatArray, int]:
    """Every branch: from node, to node, siemens (inf joins the two); and how many nodes.

    Nodes are word-line crosspoints, bit-line crosspoints, drivers of rows, meters of columns.
    """
    rows, columns = conductance.shape
    word = np.arange(conductance.size).reshape(rows, columns)
    bit = word + conductance.size
    driver = 2 * conductance.size + np.arange(rows)
    meter = driver[-1] + 1 + np.arange(columns)
    lines = [
        (word[:, :-1], word[:, 1:], wires.word_segment),
        (bit[:-1], bit[1:], wires.bit_segment),
        (driver, word[:, 0], wires.source + wires.word_segment),
        (bit[-1], meter, wires.bit_segment + wires.sense),
    ]
    if wires.driven_at_both_ends:
        lines.append((driver, word[:, -1], wires.source + wires.word_segment))
    wired = [np.full(a.size, 1 / ohms if ohms else np.inf) for a, _, ohms in lines]
    return (
        np.concatenate([word.ravel(), *(a.ravel() for a, _, _ in lines)]),
        np.concatenate([bit.ravel(), *(b.ravel() for _, b, _ in lines)]),
        np.concatenate([conductance.ravel(), *wired]),
        2 * conductance.size + rows + columns,
    )


def _merged(first: Nodes, second: Nodes, siemens: FloatArray, nodes: int) -> tuple[int, Nodes]:
    """How many nodes there are when 0 Ohm joins some, and (nodes,) which one each has become."""
    joined = np.isinf(siemens)
    graph = coo_array((joined[joined], (first[joined], second[joined])), shape=(nodes, nodes))
    count, node = connected_components(graph, directed=False)
    return int(count), node


def _potentials(first: Nodes, second: Nodes, siemens: FloatArray, known: FloatArray) -> FloatArray:
    """(nodes,) volts, from those that are known; NaN for nodes that no known one reaches."""
    size = len(known)
    both = np.concatenate([first, second]), np.concatenate([second, first])
    twice = np.concatenate([siemens, siemens])
    graph = coo_array((twice, both), shape=(size, size))
    _, island = connected_components(graph, directed=False)
    fixed = ~np.isnan(known)
    unknown = np.flatnonzero(~fixed & np.isin(island, island[fixed]))
    laplacian = coo_array(
        (
            np.concatenate([twice, -twice]),
            (np.tile(both[0], 2), np.concatenate([both[0], both[1]])),
        ),
        shape=(size, size),
    ).tocsr()
    potential = known.copy()
    if len(unknown):
        rows = laplacian[unknown]
        drive = -(rows[:, np.flatnonzero(fixed)] @ known[fixed])
        potential[unknown] = spsolve(rows[:, unknown].tocsc(), drive, permc_spec="MMD_AT_PLUS_A")
    return potential
