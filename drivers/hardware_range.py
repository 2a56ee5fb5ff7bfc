"""Strict limits checked before a byte is sent: out of range raises, nothing clips."""

from collections.abc import Callable, Sequence

from crossbar.errors import LimitError
from crossbar.units import Volts, format_quantity


def hardware_range(
    quantity: str, unit: str, instrument: str
) -> Callable[[float, Sequence[float]], float]:
    """A PyMeasure validator that raises LimitError outside (minimum, maximum), NaN included.

    PyMeasure's own ``strict_range`` raises ValueError without saying what was out of range.
    """

    def validate(value: float, values: Sequence[float]) -> float:
        minimum, maximum = values
        if not minimum <= value <= maximum:
            raise LimitError(
                f"A {quantity} of {format_quantity(value, unit)} was asked for, but the "
                f"{instrument} takes {format_quantity(minimum, unit)} to "
                f"{format_quantity(maximum, unit)}. Nothing was sent; ask for a value in between."
            )
        return value

    return validate


def check_prepared_voltage(voltage: Volts, max_voltage: Volts, instrument: str) -> None:
    """Raise LimitError beyond ±``max_voltage``, for which a source was prepared; NaN included.

    Sources of volts limit their current by themselves, but few can be told a limit for their own
    voltage; this one is the computer's.
    """
    if not abs(voltage) <= max_voltage:
        raise LimitError(
            f"A voltage of {format_quantity(voltage, 'V')} was asked for, but the {instrument} was "
            f"prepared for ±{format_quantity(max_voltage, 'V')}, the [limits] of the bench or its "
            "own rating. Nothing was sent; ask for less, or prepare it for more."
        )
