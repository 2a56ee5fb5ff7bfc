"""How an emulated B2900 gives its readings: MEASure?, READ?, FETCh? and SENSe:DATA?, and formats.

After the SCPI command reference (B2910-90030, pages 1-12 and 4-44; B2961-90030, pages 4-17, 4-83
and 4-91 to 4-93). Not confirmed: what ``FORMat?`` answers after ``REAL``, and what the offset
CURRent counts from. Left out: math (its elements, its feed of the trace buffer).
"""

import math
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from simulated_instruments.keysight_b2900_initiate import text
from simulated_instruments.keysight_b2900_sense import FUNCTIONS, INFINITY, MISSING, Sample
from simulated_instruments.keysight_b2900_settings import SENSE
from simulated_instruments.keysight_b2900_status import READING_AVAILABLE
from simulated_instruments.scpi import Setting, scpi
from simulated_instruments.scpi_grammar import ScpiError, as_block, integer, number, word

ELEMENTS = {
    "VOLT": "VOLTage", "CURR": "CURRent", "RES": "RESistance", "TIME": "TIME", "STAT": "STATus",
    "SOUR": "SOURce",
}  # fmt: skip
ELEMENT = word(*ELEMENTS.values())
ALL = tuple(ELEMENTS)
SPOT = {"VOLT": "VOLTage[:DC]", "CURR": "CURRent[:DC]", "RES": "RESistance"}
MOST_READINGS = 100_000
"""Of a channel; the oldest are lost. Ours."""
PLACE = word("CURRent", "STARt")
MAX_SIZE = 100_000


def offset(content: bytes) -> int | str:
    """Where to begin: a number, CURRent or STARt."""
    if content.strip()[:1].isalpha():
        return str(PLACE(content))
    return int(number("", 0, MAX_SIZE)(content))


class Window:
    """Part of a store, by offset and size; CURRent goes on where the last answer ended."""

    def __init__(self) -> None:
        self.position = 0

    def take(self, samples: Sequence[Sample], asked: tuple[Any, ...]) -> Sequence[Sample]:
        """What was asked for: offset and size, both optional."""
        begin = asked[0] if asked else "STAR"
        if isinstance(begin, str):
            begin = self.position if begin == "CURR" else 0
        size = asked[1] if len(asked) > 1 else len(samples)
        found = samples[begin : begin + size]
        self.position = begin + len(found)
        return found


class Readings:
    """The readings of each channel since it was last initiated."""

    byte_order = Setting("FORMat:BORDer", word("NORMal", "SWAPped"), "NORM")

    def _no_readings(self) -> None:
        self.encoding = "ASC"
        self.elements: tuple[str, ...] = ALL
        self.readings: list[list[Sample]] = [[], []]
        self.windows = [Window(), Window()]

    def forget_readings(self: Any, index: int) -> None:
        """A new measurement begins."""
        self.readings[index] = []
        self.windows[index] = Window()
        self.flag("MEAS", READING_AVAILABLE, index, False)
        if self.resets_timer:
            self.time_zero = self.now

    def _keep(self: Any, index: int, sample: Sample) -> None:
        self.readings[index].append(sample)
        del self.readings[index][:-MOST_READINGS]
        self.store(index, sample)

    # Channel lists

    def chosen(self: Any, texts: Iterable[bytes]) -> list[int]:
        """Indices of a channel list such as ``(@1,2)``; without one, channel 1."""
        listed = b",".join(texts).replace(b" ", b"")
        if not listed:
            return [0]
        if not listed.startswith(b"(@") or not listed.endswith(b")"):
            raise ScpiError(-104, "a channel list such as (@1,2) is expected")
        numbers = listed[2:-1].replace(b":", b",").split(b",")
        if any(each not in (b"1", b"2") for each in numbers):
            raise ScpiError(-222, "channels are 1 and 2")
        for each in numbers:
            self.check_channel(int(each))
        return sorted({int(each) - 1 for each in numbers})

    # Formats

    @scpi("FORMat[:DATA]", word("ASCii", "REAL"), integer(32, 64), required=1)
    def _set_format(self, encoding: str, bits: int = 32) -> None:
        if encoding == "REAL" and bits not in (32, 64):
            raise ScpiError(-224, "32 or 64")
        self.encoding = encoding if encoding == "ASC" else f"REAL,{bits}"

    @scpi("FORMat[:DATA]?")
    def _answer_format(self) -> str:
        return self.encoding

    @scpi("FORMat:ELEMents:SENSe", *(ELEMENT,) * len(ALL), required=1)
    def _set_elements(self, *names: str) -> None:
        self.elements = tuple(name for name in ALL if name in names)

    @scpi("FORMat:ELEMents:SENSe?")
    def _answer_elements(self) -> str:
        return ",".join(self.elements)

    def data(self: Any, values: Iterable[float]) -> bytes:
        """Values in the selected format."""
        if self.encoding == "ASC":
            return ",".join(f"{value:+.6E}" for value in values).encode()
        numbers = [_ieee(value) for value in values]
        order = "<" if self.byte_order == "SWAP" else ">"
        width = "d" if self.encoding.endswith("64") else "f"
        return as_block(struct.pack(f"{order}{len(numbers)}{width}", *numbers))

    def element(self: Any, index: int, name: str, sample: Sample | None) -> float:
        """One value; "not a number" for what was not measured."""
        measured = name not in FUNCTIONS or name in self.functions[index]
        return sample[name] if sample is not None and measured else MISSING

    def array(self: Any, indices: Sequence[int], elements: tuple[str, ...]) -> bytes:
        """All readings: step by step, and channel by channel within."""
        length = max(1, *(len(self.readings[index]) for index in indices))
        found: bytes = self.data(
            self.element(index, name, _at(self.readings[index], step))
            for step in range(length)
            for index in indices
            for name in elements
        )
        return found

    def latest(self: Any, indices: Sequence[int], elements: tuple[str, ...]) -> bytes:
        """The last reading of each channel."""
        found: bytes = self.data(
            self.element(index, name, _at(self.readings[index], -1))
            for index in indices
            for name in elements
        )
        return found

    # Spot measurements

    def spot(self: Any, indices: Sequence[int]) -> None:
        """One reading of each channel at its present level. Raises ScpiError -213 while busy."""
        if any(action.index in indices for action in self.actions):
            raise ScpiError(-213, "the channel waits for a trigger")
        self.switch_on(indices)
        for index in indices:
            self.forget_readings(index)
            began = self.now
            reading = self.channels[index].measure(self.integration(index))
            self._keep(index, self.sample(index, reading, began))
            self.protect(index)

    @scpi("MEASure?", text, text, required=0)
    def _measure(self, *channels: bytes) -> bytes:
        indices = self.chosen(channels)
        self.spot(indices)
        return self.latest(indices, self.elements)

    @scpi(SENSE + "DATA:ACQuire")
    def _acquire(self: Any, channel: int) -> None:
        self.check_channel(channel)
        self.spot([channel - 1])

    # SENSe:DATA

    @scpi(SENSE + "DATA?", offset, integer(1, MAX_SIZE), required=0)
    def _sense_data(self: Any, channel: int, *asked: Any) -> bytes:
        self.check_channel(channel)
        index = channel - 1
        samples = self.windows[index].take(self.readings[index], asked) or [None]
        found: bytes = self.data(
            self.element(index, name, sample) for sample in samples for name in self.elements
        )
        return found

    @scpi(SENSE + "DATA:LATest?")
    def _sense_latest(self: Any, channel: int) -> bytes:
        self.check_channel(channel)
        found: bytes = self.latest([channel - 1], self.elements)
        return found

    @scpi(SENSE + "DATA:CLEar")
    def _clear_data(self: Any, channel: int) -> None:
        self.check_channel(channel)
        self.forget_readings(channel - 1)


def _at(samples: list[Sample], step: int) -> Sample | None:
    return samples[step] if -len(samples) <= step < len(samples) else None


def _ieee(value: float) -> float:
    if value == MISSING:
        return math.nan
    return math.copysign(math.inf, value) if abs(value) == INFINITY else value


def _fetch(whole: bool, names: tuple[str, ...]) -> Callable[..., bytes]:
    def fetch(self: Any, *channels: bytes) -> bytes:
        answer = self.array if whole else self.latest
        found: bytes = answer(self.chosen(channels), names or self.elements)
        return found

    return fetch


def _read(whole: bool, names: tuple[str, ...]) -> Callable[..., bytes | None]:
    def read(self: Any, *channels: bytes) -> bytes | None:
        indices = self.chosen(channels)
        elements = names or self.elements
        answer = self.array if whole else self.latest
        self.initiate(indices, ("tran", "acq"))
        wanted = [(index, name) for index in indices for name in ("tran", "acq")]
        found: bytes | None = self.when_idle(wanted, lambda: answer(indices, elements))
        return found

    return read


def _spot(name: str) -> Callable[..., bytes]:
    def measure(self: Any, *channels: bytes) -> bytes:
        """The function is measured, whether enabled or not. Ours."""
        indices = self.chosen(channels)
        self.spot(indices)
        found: bytes = self.data(self.readings[index][-1][name] for index in indices)
        return found

    return measure


def _commands() -> dict[str, Any]:
    members: dict[str, Any] = {}
    for verb, make in (("FETCh", _fetch), ("READ", _read)):
        for scope, whole in (("[:SCALar]", False), (":ARRay", True)):
            for name, tail in {"": "", **{n: ":" + word_ for n, word_ in ELEMENTS.items()}}.items():
                declared = scpi(f"{verb}{scope}{tail}?", text, text, required=0)
                members[f"_{verb}_{whole}_{name}"] = declared(make(whole, (name,) if name else ()))
    for name, word_ in SPOT.items():
        members[f"_spot_{name}"] = scpi(f"MEASure:{word_}?", text, text, required=0)(_spot(name))
    return members


DataCommands: Any = type("DataCommands", (Readings,), _commands())
