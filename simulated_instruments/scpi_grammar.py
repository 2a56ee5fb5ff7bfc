"""The grammar of SCPI messages: headers, units of a compound message, parameters, errors.

After SCPI-99 volume 1 (syntax and style) and IEEE 488.2, as far as the emulators need them.
"""

import re
from collections.abc import Callable

Parameter = Callable[[bytes], object]
"""Turns the bytes of one parameter into its value, or raises ScpiError."""

ERROR_TEXTS = {
    0: "No error",
    -101: "Invalid character",
    -104: "Data type error",
    -108: "Parameter not allowed",
    -109: "Missing parameter",
    -112: "Program mnemonic too long",
    -113: "Undefined header",
    -114: "Header suffix out of range",
    -121: "Invalid character in number",
    -131: "Invalid suffix",
    -161: "Invalid block data",
    -200: "Execution error",
    -211: "Trigger ignored",
    -213: "Init ignored",
    -221: "Settings conflict",
    -222: "Data out of range",
    -223: "Too much data",
    -224: "Illegal parameter value",
    -230: "Data corrupt or stale",
    -310: "System error",
    -350: "Queue overflow",
    -363: "Input buffer overrun",
    -365: "Time out error",
    -410: "Query INTERRUPTED",
    -420: "Query UNTERMINATED",
    -430: "Query DEADLOCKED",
}
MULTIPLIERS = {
    "P": 1e-12, "N": 1e-9, "U": 1e-6, "M": 1e-3, "": 1.0, "K": 1e3, "MA": 1e6, "G": 1e9,
}  # fmt: skip
MEGA_UNITS = ("HZ", "OHM")
"""Units before which a bare M means mega, as SCPI-99 volume 1, 7.1.1.1 has it."""
NUMBER = re.compile(rb"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-z]*)\s*")
MNEMONIC = re.compile(r"([A-Z]+)([a-z]*)|\{(\d+)-(\d+)\}|(.)")
TOKEN = re.compile(rb"[;,]|\"[^\"]*\"|'[^']*'|#[1-9]")


class ScpiError(Exception):
    """What a handler raises for its instrument to put into the error queue."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        """Device-dependent text, which follows the standard text after a semicolon."""

    def __str__(self) -> str:
        text = ERROR_TEXTS[self.code] + (f";{self.detail}" if self.detail else "")
        return f'{self.code:+d},"{text}"'


def header_pattern(declaration: str) -> tuple[re.Pattern[bytes], list[range]]:
    """Regular expression for a header such as ``VOLTage{1-2}[:LEVel]:HIGH?``, any case.

    Capitals are the short form, ``[...]`` is optional, ``{1-2}`` a numeric suffix that may be left
    out (then it is the lowest). Returns the allowed range of every suffix too.
    """
    pieces, suffixes = [], []
    for short, rest, low, high, other in MNEMONIC.findall(declaration):
        if short:
            pieces.append(f"{short}(?:{rest.upper()})?" if rest else short)
        elif low:
            pieces.append(r"(\d{1,4})?")
            suffixes.append(range(int(low), int(high) + 1))
        else:
            pieces.append({"[": "(?:", "]": ")?"}.get(other, re.escape(other)))
    return re.compile("".join(pieces).encode()), suffixes


def split(text: bytes, separator: bytes) -> list[bytes]:
    """Split at a separator that lies neither within quotes nor within a definite-length block."""
    if b"#" not in text and b'"' not in text and b"'" not in text:
        return text.split(separator)
    parts, start, position = [], 0, 0
    while (token := TOKEN.search(text, position)) is not None:
        position = token.end()
        if token[0] == separator:
            parts.append(text[start : token.start()])
            start = position
        elif token[0].startswith(b"#"):
            digits = int(token[0][1:])
            length = text[position : position + digits]
            position += digits + int(length) if length.isdigit() else 0
    return [*parts, text[start:]]


def number(unit: str, minimum: float, maximum: float) -> Callable[[bytes], float]:
    """A real number with an optional unit and multiplier: ``1e-7``, ``100NS``, ``1.2 V``."""

    def read(text: bytes) -> float:
        match = NUMBER.fullmatch(text)
        if match is None:
            begins_as_number = text.strip()[:1] in b"+-.0123456789" and text.strip()
            raise ScpiError(-121 if begins_as_number else -104, "a number is expected")
        value = float(match[1]) * (_multiplier(match[2].decode().upper(), unit) if match[2] else 1)
        if not minimum <= value <= maximum:
            raise ScpiError(-222, f"{value:g} is not {minimum:g} to {maximum:g} {unit}".rstrip())
        return value

    return read


def _multiplier(suffix: str, unit: str) -> float:
    if not unit or not suffix.endswith(unit):
        raise ScpiError(-131, suffix)
    prefix = suffix.removesuffix(unit)
    if prefix == "M" and unit in MEGA_UNITS:
        return 1e6
    if prefix not in MULTIPLIERS:
        raise ScpiError(-131, suffix)
    return MULTIPLIERS[prefix]


def integer(minimum: int, maximum: int) -> Parameter:
    """A whole number; ``10`` and ``1e1`` are the same."""
    read_number = number("", minimum, maximum)

    def read(text: bytes) -> int:
        value = read_number(text)
        if value != int(value):
            raise ScpiError(-104, "a whole number is expected")
        return int(value)

    return read


def one_of(*values: float) -> Parameter:
    """One of a few numbers, such as the ranges of a converter."""
    read_number = number("", min(values), max(values))

    def read(text: bytes) -> float:
        value = read_number(text)
        for allowed in values:
            if abs(value - allowed) <= 1e-6 * abs(allowed):
                return allowed
        raise ScpiError(-224, "one of " + " ".join(f"{allowed:g}" for allowed in values))

    return read


def boolean(text: bytes) -> bool:
    """``ON``, ``OFF``, ``1`` or ``0``."""
    word = text.strip().upper()
    if word not in (b"ON", b"OFF", b"1", b"0"):
        raise ScpiError(-104, "ON or OFF is expected")
    return word in (b"ON", b"1")


def word(*choices: str) -> Parameter:
    """One of several keywords, in short or long form; the value is the short form in capitals."""
    patterns = [(header_pattern(choice)[0], re.sub("[a-z]", "", choice)) for choice in choices]

    def read(text: bytes) -> str:
        for pattern, short in patterns:
            if pattern.fullmatch(text.strip().upper()):
                return short
        raise ScpiError(-224, "one of " + " ".join(choices))

    return read


def block(text: bytes) -> bytes:
    """The contents of a definite-length block, ``#<digits><length><bytes>``."""
    digits = int(text[1:2]) if text[:1] == b"#" and text[1:2].isdigit() else 0
    length = text[2 : 2 + digits]
    if not digits or not length.isdigit() or len(text) != 2 + digits + int(length):
        raise ScpiError(-161, "#<digits><length><bytes> is expected")
    return text[2 + digits :]


def as_block(data: bytes) -> bytes:
    """Frame bytes as a definite-length block."""
    length = str(len(data)).encode()
    return b"#%d%s%s" % (len(length), length, data)


def real(value: float) -> str:
    """A number as instruments write it (NR3)."""
    return f"{value:+.9E}"
