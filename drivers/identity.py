"""Who answers: the reply to ``*IDN?``, whose second field is the model (IEEE 488.2)."""

from functools import cached_property
from typing import Any

from crossbar.errors import WrongInstrumentError


def identity_asked_once() -> cached_property[str]:
    """The property ``identity`` of a driver: the reply to ``*IDN?``, kept once there is one."""
    return cached_property(_asked)


def _asked(instrument: Any) -> str:
    """Get the reply to ``*IDN?``; asked once."""
    return str(instrument.ask("*IDN?")).strip()


def model_field(identity: str) -> str:
    """The model, or "" if the identity has no such field."""
    fields = identity.split(",")
    return fields[1].strip() if len(fields) > 1 else ""


def wrong_instrument(
    identity: str, expected: str, remedy: str = "Correct the address."
) -> WrongInstrumentError:
    """What to raise where this identity answers instead of ``expected``."""
    return WrongInstrumentError(f"{identity!r} answers where a {expected} is expected. {remedy}")
