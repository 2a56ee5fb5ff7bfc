"""What the store returns, where it is not a record of `crossbar` itself; all of it frozen."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from crossbar.estimate import Estimate
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.pulses import State
from crossbar.units import Joules, Ratio, Seconds, Volts

RunStatus = Literal["running", "interrupted", "failed", "done"]
""" "running" is also what a killed process leaves behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaferRow:
    """A wafer, as it was first named."""

    id: int
    name: str
    geometry: DieGeometry
    """Of each of its dies."""
    technology: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedInstrument:
    """An instrument that took part in a run."""

    role: str
    """What bench.toml calls it: "meter", "pulse_source"."""
    driver: str
    address: str
    identity: str
    """What it answered to ``*IDN?``, as read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCost:
    """What was spent on the dies of a run, the way to them included, the last lifting off not."""

    seconds: Seconds
    """On the real bench: of a simulated one, its virtual clock."""
    pulses: int
    """All cells together; those of attempts that a sequencer then left out included."""
    reads: int
    """Cells read on the computer's word; those within attempts are the hardware's."""
    energy: Joules
    """Of the pulses, V^2 t / R in the states that they met (`crossbar.pulse_energy`)."""
    typical_energy: Joules
    """The part of it that was reckoned with a typical cell."""
    messages: int
    """Sent to the instruments; boards driven by their makers' packages count none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run of a protocol."""

    id: int
    wafer_id: int
    protocol: str
    parameters: dict[str, Any]
    seed: int | None
    """Of the simulated wafer; None on real hardware."""
    versions: dict[str, Any]
    bench: str
    """The bench's configuration at the time, as text."""
    status: RunStatus
    message: str
    started_at: datetime
    finished_at: datetime | None
    """None while running, and for ever where the process was killed."""
    training_run_id: int | None
    """The training run whose weights it programs, if it programs any."""
    dies: tuple[DieAddress, ...]
    """In the order in which they are visited."""


@dataclass(frozen=True, kw_only=True)
class ArrayMap:
    """Every cell of a die, read in both states by one run."""

    run_id: int
    read_amplitude: Volts
    low: NDArray[np.float64]
    """(subarrays, rows, columns) Siemens, read after writing LOW."""
    high: NDArray[np.float64]
    """(subarrays, rows, columns) Siemens, read after writing HIGH."""
    in_compliance: NDArray[np.bool_]
    """(subarrays, rows, columns) True where either reading was clamped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A test of whether a cell behaves as its fit supposes."""

    p_value: float
    """Already multiplied by the number of looks that the test took at the cell."""
    flagged: bool
    """Whether it is below the false-alarm rate, which stands among the fit's assumptions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRow:
    """A model fitted to one cell and write direction, or to all measured cells of a die."""

    cell: int | None = None
    """Flat index; None for a fit of the die's cells together."""
    target: State | None = None
    """The state that the writes aimed at; None where there is no direction."""
    kind: str = "switching"
    """Which model."""
    parameters: Mapping[str, Estimate]
    """By name, SI: delta, vc0, tau_d."""
    log_likelihood: float = math.nan
    """Natural log, at the estimate; NaN where none was maximized."""
    converged: bool = True
    assumptions: Mapping[str, float | str] = field(default_factory=dict)
    """What the fit supposes: fits of one kind that differ in it are not comparable."""
    checks: Mapping[str, Check] = field(default_factory=dict)
    """By name: "goodness of fit", "back-hopping"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationRow:
    """The statistics of many dies' defects."""

    id: int
    parameters: dict[str, Any]
    """The fields of the DefectPopulation, as JSON gives them back: keys are text."""
    dies: tuple[DieAddress, ...]
    """The dies that it was fitted to."""
    source: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class TrainingRunRow:
    """One training, and the solution that it found."""

    id: int
    strategy: str
    """One of `db.result_tables.STRATEGIES`."""
    dataset: str
    recipe: dict[str, Any]
    seed: int
    die: DieAddress | None
    """The die that it was trained for; None for all dies."""
    software_accuracy: Ratio
    """On the test set, in software, as trained."""
    versions: dict[str, Any]
    created_at: datetime
    solution: dict[str, NDArray[Any]]
    """The trained arrays by name, in the order in which they were given."""
    calibrated_in_run: int | None
    """The run that programmed the die whose columns then had their gains and offsets fitted; None
    for a solution whose columns were not."""

    @property
    def weights(self) -> str:
        """For people: how the weights came about, and what was done with their columns."""
        return self.strategy if self.calibrated_in_run is None else f"{self.strategy}, calibrated"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRow:
    """A trained network graded on one die."""

    id: int
    training_run_id: int
    die: DieAddress | None
    """None for a die that no wafer has, such as a sampled one."""
    programming_run_id: int | None
    """The run that wrote the weights into the die, where it was graded in hardware."""
    dataset: str
    images: int
    correct: int
    where: str
    """ "hardware" or "emulated software"."""
    calibration: dict[str, Any]
    created_at: datetime

    @property
    def accuracy(self) -> Ratio:
        """Fraction of the images that were classified correctly."""
        return self.correct / self.images


@dataclass(frozen=True, kw_only=True)
class ConductanceMap:
    """A measured map of conductances that somebody else published."""

    source: str
    """Where it was imported from."""
    kernel: str
    programming: int
    """Which of several independent programmings of the same cells."""
    conductance: NDArray[np.float64]
    """(rows, columns) Siemens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPointRow:
    """What came out at one point of a sweep."""

    outcome: dict[str, Any]
    seconds: Seconds
    """How long it took, on one core."""
