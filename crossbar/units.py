"""Units live on types: one place for parsing "30 ns", for column names and for axis labels.

Every number inside the program is a plain SI float. A type such as ``Volts`` is
``Annotated[float, Unit("V")]``: type checkers see a float, pydantic reads ``"1.2 V"`` or ``1.2``.
"""

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any

from crossbar.errors import ConfigurationError

PREFIXES = {
    "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "m": 1e-3,
    "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9,
}  # fmt: skip
SPELLINGS = {"Ω": "Ohm", "ohm": "Ohm", "Ohms": "Ohm", "sec": "s", "ratio": "", "%": "%"}
QUANTITY = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S*)\s*")


@dataclass(frozen=True)
class Unit:
    """The SI unit of a float, carried in its type."""

    symbol: str
    """"V", "s", "Ohm"; empty for a ratio, which is a fraction (never percent)."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Let pydantic read both ``"30 ns"`` and ``3e-8``."""
        from pydantic_core import core_schema

        def read(value: object) -> object:
            if isinstance(value, str):
                try:
                    return parse_quantity(value, self.symbol)
                except ConfigurationError as error:  # pydantic reports ValueErrors with their place
                    raise ValueError(str(error)) from None
            if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
                raise ValueError(f"this is no quantity; write {_expected(self.symbol)}")
            return value

        return core_schema.no_info_before_validator_function(read, handler(source))


Volts = Annotated[float, Unit("V")]
Amperes = Annotated[float, Unit("A")]
Ohms = Annotated[float, Unit("Ohm")]
Siemens = Annotated[float, Unit("S")]
Seconds = Annotated[float, Unit("s")]
Metres = Annotated[float, Unit("m")]
Joules = Annotated[float, Unit("J")]
Kelvin = Annotated[float, Unit("K")]
Ratio = Annotated[float, Unit("")]


def parse_quantity(text: str, symbol: str) -> float:
    """Read ``"30 ns"`` as 3e-8; ``symbol`` is the unit that must stand there ("" for a ratio).

    >>> parse_quantity("30 ns", "s")
    3e-08
    >>> parse_quantity("4.5 %", "")
    0.045

    Raises ConfigurationError naming the text and the unit expected.
    """
    match = QUANTITY.fullmatch(text)
    expected = _expected(symbol)
    if not match:
        raise ConfigurationError(f"{text!r} is not a quantity; write {expected}.")
    number, unit = float(match[1]), SPELLINGS.get(match[2], match[2])
    if not math.isfinite(number):
        raise ConfigurationError(f"{text!r} is not finite; write {expected}.")
    if symbol == "":
        if unit in ("", "%"):
            return number / 100 if unit == "%" else number
    else:
        for spelled in (symbol, *(s for s, proper in SPELLINGS.items() if proper == symbol)):
            if unit.endswith(spelled) and unit.removesuffix(spelled) in PREFIXES:
                return without_prefix(number, PREFIXES[unit.removesuffix(spelled)])
    raise ConfigurationError(f"{text!r} has the wrong unit; write {expected}.")


def without_prefix(number: float, factor: float) -> float:
    """The number times a prefix's power of ten: 30 and 1e-9 give the very float that 3e-8 is, which
    a product would miss.
    """
    return number * factor if factor >= 1 else number / round(1 / factor)


def _expected(symbol: str) -> str:
    return f"a number with the unit {symbol}" if symbol else "a plain number or a percentage"


def format_quantity(value: float, symbol: str, digits: int = 4) -> str:
    """Write 3e-8 seconds as ``"30 ns"``, for people.

    >>> format_quantity(3e-8, "s")
    '30 ns'
    """
    if value == 0 or not math.isfinite(value) or symbol == "":
        return f"{value:.{digits}g} {symbol}".rstrip()
    for prefix, factor in sorted(
        ((p, f) for p, f in PREFIXES.items() if p != "u"), key=lambda item: -item[1]
    ):
        if abs(value) >= factor * (1 - 10**-digits):
            return f"{value / factor:.{digits}g} {prefix}{symbol}"
    return f"{value:.{digits}g} {symbol}"
