"""How KXCI writes commands: ``DV1,0,0.5,1E-3``, ``CH1,'V1','I1',1,1``, ``:PMU:OUTPUT:STATE 1, 0``.

Two letters or a header with colons, then arguments between commas; several commands in a message
are joined by semicolons. The texts of KXCI's errors are not public but for "KXCI command error.
(-992)" and "No error. (0)", which public programs for it expect; the details here are ours.
"""

import math
import re
from collections.abc import Callable, Sequence

COMMAND = re.compile(r"\s*(:[A-Za-z:]*\??|\*[A-Za-z]+\??|[A-Za-z]{2})\s*(.*?)\s*", re.DOTALL)
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
QUOTED = re.compile(r"'([A-Za-z][A-Za-z0-9]{0,5})'")
CODE = -992
PAGES = ("US", "DE", "SS", "SM", "MD")
"""User mode, and the four pages of system mode; what follows one is a command."""
TOLERANCE = 1e-9

Arguments = Sequence[str]
Handler = Callable[[Arguments], str | None]
"""Obeys a command; what it returns is the reply, None is ``ACK``. Raises `KxciError`."""


class KxciError(Exception):
    """What KXCI does not obey."""

    def __init__(self, detail: str = "KXCI command error") -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.detail}. ({CODE})"


NO_ERROR = "No error. (0)"


def commands(message: bytes) -> list[tuple[str, list[str]]]:
    """Names, in capitals, and arguments of a message's commands. Raises KxciError."""
    found: list[tuple[str, list[str]]] = []
    for unit in message.decode("latin-1").split(";"):
        rest = unit.strip()
        while rest:
            match = COMMAND.fullmatch(rest)
            if match is None:
                raise KxciError
            name, rest = match[1].upper(), match[2]
            if name in PAGES:
                found.append((name, []))
                continue
            found.append((name, [text.strip() for text in rest.split(",")] if rest else []))
            break
    return found


def real(text: str, lowest: float, highest: float) -> float:
    """A number within limits. Raises KxciError."""
    if NUMBER.fullmatch(text) is None:
        raise KxciError(f"{text[:20]!r} is no number")
    value = float(text)
    slack = TOLERANCE * max(abs(lowest), abs(highest)) if math.isfinite(lowest + highest) else 0.0
    if not (lowest - slack <= value <= highest + slack) or math.isinf(value):
        raise KxciError(f"{value:g} is not {lowest:g} to {highest:g}")
    return value


def whole(text: str, lowest: int, highest: int) -> int:
    """A whole number within limits. Raises KxciError."""
    value = real(text, lowest, highest)
    if value != int(value):
        raise KxciError(f"{text[:20]!r} is no whole number")
    return int(value)


def name(text: str) -> str:
    """The name of a variable, in capitals: a letter and up to five letters or digits, in quotes."""
    match = QUOTED.fullmatch(text)
    if match is None:
        raise KxciError(f"{text[:20]!r} is no name in quotes")
    return match[1].upper()


def counted(arguments: Arguments, least: int, most: int | None = None) -> Arguments:
    """The arguments, if there are as many as there should be. Raises KxciError."""
    if not least <= len(arguments) <= (least if most is None else most):
        raise KxciError(f"{len(arguments)} arguments")
    return arguments
