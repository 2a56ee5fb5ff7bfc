"""Opening instruments, and the one place where VISA's errors become this program's.

`connect` gives a PyMeasure adapter; a driver is constructed on it. What goes wrong between the
computer and an instrument is raised as `NotConnectedError` or `NoReplyError`, which name the
instrument's role and address. No write is ever repeated here.
"""

from contextlib import suppress
from typing import Any, Protocol

import pyvisa
from pymeasure.adapters import VISAAdapter
from pyvisa.constants import StatusCode
from pyvisa.errors import InvalidSession, VisaIOError
from pyvisa.highlevel import VisaLibraryBase
from pyvisa.rname import InvalidResourceName, parse_resource_name

from crossbar.errors import InstrumentError, NoReplyError, NotConnectedError
from crossbar.units import Seconds, format_quantity

FAULTS = (VisaIOError, InvalidSession, OSError)
"""What PyVISA and its backends raise while bytes travel; pyvisa-py lets socket errors through."""

GONE = frozenset(
    {
        StatusCode.error_no_listeners,
        StatusCode.error_connection_lost,
        StatusCode.error_resource_not_found,
        StatusCode.error_invalid_object,
    }
)
"""VISA's ways of saying that nobody is there."""


class Listener(Protocol):
    """Is told of everything that travels, such as `drivers.traffic_file.Recorder`."""

    def note(
        self,
        role: str,
        event: str,
        data: str | bytes,
        *,
        count: int | None = None,
        kind: str | None = None,
    ) -> None:
        """A message, a clear or an error, before it is sent or after it came."""


class BenchAdapter(VISAAdapter):
    """A PyMeasure adapter for one role of the bench; one termination, LF unless told otherwise.

    GPIB, USB and VXI-11 mark the end of a reply themselves, so a binary block may hold any byte
    and ``read_bytes(-1)`` returns it whole. On a raw socket and a serial line a reply ends at its
    line feed, and a block must be read by its length.
    """

    def __init__(
        self,
        address: str,
        *,
        role: str,
        visa_library: str | VisaLibraryBase,
        timeout: Seconds,
        termination: str = "\n",
        baud_rate: int = 9600,
        recorder: Listener | None = None,
    ) -> None:
        """Raises whatever the VISA library raises; `connect` translates that."""
        self.role = role
        self.address = address
        self.messages = 0
        self.bytes_moved = 0
        """How many were sent so far."""
        self._recorder = recorder
        self._stream = is_stream(address)
        self._asked = ""
        self._reply_may_come_late = False
        self._lost = False
        self._settings: dict[str, Any] = {
            "timeout": timeout * 1000,
            "write_termination": termination,
            "read_termination": termination if self._stream else None,
            "encoding": "latin-1",
        }
        if address.upper().startswith("ASRL"):
            self._settings["baud_rate"] = baud_rate
        super().__init__(address, visa_library, **self._settings)

    def _write(self, command: str, **kwargs: Any) -> None:
        try:
            self._forget_late_reply()
            self._asked = command
            self._note("write", command)
            super()._write(command, **kwargs)
        except FAULTS as error:
            raise self._translated(error, "write") from error

    def _write_bytes(self, content: bytes, **kwargs: Any) -> None:
        try:
            self._forget_late_reply()
            self._asked = f"{content[:40]!r}"
            self._note("write", content)
            super()._write_bytes(content, **kwargs)
        except FAULTS as error:
            raise self._translated(error, "write") from error

    def _read(self, **kwargs: Any) -> str:
        try:
            reply = super()._read(**kwargs).removesuffix("\n").removesuffix("\r")
        except FAULTS as error:
            raise self._translated(error, "read") from error
        self._note("read", reply)
        return reply

    def _read_bytes(self, count: int, break_on_termchar: bool = False, **kwargs: Any) -> bytes:
        asked = count
        if count < 0 and not self._stream:
            # PyMeasure reads byte by byte until a time-out; END says where the reply is over.
            break_on_termchar = True
        try:
            reply = bytes(super()._read_bytes(count, break_on_termchar, **kwargs))
        except FAULTS as error:
            raise self._translated(error, "read") from error
        self._note("read_bytes", reply, count=asked)
        return reply

    def _note(self, event: str, data: str | bytes, count: int | None = None) -> None:
        """Count what is sent, and record what travels if somebody wants it recorded."""
        self.messages += event == "write"
        self.bytes_moved += len(data)
        if self._recorder is not None:
            self._recorder.note(self.role, event, data, count=count)

    def _forget_late_reply(self) -> None:
        """After a time-out, see to it that a late reply never answers the next question.

        Where the bus has a device clear, clear; where it has none, connect anew, as after a
        connection that was lost: outputs must still be switched off.
        """
        if not (self._reply_may_come_late or self._lost):
            return
        self._note("clear", "")
        if self._stream or self._lost:
            self._connect_anew()
        else:
            self.connection.clear()
        self._reply_may_come_late = self._lost = False

    def _connect_anew(self) -> None:
        if not self._lost:
            self._settings["timeout"] = self.connection.timeout  # a driver may have changed it
        with suppress(*FAULTS):
            self.connection.close()
        try:
            self.connection.open()
        except FAULTS:
            raise
        except Exception as error:  # pyvisa-py raises bare Exceptions
            raise OSError(str(error)) from error
        for name, value in self._settings.items():
            setattr(self.connection, name, value)

    def _translated(self, error: Exception, doing: str) -> InstrumentError:
        """`_explained`, and recorded as what came of writing or reading."""
        explained = self._explained(error)
        if self._recorder is not None:
            self._recorder.note(
                self.role, f"{doing}_error", str(explained), kind=type(explained).__name__
            )
        return explained

    def _explained(self, error: Exception) -> InstrumentError:
        """This program's error for one of `FAULTS`, naming role, address, reason and remedy."""
        code = error.error_code if isinstance(error, VisaIOError) else None
        if code in GONE or not isinstance(error, VisaIOError):
            self._lost = True
            return not_connected(self.role, self.address, error)
        self._reply_may_come_late = True
        if code == StatusCode.error_timeout:
            patience = format_quantity(self.connection.timeout / 1000, "s")
            what = f"did not reply within {patience}"
            remedy = " If it is only slow, raise its timeout in bench.toml."
        else:
            what, remedy = f"was cut off ({error})", ""
        return NoReplyError(
            f"{self.role} at {self.address} {what} after it was sent {self._asked!r}. What was "
            f"asked may or may not have happened, and is not repeated.{remedy}"
        )


def connect(
    address: str,
    *,
    role: str = "instrument",
    visa_library: str | VisaLibraryBase = "",
    timeout: Seconds = 5.0,
    termination: str = "\n",
    baud_rate: int = 9600,
    recorder: Listener | None = None,
) -> BenchAdapter:
    """Open the instrument at a VISA address.

    ``visa_library`` is an instance (a simulated bench's), "@py", a path, or "" for the system's.
    ``baud_rate`` is that of a serial line. ``recorder`` gets every message, clear and error.
    Raises NotConnectedError for a missing VISA library and for an address where nothing answers.
    Some interfaces (GPIB, pyvisa-py's sockets) find out only when first written to: ask for the
    instrument's identity next.
    """
    if recorder is None:
        return _opened(address, role, visa_library, timeout, termination, baud_rate, None)
    recorder.note(role, "open", address)
    try:
        return _opened(address, role, visa_library, timeout, termination, baud_rate, recorder)
    except NotConnectedError as error:
        recorder.note(role, "open_error", str(error), kind=type(error).__name__)
        raise


def _opened(
    address: str,
    role: str,
    visa_library: str | VisaLibraryBase,
    timeout: Seconds,
    termination: str,
    baud_rate: int,
    recorder: Listener | None,
) -> BenchAdapter:
    try:
        return BenchAdapter(
            address,
            role=role,
            visa_library=visa_library,
            timeout=timeout,
            termination=termination,
            baud_rate=baud_rate,
            recorder=recorder,
        )
    except FAULTS as error:
        if isinstance(error, pyvisa.errors.LibraryError):
            raise no_library(role, visa_library, error) from error
        raise not_connected(role, address, error) from error
    except ValueError as error:  # PyVISA's for a bad address, and for a missing backend
        if not is_resource_name(address):
            reason = "that is not a VISA address such as GPIB0::26::INSTR"
            raise not_connected(role, address, reason) from error
        raise no_library(role, visa_library, error) from error
    except Exception as error:  # pyvisa-py raises bare Exceptions for hosts that do not resolve
        raise not_connected(role, address, error) from error


def not_connected(role: str, address: str, reason: object) -> NotConnectedError:
    """The error for an instrument that is not there."""
    return NotConnectedError(
        f"{role} at {address} does not answer: is it on, and is its address right in bench.toml? "
        f"({reason})"
    )


def no_library(
    role: str, visa_library: str | VisaLibraryBase, error: Exception
) -> NotConnectedError:
    """The error for a computer that lacks what VISA needs."""
    asked = f"VISA library {visa_library!r}" if visa_library else "system's VISA library"
    return NotConnectedError(
        f"{role} cannot be reached: the {asked} cannot be loaded ({error}). Install a vendor's "
        'VISA, or set visa_library = "@py" in bench.toml for LAN instruments.'
    )


def is_resource_name(address: str) -> bool:
    """Whether PyVISA can read the address."""
    try:
        parse_resource_name(address)
    except InvalidResourceName:
        return False
    return True


def is_stream(address: str) -> bool:
    """Whether only a line feed ends a message there: raw sockets and serial lines."""
    return address.upper().endswith("::SOCKET") or address.upper().startswith("ASRL")
