"""FormFactor Velox wafer prober: SCI commands over GPIB, or over LAN by its Message Server.

A raw socket (port 1412) is the Message Server: the program registers under a name, every command
has a number, and the reply repeats it. Every other address takes the plain commands of GPIB.
Source: FormFactor's own Velox Python library of 2025. Nothing here was tried on a real prober.
"""

import re
from typing import Any

from crossbar.errors import NoReplyError, ReplyError
from drivers.sci_prober import ChuckHeights, MapPosition, SciProber

__all__ = ["ChuckHeights", "FormFactorVelox", "MapPosition"]

APPLICATION = "crossbar-lab"
"""The name to register under; it must not contain a space."""
LAST_NUMBER = 999
"""Commands are numbered from 1 to this, then from 1 again."""
REGISTRATION = f"FCN=1:RegisterProberApp:{APPLICATION} {APPLICATION} 0"
NUMBERED = re.compile(r"\s*Rsp=(\d+):(-?\d+):?(.*)", re.DOTALL)
STRANGERS = 100
"""Lines that are no reply to the last command, such as notifications, before giving up. Ours."""


class FormFactorVelox(SciProber):
    """A Velox prober whose wafer map is loaded and whose contact height is taught."""

    identity_words = ("Velox", "ProberBench")

    def __init__(
        self,
        adapter: Any,
        name: str = "FormFactor Velox",
        *,
        message_server: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """``message_server`` says how to speak; None: as the address says (raw socket: True)."""
        if message_server is None:
            message_server = str(getattr(adapter, "address", "")).upper().endswith("::SOCKET")
        self._message_server = message_server
        self._registered = False
        self._number = 0
        super().__init__(adapter, name, **kwargs)

    @property
    def identity(self) -> str:
        """The answer to ``*IDN?``; by the Message Server the software version. Asked once."""
        if not self._message_server:
            return super().identity
        if not self._identity:
            self._identity = f"FormFactor Velox, software version {self.software_version}"
        return self._identity

    def write(self, command: str, **kwargs: Any) -> None:
        """Send one command in the link's framing."""
        if not self._message_server:
            super().write(command, **kwargs)
            return
        if not self._registered:
            self._register()
        self._number = self._number % LAST_NUMBER + 1
        name, _, parameters = command.partition(" ")
        super().write(f"Cmd={self._number}:{name}:{parameters}", **kwargs)
        self._command = command

    def _read_line(self) -> str:
        """The reply to the last command as ``code: values``, whatever else comes before it."""
        if not self._message_server:
            return super()._read_line()
        try:
            for _ in range(STRANGERS):
                line = super()._read_line()
                reply = NUMBERED.fullmatch(line)
                if reply is not None and int(reply[1]) == self._number:
                    return f"{reply[2]}: {reply[3].replace(chr(34), '')}"
        except NoReplyError:
            self._registered = False  # the link is made anew before the next command
            raise
        raise ReplyError(
            f"{self.name} sent {STRANGERS} lines, the last {line!r}, none of which answers "
            f"{self._command!r}. Is something else at that address?"
        )

    def _register(self) -> None:
        """Tell the Message Server who speaks, and take its answer."""
        super().write(REGISTRATION)
        answer = super()._read_line()
        if "=" not in answer:
            raise ReplyError(
                f"{self.name} answered {answer!r} to its registration at the Message Server. Is "
                "something else at that address? Velox listens at port 1412."
            )
        self._registered = True
