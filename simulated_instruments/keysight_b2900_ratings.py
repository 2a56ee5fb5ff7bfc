"""What the B2900 models can source and measure.

Voltage limits, and the current limits that go with them, after the tables of source output ranges
(B2961-90030, page 2-36: the sister instrument, same figures as the data sheet of the B2900A);
ranges after the user's guide of the B2900 (B2910-90010, edition 5, page 2-14) and the data sheet.
Not confirmed: the smallest current limits, and that the B models differ in nothing of this. Left
out: the duty cycle, and what both channels together may deliver.
"""

from dataclasses import dataclass

from crossbar.errors import ConfigurationError
from crossbar.units import Amperes, Seconds, Volts

LARGEST = {"VOLT": 210.0, "CURR": 10.5}
"""Levels; direct current ends sooner."""
LARGEST_DIRECT_CURRENT: Amperes = 3.03
VOLTAGE_RANGES = (0.2, 2.0, 20.0, 200.0)
CURRENT_RANGES = (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 1.5, 3.0, 10.0)
SOURCE_HEADROOM = 1.05
WIDE_HEADROOM, NARROW_HEADROOM = 1.06, 1.02
"""What a range measures beyond its name; the lesser on the ranges of 1.5 A and 3 A."""
AT_ALL_TIMES = ((6.0, 3.03), (21.0, 1.515), (210.0, 0.105))
"""Volts, and the amperes up to there."""
IN_PULSES = ((6.0, 10.5, 1e-3), (180.0, 1.05, 1e-2), (200.0, 1.515, 2.5e-3))
"""Volts, amperes, and the longest pulse."""
ROUNDING = 1 + 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """One model."""

    channels: int
    current_ranges: tuple[Amperes, ...]
    smallest_current_limit: Amperes
    shortest_interval: Seconds
    """Between two triggers."""


def _ratings(channels: int, *, sensitive: bool) -> Ratings:
    return Ratings(
        channels=channels,
        current_ranges=(1e-8, *CURRENT_RANGES) if sensitive else CURRENT_RANGES,
        smallest_current_limit=1e-9 if sensitive else 1e-8,
        shortest_interval=1e-5 if sensitive else 2e-5,
    )


RATINGS = {
    "B2901B": _ratings(1, sensitive=False),
    "B2902B": _ratings(2, sensitive=False),
    "B2911B": _ratings(1, sensitive=True),
    "B2912B": _ratings(2, sensitive=True),
}


def ratings_of(model: str) -> Ratings:
    """Ratings of a model. Raises ConfigurationError for one that is not emulated."""
    try:
        return RATINGS[model]
    except KeyError:
        raise ConfigurationError(
            f"There is no emulation of a Keysight {model}; choose one of {', '.join(RATINGS)}."
        ) from None


def within_reach(volts: Volts, amperes: Amperes, pulse: Seconds | None) -> bool:
    """Whether so many amperes can be had at that voltage; ``pulse`` is a width, None is DC."""
    volts, amperes = abs(volts) / ROUNDING, abs(amperes) / ROUNDING
    if any(volts <= most and amperes <= limit for most, limit in AT_ALL_TIMES):
        return True
    return pulse is not None and any(
        volts <= most and amperes <= limit and pulse <= longest * ROUNDING
        for most, limit, longest in IN_PULSES
    )


def range_for(ranges: tuple[float, ...], value: float) -> float:
    """The most sensitive range that holds a value; the largest for what none holds."""
    fits = (each for each in ranges if abs(value) <= each * SOURCE_HEADROOM * ROUNDING)
    return next(fits, ranges[-1])


def headroom(measured_range: float) -> float:
    """The largest reading on a range, as a fraction of its name."""
    return NARROW_HEADROOM if measured_range in (1.5, 3.0) else WIDE_HEADROOM
