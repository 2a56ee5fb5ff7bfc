"""Settings that pulse generators have alike, as PyMeasure properties: each by its header and range.

Numbers go out with nine digits; beyond its range a setting is refused with a LimitError that names
the instrument.
"""

from typing import Any

from pymeasure.instruments import Instrument
from pymeasure.instruments.validators import strict_discrete_set

from crossbar.units import Seconds, Volts
from drivers.hardware_range import hardware_range

Range = tuple[float, float]


def polarity_setting(header: str) -> Any:
    """The property ``polarity``."""
    return Instrument.control(
        f"{header}?",
        f"{header} %s",
        """Control the polarity (str, strictly "NORM": idle at the low level, or "INV").""",
        validator=strict_discrete_set,
        values=("NORM", "INV"),
        cast=str,
    )


def amplitude_setting(header: str, instrument: str, values: tuple[Volts, Volts]) -> Any:
    """The property ``amplitude``."""
    about = "the high level minus the low level"
    return _number(header, about, "amplitude", "V", instrument, values)


def offset_setting(header: str, instrument: str, largest: Volts) -> Any:
    """The property ``offset``, of either sign."""
    about = "the mean of the high and the low level"
    return _number(header, about, "offset", "V", instrument, (-largest, largest))


def level_limits(header: str, instrument: str, largest: Volts) -> tuple[Any, Any]:
    """The properties ``limit_high`` and ``limit_low``, each of either sign."""
    values = (-largest, largest)
    high = "the highest level that the generator accepts"
    low = "the lowest level that the generator accepts"
    return (
        _number(f"{header}:HIGH", high, "upper limit", "V", instrument, values),
        _number(f"{header}:LOW", low, "lower limit", "V", instrument, values),
    )


def width_setting(header: str, instrument: str, values: tuple[Seconds, Seconds]) -> Any:
    """The property ``width``."""
    return _number(
        header, "the pulse width at half amplitude", "pulse width", "s", instrument, values
    )


def edge_settings(header: str, instrument: str, values: tuple[Seconds, Seconds]) -> tuple[Any, Any]:
    """The properties ``leading_edge`` and ``trailing_edge``; that one's header ends in ``:TRA``."""
    leading, trailing = "the leading edge, 10 % to 90 %", "the trailing edge, 90 % to 10 %"
    return (
        _number(header, leading, "leading edge", "s", instrument, values),
        _number(f"{header}:TRA", trailing, "trailing edge", "s", instrument, values),
    )


def _number(
    header: str, about: str, quantity: str, unit: str, instrument: str, values: Range
) -> Any:
    spelled = {"V": "volts", "s": "seconds"}[unit]
    least, most = values
    return Instrument.control(
        f"{header}?",
        f"{header} %.9g",
        f"""Control {about}, in {spelled} (strictly {least:g} to {most:g}).""",
        validator=hardware_range(quantity, unit, instrument),
        values=values,
    )
