"""From the instruments of a bench to one `MemoryDie`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crossbar.errors import ConfigurationError
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.limits import Limits
from crossbar.memory_die import MemoryDie
from crossbar.ports import AttemptSequencer, CellAccess, DotProduct
from drivers.die_access.crossbar_board import CrossbarBoardAccess, CrossbarBoardMultiplier
from drivers.die_access.on_board import OnBoardAccess, OnBoardMultiplier, OnBoardSequencer
from drivers.die_access.routed import GeneratorWiring, RoutedAccess
from drivers.die_access.scripted import ScriptedSequencer

EXECUTIONS = ("board", "instrument", "software")
"""Who keeps the time of reads, writes and attempts; the fastest first."""


@dataclass(frozen=True, kw_only=True)
class DieAssembly:
    """What a `MemoryDie` is made of; the same for every die of the wafer."""

    instruments: Mapping[str, Any]
    """Opened drivers by role: smu, pulse_generator, die_board."""
    geometry: DieGeometry
    limits: Limits
    wiring: GeneratorWiring
    trigger_line: int
    execution: str = "board"
    """The fastest execution allowed: "software" leaves the sequencers out."""

    def die(self, address: DieAddress) -> MemoryDie:
        """The die at this address, once the needles touch it.

        Raises ConfigurationError when the execution asked for needs an instrument that the bench
        does not have.
        """
        if self.execution not in EXECUTIONS:
            raise ConfigurationError(
                f"There is no execution {self.execution!r}; there are {', '.join(EXECUTIONS)}."
            )
        return MemoryDie(
            address=address,
            geometry=self.geometry,
            limits=self.limits,
            access=self._access(),
            sequencers=tuple(self._sequencers()),
            multiplier=self._multiplier(),
        )

    @property
    def _reads_by_itself(self) -> bool:
        """Whether the board is one that reads and pulses cells, but connects no instruments."""
        return hasattr(self.instruments["die_board"], "pulse_cell")

    def _multiplier(self) -> DotProduct | None:
        board = self.instruments["die_board"]
        if self._reads_by_itself:
            if not hasattr(board, "multiply"):
                return None
            return CrossbarBoardMultiplier(board=board, geometry=self.geometry)
        if self.execution != "board":
            return None
        return OnBoardMultiplier(board=board, geometry=self.geometry)

    def _access(self) -> CellAccess:
        board = self.instruments["die_board"]
        if self._reads_by_itself:
            return CrossbarBoardAccess(board=board, geometry=self.geometry)
        if self.execution == "board":
            return OnBoardAccess(board=board, geometry=self.geometry)
        missing = [role for role in ("smu", "pulse_generator") if role not in self.instruments]
        if missing:
            raise ConfigurationError(
                f"Execution {self.execution!r} needs {' and '.join(missing)} on the bench. Add "
                "them to bench.toml [instruments], or let the board do it."
            )
        return RoutedAccess(
            selector=board,
            pulse_source=self.instruments["pulse_generator"],
            meter=self.instruments["smu"],
            geometry=self.geometry,
            generator_pulse=self.wiring.generator_pulse,
        )

    def _sequencers(self) -> list[AttemptSequencer]:
        board = self.instruments["die_board"]
        sequencers: list[AttemptSequencer] = []
        if self._reads_by_itself:
            return sequencers
        if self.execution == "board":
            sequencers.append(OnBoardSequencer(board=board, geometry=self.geometry))
        if self.execution != "software" and {"smu", "pulse_generator"} <= set(self.instruments):
            sequencers.append(
                ScriptedSequencer(
                    smu=self.instruments["smu"],
                    generator=self.instruments["pulse_generator"],
                    selector=board,
                    geometry=self.geometry,
                    digital_line=self.trigger_line,
                    generator_volts=self.wiring.generator_pulse,
                )
            )
        return sequencers
