"""Program and verify to levels: cells are brought into two-sided windows of conductance.

Every cell gets one of the levels, in turn or at random, so that the distribution of each level can
be measured. How a cell is brought there, and when it is given up, is `protocols.ping_pong`. At the
end every cell is read several times more: those readings did not decide anything, so they are free
of the luck that let a noisy reading pass. Noise that lasts longer than they do is in them still, as
it was when the cell was accepted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from crossbar.geometry import CellIndices
from crossbar.memory_die import MemoryDie
from crossbar.pulses import State
from crossbar.records import Key, ProgrammedBlock
from crossbar.units import Ratio, Seconds, Siemens, Volts
from protocols.cell_choice import chosen_cells
from protocols.formed_check import check_formed
from protocols.ping_pong import Patience, Ramp, into_windows


@dataclass(frozen=True, kw_only=True)
class ProgramLevelsParameters:
    """Levels, cells and pulses. The defaults are the two states of the simulated MTJ."""

    levels: tuple[Siemens, ...] = (100e-6, 200e-6)
    """Wanted conductances, rising."""
    tolerance: Ratio = 0.2
    """A window reaches so far below and above its level, as a share of it."""
    outer_open: bool = False
    """Whether the lowest level takes everything below it, and the highest all above."""
    pattern: Literal["random", "turn"] = "random"
    """Who gets which level: by chance, or one after the other in the order of cells."""
    seed: int = 0
    """Of the random pattern."""
    cells: tuple[str, ...] = ()
    """Cells as "subarray:row:column"; empty takes ``sample`` cells spread over the die."""
    sample: int = 400
    low_start: Volts = 0.7
    """First pulse towards LOW (SET); magnitudes, all four."""
    low_stop: Volts = 1.0
    high_start: Volts = 0.7
    """First pulse towards HIGH (RESET)."""
    high_stop: Volts = 1.0
    step: Volts = 0.05
    """By which each next pulse of one direction is larger."""
    low_width: Seconds = 50e-9
    high_width: Seconds = 50e-9
    read_amplitude: Volts = 0.1
    formed_above: Siemens = 0.0
    """Cells that need FORMING conduct this much once they are formed; 0 for those that need none
    (`protocols.formed_check`)."""
    final_reads: int = 8
    """Of every cell of a block after its programming; what they say grades the levels."""
    final_interval: Seconds = 0.0
    """Wait between two of them, for cells with slow noise."""
    max_pulses: int = 30
    """Budget per cell, both directions together."""
    patience: int = 3
    """So many pulses in a row at a ramp's end that move nothing, and a cell is given up."""
    block: int = 20_000
    """Cells in one record, where the hardware takes many at once."""

    def __post_init__(self) -> None:
        if not self.levels or min(self.levels) <= 0 or not 0 < self.tolerance < 1:
            raise ConfigurationError(
                f"levels {self.levels} with a tolerance of {self.tolerance:g} refused: at least "
                "one level above 0 S is needed, and a tolerance between 0 and 1."
            )
        for lower, upper in pairwise(self.levels):
            if not lower * (1 + self.tolerance) <= upper * (1 - self.tolerance):
                raise ConfigurationError(
                    f"levels {lower:g} S and {upper:g} S refused: they must rise, and their "
                    f"windows of ±{100 * self.tolerance:g} % must not overlap. Lower tolerance, "
                    "or name fewer levels."
                )
        if min(self.sample, self.block, self.final_reads) < 1 or not self.final_interval >= 0:
            raise ConfigurationError(
                "program-and-verify needs sample, block and final_reads of at least 1, and a "
                f"final_interval of at least 0 s; got {self.sample}, {self.block}, "
                f"{self.final_reads} and {self.final_interval:g} s."
            )
        _ = (self.ramps, self.trying)  # these refuse what makes no sense

    @property
    def ramps(self) -> dict[State, Ramp]:
        """The pulses of both directions."""
        low = Ramp(
            target=State.LOW,
            start=self.low_start,
            step=self.step,
            stop=self.low_stop,
            width=self.low_width,
        )
        high = Ramp(
            target=State.HIGH,
            start=self.high_start,
            step=self.step,
            stop=self.high_stop,
            width=self.high_width,
        )
        return {State.LOW: low, State.HIGH: high}

    @property
    def trying(self) -> Patience:
        """How long a cell is tried."""
        return Patience(max_pulses=self.max_pulses, unmoved=self.patience)

    @property
    def windows(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(levels,) Siemens: from the first on and below the second."""
        levels = np.array(self.levels)
        low, high = levels * (1 - self.tolerance), levels * (1 + self.tolerance)
        if self.outer_open:
            low[0], high[-1] = -np.inf, np.inf
        return low, high


def program_levels(
    die: MemoryDie, parameters: ProgramLevelsParameters, done: frozenset[Key] = frozenset()
) -> Iterator[ProgrammedBlock]:
    """Yield one record a block of the chosen cells."""
    cells = chosen_cells(parameters.cells, parameters.sample, die.geometry)
    check_formed(die, cells, parameters.read_amplitude, parameters.formed_above)
    levels = _assigned(len(cells), parameters)
    block = min(parameters.block, max(die.geometry.columns, die.access.cells_at_once))
    for first in range(0, len(cells), block):
        here = slice(first, first + block)
        if ("programmed", int(cells[here][0])) not in done:
            yield _program_block(die, parameters, cells[here], levels[here])


def _assigned(count: int, parameters: ProgramLevelsParameters) -> NDArray[np.int64]:
    """(n,) the level of each cell; every level as often as the others."""
    in_turn = np.arange(count) % len(parameters.levels)
    if parameters.pattern == "turn":
        return in_turn
    return np.random.default_rng(parameters.seed).permutation(in_turn)


def _program_block(
    die: MemoryDie,
    parameters: ProgramLevelsParameters,
    cells: CellIndices,
    level: NDArray[np.int64],
) -> ProgrammedBlock:
    ends = parameters.windows
    window = ends[0][level], ends[1][level]
    amplitude = parameters.read_amplitude
    found = into_windows(die, cells, window, parameters.ramps, parameters.trying, amplitude)
    final = _final_reads(die, parameters, cells)
    middle = float(np.sqrt(parameters.levels[0] * parameters.levels[-1]))
    return ProgrammedBlock(
        cells=cells,
        target_low=np.array(parameters.levels)[level] >= middle,
        conductance=final.mean(axis=1),
        verified=found.inside,
        pulses=found.pulses,
        threshold=middle,
        level=level,
        window_low=window[0],
        window_high=window[1],
        final=final,
    )


def _final_reads(
    die: MemoryDie, parameters: ProgramLevelsParameters, cells: CellIndices
) -> NDArray[np.float64]:
    """(n, final_reads) Siemens; the first at once."""
    found = []
    for number in range(parameters.final_reads):
        die.clock.wait(parameters.final_interval if number else 0.0)
        found.append(die.read(cells, parameters.read_amplitude).conductance)
    return np.stack(found, axis=1)
