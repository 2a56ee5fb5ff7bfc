"""One channel of a 4225-PMU: its settings, the readings it stored, and the way to the cell.

The card drives through 50 Ohm. Told of a load (``:PMU:LOAD``), it raises its levels by what the
divider takes, so a level is the voltage across that load; at the default of 1 MOhm that is the
open-circuit voltage to 0.005 %. Nothing limits the current: ``:PMU:MEASURE:RANGE`` only measures.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crossbar.units import Amperes, Ohms, Seconds, Volts
from simulated_instruments.keithley_4200a_segments import SegmentSequence
from simulated_instruments.keithley_4200a_smu import TO_PMU, Rpm
from simulated_instruments.keithley_4200a_syntax import KxciError
from simulated_instruments.probe_station import ProbeStation

SOURCE_IMPEDANCE: Ohms = 50.0
RANGES: dict[int, tuple[Amperes, ...]] = {
    10: (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.2),
    40: (1e-4, 1e-2, 0.8),
}
"""Current measure ranges with an RPM, by source range."""
RANGE_CODES = {1e-7: "0", 1e-6: "1", 1e-5: "2", 1e-4: "3", 1e-3: "4", 1e-2: "5", 0.2: "6", 0.8: "7"}
"""Of the status word (4200A-901-01, p. 6-78)."""
AUTO_RANGE, FIXED_RANGE = 0, 2
MAX_POINTS = 65536
"""Readings that KXCI stores for a channel."""

Row = tuple[float, float, float, str]
"""Volts, amperes, seconds, status word."""


@dataclass
class PulseChannel:
    """Settings as after ``:PMU:INIT``, and what they do."""

    number: int
    station: ProbeStation
    rpm: Rpm
    wired: bool
    """Whether a cell hangs on this channel's RPM."""
    source_range: int = 10
    load: Ohms = 1e6
    compensates: bool = False
    """Load-line effect compensation."""
    retains: bool = False
    range_type: int = FIXED_RANGE
    measure_range: Amperes = 1e-2
    output: bool = False
    width: Seconds = 500e-9
    rise: Seconds = 100e-9
    fall: Seconds = 100e-9
    delay: Seconds = 0.0
    base: Volts = 0.0
    amplitude: Volts = 0.0
    sweep: NDArray[np.float64] | None = None
    """Amplitudes of a sweep, or None."""
    step: NDArray[np.float64] | None = None
    """Amplitudes of the steps around a sweep, or None."""
    high_and_low: tuple[bool, bool] = (True, True)
    sequences: dict[int, SegmentSequence] = field(default_factory=dict)
    playlist: list[tuple[int, int]] = field(default_factory=list)
    rows: list[tuple[Row, ...]] = field(default_factory=list)
    """Stored readings: one row is high and low of a pulse, or one sample."""

    @property
    def cell(self) -> int | None:
        """The cell that the channel reaches."""
        reached = self.wired and self.rpm.mode == TO_PMU
        return self.station.pulsed_cell if reached else None

    def open_circuit(self, level: Volts) -> Volts:
        """What the card puts out for a level across the load it was told of."""
        if self.compensates and level:
            current = self.station.current(self.cell, level, SOURCE_IMPEDANCE)
            return level + current * SOURCE_IMPEDANCE
        return level * (self.load + SOURCE_IMPEDANCE) / self.load

    def drive(self, level: Volts, duration: Seconds) -> None:
        """Hold a level; the clock advances."""
        if duration > 0:
            driven = self.open_circuit(level)
            self.station.pulse(self.cell, driven, duration, SOURCE_IMPEDANCE)

    def reading(self, level: Volts, when: Seconds, *, waveform: bool) -> Row:
        """Volts at the connector and amperes at a level; a current beyond the range reads full."""
        driven = self.open_circuit(level)
        current = self.station.current(self.cell, driven, SOURCE_IMPEDANCE)
        shown = min(max(current, -self.measure_range), self.measure_range)
        status = self.status(shown != current, current, waveform=waveform)
        return driven - current * SOURCE_IMPEDANCE, shown, when, status

    def status(self, overflow: bool, current: Amperes, *, waveform: bool) -> str:
        """The eight digits of a reading's status word (4200A-901-01, p. 6-78)."""
        compensation = "3" if self.compensates else "0"
        flow = ("8" if current > 0 else "4") if overflow else "0"
        channel = (self.number - 1) % 2 + 1 + (4 if self.source_range == 40 else 0)
        kind = "2" if waveform else "1"
        return f"{compensation}10{kind}0{flow}{RANGE_CODES[self.measure_range]}{channel}"

    def store(self, *row: Row) -> None:
        """Keep a reading, as long as there is room."""
        if len(self.rows) < MAX_POINTS:
            self.rows.append(row)

    def check_levels(self) -> None:
        """Raises KxciError for a train or sweep beyond the source range."""
        tops = [self.amplitude] if self.sweep is None else list(self.sweep)
        tops += [] if self.step is None else list(self.step)
        for top in tops:
            driven = abs(top) * (self.load + SOURCE_IMPEDANCE) / self.load
            if abs(top - self.base) > self.source_range or driven > self.source_range * 1.001:
                raise KxciError("a level is beyond the source range")
