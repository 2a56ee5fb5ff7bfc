"""Strict validators for the property tables: out of an instrument's range raises, nothing clips."""

from collections.abc import Callable, Sequence

from crossbar.errors import LimitError
from crossbar.units import format_quantity


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
