"""Which weight of an ordinary torch model sits in which cell of which die.

A layer is a matrix. What drives a row is an input; of a convolution that is one element of the
window under the kernel (im2col), in the order of the kernel's own numbers: input, row, column. What
a signed column adds up is an output. A layer with more inputs than a sub-array has rows is cut into
stretches of that many, whose sums are added digitally. Every stretch of every output takes one
signed column, from its first row on: layer by layer, stretch by stretch, output by output, in the
order of dies, sub-arrays and columns. So no tile is left half empty but the last.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, prod

import numpy as np
from numpy.typing import NDArray

from crossbar.defect_map import DefectMap
from crossbar.errors import ConfigurationError
from crossbar.geometry import CellIndices, DieAddress, DieGeometry
from crossbar.units import Ratio
from training.encoding import Encoding
from training.placement import Placement

States = Mapping[DieAddress, NDArray[np.bool_]]
"""By die: (cells of the die,) True where a cell is LOW."""


@dataclass(frozen=True, kw_only=True)
class LayerTiles:
    """Where one layer's weights are."""

    name: str
    """The torch module's, such as "0.conv"."""
    shape: tuple[int, ...]
    """Of the weights: (outputs, inputs) or (outputs, inputs, kernel, kernel)."""
    die: NDArray[np.int32]
    """(weights,) Which of the tiling's dies, weights in the order of their flat index."""
    cells: NDArray[np.int64]
    """(weights, cells a weight) Flat indices of the cells; of a differential weight the even
    column's, whose LOW counts +1, then the odd one's."""


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """A model on dies."""

    geometry: DieGeometry
    encoding: Encoding
    dies: tuple[DieAddress, ...]
    layers: tuple[LayerTiles, ...]

    def states_for(self, weights: Mapping[str, NDArray]) -> dict[DieAddress, NDArray[np.bool_]]:
        """What to write: LOW or not, for +-1 weights by layer name, of each layer's shape.

        Cells that no weight uses are False; `used` tells them apart.
        """
        low = {die: np.zeros(self.geometry.cells, dtype=np.bool_) for die in self.dies}
        for layer in self.layers:
            positive = np.asarray(weights[layer.name]).reshape(-1) > 0
            for place, die in enumerate(self.dies):
                here = layer.die == place
                for number, cells in enumerate(layer.cells[here].T):
                    low[die][cells] = positive[here] ^ bool(number)
        return low

    def used(self, die: DieAddress) -> CellIndices:
        """(n,) Cells of a die that hold weights, in rising order."""
        place = self.dies.index(die)
        cells = [layer.cells[layer.die == place].ravel() for layer in self.layers]
        return np.unique(np.concatenate(cells)).astype(np.intp)

    def weights_of(self, states: States) -> dict[str, NDArray[np.float32]]:
        """The weights that cells of these states make, by layer name: -1 or 1, and 0 where both
        cells of a differential weight are alike.
        """
        found = {}
        for layer in self.layers:
            values = np.empty(len(layer.die), dtype=np.float32)
            for place, die in enumerate(self.dies):
                here = layer.die == place
                low = states[die][layer.cells[here]].astype(np.float32)
                single = self.encoding is Encoding.SINGLE_ENDED
                values[here] = 2 * low[:, 0] - 1 if single else low[:, 0] - low[:, 1]
            found[layer.name] = values.reshape(layer.shape)
        return found


def tiled(
    shapes: Mapping[str, tuple[int, ...]],
    columns: Mapping[DieAddress, NDArray[np.bool_]],
    geometry: DieGeometry,
    encoding: Encoding = Encoding.SINGLE_ENDED,
) -> Tiling:
    """Lay layers of these shapes out over the usable columns of dies, in their order.

    ``columns`` (subarrays, columns) are True where a column may be used: `all_columns`, or
    `sound_columns` of a map. Raises ConfigurationError, with the numbers, for what does not fit.
    """
    dies = tuple(columns)
    slots = [_slots(columns[die], geometry, encoding) for die in dies]
    first_cells = np.concatenate(slots) if slots else np.zeros(0, np.int64)
    die_of_slot = np.repeat(np.arange(len(dies), dtype=np.int32), [len(each) for each in slots])
    needed = {name: ceil(prod(shape[1:]) / geometry.rows) * shape[0] for name, shape in
              shapes.items()}  # fmt: skip
    _check_room(sum(needed.values()), len(first_cells), len(dies), geometry, encoding)
    layers, taken = [], 0
    for name, shape in shapes.items():
        output, place = np.divmod(np.arange(prod(shape), dtype=np.int64), prod(shape[1:]))
        stretch, row = np.divmod(place, geometry.rows)
        slot = taken + stretch * shape[0] + output
        even = first_cells[slot] + row * geometry.columns
        cells = even[:, None] + np.arange(encoding.cells_a_weight)
        layers.append(LayerTiles(name=name, shape=tuple(shape), die=die_of_slot[slot], cells=cells))
        taken += needed[name]
    return Tiling(geometry=geometry, encoding=encoding, dies=dies, layers=tuple(layers))


def all_columns(geometry: DieGeometry) -> NDArray[np.bool_]:
    """(subarrays, columns) All of them."""
    return np.ones((geometry.subarrays, geometry.columns), dtype=np.bool_)


def sound_columns(found: DefectMap, dead_cells: tuple[int, ...], most: Ratio) -> NDArray[np.bool_]:
    """(subarrays, columns) True where at most this share of a column's cells is of the classes
    that count as dead (`training.defect_aware_store.DEAD`).
    """
    return np.isin(found.classes, dead_cells).mean(axis=1) <= most


def tiling_of(placement: Placement, die: DieAddress) -> Tiling:
    """The two-layer network of a die as layers: "hidden" (hidden, rows), and "output" (copies,
    outputs, rows), whose row r of copy c is driven by hidden unit (c * rows + r) % hidden.
    """
    geometry, width = placement.geometry, placement.encoding.cells_a_weight
    rows = np.arange(geometry.rows) * geometry.columns

    def cells(first: NDArray[np.intp]) -> NDArray[np.int64]:
        even = (first[:, None] + rows).reshape(-1, 1)
        return (even + np.arange(width)).astype(np.int64)

    subarray, column = np.divmod(placement.column_of_hidden, placement.signed_columns)
    hidden = cells(subarray * geometry.rows * geometry.columns + column * width)
    last = (geometry.subarrays - 1) * geometry.rows * geometry.columns
    output = cells(last + placement.column_of_output * width)
    shapes = {
        "hidden": (placement.hidden, geometry.rows),
        "output": (placement.copies, placement.outputs, geometry.rows),
    }
    layers = tuple(
        LayerTiles(name=name, shape=shapes[name], die=np.zeros(len(found), np.int32), cells=found)
        for name, found in (("hidden", hidden), ("output", output))
    )
    return Tiling(geometry=geometry, encoding=placement.encoding, dies=(die,), layers=layers)


def _slots(
    usable: NDArray[np.bool_], geometry: DieGeometry, encoding: Encoding
) -> NDArray[np.int64]:
    """(n,) Flat index of the first cell of each usable signed column of a die."""
    width = encoding.cells_a_weight
    signed = geometry.columns // width
    whole = usable[:, : signed * width].reshape(geometry.subarrays, signed, width).all(-1)
    subarray, column = np.nonzero(whole)
    return (subarray * geometry.rows * geometry.columns + column * width).astype(np.int64)


def _check_room(
    needed: int, there: int, dies: int, geometry: DieGeometry, encoding: Encoding
) -> None:
    if needed <= there:
        return
    full = geometry.subarrays * (geometry.columns // encoding.cells_a_weight)
    each = there / dies if there else full
    raise ConfigurationError(
        f"The model needs {needed:,} {encoding.value} columns of {geometry.rows} cells, and the "
        f"{dies} dies given have {there:,} usable ones (a whole die has {full}). Use at least "
        f"{ceil(needed / each):,} such dies, a smaller model, or allow more dead cells in a column."
    )
