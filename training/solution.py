"""What training ends with: a state for every cell, and the digital numbers around them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import DataError
from crossbar.geometry import DieGeometry
from crossbar.units import Ratio
from training.encoding import Encoding
from training.placement import Placement

COLUMNS = ("hidden_columns", "output_columns")
"""Of the placement; stored only where columns were assigned."""
DIGITAL = ("hidden_gain", "hidden_offset", "drive", "output_gain", "output_offset")


@dataclass(frozen=True, kw_only=True)
class Solution:
    """A trained network, ready to be programmed and graded."""

    trained: str
    """On what: "ideal", "defect-aware" or "statistics-aware"."""
    placement: Placement
    bound: Ratio
    """A part of a dot product counts only if its magnitude is at most this times the largest that
    ideal cells can reach; what is beyond must come from a defect."""
    target_low: NDArray[np.bool_]
    """(subarrays, rows, columns) True where a cell is to be LOW. Cells that no weight uses too."""
    hidden_gain: NDArray[np.float32]
    """(hidden,) Multiplies the sum of weights before tanh."""
    hidden_offset: NDArray[np.float32]
    """(hidden,) Added to that."""
    drive: NDArray[np.float32]
    """(hidden,) 0 to 1, multiplies tanh; the result drives rows of layer 2."""
    output_gain: NDArray[np.float32]
    """(copies, outputs) Multiplies the sum of weights of each output column."""
    output_offset: NDArray[np.float32]
    """(outputs,)"""

    def to_arrays(self) -> dict[str, NDArray]:
        """Everything as named arrays, for storage; `from_arrays` is the inverse."""
        place = self.placement
        arrays = {
            "trained": _as_codes(self.trained),
            "encoding": _as_codes(place.encoding.value),
            "hidden": np.array(place.hidden),
            "outputs": np.array(place.outputs),
            "rows_at_once": np.array(place.rows_at_once),
            "bound": np.array(self.bound),
            "target_low": self.target_low,
        }
        moved = {
            name: np.array(columns)
            for name in COLUMNS
            if (columns := getattr(place, name)) is not None
        }
        return arrays | moved | {name: getattr(self, name) for name in DIGITAL}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray]) -> "Solution":
        """Read back what `to_arrays` wrote. Raises DataError if something is missing."""
        try:
            low = np.asarray(arrays["target_low"], dtype=np.bool_)
            subarrays, rows, columns = low.shape
            return cls(
                trained=_as_text(arrays["trained"]),
                placement=Placement(
                    geometry=DieGeometry(subarrays=subarrays, rows=rows, columns=columns),
                    hidden=int(arrays["hidden"]),
                    outputs=int(arrays["outputs"]),
                    encoding=Encoding(_as_text(arrays["encoding"])),
                    rows_at_once=int(arrays["rows_at_once"]),
                    **{
                        name: tuple(int(column) for column in arrays[name])
                        for name in COLUMNS
                        if name in arrays
                    },
                ),
                bound=float(arrays["bound"]),
                target_low=low,
                **{name: np.asarray(arrays[name], dtype=np.float32) for name in DIGITAL},
            )
        except (KeyError, ValueError) as error:
            raise DataError(
                f"A stored solution cannot be read ({error!r}); it has {sorted(arrays)}. It was "
                "written by another version, or is damaged: train again."
            ) from error

    @property
    def checksum(self) -> str:
        """SHA-256 of all arrays with their names, kinds and shapes: the same network, the same."""
        digest = hashlib.sha256()
        for name, array in sorted(self.to_arrays().items()):
            digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def _as_codes(text: str) -> NDArray[np.uint8]:
    """Text as an array of numbers, which is what a database of arrays holds."""
    return np.frombuffer(text.encode("ascii"), dtype=np.uint8)


def _as_text(codes: NDArray) -> str:
    return bytes(np.asarray(codes, dtype=np.uint8)).decode("ascii")
