"""What each Keithley 2600B model can source and measure (reference manual, range tables).

The 10 A ranges are left out: they need a trigger limit above what a cell of memory ever gets.
"""

import math
from dataclasses import dataclass, replace

from crossbar.errors import LimitError
from crossbar.units import Amperes, Seconds, Volts, format_quantity

DECADES = tuple(10.0**k for k in range(-10, 1))
"""100 pA to 1 A."""
SHORTEST_PULSE: Seconds = 100e-6
"""Not confirmed: from memory of the data sheet. Settling makes it longer for small currents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingArea:
    """Voltage and current that an output carries at the same time, and for how long."""

    max_voltage: Volts
    max_current: Amperes
    max_width: Seconds = math.inf
    max_duty: float = 1.0
    """Pulse width by period."""

    @property
    def lasts(self) -> bool:
        """Whether it is for steady levels too."""
        return self.max_duty == 1.0

    def holds(self, voltage: Volts, current: Amperes) -> bool:
        """Whether it covers this voltage together with this current limit."""
        return abs(voltage) <= self.max_voltage and current <= self.max_current

    def allows(self, width: Seconds, period: Seconds) -> bool:
        """Whether it allows pulses of this width, this far apart."""
        return width <= self.max_width and width <= self.max_duty * period

    def __str__(self) -> str:
        corner = f"{self.max_current:g} A at {self.max_voltage:g} V"
        if self.lasts:
            return f"{corner} without an end"
        width = format_quantity(self.max_width, "s")
        return f"{corner} for {width} and {100 * self.max_duty:g} % of the time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """What a model can do."""

    voltage_ranges: tuple[Volts, ...]
    current_ranges: tuple[Amperes, ...]
    """For sourcing."""
    measured_current_ranges: tuple[Amperes, ...]
    smallest_current_limit: Amperes
    areas: tuple[OperatingArea, ...]
    channels: int = 2
    digital_lines: int = 14

    @property
    def max_voltage(self) -> Volts:
        """The largest range."""
        return self.voltage_ranges[-1]

    @property
    def max_current(self) -> Amperes:
        """The largest range that is not for pulses only."""
        return self.current_ranges[-1]

    def check_pulses(
        self, voltage: Volts, current: Amperes, width: Seconds, period: Seconds
    ) -> None:
        """Raise LimitError unless an operating area allows such pulses.

        Beyond one, the instrument ends pulses early and delays the next, and does not say so.
        """
        reachable = [area for area in self.areas if area.holds(voltage, current)]
        if not any(area.allows(width, period) for area in reachable):
            raise self._beyond(
                f"Pulses of {format_quantity(width, 's')} every {format_quantity(period, 's')} at "
                "a level",
                voltage,
                current,
                "Shorten the pulses, send fewer per second, or lower level or current limit.",
            )

    def check_steady(self, voltage: Volts, current: Amperes) -> None:
        """Raise LimitError unless the level may stay with this current limit."""
        if not any(area.lasts and area.holds(voltage, current) for area in self.areas):
            raise self._beyond("A level", voltage, current, "Lower the level or the current limit.")

    def _beyond(self, what: str, voltage: Volts, current: Amperes, remedy: str) -> LimitError:
        reachable = [str(area) for area in self.areas if area.holds(voltage, current)]
        return LimitError(
            f"{what} of {format_quantity(voltage, 'V')} with a current limit of "
            f"{format_quantity(current, 'A')} refused: there the model allows "
            f"{'; '.join(reachable) or 'nothing'} (operating areas of the manual). {remedy}"
        )


def _area(
    current: Amperes, voltage: Volts, width: Seconds = math.inf, duty: float = 1.0
) -> OperatingArea:
    return OperatingArea(max_voltage=voltage, max_current=current, max_width=width, max_duty=duty)


SERIES_260 = Ratings(
    voltage_ranges=(0.1, 1.0, 6.0, 40.0),
    current_ranges=(*DECADES[3:], 3.0),
    measured_current_ranges=(*DECADES[3:], 3.0),
    smallest_current_limit=10e-9,
    areas=(
        _area(1.0, 40.0), _area(3.0, 6.0), _area(1.5, 40.0, 100e-3, 0.25),
        _area(5.0, 35.0, 4e-3, 0.04), _area(10.0, 20.0, 1.8e-3, 0.01),
        _area(5.0, 6.0, 10e-3, 0.1),
    ),
)  # fmt: skip
SERIES_261 = Ratings(
    voltage_ranges=(0.2, 2.0, 20.0, 200.0),
    current_ranges=(*DECADES[3:], 1.5),
    measured_current_ranges=(*DECADES[3:], 1.5),
    smallest_current_limit=10e-9,
    areas=(
        _area(0.1, 200.0), _area(1.5, 20.0), _area(1.0, 180.0, 8.5e-3, 0.01),
        _area(1.0, 200.0, 2.2e-3, 0.01), _area(10.0, 5.0, 1e-3, 0.022),
    ),
)  # fmt: skip
SERIES_263 = replace(
    SERIES_261,
    current_ranges=(*DECADES[1:], 1.5),
    measured_current_ranges=(*DECADES, 1.5),
    smallest_current_limit=100e-12,
)

MODELS = {
    "2601B": replace(SERIES_260, channels=1),
    "2602B": SERIES_260,
    "2604B": replace(SERIES_260, digital_lines=0),
    "2611B": replace(SERIES_261, channels=1),
    "2612B": SERIES_261,
    "2614B": replace(SERIES_261, digital_lines=0),
    "2634B": replace(
        SERIES_263, measured_current_ranges=SERIES_263.current_ranges, digital_lines=0
    ),
    "2635B": replace(SERIES_263, channels=1),
    "2636B": SERIES_263,
}
"""By what ``*IDN?`` calls them."""
ANY_MODEL = Ratings(
    voltage_ranges=(0.2, 1.0, 6.0, 20.0, 40.0),
    current_ranges=(*DECADES[3:], 1.5),
    measured_current_ranges=(*DECADES[3:], 1.5),
    smallest_current_limit=10e-9,
    areas=(_area(0.1, 40.0), _area(1.5, 6.0)),
    channels=1,
    digital_lines=0,
)
"""What all of them can do; holds until ``*IDN?`` has told the model."""
