"""Switching phase diagram: the probability to switch over amplitude and width.

At each width a coarse row of amplitudes comes first. Then, again and again, every interval in which
a cell passes 50 % is halved: that is where the diagram has its boundary, and each cell gets its own
amplitudes there. Cells that want the same amplitude are measured together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from crossbar.geometry import CellIndices
from crossbar.memory_die import MemoryDie
from crossbar.pulses import Pulse, State
from crossbar.records import Key, WerPoint
from crossbar.units import Ratio, Seconds, Siemens, Volts
from protocols.cell_choice import chosen_cells
from protocols.conditions import Condition
from protocols.distinct import check_distinct
from protocols.formed_check import check_formed
from protocols.restoring import Restoring
from protocols.switching_points import switching_points


@dataclass(frozen=True, kw_only=True)
class SwitchingPhaseDiagramParameters:
    """Cells, the ranges of the diagram, and how fine it becomes."""

    cells: tuple[str, ...] = ()
    """Cells as "subarray:row:column"; empty takes ``sample`` cells spread over the die."""
    sample: int = 8
    start: Volts = 0.1
    """Smallest magnitude."""
    stop: Volts = 0.9
    """Largest magnitude."""
    intervals: int = 8
    """Of the coarse row, between start and stop."""
    refinements: int = 3
    """How often the intervals around 50 % are halved."""
    widths: tuple[Seconds, ...] = (5e-9, 10e-9, 20e-9, 50e-9, 100e-9)
    targets: tuple[State, ...] = (State.LOW, State.HIGH)
    attempts: int = 1_000
    """At each point, rejected ones included."""
    restore_amplitude: Volts = 0.9
    restore_width: Seconds = 200e-9
    read_amplitude: Volts = 0.1
    formed_above: Siemens = 0.0
    """Cells that need FORMING conduct this much once they are formed; 0 for those that need none
    (`protocols.formed_check`)."""
    min_window: Ratio = 1.15
    """LOW conducts at least this times HIGH, or the cell is left out."""

    def __post_init__(self) -> None:
        if not 0 < self.start < self.stop:
            raise ConfigurationError(
                f"The diagram goes from start to stop: 0 < {self.start:g} V < {self.stop:g} V must "
                "hold; the direction (targets) gives the sign."
            )
        if min(self.sample, self.intervals, self.attempts) < 1 or self.refinements < 0:
            raise ConfigurationError(
                "sample, intervals and attempts must be at least 1, refinements at least 0."
            )
        if not self.widths or not self.targets:
            raise ConfigurationError("switching_phase_diagram needs widths and targets.")
        check_distinct(self, "widths", "targets")

    @property
    def restoring(self) -> Restoring:
        """How cells are brought to a state."""
        return Restoring(
            amplitude=self.restore_amplitude,
            width=self.restore_width,
            read_amplitude=self.read_amplitude,
            min_window=self.min_window,
        )

    def amplitude(self, node: int) -> Volts:
        """Of a node of the finest row: node 0 is start, node intervals * 2**refinements stop."""
        finest = self.intervals * 2**self.refinements
        return self.start + (self.stop - self.start) * node / finest


def switching_phase_diagram(
    die: MemoryDie, parameters: SwitchingPhaseDiagramParameters, done: frozenset[Key] = frozenset()
) -> Iterator[WerPoint]:
    """Yield one record a cell and point; 1 - errors / attempts is the switching probability.

    A row that was broken off is measured again from its start, to find its way; what is stored
    already is not yielded again. Cells without a window are left out.
    """
    for width in parameters.widths:  # refuse the whole run before the first pulse of it
        die.limits.check_pulse(Pulse.writing(State.LOW, parameters.stop, width))
    everything = chosen_cells(parameters.cells, parameters.sample, die.geometry)
    check_formed(die, everything, parameters.read_amplitude, parameters.formed_above)
    for start in range(0, len(everything), die.access.cells_at_once):
        cells = everything[start : start + die.access.cells_at_once]
        threshold, has_window = parameters.restoring.thresholds(die, cells)
        if not has_window.any():
            continue
        for target in parameters.targets:
            for width in parameters.widths:
                row = _row(die, cells[has_window], threshold[has_window], target, width, parameters)
                yield from (point for point in row if point.key not in done)


def _row(
    die: MemoryDie,
    cells: CellIndices,
    threshold: NDArray[np.float64],
    target: State,
    width: Seconds,
    parameters: SwitchingPhaseDiagramParameters,
) -> Iterator[WerPoint]:
    """All points of one width, each as soon as it is measured."""
    switches: list[dict[int, bool]] = [{} for _ in cells]
    coarse = range(
        0, parameters.intervals * 2**parameters.refinements + 1, 2**parameters.refinements
    )
    wanted: list[set[int]] = [set(coarse) for _ in cells]
    for _ in range(parameters.refinements + 1):
        for node in sorted(set().union(*wanted)):
            here = np.array([place for place in range(len(cells)) if node in wanted[place]])
            points = switching_points(
                die,
                cells[here],
                threshold[here],
                condition=Condition(
                    target=target, pulse=Pulse.writing(target, parameters.amplitude(node), width)
                ),
                attempts=parameters.attempts,
                restoring=parameters.restoring,
            )
            for place, point in zip(here, points, strict=True):
                switches[place][node] = 2 * point.errors < point.attempts
            yield from points
        wanted = [boundary_nodes(found) for found in switches]


def boundary_nodes(switches: dict[int, bool]) -> set[int]:
    """The middle of every interval at whose ends a cell behaves differently, by node."""
    return {
        (below + above) // 2
        for below, above in pairwise(sorted(switches))
        if switches[below] != switches[above] and above - below > 1
    }
