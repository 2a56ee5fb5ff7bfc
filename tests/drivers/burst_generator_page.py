"""What `test_burst_generators` has to know of a generator: its page of the manual."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.drivers.pages import Message


@dataclass(frozen=True, kw_only=True)
class Page:
    """Bytes and ranges of one driver."""

    driver: type
    name: str
    """In the catalog."""
    address: str
    no_error: str
    off: Message
    positive: tuple[Message, ...]
    """Settings of a pulse of 0.9 V and 30 ns."""
    negative: tuple[Message, ...]
    """Settings of a pulse of -0.8 V and 100 ns."""
    asked: str
    """What is asked after the settings."""
    answers: Callable[[float], str]
    """To that, by the width, without the error queue."""
    unseen: tuple[Message, ...] = ()
    """What follows a good answer, before the relay closes."""
    closing: Callable[..., Message]
    """(polarity, amplitude, offset, armed=False, events=0): the message that closes the relay."""
    opening: Message
    """The one that opens it after the pulse."""
    restarted: tuple[str, str]
    """Answers after a restart, without the error queue, and words of the error."""
    adjusted: tuple[str, str]
    """Answers after the generator took another width, and words of the error."""
    beyond: tuple[tuple[float, float, str], ...]
    """Amplitudes and widths that it cannot send, and words of the refusal."""
    strict: tuple[tuple[str, float], ...]
    """Properties, and what they refuse."""
    nine_digits: tuple[str, float, str]
    """A property, a value, and what is sent."""
    stranger: tuple[str, str]
    """Another instrument's identity, and words of the error."""
    sends: str
    """How a limit that it cannot keep is refused."""
    idle: Mapping[str, object]
    """Properties after `off`."""

    def accepted(self, width: float) -> tuple[Message, ...]:
        """What follows the settings if all is well."""
        return (self.answered(self.answers(width)), *self.unseen)

    def answered(self, answers: str, entry: str | None = None) -> Message:
        """The question after the settings, with these answers and this entry of the queue."""
        return self.asked, f"{answers};{self.no_error if entry is None else entry}"
