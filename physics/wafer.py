"""The simulated wafer: dies made when first touched, and their state in one file.

The population says which technology its dies are of.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError, DataError
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.units import Amperes, Seconds
from physics.defects import SISTER_CHIP, DefectPopulation
from physics.die_truth import DieTruth, die_seed, draw_truth
from physics.hfox import HfOxPopulation
from physics.hfox_die import HfOxDie
from physics.hfox_truth import draw_hfox_truth
from physics.measured_die import arrays_of
from physics.mtj import MtjPopulation
from physics.mtj_die import MtjDie
from physics.simulated_die import Clock, SimulatedDie, no_time
from physics.twin import twin_die

FORMAT = "crossbar-lab wafer state, 1"
WAFER_OF_36 = tuple(DieAddress(x, y) for y in range(6) for x in range(6))
"""Six by six dies."""


def unknown_limit() -> Amperes:
    """Stands for a bench that does not say how it drives its transistors' gates."""
    raise ConfigurationError(
        "HfOx cells were to be formed or SET, and nothing says what their access transistors let "
        "through. Give max_set_current in bench.toml [limits.hfox]."
    )


class SimulatedWafer:
    """Dies whose truth depends on the seed and their address only."""

    def __init__(
        self,
        *,
        addresses: Sequence[DieAddress] = WAFER_OF_36,
        geometry: DieGeometry | None = None,
        seed: int,
        population: MtjPopulation | HfOxPopulation | None = None,
        defects: DefectPopulation = SISTER_CHIP,
        twin: Mapping[str, NDArray[np.float64]] | None = None,
        current_limit: Callable[[], Amperes] | None = None,
        measured: Mapping[DieAddress, DieTruth] | None = None,
    ) -> None:
        self.addresses = tuple(addresses)
        self.geometry = geometry or DieGeometry()
        self.seed = seed
        self.population = population or MtjPopulation()
        self.defects = defects
        self.twin = twin
        """Measured kernels by name, as `physics.twin.twin_die` takes them: then every die's defects
        and conductances come from them, and ``defects`` is not used."""
        self.current_limit = current_limit or unknown_limit
        """What the access transistors of HfOx cells let through in FORMING and SET, as the bench
        drives their gates; a die board takes this over."""
        self.measured = dict(measured or {})
        """Dies that are twins of measured ones (`physics.measured_die`); others are drawn."""
        self.clock: Clock = no_time
        """Of the bench that the wafer lies on, which sets it; starts at 0 with every bench."""
        self.age: Seconds = 0.0
        """Bench time that had passed when the state was loaded."""
        self._dies: dict[DieAddress, SimulatedDie] = {}

    def now(self) -> Seconds:
        """The bench time of the wafer's whole life, which goes on where its file ended."""
        return self.age + self.clock()

    def die(self, address: DieAddress) -> SimulatedDie:
        """The die at this address, with its state. Raises DataError if the wafer has none there."""
        if address not in self._dies:
            if address not in self.addresses:
                raise DataError(
                    f"The simulated wafer has no die at {address}; it has {len(self.addresses)} "
                    f"dies, from {min(self.addresses)} to {max(self.addresses)}. Correct the "
                    "address, or the wafer map in the bench's configuration."
                )
            self._dies[address] = self._made(address, self.population)
        return self._dies[address]

    def _made(
        self, address: DieAddress, population: MtjPopulation | HfOxPopulation
    ) -> SimulatedDie:
        seed = die_seed(self.seed, address)
        if isinstance(population, MtjPopulation):
            truth = self._mtj_truth(address, population)
            return MtjDie(geometry=self.geometry, truth=truth, seed=seed, clock=self.now)
        if self.twin is not None:
            raise ConfigurationError(
                "Dies made of measured kernels are simulated as MTJs only. Take the kernels out of "
                "[simulation], or choose the other technology."
            )
        return HfOxDie(
            geometry=self.geometry,
            truth=draw_hfox_truth(
                geometry=self.geometry,
                seed=self.seed,
                address=address,
                population=population,
                defects=self.defects,
            ),
            seed=seed,
            current_limit=lambda: self.current_limit(),
            clock=self.now,
        )

    def _mtj_truth(self, address: DieAddress, population: MtjPopulation) -> DieTruth:
        if address in self.measured:
            return self.measured[address]
        if self.twin is not None:
            return twin_die(
                self.twin,
                geometry=self.geometry,
                seed=self.seed,
                address=address,
                population=population,
            )
        return draw_truth(
            geometry=self.geometry,
            seed=self.seed,
            address=address,
            population=population,
            defects=self.defects,
        )

    def fingerprint(self) -> str:
        """A text that differs between wafers whose dies differ."""
        digest = hashlib.sha256()
        described = (self.seed, self.addresses, self.geometry, self.population, self.defects)
        digest.update(repr(described).encode())
        for name, maps in sorted((self.twin or {}).items()):
            digest.update(name.encode() + np.ascontiguousarray(maps, dtype=np.float64).tobytes())
        for address, truth in sorted(self.measured.items()):
            digest.update(repr(address).encode())
            for array in arrays_of(truth).values():
                digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def save(self, path: Path) -> None:
        """Write the state of every touched die: states, stress, dead cells and draw counters.

        The file is replaced as a whole: a reader, or a process killed meanwhile, finds either the
        old state or the new one.
        """
        arrays: dict[str, Any] = {
            "format": FORMAT, "fingerprint": self.fingerprint(), "age": self.now(),
        }  # fmt: skip
        for address, die in self._dies.items():
            if die.touched:
                for name, array in die.snapshot().items():
                    arrays[f"{address.x},{address.y}/{name}"] = array
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, **arrays)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def load(self, path: Path) -> None:
        """Take over a saved state; every other die is as made.

        Raises DataError for a file that is missing, damaged, or of another wafer.
        """
        try:
            with path.open("rb") as stream, np.load(stream) as file:
                arrays = {name: file[name] for name in file.files}
        except (OSError, ValueError, EOFError, BadZipFile) as error:
            raise DataError(
                f"The wafer state {path} cannot be read: {error}. Give a file that this program "
                "saved, or start with a fresh wafer."
            ) from error
        if str(arrays.pop("format", "")) != FORMAT:
            raise DataError(f"{path} is not a wafer state ({FORMAT!r}). Give the right file.")
        if str(arrays.pop("fingerprint", "")) != self.fingerprint():
            raise DataError(
                f"{path} holds the state of another wafer: seed, dies, geometry, population or "
                f"defects differ (here the seed is {self.seed}). Use the configuration that it was "
                "saved with, or start with a fresh wafer."
            )
        self.age = float(arrays.pop("age", 0.0)) - self.clock()
        snapshots: dict[DieAddress, dict[str, NDArray]] = {}
        for key, array in arrays.items():
            place, name = key.split("/")
            x, y = place.split(",")
            snapshots.setdefault(DieAddress(int(x), int(y)), {})[name] = array
        self._dies.clear()
        for address, snapshot in snapshots.items():
            self.die(address).restore(snapshot)
