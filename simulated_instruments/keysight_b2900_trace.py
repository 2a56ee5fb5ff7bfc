"""The trace buffers of an emulated B2900, one a channel, and their statistics.

After the SCPI command reference (B2910-90030, pages 4-146 to 4-149). Ours: the error's number where
a buffer that stores is changed (-221), that a new size empties it, that ``*RST`` does, and that its
free and total size are counted in readings. Left out: the feeds MATH and LIMit store nothing.
"""

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from simulated_instruments.keysight_b2900_data import Window, offset
from simulated_instruments.keysight_b2900_sense import INFINITY, MISSING, Sample
from simulated_instruments.keysight_b2900_settings import Numbers, text_of
from simulated_instruments.keysight_b2900_status import BUFFER_AVAILABLE, BUFFER_FULL
from simulated_instruments.scpi import scpi
from simulated_instruments.scpi_grammar import ScpiError, integer, word
from simulated_instruments.scpi_smu import ChannelSetting

LARGEST = 100_000
TRACE = "TRACe{1-2}:"
SIZES = Numbers("", 1, LARGEST, LARGEST, whole=True)
WITHOUT_STATISTICS = ("TIME", "STAT")
STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {
    "MEAN": statistics.fmean,
    "SDEV": statistics.pstdev,
    "MIN": min,
    "MAX": max,
    "PKPK": lambda values: max(values) - min(values),
}


class IdleSetting(ChannelSetting):
    """Can be changed only while nothing is stored."""

    def _change_one(self, instrument: Any, channel: int, value: object) -> None:
        instrument.check_channel(channel)
        instrument.check_not_storing(channel - 1)
        super()._change_one(instrument, channel, value)


class Traces:
    """What each channel measured while its buffer was told to store."""

    feed = IdleSetting(TRACE + "FEED", word("SENSe", "MATH", "LIMit"), "SENS")
    statistic = ChannelSetting(
        TRACE + "STATistic:FORMat", word("MEAN", "SDEViation", "MINimum", "MAXimum", "PKPK"), "MEAN"
    )
    stamps = ChannelSetting(TRACE + "TSTamp:FORMat", word("ABSolute", "DELTa"), "ABS")

    def _empty_traces(self) -> None:
        self.traces: list[list[Sample]] = [[], []]
        self.trace_windows = [Window(), Window()]
        self.trace_sizes = [LARGEST, LARGEST]
        self.storing = [False, False]

    def check_not_storing(self, index: int) -> None:
        """Raise ScpiError -221 while the buffer stores."""
        if self.storing[index]:
            raise ScpiError(-221, "the trace buffer stores; set its control to NEVer")

    def store(self: Any, index: int, sample: Sample) -> None:
        """Keep a sample if the buffer stores; a full buffer stops by itself, without error."""
        if not self.storing[index] or self.feed[index] != "SENS":
            return
        if len(self.traces[index]) < self.trace_sizes[index]:
            self.traces[index].append(sample)
        if len(self.traces[index]) >= self.trace_sizes[index]:
            self.storing[index] = False
        self.tell_buffer(index)

    def tell_buffer(self: Any, index: int) -> None:
        """Bits of the measurement register."""
        stored = len(self.traces[index])
        self.flag("MEAS", BUFFER_AVAILABLE, index, stored > 0)
        self.flag("MEAS", BUFFER_FULL, index, stored >= self.trace_sizes[index])

    def _clear_trace(self: Any, index: int) -> None:
        self.traces[index] = []
        self.trace_windows[index] = Window()
        self.tell_buffer(index)

    @scpi(TRACE + "CLEar")
    def _clear(self: Any, channel: int) -> None:
        self.check_channel(channel)
        self.check_not_storing(channel - 1)
        self._clear_trace(channel - 1)

    @scpi(TRACE + "POINts", SIZES.read)
    def _set_size(self: Any, channel: int, size: int) -> None:
        self.check_channel(channel)
        self.check_not_storing(channel - 1)
        self.trace_sizes[channel - 1] = size
        self._clear_trace(channel - 1)

    @scpi(TRACE + "POINts?", SIZES.named, required=0)
    def _size(self: Any, channel: int, *asked: float) -> str:
        self.check_channel(channel)
        return text_of(asked[0] if asked else self.trace_sizes[channel - 1])

    @scpi(TRACE + "POINts:ACTual?")
    def _stored(self: Any, channel: int) -> str:
        self.check_channel(channel)
        return str(len(self.traces[channel - 1]))

    @scpi(TRACE + "FREE?")
    def _free(self: Any, channel: int) -> str:
        self.check_channel(channel)
        size = self.trace_sizes[channel - 1]
        return f"{size - len(self.traces[channel - 1])},{size}"

    @scpi(TRACE + "FEED:CONTrol", word("NEXT", "NEVer"))
    def _control(self: Any, channel: int, mode: str) -> None:
        self.check_channel(channel)
        index = channel - 1
        full = len(self.traces[index]) >= self.trace_sizes[index]
        self.storing[index] = mode == "NEXT" and not full

    @scpi(TRACE + "FEED:CONTrol?")
    def _answer_control(self: Any, channel: int) -> str:
        self.check_channel(channel)
        return "NEXT" if self.storing[channel - 1] else "NEV"

    @scpi(TRACE + "DATA?", offset, integer(1, LARGEST), required=0)
    def _data(self: Any, channel: int, *asked: Any) -> bytes:
        self.check_channel(channel)
        index = channel - 1
        stamped = self._stamped(index)
        samples = self.trace_windows[index].take(stamped, asked) or [None]
        found: bytes = self.data(
            self.element(index, name, sample) for sample in samples for name in self.elements
        )
        return found

    def _stamped(self: Any, index: int) -> list[Sample]:
        """Times since the first reading, or since the one before."""
        times = [sample["TIME"] for sample in self.traces[index]]
        since = times[:1] + times[:-1] if self.stamps[index] == "DELT" else times[:1] * len(times)
        return [
            {**sample, "TIME": sample["TIME"] - before}
            for sample, before in zip(self.traces[index], since, strict=True)
        ]

    @scpi(TRACE + "STATistic:DATA?")
    def _statistics(self: Any, channel: int) -> bytes:
        """Of every selected element that has statistics."""
        self.check_channel(channel)
        index = channel - 1
        names = [name for name in self.elements if name not in WITHOUT_STATISTICS]
        found: bytes = self.data(self._statistic(index, name) for name in names)
        return found

    def _statistic(self: Any, index: int, name: str) -> float:
        values = [self.element(index, name, sample) for sample in self.traces[index]]
        finite = [value for value in values if abs(value) < INFINITY]
        if not finite:
            return MISSING
        return float(STATISTICS[self.statistic[index]](finite))
