"""The current limit of a source of volts, whatever its make: as set, in force, and in a reading."""

import math

from crossbar.errors import InstrumentError, ReplyError
from crossbar.units import Amperes, format_quantity

OVERFLOW = 9.9e37
"""SCPI's infinity, and TSP's: at or above this, a reading lies beyond its range, or is missing
(9.91e37)."""
READ_BACK_TOLERANCE = 1e-5
"""Of a setting: replies have seven digits."""


def check_read_back(found: Amperes, asked: Amperes, instrument: str) -> None:
    """Raise InstrumentError if the limit that reads back is not the one that was set."""
    if not math.isclose(found, asked, rel_tol=READ_BACK_TOLERANCE):
        raise InstrumentError(
            f"The {instrument} was told to limit the current to {format_quantity(asked, 'A')} "
            f"but reads back {format_quantity(found, 'A')}. Its output stays off; check its "
            "firmware."
        )


def in_force(limit: Amperes | None, instrument: str) -> Amperes:
    """The limit that was prepared. Raises InstrumentError for None: the output is off."""
    if limit is None:
        raise InstrumentError(f"The output of the {instrument} is off: prepare it before reading.")
    return limit


def went_off(instrument: str, causes: str) -> InstrumentError:
    """What to raise where a reply says that a prepared output is off."""
    return InstrumentError(
        f"The output of the {instrument} went off by itself: {causes}. Look at its display, then "
        "prepare it again."
    )


def limited(
    current: Amperes, clamped: bool, *, limit: Amperes, sign: float, instrument: str
) -> Amperes:
    """A reading; where it lies beyond its range, the limit that clamped it, with this sign.

    Raises ReplyError for a reading beyond its range that was not clamped.
    """
    if abs(current) < OVERFLOW:
        return current
    if clamped:
        return math.copysign(limit, sign)
    raise ReplyError(
        f"The {instrument} reports an overflow ({current:g}) without being in compliance. Was its "
        "range changed by hand? Prepare it again."
    )
