"""The [limits] of bench.toml: per technology for the cells, per instrument for the bench."""

from pydantic import BaseModel, ConfigDict, Field, model_validator

from crossbar.limits import ChuckLimits, Limits
from crossbar.units import Amperes, Joules, Metres, Ohms, Seconds, Volts, format_quantity


class LimitsPart(BaseModel):
    """A table of the file: immutable, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CellLimitsTable(LimitsPart):
    """What the cells of one technology may be given."""

    max_amplitude: Volts = Field(gt=0)
    min_width: Seconds = Field(gt=0)
    max_width: Seconds = Field(gt=0)
    max_read_amplitude: Volts = Field(gt=0)
    max_current: Amperes = Field(gt=0)
    max_energy: Joules = Field(gt=0)
    max_pulses_per_cell: int = Field(gt=0, le=10**15)
    max_set_current: Amperes | None = Field(default=None, gt=0)
    """What the access transistors let through in FORMING and SET."""

    @model_validator(mode="after")
    def _some_width_is_allowed(self) -> "CellLimitsTable":
        if self.min_width > self.max_width:
            raise ValueError(
                f"min_width, {format_quantity(self.min_width, 's')}, is above max_width, "
                f"{format_quantity(self.max_width, 's')}: no pulse is between them"
            )
        return self


class GeneratorLimitsTable(LimitsPart):
    """What leaves a pulse generator's connector, whatever the cells would bear."""

    max_amplitude: Volts | None = Field(default=None, gt=0)
    """Open-circuit volts."""


class SmuLimitsTable(LimitsPart):
    """What leaves an SMU."""

    max_current: Amperes | None = Field(default=None, gt=0)


class ProberLimitsTable(LimitsPart):
    """How far the chuck may move."""

    max_contact_height: Metres = Field(default=15e-3, gt=0)
    max_overtravel: Metres = Field(default=100e-6, ge=0)
    max_travel: Metres = Field(default=0.2, gt=0)


class LimitsTable(LimitsPart):
    """All limits; nothing beyond them leaves the computer."""

    mtj: CellLimitsTable | None = None
    hfox: CellLimitsTable | None = None
    pulse_generator: GeneratorLimitsTable = GeneratorLimitsTable()
    smu: SmuLimitsTable = SmuLimitsTable()
    prober: ProberLimitsTable = ProberLimitsTable()

    @model_validator(mode="after")
    def _filaments_are_limited(self) -> "LimitsTable":
        if self.hfox is not None and self.hfox.max_set_current is None:
            raise ValueError(
                "[limits.hfox] needs max_set_current: without it a SET leaves cells so low that "
                'no RESET reaches them; "100 uA" makes about 7 kOhm'
            )
        return self

    def cell_limits(self, technology: str, source: str, cell_resistance: Ohms) -> Limits:
        """What a cell may be given; the SMU's own limit counts where it is the lower one."""
        table: CellLimitsTable = getattr(self, technology)
        values = table.model_dump(exclude={"max_pulses_per_cell"})
        if self.smu.max_current is not None:
            values["max_current"] = min(table.max_current, self.smu.max_current)
        return Limits(
            **values, source=f"{source} [limits.{technology}]", cell_resistance=cell_resistance
        )

    def pulse_budget(self, technology: str) -> int:
        """How many pulses a cell may receive in its life."""
        return int(getattr(self, technology).max_pulses_per_cell)

    def generator_amplitude(self, for_cells: Volts) -> Volts:
        """What a generator is told to keep within: enough for the cells, unless set lower."""
        own = self.pulse_generator.max_amplitude
        return for_cells if own is None else min(own, for_cells)

    def chuck_limits(self, source: str) -> ChuckLimits:
        """For the prober's driver."""
        return ChuckLimits(**self.prober.model_dump(), source=f"{source} [limits.prober]")
