"""Faults at the seam between bytes and emulators: what goes wrong, where, and at which message.

A scenario is a TOML or JSON file::

    seed = 1

    [[faults]]
    kind = "lost_reply"      # one of `KINDS`
    role = "smu"             # or address = "GPIB0::26::INSTR"; neither means any instrument
    message = 37             # counts the messages sent to it (to all of them), from 1

A fault happens once: at that message, or at the first one after it where it can (a reply is lost
where there is one, a chuck refuses where it is to move).
"""

import json
import random
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pyvisa.constants import StatusCode
from pyvisa.errors import VisaIOError

from crossbar.errors import ConfigurationError, DataError
from simulated_instruments.bench import SimulatedBench
from simulated_instruments.emulated_instrument import EmulatedInstrument
from simulated_instruments.scpi_grammar import ScpiError
from simulated_instruments.visa_library import EmulatorVisaLibrary, Link, canonical

Kind = Literal[
    "lost_reply",
    "late_reply",
    "garbled_block",
    "dropped_connection",
    "error_entry",
    "restart",
    "needle_lifts",
    "chuck_refuses",
]
KINDS: tuple[str, ...] = Kind.__args__  # type: ignore[attr-defined]
ERROR = -310
"""IEEE 488.2's device-specific "system error"."""
ERROR_TEXT = "injected fault"
LATENESS = 1.5
"""A late reply takes so many time-outs."""
GARBAGE = 0xFF
SCI_MOVES = (b"MoveChuckContact", b"MoveChuckSeparation", b"StepNextDie", b"StepFirstDie")
SCI_REFUSAL = "571: injected fault: the chuck refuses to move"
REFUSALS: dict[str, tuple[tuple[bytes, ...], str]] = {
    "EmulatedFormFactorVelox": (SCI_MOVES, SCI_REFUSAL),
    "EmulatedSussProberBench": (SCI_MOVES, SCI_REFUSAL),
    "EmulatedMpiSentio": (
        (b"move_chuck_contact", b"move_chuck_separation", b"map:step_"),
        "571,0,injected fault: the chuck refuses to move",
    ),
}
"""By class of emulator: how the messages that move a chuck begin, and an error in its words."""


class Fault(BaseModel):
    """One thing that goes wrong."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    role: str | None = None
    address: str | None = None
    message: int = Field(ge=1)
    lasting: bool = False
    """A dropped connection that cannot be opened again."""


class Scenario(BaseModel):
    """All that goes wrong in a run, and the seed of what is left to chance."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 0
    faults: tuple[Fault, ...]


def read_scenario(path: Path) -> Scenario:
    """Raises DataError for a file that is missing or not TOML or JSON, ConfigurationError for one
    whose faults are none.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise DataError(f"The faults in {path} cannot be read: {error}.") from None
    try:
        return Scenario.model_validate(document)
    except ValidationError as error:
        mistakes = "; ".join(
            f"{'.'.join(map(str, mistake['loc']))}: {mistake['msg']}" for mistake in error.errors()
        )
        raise ConfigurationError(f"{path}: {mistakes}. Kinds are {', '.join(KINDS)}.") from None


def inject(
    bench: SimulatedBench, scenario: Scenario, addresses: Mapping[str, str]
) -> "FaultyVisaLibrary":
    """From now on the bench's VISA library has these faults. ``addresses`` are by role.

    Raises ConfigurationError for a fault at a role or address that the bench does not have.
    """
    places = {role: canonical(address) for role, address in addresses.items()}
    for fault in scenario.faults:
        known = (fault.role is None or fault.role in places) and (
            fault.address is None or canonical(fault.address) in places.values()
        )
        if not known:
            raise ConfigurationError(
                f"A fault is to happen at {fault.role or fault.address}, which the bench does not "
                f"have; it has {', '.join(f'{r} at {a}' for r, a in places.items())}."
            )
    library = FaultyVisaLibrary(bench.emulators, clock=bench.station.clock, latency=bench.latency)
    library.disturb(bench, scenario, places)
    bench.visa_library = library
    return library


class FaultyVisaLibrary(EmulatorVisaLibrary):
    """The emulators' VISA library, with things going wrong in it."""

    def _init(self) -> None:
        super()._init()
        self._waiting: list[Fault] = []
        self._cut: set[int] = set()
        self._unreachable: set[str] = set()
        self.sent: dict[str, int] = {}
        """Messages so far, by address."""
        self.happened: list[tuple[Fault, str, bytes]] = []
        """(fault, role, message at which it happened), in the order in which they did."""

    def disturb(self, bench: SimulatedBench, scenario: Scenario, places: Mapping[str, str]) -> None:
        """Let these faults happen; ``places`` are the roles' addresses in full."""
        self._bench = bench
        self._chance = random.Random(scenario.seed)
        self._waiting = list(scenario.faults)
        self._roles = {address: role for role, address in places.items()}
        self._originals = {canonical(address): address for address in bench.emulators}

    @property
    def messages(self) -> int:
        """Messages to all instruments so far."""
        return sum(self.sent.values())

    def open(self, session: Any, resource_name: str, *args: Any, **kwargs: Any) -> Any:
        """Raises VisaIOError VI_ERROR_CONN_LOST for an address that was lost for good."""
        if canonical(resource_name) in self._unreachable:
            raise VisaIOError(StatusCode.error_connection_lost)
        return super().open(session, resource_name, *args, **kwargs)

    def write(self, session: Any, data: bytes) -> tuple[int, StatusCode]:
        """Hand bytes over, with what goes wrong on the way."""
        link = self._link(session)
        address = self._address(link)
        self.sent[address] = self.sent.get(address, 0) + 1
        for fault in self._due(address):
            if self._before(fault, session, link, data):
                self._done(fault, address, data)
        if session in self._cut:
            raise VisaIOError(StatusCode.error_connection_lost)
        if self._refused(address, link, data):
            return len(data), StatusCode.success
        before = len(link.instrument.replies)
        written = super().write(session, data)
        for fault in self._due(address):
            if self._after(fault, link, before):
                self._done(fault, address, data)
        return written

    def read(self, session: Any, count: int) -> tuple[bytes, StatusCode]:
        """Raises VisaIOError VI_ERROR_CONN_LOST on a connection that was cut."""
        if session in self._cut:
            raise VisaIOError(StatusCode.error_connection_lost)
        return super().read(session, count)

    def clear(self, session: Any) -> StatusCode:
        """Raises VisaIOError VI_ERROR_CONN_LOST on a connection that was cut."""
        if session in self._cut:
            raise VisaIOError(StatusCode.error_connection_lost)
        return super().clear(session)

    def _refused(self, address: str, link: Link, data: bytes) -> bool:
        """Whether a chuck refuses this message; then it never comes to the emulator."""
        beginnings, refusal = REFUSALS.get(type(link.instrument).__name__, ((), ""))
        if not data.startswith(beginnings):
            return False
        for fault in self._due(address):
            if fault.kind == "chuck_refuses":
                link.instrument.reply(refusal)
                self._done(fault, address, data)
                return True
        return False

    def _address(self, link: Link) -> str:
        return next(a for a, device in self.devices.items() if device is link.instrument)

    def _due(self, address: str) -> Sequence[Fault]:
        """Faults whose message has come, that may happen at this address."""
        return [
            fault
            for fault in self._waiting
            if (fault.role is None or fault.role == self._roles.get(address))
            and (fault.address is None or canonical(fault.address) == address)
            and self._counted(fault, address) >= fault.message
        ]

    def _counted(self, fault: Fault, address: str) -> int:
        everywhere = fault.role is None and fault.address is None
        return self.messages if everywhere else self.sent[address]

    def _done(self, fault: Fault, address: str, data: bytes) -> None:
        self._waiting.remove(fault)
        self.happened.append((fault, self._roles.get(address, address), data))

    def _before(self, fault: Fault, session: Any, link: Link, data: bytes) -> bool:
        """Make a fault of those that come with the message; False if it cannot happen here."""
        if fault.kind == "needle_lifts":
            self._bench.station.in_contact = False
            return True
        if fault.kind == "restart":
            self._bench.restart(self._originals[self._address(link)])
            return True
        if fault.kind == "error_entry":
            return report(link.instrument)
        if fault.kind == "dropped_connection":
            if self._chance.random() < 0.5:  # what was sent may or may not have arrived
                super().write(session, data)
            self._cut.add(session)
            if fault.lasting:
                self._unreachable.add(self._address(link))
            return True
        return False

    def _after(self, fault: Fault, link: Link, before: int) -> bool:
        """Make a fault of those that befall a reply; False if there is none."""
        replies = link.instrument.replies
        if len(replies) <= before:
            return False
        if fault.kind == "lost_reply":
            while len(replies) > before:
                replies.pop()
        elif fault.kind == "late_reply":
            lateness = LATENESS * link.timeout
            self.clock.advance(lateness)
            link.busy += lateness
        elif fault.kind == "garbled_block":
            replies[-1] = garbled(replies[-1], link.instrument.REPLY_TERMINATOR)
        else:
            return False
        return True


def report(instrument: EmulatedInstrument) -> bool:
    """Put an entry into an instrument's error queue; False if it has none."""
    if hasattr(instrument, "report"):  # SCPI
        instrument.report(ScpiError(ERROR, ERROR_TEXT))
        return True
    queue: Any = getattr(instrument, "errors", None)
    if hasattr(queue, "report"):  # TSP
        queue.report(ERROR, ERROR_TEXT)
        return True
    return False


def garbled(reply: bytes, terminator: bytes) -> bytes:
    """What a bad line makes of a reply, so that its form shows it: a block comes too short, the
    middle of a text becomes bytes that no text has. (Nothing in the protocols would show a bit that
    flips within a block's data.)
    """
    content = reply.removesuffix(terminator)
    if content.startswith(b"#"):
        return content[: len(content) // 2] + terminator
    third = len(content) // 3
    rest = content[len(content) - third :] if third else b""
    middle = bytes([GARBAGE]) * (len(content) - 2 * third)
    return content[:third] + middle + rest + terminator
