"""A solution as a text, for the points and outcomes of sweeps: the same solution, the same text."""

import base64
import json

import numpy as np
from numpy.typing import NDArray

from training.solution import Solution


def as_text(solution: Solution) -> str:
    """JSON with every array's kind, shape and bytes; the states of the cells as bits."""
    arrays = solution.to_arrays()
    states = np.packbits(arrays.pop("target_low"))
    shape = np.array(solution.target_low.shape)
    named = {"states": states, "shape": shape, **arrays}
    return json.dumps({name: _packed(array) for name, array in named.items()}, sort_keys=True)


def from_text(text: str) -> Solution:
    """The solution of the text."""
    arrays = {name: _unpacked(packed) for name, packed in json.loads(text).items()}
    shape = tuple(int(side) for side in arrays.pop("shape"))
    bits = np.unpackbits(arrays.pop("states"), count=int(np.prod(shape)))
    return Solution.from_arrays(arrays | {"target_low": bits.reshape(shape).astype(bool)})


def _packed(array: NDArray) -> list[object]:
    content = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
    return [array.dtype.str, list(array.shape), content]


def _unpacked(packed: list) -> NDArray:
    kind, shape, content = packed
    return np.frombuffer(base64.b64decode(content), dtype=kind).reshape(shape).copy()
