"""How an emulated B2900 takes numbers: with MINimum, MAXimum and DEFault, for one of two channels.

After the SCPI command reference (B2910-90030, edition 2), where nearly every number is "NRf+".
"""

from collections.abc import Callable
from typing import Any

from simulated_instruments.scpi import Command, ScpiInstrument, command
from simulated_instruments.scpi_grammar import ScpiError, number, real, word
from simulated_instruments.scpi_smu import ChannelSetting

SOURCE, SENSE, OUTPUT = "[SOURce{1-2}:]", "SENSe{1-2}:", "OUTPut{1-2}"
QUANTITIES = {"VOLT": ("VOLTage", "V"), "CURR": ("CURRent", "A")}
NAMED = word("MINimum", "MAXimum", "DEFault", "INFinity")
INFINITE = 2147483647
"""What a count answers that has no end; so does that of the sister instrument B2981A."""


class Numbers:
    """What a numeric parameter takes."""

    def __init__(
        self,
        unit: str,
        minimum: float,
        maximum: float,
        default: float,
        *,
        whole: bool = False,
        endless: bool = False,
    ) -> None:
        self.default = default
        self._whole = whole
        self._read = number(unit, minimum, maximum)
        self._named = {"MIN": minimum, "MAX": maximum, "DEF": default}
        if endless:
            self._named["INF"] = INFINITE

    def read(self, text: bytes) -> float:
        """Parse a parameter. Raises ScpiError."""
        if text.strip()[:1].isalpha():
            return self.named(text)
        if "INF" in self._named and text.strip() == str(INFINITE).encode():
            return INFINITE
        value = self._read(text)
        if self._whole and value != int(value):
            raise ScpiError(-104, "a whole number is expected")
        return int(value) if self._whole else value

    def named(self, text: bytes) -> float:
        """The value of MINimum, MAXimum or DEFault. Raises ScpiError -224 for another word."""
        name = str(NAMED(text))
        if name not in self._named:
            raise ScpiError(-224, name)
        value = self._named[name]
        return int(value) if self._whole else value


def text_of(value: float) -> str:
    """How a number is answered: NR1 or NR3."""
    return real(value) if isinstance(value, float) else str(value)


class Level(ChannelSetting):
    """A number of each channel; its query may name MINimum, MAXimum or DEFault."""

    def __init__(self, declaration: str, numbers: Numbers, *aliases: str) -> None:
        super().__init__(declaration, numbers.read, numbers.default)
        pairs = tuple(
            each
            for header in (declaration, *aliases)
            for each in (
                command(header, (numbers.read,), self._change_one),
                command(header + "?", (numbers.named,), self._answer_one, required=0),
            )
        )
        self.scpi_commands: tuple[Command, ...] = pairs  # type: ignore[assignment]

    def _answer_one(self, instrument: ScpiInstrument, channel: int, *asked: float) -> str:
        return text_of(asked[0]) if asked else super()._answer_one(instrument, channel)


class Derived:
    """A number that is worked out of others: ``change`` and ``find`` get instrument and index."""

    def __init__(
        self,
        declaration: str,
        numbers: Numbers,
        find: Callable[[Any, int], float],
        change: Callable[[Any, int, float], None],
    ) -> None:
        self._find, self._change = find, change
        self.scpi_commands = (
            command(declaration, (numbers.read,), self._set),
            command(declaration + "?", (numbers.named,), self._answer, required=0),
        )

    def _set(self, instrument: Any, channel: int, value: float) -> None:
        instrument.check_channel(channel)
        self._change(instrument, channel - 1, value)

    def _answer(self, instrument: Any, channel: int, *asked: float) -> str:
        instrument.check_channel(channel)
        return text_of(asked[0] if asked else self._find(instrument, channel - 1))


def exchanged(values: tuple[Any, ...], index: int, value: object) -> tuple[Any, ...]:
    """The same values, but for one."""
    return (*values[:index], value, *values[index + 1 :])
