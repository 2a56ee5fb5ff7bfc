"""What the 2600B models can source and measure (reference manual, range tables)."""

from dataclasses import dataclass, replace

from crossbar.errors import ConfigurationError
from crossbar.units import Amperes, Seconds, Volts

DECADES = (1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmuRatings:
    """One family of SourceMeters."""

    voltage_ranges: tuple[Volts, ...]
    current_ranges: tuple[Amperes, ...]
    smallest_current_limit: Amperes
    default_current_limit: Amperes
    smallest_voltage_limit: Volts
    default_voltage_limit: Volts
    default_measure_delay: Seconds
    """-1 is DELAY_AUTO."""
    extra_measure_ranges: tuple[Amperes, ...] = ()
    """Current ranges below those that can be sourced."""

    @property
    def measured_current_ranges(self) -> tuple[Amperes, ...]:
        return self.extra_measure_ranges + self.current_ranges

    @property
    def max_voltage(self) -> Volts:
        return self.voltage_ranges[-1]

    @property
    def max_current(self) -> Amperes:
        return self.current_ranges[-1]


SERIES_260 = SmuRatings(
    voltage_ranges=(0.1, 1.0, 6.0, 40.0),
    current_ranges=(*DECADES[2:], 3.0),
    smallest_current_limit=10e-9,
    default_current_limit=1.0,
    smallest_voltage_limit=10e-3,
    default_voltage_limit=40.0,
    default_measure_delay=0.0,
)
SERIES_261 = SmuRatings(
    voltage_ranges=(0.2, 2.0, 20.0, 200.0),
    current_ranges=(*DECADES[2:], 1.5),
    smallest_current_limit=10e-9,
    default_current_limit=0.1,
    smallest_voltage_limit=20e-3,
    default_voltage_limit=20.0,
    default_measure_delay=0.0,
)
SERIES_263 = SmuRatings(
    voltage_ranges=(0.2, 2.0, 20.0, 200.0),
    current_ranges=(*DECADES, 1.5),
    smallest_current_limit=100e-12,
    default_current_limit=0.1,
    smallest_voltage_limit=20e-3,
    default_voltage_limit=20.0,
    default_measure_delay=-1.0,
)

SERIES_263_SENSITIVE = replace(SERIES_263, extra_measure_ranges=(100e-12,))

RATINGS = {
    "2601B": SERIES_260, "2602B": SERIES_260, "2604B": SERIES_260,
    "2611B": SERIES_261, "2612B": SERIES_261, "2614B": SERIES_261,
    "2634B": SERIES_263, "2635B": SERIES_263_SENSITIVE, "2636B": SERIES_263_SENSITIVE,
}  # fmt: skip
SINGLE_CHANNEL = {"2601B", "2611B", "2635B"}
WITHOUT_DIGITAL_IO = {"2604B", "2614B", "2634B"}


def ratings_of(model: str) -> SmuRatings:
    """Ratings of a model. Raises ConfigurationError for a model that is not emulated."""
    try:
        return RATINGS[model]
    except KeyError:
        raise ConfigurationError(
            f"There is no emulation of a Keithley {model}; choose one of {', '.join(RATINGS)}."
        ) from None
