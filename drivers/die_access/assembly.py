"""From the instruments of a bench to one `MemoryDie`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from crossbar.errors import ConfigurationError
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.limits import Limits
from crossbar.memory_die import MemoryDie
from crossbar.ports import (
    AttemptLister,
    AttemptSequencer,
    CellAccess,
    CellSelector,
    DotProduct,
)
from drivers.die_access.crossbar_board import CrossbarBoardAccess, CrossbarBoardMultiplier
from drivers.die_access.on_board import OnBoardAccess, OnBoardMultiplier, OnBoardSequencer
from drivers.die_access.routed import GeneratorWiring, RoutedAccess
from drivers.die_access.scripted import ScriptedSequencer
from drivers.die_access.selectors import DirectSelector, MatrixSelector
from drivers.matrix_wiring import MatrixWiring

EXECUTIONS = ("board", "instrument", "software")
"""Who keeps the time of reads, writes and attempts; the fastest first."""


@dataclass(frozen=True, kw_only=True)
class DieAssembly:
    """What a `MemoryDie` is made of; the same for every die of the wafer."""

    instruments: Mapping[str, Any]
    """Opened drivers by role."""
    geometry: DieGeometry
    limits: Limits
    wiring: GeneratorWiring
    trigger_line: int
    matrix_wiring: MatrixWiring | None = None
    """What the switch matrix is wired to, where there is one."""
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
        access = self._access()
        return MemoryDie(
            address=address,
            geometry=self.geometry,
            limits=self.limits,
            access=access,
            bursts=access if isinstance(access, OnBoardAccess) else None,
            sequencers=tuple(self._sequencers()),
            lister=self._lister(),
            multiplier=self._multiplier(),
        )

    @property
    def _board(self) -> Any:
        """The die board, or None where needles or a matrix lead to the cells."""
        return self.instruments.get("die_board")

    @property
    def _reads_by_itself(self) -> bool:
        """Whether the board is one that reads and pulses cells, but connects no instruments."""
        return hasattr(self._board, "pulse_cell")

    def _multiplier(self) -> DotProduct | None:
        if self._reads_by_itself:
            if not hasattr(self._board, "multiply"):
                return None
            return CrossbarBoardMultiplier(board=self._board, geometry=self.geometry)
        if self._board is None or self.execution != "board":
            return None
        return OnBoardMultiplier(board=self._board, geometry=self.geometry)

    def _lister(self) -> AttemptLister | None:
        if self._board is None or self._reads_by_itself or self.execution != "board":
            return None
        return OnBoardSequencer(board=self._board, geometry=self.geometry)

    def _access(self) -> CellAccess:
        if self._reads_by_itself:
            return CrossbarBoardAccess(board=self._board, geometry=self.geometry)
        if self._board is not None and self.execution == "board":
            return OnBoardAccess(board=self._board, geometry=self.geometry)
        return RoutedAccess(
            selector=self._selector(),
            pulse_source=self._one_of("pulse_measure_unit", "pulse_generator"),
            meter=self._one_of("pulse_measure_unit", "smu"),
            geometry=self.geometry,
            generator_pulse=self.wiring.generator_pulse,
        )

    def _selector(self) -> CellSelector:
        if self._board is not None:
            return cast(CellSelector, self._board)
        if "switch_matrix" not in self.instruments:
            return DirectSelector(geometry=self.geometry)
        return MatrixSelector(
            matrix=self.instruments["switch_matrix"],
            wiring=self.matrix_wiring or MatrixWiring(),
            geometry=self.geometry,
        )

    def _one_of(self, *roles: str) -> Any:
        """The instrument of the first of these roles that the bench has."""
        for role in roles:
            if role in self.instruments:
                return self.instruments[role]
        raise ConfigurationError(
            f"Execution {self.execution!r} needs a {' or a '.join(roles)} on the bench. Add it to "
            "bench.toml [instruments], or let the board do it."
        )

    def _sequencers(self) -> list[AttemptSequencer]:
        if self._board is None or self._reads_by_itself:
            return []
        sequencers: list[AttemptSequencer] = []
        if self.execution == "board":
            sequencers.append(OnBoardSequencer(board=self._board, geometry=self.geometry))
        if self.execution != "software" and {"smu", "pulse_generator"} <= set(self.instruments):
            sequencers.append(
                ScriptedSequencer(
                    smu=self.instruments["smu"],
                    generator=self.instruments["pulse_generator"],
                    selector=self._board,
                    geometry=self.geometry,
                    digital_line=self.trigger_line,
                    generator_volts=self.wiring.generator_pulse,
                )
            )
        return sequencers
