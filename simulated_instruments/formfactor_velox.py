"""A FormFactor Velox prober: SCI commands as on GPIB, and in the frames of the Message Server.

A message that begins with ``FCN=`` or ``Cmd=`` is the Message Server's and answered as such, so one
port serves clients of both links (Velox has one link each).
"""

import re
from typing import ClassVar

from simulated_instruments.sci_prober import EmulatedSciProber

IDENTITY = "Cascade Microtech,Velox,0,3.4"
NUMBERED = re.compile(r"Cmd=(\d{1,3}):([^:]*):?(.*)", re.DOTALL)
FUNCTION = re.compile(r"FCN=(\d{1,3}):([^:]*):?(.*)", re.DOTALL)
TEXTS = ("EchoData", "GetDieLabel", "ReportSoftwareVersion")
"""Commands whose value is a text, which the Message Server quotes, as it does errors (ours)."""
NOT_REGISTERED = 514
BAD_FRAME = 515
"""Ours, as the form of the answer to FCN: the vendor's library reads that and drops it."""


class EmulatedFormFactorVelox(EmulatedSciProber):
    """A Velox station."""

    IDENTITY: ClassVar[str] = IDENTITY
    registered = False
    """Whether a program has told the Message Server its name."""

    def handle(self, message: bytes) -> None:
        """Answer one message in the framing that it came in."""
        text = message.decode("latin-1").strip()
        if text.startswith("FCN="):
            self._function(text)
        elif text.startswith("Cmd="):
            self._numbered(text)
        else:
            super().handle(message)

    def _function(self, text: str) -> None:
        frame = FUNCTION.fullmatch(text)
        number, name, words = ("0", "", "") if frame is None else frame.groups()
        if name == "RegisterProberApp" and len(words.split()) == 3:
            self.registered = True
            self.reply(f"FCN={number}:0:")
        elif name == "GetCommands":
            known = (f"SCI {command} {n} 60000" for n, command in enumerate(self._commands, 1))
            self.reply(f"FCN={number}:0:{';'.join(known)}")
        else:
            self.reply(f"FCN={number}:{BAD_FRAME}:Not understood")

    def _numbered(self, text: str) -> None:
        frame = NUMBERED.fullmatch(text)
        if frame is None:
            self.reply(f"Rsp=0:{BAD_FRAME}:Not understood")
            return
        if not self.registered:
            self.reply(f"Rsp={frame[1]}:{NOT_REGISTERED}:Register first")
            return
        code, values = self.answer(f"{frame[2]} {frame[3]}")
        if code or frame[2] in TEXTS:
            values = f'"{values}"'
        self.reply(f"Rsp={frame[1]}:{code}:{values}")
