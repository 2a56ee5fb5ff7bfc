"""bench.toml: what is on the bench, checked before anything is opened.

Quantities are written as people write them ("30 ns", "1.2 V"). Unknown keys are refused, all
mistakes are reported at once, and each message names the file, the place, the value and the remedy.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from crossbar.errors import ConfigurationError
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.limits import Limits
from crossbar.units import Ohms, Ratio, Seconds
from drivers.catalog import DRIVERS, ROLES
from drivers.die_access.routed import GeneratorWiring
from drivers.die_frame import DieFrame
from drivers.matrix_wiring import MatrixWiring
from lab.limits_table import LimitsTable
from physics.hfox import HfOxPopulation
from physics.mtj import MtjPopulation
from physics.product_front_end import ProductFrontEnd

BUILT_IN = {"mtj": "default_bench.toml", "hfox": "hfox_bench.toml"}
"""Files beside this one: the built-in simulated bench of each technology."""


WRITTEN_HERE = "# Written by a command of crossbar-lab, which may write over it.\n"
"""How a file begins that no person wrote."""


class Table(BaseModel):
    """A table of the file: immutable, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ProberFrameTable(Table):
    """How the prober numbers the dies, seen from SEMI E142 (`drivers.die_frame.DieFrame`)."""

    origin_column: int = 0
    origin_row: int = 0
    x_sign: Literal[-1, 1] = 1
    y_sign: Literal[-1, 1] = 1

    @property
    def die_frame(self) -> DieFrame:
        """For the prober's driver."""
        return DieFrame(**self.model_dump())


class WaferTable(Table):
    """The wafer map, and how its dies are divided."""

    name: str = Field(min_length=1, max_length=100)
    technology: Literal["mtj", "hfox"] = "mtj"
    columns: int = Field(gt=0, le=200)
    rows: int = Field(gt=0, le=200)
    dies: tuple[tuple[int, int], ...] | None = None
    """Only these (x, y); by default the full rectangle."""
    subarrays: int = Field(default=4, gt=0)
    word_lines: int = Field(default=100, gt=0)
    bit_lines: int = Field(default=50, gt=0)
    prober_frame: ProberFrameTable = ProberFrameTable()

    @property
    def geometry(self) -> DieGeometry:
        """How each die is divided."""
        return DieGeometry(subarrays=self.subarrays, rows=self.word_lines, columns=self.bit_lines)

    @property
    def addresses(self) -> list[DieAddress]:
        """The dies in the order they are visited: row by row, turning at each end."""
        if self.dies is not None:
            return [DieAddress(x, y) for x, y in self.dies]
        return [
            DieAddress(x, y)
            for y in range(self.rows)
            for x in (range(self.columns) if y % 2 == 0 else reversed(range(self.columns)))
        ]


class InstrumentTable(Table):
    """One box: which driver speaks to it, and where it answers."""

    driver: str
    address: str = Field(min_length=1)
    options: dict[str, bool | int | float | str] = {}
    """Which channels, slots or outputs are wired: keyword arguments of the driver."""

    @field_validator("driver")
    @classmethod
    def _known_driver(cls, value: str) -> str:
        if value not in DRIVERS:
            raise ValueError(f"there is no such driver; {meant(value, DRIVERS)}")
        return value


class MatrixTable(Table):
    """What is wired to the switch matrix (`drivers.matrix_wiring.MatrixWiring`)."""

    meter: str = Field(default="A", pattern="^[A-H]$")
    pulse_source: str = Field(default="B", pattern="^[A-H]$")
    ground: str = Field(default="C", pattern="^[A-H]$")
    first_slot: int = Field(default=1, ge=1, le=6)
    slots: int = Field(default=6, ge=1, le=6)

    @model_validator(mode="after")
    def _rows_differ(self) -> "MatrixTable":
        if len({self.meter, self.pulse_source, self.ground}) < 3:
            raise ValueError("meter, pulse_source and ground need a row each: two on one are short")
        if self.first_slot + self.slots > 7:
            raise ValueError("the matrix has slots 1 to 6: lower first_slot or slots")
        return self

    @property
    def matrix_wiring(self) -> MatrixWiring:
        """For the selector, and for the emulator of the matrix."""
        return MatrixWiring(**self.model_dump())


class WiringTable(Table):
    """Between the instruments and a cell."""

    source_impedance: Ohms = Field(default=50.0, ge=0)
    path_resistance: Ohms = Field(default=10.0, ge=0)
    cell_resistance: Ohms = Field(default=6e3, gt=0)
    trigger_line: int = Field(default=1, ge=1, le=14)
    matrix: MatrixTable = MatrixTable()

    @property
    def generator_wiring(self) -> GeneratorWiring:
        """For the conversion of volts at the cell to volts at the generator."""
        return GeneratorWiring(
            source_impedance=self.source_impedance,
            path_resistance=self.path_resistance,
            cell_resistance=self.cell_resistance,
        )


class SimulationTable(Table):
    """Present on a simulated bench only."""

    seed: int = Field(default=1, ge=0)
    real_time: bool = False
    bus_latency: Seconds = Field(default=0.3e-3, ge=0)
    kernels: str | None = None
    """Name of imported conductance maps whose defects the dies carry (`lab twin`)."""
    twin: str | None = None
    """Name of a twin in the database: every die is a measured one, fits and all (`lab twin`)."""
    kernel: str | None = None
    """Only this one of the kernels, as the whole die and turned as the published bench drives it:
    its columns are the rows of the simulated die."""
    front_end: ProductFrontEnd = ProductFrontEnd()
    """Gain, offset and noise of a die board's dot products, as measured on a real one."""
    defect_scale: Ratio = Field(default=1.0, ge=0)
    """Factor on all defect rates; 0 makes perfect dies."""
    line_resistance: Ohms = Field(default=0.0, ge=0)
    """Of word and bit lines, for each segment between neighbouring cells (`physics.wired_die`)."""
    selectors: bool = True
    """Whether a transistor at each cell keeps out the others while one is read; without
    ``line_resistance`` it makes no difference, as boards ground the other lines."""
    mtj: MtjPopulation = MtjPopulation()
    """What the cells of an MTJ wafer are, temperature, laws and anomalies among it."""
    hfox: HfOxPopulation = HfOxPopulation()
    """What the cells of an HfOx wafer are."""


class AnalysisTable(Table):
    """What the analysis of this wafer's measurements supposes."""

    barrier_exponent: Ratio = Field(default=2.0, ge=1, le=2)
    """Of the switching fits (`physics.mtj_laws.MtjLaws`); stored with them."""
    false_alarm_rate: Ratio = Field(default=0.01, gt=0, lt=1)
    """Of all checks of one sound cell and direction together (`analysis.anomalies`)."""


class BenchConfiguration(Table):
    """The whole file."""

    wafer: WaferTable
    instruments: dict[str, InstrumentTable]
    wiring: WiringTable = WiringTable()
    limits: LimitsTable
    simulation: SimulationTable | None = None
    analysis: AnalysisTable = AnalysisTable()
    visa_library: str = ""
    """PyVISA backend of a real bench: "" for the vendor's, "@py" for pyvisa-py."""
    timeout: Seconds = Field(default=10.0, gt=0)
    protocols: dict[str, dict[str, Any]] = {}
    """Parameters by protocol, which `lab run` starts from."""

    @field_validator("instruments")
    @classmethod
    def _known_roles(cls, value: dict[str, InstrumentTable]) -> dict[str, InstrumentTable]:
        unknown = sorted(set(value) - set(ROLES))
        if unknown:
            raise ValueError(f"no such role: {', '.join(unknown)}; roles are {', '.join(ROLES)}")
        if "prober" not in value:
            raise ValueError("a prober is needed to reach the dies")
        if "die_board" not in value and "pulse_measure_unit" not in value:
            missing = [role for role in ("smu", "pulse_generator") if role not in value]
            if missing:
                raise ValueError(
                    "nothing reads and writes the cells: give a die_board, a pulse_measure_unit, "
                    f"or smu and pulse_generator (missing: {', '.join(missing)})"
                )
        return value

    @model_validator(mode="after")
    def _cells_can_be_reached(self) -> "BenchConfiguration":
        reached = {"die_board", "switch_matrix"} & set(self.instruments)
        cells = self.wafer.geometry.cells
        if not reached and cells > 1:
            raise ValueError(
                f"a die has {cells} cells and nothing chooses among them: give a die_board or a "
                "switch_matrix, or describe dies of one cell, subarrays = word_lines = "
                "bit_lines = 1"
            )
        return self

    @model_validator(mode="after")
    def _cells_have_limits(self) -> "BenchConfiguration":
        technology = self.wafer.technology
        if getattr(self.limits, technology) is None:
            raise ValueError(
                f"the wafer's technology is {technology} and there is no table "
                f"[limits.{technology}]: say there what its cells may be given"
            )
        return self

    def limits_from(self, source: str) -> Limits:
        """The limits, carrying where they come from."""
        return self.limits.cell_limits(self.wafer.technology, source, self.wiring.cell_resistance)


def read_configuration(path: Path | None) -> tuple[BenchConfiguration, str]:
    """The bench described by a file, or a built-in simulated bench: of MTJs for None, of the
    technology for one's name. And the name of the file.

    Raises ConfigurationError with every mistake in the file.
    """
    technology = "mtj" if path is None else str(path)
    if technology in BUILT_IN:
        name, text = "the built-in simulated bench", built_in_text(technology)
    else:
        file = Path(technology)
        name = file.name
        try:
            text = file.read_text(encoding="utf-8-sig")  # some editors begin a file with a mark
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"{file} cannot be read ({error}). `lab init` writes a bench file to start from."
            ) from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{name} is not valid TOML: {error}.") from None
    try:
        return BenchConfiguration.model_validate(document), name
    except ValidationError as error:
        raise ConfigurationError(explain(error, name, BenchConfiguration)) from None


def check_writable(path: Path) -> None:
    """Raise ConfigurationError where no bench file can be written, and where one of a real bench
    would be lost: only what describes a simulated bench, or was written here, is written over.
    """
    try:
        text = path.read_text(encoding="utf-8-sig") if path.exists() else "[simulation]"
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be written: {error}.") from None
    if not (text.startswith(WRITTEN_HERE) or re.search(r"^\[simulation", text, re.MULTILINE)):
        raise ConfigurationError(
            f"{path} exists and is left as it is: it may be of a real bench. Name another file, or "
            "move that one away."
        )
    if not path.absolute().parent.is_dir():
        raise ConfigurationError(f"{path} cannot be written: there is no folder {path.parent}.")


def write_configuration(configuration: BenchConfiguration, path: Path) -> None:
    """Write a bench file. Raises ConfigurationError if the place is not writable."""
    check_writable(path)
    document = configuration.model_dump(mode="json", exclude_none=True)
    try:
        path.write_text(WRITTEN_HERE + tomli_w.dumps(document), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error}.") from None


def built_in_text(technology: str = "mtj") -> str:
    """The text of a built-in bench file, for `lab init`."""
    return files("lab").joinpath(BUILT_IN[technology]).read_text()


MISTAKES = {
    "tuple_type": 'write a list, such as ["0.5 V", "0.6 V"] or [1, 10]',
    "string_too_short": "it must not be empty",
}
"""What pydantic says in words of its own."""


def explain(error: ValidationError, source: str, model: type[BaseModel] | None = None) -> str:
    """All mistakes of a pydantic report as one message, a line each."""
    lines = []
    for mistake in error.errors():
        place = [str(part) for part in mistake["loc"]]
        where = f"[{'.'.join(place[:-1])}] {place[-1]}" if len(place) > 1 else " ".join(place)
        at = f"{source} {where}".rstrip()  # a mistake of the whole file has no place
        if mistake["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
            known = _keys_beside(model, place[:-1])
            lines.append(f"{at}: {unknown_key(place[-1], known)}")
        else:
            message = MISTAKES.get(mistake["type"], mistake["msg"].removeprefix("Value error, "))
            whole = mistake["type"] == "missing" or isinstance(mistake["input"], dict)
            given = (
                "" if whole or repr(mistake["input"]) in message else f" (got {mistake['input']!r})"
            )
            lines.append(f"{at}: {message}{given}")
    return "\n".join(lines)


def unknown_key(name: str, known: list[str]) -> str:
    """What to say about a key that does not exist: the one probably meant, or all there are."""
    return f"unknown key; {meant(name, known, 'known keys')}"


def meant(name: str, known: Iterable[str], what: str = "there are") -> str:
    """The known name that was probably meant, as a question, or all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {close[0]}?" if close else f"{what}: {', '.join(names)}."


def _keys_beside(model: type[BaseModel] | None, path: list[str]) -> list[str]:
    """The keys that exist in the table where an unknown one was found."""
    current: Any = model
    for part in path:
        field = getattr(current, "model_fields", {}).get(part)
        if field is None:  # a dictionary's key, such as the role of an instrument
            continue
        options = [field.annotation, *getattr(field.annotation, "__args__", ())]
        current = next((o for o in options if _fields(o)), current)
    return sorted(_fields(current))


def _fields(table: Any) -> Mapping[str, Any]:
    """Of a model, or of a dataclass that stands for a table."""
    return getattr(table, "model_fields", getattr(table, "__dataclass_fields__", {}))
