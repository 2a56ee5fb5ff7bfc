"""Dot-product check: what a sub-array multiplies, beside what its cells should.

Each cell is read by itself; then random row voltages are applied to all rows at once, from weak to
strong. `analysis.dot_product` makes gain, offset, linearity and residual of the two.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from crossbar.memory_die import MemoryDie
from crossbar.records import DotProductBlock, Key
from crossbar.units import Volts


@dataclass(frozen=True, kw_only=True)
class DotProductCheckParameters:
    """The inputs. The cells keep the states that they are in."""

    vectors: int = 100
    """Random inputs for each sub-array."""
    read_amplitude: Volts = 0.1
    """Row voltages of the last vector are uniform between 0 V and this, of the first near 0 V, and
    in proportion between; the cells are read at it, too."""
    reads: int = 8
    """How often each cell is read; the mean counts."""
    seed: int = 0
    """Of the random inputs."""

    def __post_init__(self) -> None:
        if self.vectors < 1 or self.reads < 1 or not self.read_amplitude > 0:
            raise ConfigurationError(
                "dot_product_check needs vectors, reads and read_amplitude above 0."
            )

    def inputs(self, subarray: int, rows: int) -> NDArray[np.float64]:
        """(vectors, rows) volts."""
        random = np.random.default_rng((self.seed, subarray))
        strength = np.arange(1, self.vectors + 1)[:, None] / self.vectors
        return strength * random.uniform(0, self.read_amplitude, (self.vectors, rows))


def dot_product_check(
    die: MemoryDie, parameters: DotProductCheckParameters, done: frozenset[Key] = frozenset()
) -> Iterator[DotProductBlock]:
    """Yield one record a sub-array. Raises ConfigurationError where the hardware has none."""
    if die.multiplier is None:
        raise ConfigurationError(
            "This bench reaches cells one by one and cannot make dot products; they need a board "
            "(docs/instruments.md), and --execution board."
        )
    geometry = die.geometry
    size = geometry.rows * geometry.columns
    for subarray in range(geometry.subarrays):
        if ("dot product", subarray) in done:
            continue
        cells = np.arange(subarray * size, (subarray + 1) * size, dtype=np.intp)
        readings = [die.read(cells, parameters.read_amplitude) for _ in range(parameters.reads)]
        conductance = np.mean([reading.conductance for reading in readings], axis=0)
        inputs = parameters.inputs(subarray, geometry.rows)
        yield DotProductBlock(
            subarray=subarray,
            row_voltages=inputs,
            current=die.dot_product(subarray, inputs),
            conductance=conductance.reshape(geometry.rows, geometry.columns),
        )
