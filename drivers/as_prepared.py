"""What to raise where a pulse generator is not, or no longer, as it was prepared."""

from crossbar.errors import InstrumentError


def not_as_prepared(instrument: str, sign: str) -> InstrumentError:
    """For a sign that it has restarted."""
    return _told(f"The {instrument} is not as it was prepared ({sign})")


def did_not_hold(instrument: str, what: str, *, expected: str, actual: str) -> InstrumentError:
    """For a setting that reads back as another one."""
    return _told(f"The {instrument} was to have {what} {expected}, but reads back {actual}")


def _told(found: str) -> InstrumentError:
    return InstrumentError(
        f"{found}: was it switched off and on, or set by hand? The pulse was not sent. Open the "
        "bench anew, which prepares it."
    )
