"""Counter-based random numbers: what happens to a cell is a function of what is done to it.

Every random event has a 64-bit key made of the seed, the die, the cell, the content of the
operation and how often the same was done to this cell before. So a unit of work that is redone in a
fresh process finds the same numbers, in whatever order cells are visited.

Mixing is SplitMix64's finalizer (Steele, Lea, Flood, OOPSLA 2014).
"""

import hashlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Keys = NDArray[np.uint64]
"""(n,) keys, one for each random event."""

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST = np.uint64(0xBF58476D1CE4E5B9)
SECOND = np.uint64(0x94D049BB133111EB)
DENSE_FRACTION = 1 / 64
"""An operation on more than this fraction of the die's cells is counted in a whole array."""


def content(*parts: object) -> np.uint64:
    """The 64-bit name of an operation, from its parts; the same in every process.

    Parts count by their text, arrays by their shape and bytes.
    """
    named = tuple(_named(part) if isinstance(part, np.ndarray) else part for part in parts)
    digest = hashlib.blake2b(repr(named).encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def _named(array: NDArray) -> str:
    digest = hashlib.blake2b(np.ascontiguousarray(array).tobytes()).hexdigest()
    return f"{array.dtype} {array.shape} {digest}"


def keys(first: Keys | np.uint64, *parts: NDArray[np.integer] | int | np.uint64) -> Keys:
    """Mix integers, arrays of shape (n,) among them, into keys. Order matters."""
    mixed = np.atleast_1d(np.asarray(first, dtype=np.uint64))
    for part in parts:
        mixed = mix(mixed + GOLDEN) ^ np.asarray(part).astype(np.uint64)
    return mix(mixed + GOLDEN)


def mix(x: Keys) -> Keys:
    """SplitMix64's finalizer: every input bit moves about half of the output bits."""
    x = (x ^ (x >> np.uint64(30))) * FIRST
    x = (x ^ (x >> np.uint64(27))) * SECOND
    return x ^ (x >> np.uint64(31))


def uniforms(at: Keys) -> NDArray[np.float64]:
    """(n,) numbers from the open interval (0, 1), in steps of 2**-52."""
    return ((at >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def normals(at: Keys) -> NDArray[np.float64]:
    """(n,) standard normal numbers."""
    return ndtri(uniforms(at))


class UseCounter:
    """How often each operation was done on each cell of a die."""

    def __init__(self, seed: np.uint64, cells: int) -> None:
        """``seed`` is the die's own, ``cells`` how many it has."""
        self.seed = seed
        self.cells = cells
        self._dense: dict[int, NDArray[np.uint32]] = {}
        self._sparse: dict[int, dict[int, int]] = {}

    def keys(self, cells: NDArray[np.intp], *operation: object) -> Keys:
        """(n,) keys of one event on each of these distinct cells, named by its parts; counts it."""
        name = content(*operation)
        return keys(self.seed, name, cells, self.take(name, cells))

    def take(self, operation: np.uint64, cells: NDArray[np.intp]) -> NDArray[np.uint32]:
        """(n,) times that this was done on each of these distinct cells before; counts this one."""
        name = int(operation)
        counts = self._dense.get(name)
        if counts is None:
            few = self._sparse.setdefault(name, {})
            if len(few) + len(cells) <= self.cells * DENSE_FRACTION:
                return np.array([_count(few, cell) for cell in cells.tolist()], dtype=np.uint32)
            counts = self._dense[name] = np.zeros(self.cells, dtype=np.uint32)
            counts[list(few)] = list(few.values())
            del self._sparse[name]
        before = counts[cells]
        counts[cells] = before + np.uint32(1)
        return before

    @property
    def unused(self) -> bool:
        """True as long as nothing was counted."""
        return not self._dense and not self._sparse

    def snapshot(self) -> dict[str, NDArray]:
        """Everything counted, as arrays for a file."""
        sparse = [
            (name, cell, count) for name, few in self._sparse.items() for cell, count in few.items()
        ]
        return {
            "dense_names": np.array(list(self._dense), dtype=np.uint64),
            "dense_counts": np.array(list(self._dense.values()), dtype=np.uint32).reshape(
                len(self._dense), self.cells
            ),
            "sparse": np.array(sparse, dtype=np.uint64).reshape(len(sparse), 3),
        }

    def restore(self, snapshot: Mapping[str, NDArray]) -> None:
        """Take over what `snapshot` returned."""
        self._dense = {
            int(name): np.array(counts, dtype=np.uint32)
            for name, counts in zip(snapshot["dense_names"], snapshot["dense_counts"], strict=True)
        }
        self._sparse = {}
        for name, cell, count in snapshot["sparse"].tolist():
            self._sparse.setdefault(name, {})[cell] = count


def _count(counts: dict[int, int], cell: int) -> int:
    before = counts.get(cell, 0)
    counts[cell] = before + 1
    return before
