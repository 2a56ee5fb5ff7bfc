"""An in-process VISA library whose instruments are emulators, for every client of PyVISA.

`pyvisa.ResourceManager(library)`, PyMeasure's `VISAAdapter(address, visa_library=library)` and
QCoDeS take the instance itself. It builds on pyvisa-sim for sessions and attributes, and differs
where pyvisa-sim is not like hardware: replies move in blocks, a message on GPIB, USB or VXI-11 ends
with the write (END), one on a raw socket only with a line feed, and what would time out does.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyvisa import rname
from pyvisa.constants import (
    VI_TMO_INFINITE,
    InterfaceType,
    ResourceAttribute,
    StatusCode,
    TriggerProtocol,
)
from pyvisa.errors import VisaIOError
from pyvisa.util import LibraryPath
from pyvisa_sim.highlevel import SimVisaLibrary

from crossbar.errors import ConfigurationError
from crossbar.units import Seconds
from simulated_instruments.clock import VirtualClock
from simulated_instruments.emulated_instrument import EmulatedInstrument

BUS_LATENCY: Seconds = 0.3e-3
"""A message and its reply on GPIB or LAN take 0.3 ms and more. Ours, by custom."""


@dataclass(slots=True, kw_only=True)
class Link:
    """An open session with one instrument."""

    instrument: EmulatedInstrument
    attributes: dict[Any, Any]
    """The session's VISA attributes, as the client last set them."""
    stream: bool
    """True where nothing but a termination character marks the end of a message: a raw socket, a
    serial line."""
    busy: Seconds = 0.0
    """How long the instrument has worked, in virtual time, since its last reply was read."""

    @property
    def timeout(self) -> Seconds:
        """The client's patience; infinite where it said so."""
        timeout_ms = self.attributes.get(ResourceAttribute.timeout_value, 2000)
        return float("inf") if timeout_ms == VI_TMO_INFINITE else timeout_ms / 1000

    def take(self, count: int) -> tuple[bytes, StatusCode] | None:
        """Up to ``count`` bytes and why reading stopped; None if the rest never comes."""
        replies = self.instrument.replies
        pending = b"".join(replies) if self.stream else (replies[0] if replies else b"")
        ended = 0
        if self.attributes.get(ResourceAttribute.termchar_enabled):
            character = self.attributes.get(ResourceAttribute.termchar, ord("\n"))
            ended = pending.find(character, 0, count) + 1
        length = ended or min(len(pending), count)
        if pending and not self.stream and length == len(pending):
            replies.popleft()  # the reply's last byte carries END
            return pending, StatusCode.success
        if ended:
            status = StatusCode.success_termination_character_read
        elif length == count:
            status = StatusCode.success_max_count_read
        else:
            replies.clear()  # a timed-out read on a stream has consumed what had come
            return None
        self._put_back(pending[length:])
        return pending[:length], status

    def _put_back(self, rest: bytes) -> None:
        """Leave what was not read at the head of the queue."""
        replies = self.instrument.replies
        if self.stream:
            replies.clear()
        else:
            replies.popleft()
        if rest:
            replies.appendleft(rest)


class EmulatorVisaLibrary(SimVisaLibrary):
    """Emulators by resource name, as a VISA library. Instances share nothing but the emulators.

    A reply that took longer, in virtual time, than the session's timeout times out once and can be
    read afterwards, as at the bench. A read with nothing to come fails at once and advances the
    clock by the timeout (by nothing if the timeout is infinite: hardware would hang).
    """

    # QCoDeS re-initialises every library whose class is named SimVisaLibrary when an instrument is
    # closed, and that would forget the emulators: keep another name.

    _numbers = itertools.count(1)
    sessions: dict[int, Any]
    devices: dict[str, EmulatedInstrument]

    def __new__(cls, *args: object, **kwargs: object) -> "EmulatorVisaLibrary":
        # PyVISA keeps one library per path; a path of its own keeps every instance apart.
        path = LibraryPath(f"emulators-{next(cls._numbers)}", "simulated bench")
        library = super().__new__(cls, path)
        assert isinstance(library, cls)
        return library

    def __init__(
        self,
        instruments: Mapping[str, EmulatedInstrument],
        *,
        clock: VirtualClock | None = None,
        latency: Seconds = BUS_LATENCY,
    ) -> None:
        """Raises ConfigurationError for a name that is not a VISA resource name."""
        self.clock = clock or VirtualClock()
        self.latency = latency
        self.devices = {canonical(name): emulator for name, emulator in instruments.items()}

    def _init(self) -> None:
        self.sessions = {}
        self.devices = {}
        self._links: dict[int, Link] = {}
        self._handles = itertools.count(1)

    def _register(self, obj: Any) -> Any:
        """Handles count up: pyvisa-sim draws them from the global random generator."""
        handle = next(self._handles)
        self.sessions[handle] = obj
        return handle

    def open(self, session: Any, resource_name: str, *args: Any, **kwargs: Any) -> Any:
        """Raises VisaIOError VI_ERROR_RSRC_NFOUND where no emulator has that address."""
        handle, status = super().open(session, resource_name, *args, **kwargs)
        if status < 0:
            raise VisaIOError(status)
        opened = self.sessions[handle]
        # pyvisa-sim sets this to the board number on GPIB.
        opened.attrs[ResourceAttribute.termchar] = ord("\n")
        self._links[handle] = Link(
            instrument=self.devices[str(opened.attrs[ResourceAttribute.resource_name])],
            attributes=opened.attrs,
            stream=is_stream(opened.parsed),
        )
        return handle, status

    def close(self, session: Any) -> StatusCode:
        """Close a session; a closed socket loses what was not read from it."""
        link = self._links.pop(session, None)
        if link is not None and link.stream:
            with link.instrument.lock:
                link.instrument.clear()
        return super().close(session)

    def list_resources(self, session: Any, query: str = "?*::INSTR") -> tuple[str, ...]:
        """Addresses of the emulators that match a VISA query."""
        return tuple(rname.filter(self.devices, query))

    def write(self, session: Any, data: bytes) -> tuple[int, StatusCode]:
        """Hand bytes to the emulator, which acts on every complete message at once."""
        link = self._link(session)
        end = not link.stream and link.attributes.get(ResourceAttribute.send_end_enabled, True)
        with link.instrument.lock:
            self.clock.advance(self.latency)
            started = self.clock.now
            if not link.stream and not link.instrument.within_message:
                link.instrument.new_message()
            link.instrument.receive(data, end=end)
            link.busy += self.clock.now - started
        return len(data), StatusCode.success

    def read(self, session: Any, count: int) -> tuple[bytes, StatusCode]:
        """Up to ``count`` bytes. Raises VisaIOError VI_ERROR_TMO where they do not come in time."""
        link = self._link(session)
        with link.instrument.lock:
            timeout = link.timeout
            if link.busy > timeout:  # it was still at work; the clock has counted that time
                link.busy -= timeout
                raise VisaIOError(StatusCode.error_timeout)
            link.busy = 0.0
            taken = link.take(count)
            if taken is None:
                if not link.stream:
                    link.instrument.read_in_vain()
                self.clock.advance(timeout if timeout < float("inf") else 0.0)
                raise VisaIOError(StatusCode.error_timeout)
            return taken

    def clear(self, session: Any) -> StatusCode:
        """Device clear."""
        link = self._link(session)
        with link.instrument.lock:
            link.busy = 0.0
            link.instrument.clear()
        return StatusCode.success

    def read_stb(self, session: Any) -> tuple[int, StatusCode]:
        """Serial poll."""
        link = self._link(session)
        with link.instrument.lock:
            return link.instrument.status_byte(), StatusCode.success

    def assert_trigger(self, session: Any, protocol: TriggerProtocol) -> StatusCode:
        """Group execute trigger."""
        link = self._link(session)
        with link.instrument.lock:
            started = self.clock.now
            link.instrument.trigger()
            link.busy += self.clock.now - started
        return StatusCode.success

    def _link(self, session: Any) -> Link:
        try:
            return self._links[session]
        except KeyError:
            raise VisaIOError(StatusCode.error_invalid_object) from None


def canonical(name: str) -> str:
    """A resource name in full: "gpib::26" is "GPIB0::26::INSTR"."""
    try:
        return str(rname.ResourceName.from_string(name))
    except rname.InvalidResourceName:
        raise ConfigurationError(
            f"{name!r} is not a VISA address; write one such as GPIB0::26::INSTR or "
            "TCPIP::192.168.0.5::5025::SOCKET."
        ) from None


def is_stream(name: rname.ResourceName) -> bool:
    """Whether the bus has no END line of its own."""
    return name.resource_class == "SOCKET" or name.interface_type_const == InterfaceType.asrl
