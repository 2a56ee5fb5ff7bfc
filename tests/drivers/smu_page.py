"""What `test_scpi_smus` has to know of an SMU: its page of the manual."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.drivers.pages import Message


@dataclass(frozen=True, kw_only=True)
class Page:
    """Bytes and ranges of one driver."""

    driver: type
    name: str
    """In the catalog."""
    address: str
    channel: Callable[[Any], Any]
    """What the emulator has at its output."""
    preparation: Callable[..., list[Message]]
    """``prepare(1e-3)`` until what was set is read back; its arguments are what is read."""
    on: tuple[Message, ...]
    """The rest, if that was it."""
    did_not_take: tuple[tuple[str, ...], ...]
    """What else may be read back."""
    measuring: str
    """``measure(0.1)``."""
    readings: tuple[tuple[str, tuple[float, bool]], ...]
    """Replies to that, and what they say at a limit of 1 mA."""
    distrusted: tuple[tuple[str, tuple[Message, ...], type[Exception], str], ...]
    """Replies to that, what is sent next, the error, and words of it."""
    strict: tuple[tuple[str, float], ...]
    """Properties, and what they refuse."""
    nine_digits: tuple[str, float, str]
    """A property, a value, and what is sent."""
    stranger: tuple[str, str]
    """Another instrument's identity, and words of the error."""
