"""The data store of an emulated Keithley 2400, its statistics, and the registers that tell of both.

After the Series 2400 user's manual, sections 9, 15 and 18: ``*RST`` leaves the store alone. Left
out: the other root, ``DATA`` for ``TRACe``, and what math expressions and limit tests would store.
"""

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from simulated_instruments.keithley_sourcemeter import quantity
from simulated_instruments.scpi import Setting, scpi
from simulated_instruments.scpi_grammar import ScpiError, integer, word

MOST_READINGS, USUAL_READINGS = 2500, 100
BYTES_OF_A_READING = 20
"""Ours, for ``TRAC:FREE?``."""
READING_AVAILABLE, OVERFLOWED, BUFFER_AVAILABLE, BUFFER_FULL, COMPLIANCE = 64, 128, 256, 512, 16384
SUMMARY = 0x01
"""Bit of the status byte: a measurement event that is enabled."""
STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {
    "MEAN": statistics.fmean,
    "SDEV": statistics.pstdev,
    "MAX": max,
    "MIN": min,
    "PKPK": lambda values: max(values) - min(values),
}
ELEMENTS = ("VOLT", "CURR", "RES", "TIME", "STAT")
Sample = dict[str, float]
"""A reading by element."""


class Store:
    """Keeps the samples that a `SourceMeter` takes while it is told to."""

    statistic = Setting(
        "CALCulate3:FORMat", word("MEAN", "SDEViation", "MAXimum", "MINimum", "PKPK"), "MEAN"
    )

    def _empty_store(self) -> None:
        self.stored: list[Sample] = []
        self.store_size = USUAL_READINGS
        self.storing = False
        self.feed, self.stamps = "SENS", "ABS"
        self.measurement_events = 0
        self.measurement_enable = 0

    def note(self: Any, sample: Sample, events: int) -> None:
        """Store a sample if the store is on, and set the bits of the event register."""
        self.measurement_events |= READING_AVAILABLE | events
        if not self.storing:
            return
        self.stored.append(sample)
        self.measurement_events |= BUFFER_AVAILABLE if len(self.stored) >= 2 else 0
        if len(self.stored) >= self.store_size:
            self.storing = False
            self.measurement_events |= BUFFER_FULL

    # TRACe

    @scpi("TRACe:POINts", quantity("", 1, MOST_READINGS, USUAL_READINGS))
    def _set_size(self, size: float) -> None:
        self.store_size = int(size)

    @scpi("TRACe:POINts?")
    def _size(self) -> str:
        return str(self.store_size)

    @scpi("TRACe:POINts:ACTual?")
    def _stored_count(self) -> str:
        return str(len(self.stored))

    @scpi("TRACe:FREE?")
    def _free(self) -> str:
        used = BYTES_OF_A_READING * len(self.stored)
        return f"{BYTES_OF_A_READING * MOST_READINGS - used}, {used}"

    @scpi("TRACe:CLEar")
    def _clear_store(self) -> None:
        self.stored = []

    @scpi("TRACe:FEED", word("SENSe", "SENSe1", "CALCulate", "CALCulate1", "CALCulate2"))
    def _set_feed(self, feed: str) -> None:
        if self.storing:
            raise ScpiError(800)
        self.feed = feed.removesuffix("1")

    @scpi("TRACe:FEED?")
    def _answer_feed(self) -> str:
        return self.feed

    @scpi("TRACe:FEED:CONTrol", word("NEXT", "NEVer"))
    def _control(self, mode: str) -> None:
        """NEXT begins a new store over the old one."""
        self.storing = mode == "NEXT"
        if self.storing:
            self.stored = []

    @scpi("TRACe:FEED:CONTrol?")
    def _answer_control(self) -> str:
        return "NEXT" if self.storing else "NEV"

    @scpi("TRACe:TSTamp:FORMat", word("ABSolute", "DELTa"))
    def _set_stamps(self, stamps: str) -> None:
        self.stamps = stamps

    @scpi("TRACe:TSTamp:FORMat?")
    def _answer_stamps(self) -> str:
        return self.stamps

    @scpi("TRACe:DATA?")
    def _stored_data(self: Any) -> bytes:
        if not self.stored:
            raise ScpiError(-230, "nothing is stored")
        times = [sample["TIME"] for sample in self.stored]
        before = times[:1] + times[:-1] if self.stamps == "DELT" else times[:1] * len(times)
        stamped = [
            {**sample, "TIME": sample["TIME"] - start}
            for sample, start in zip(self.stored, before, strict=True)
        ]
        found: bytes = self.data(sample[name] for sample in stamped for name in self.elements)
        return found

    @scpi("CALCulate3:DATA?")
    def _statistics(self: Any) -> bytes:
        """Of volts, amperes and ohms."""
        if not self.stored:
            raise ScpiError(-230, "nothing is stored")
        work = STATISTICS[self.statistic]
        found: bytes = self.data(work([s[name] for s in self.stored]) for name in ELEMENTS[:3])
        return found

    # Registers

    @scpi("STATus:MEASurement[:EVENt]?", on_status=True)
    def _measurement_event(self) -> str:
        events, self.measurement_events = self.measurement_events, 0
        return str(events)

    @scpi("STATus:MEASurement:ENABle", integer(0, 65535))
    def _set_measurement_enable(self, mask: int) -> None:
        self.measurement_enable = mask

    @scpi("STATus:MEASurement:ENABle?")
    def _answer_measurement_enable(self) -> str:
        return str(self.measurement_enable)

    @scpi("STATus:PRESet")
    def _preset_status(self) -> None:
        self.measurement_enable = 0

    def status_byte(self: Any) -> int:
        """With bit 0 for measurement events."""
        byte = super().status_byte() & ~0x40  # type: ignore[misc]
        byte |= SUMMARY if self.measurement_events & self.measurement_enable else 0
        return int(byte | (0x40 if byte & self.service_enable & ~0x40 else 0))

    @scpi("*CLS")
    def _clear_status(self: Any) -> None:
        super()._clear_status()  # type: ignore[misc]
        self.measurement_events = 0
