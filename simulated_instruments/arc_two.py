"""Stand-in for ``pyarc2.Instrument``: the package's call signatures, wired to the die.

Signatures after pyarc2 at commit b06691d (``tests/reference/pyarc2_signatures.csv``). What the
package leaves open is ours: lines at 0 V share a pulse as further returns, floating ones do not,
and a current has the sign of the voltage from the high to the low channel.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossbar.pulses import Pulse
from simulated_instruments.probe_station import ProbeStation

CHANNELS = 64
LINES = 32
CLUSTER = 8
"""Channels that share the timing of fast pulses."""
NANOSECOND = 1e-9
LONGEST_FAST = 500_000_000
"""Nanoseconds: the documented end of the fast drivers."""
MAX_VOLTAGE = 10.0
"""Output range STD; not confirmed."""
ROWS = tuple(channel for channel in range(CHANNELS) if channel % LINES < LINES // 2)
COLUMNS = tuple(channel for channel in range(CHANNELS) if channel not in ROWS)


class ArC2Error(Exception):
    """What the package raises for what the board refuses."""


class EmulatedArcTwo:
    """64 channels; rows and columns of the die under the needles, column 0 at channel 16."""

    def __init__(self, station: ProbeStation) -> None:
        self.station = station
        self.levels: dict[int, float | None] = dict.fromkeys(range(CHANNELS), 0.0)
        """Volts of every channel; None floats."""
        self.hard_ground: set[int] = set()
        self._buffer: list[Callable[[], None]] = []

    # The command buffer: nothing happens before `execute`

    def execute(self) -> "EmulatedArcTwo":
        """Run what was buffered, in order."""
        waiting, self._buffer = self._buffer, []
        for command in waiting:
            command()
        return self

    def wait(self) -> None:
        """Nothing runs in the background here: `execute` returned when all was done."""

    def busy(self) -> bool:
        """Never, for the same reason."""
        return False

    def delay(self, nanos: int) -> "EmulatedArcTwo":
        """Let time pass, in its place in the buffer."""
        return self._later(lambda: self.station.clock.advance(nanos * NANOSECOND))

    # Channels

    def connect_to_gnd(self, chans: Iterable[int]) -> "EmulatedArcTwo":
        """Hard ground for these channels and no others; an empty list releases all."""
        grounded = self._checked(chans)
        return self._later(lambda: setattr(self, "hard_ground", set(grounded)))

    def gnd_add(self, chans: Iterable[int]) -> "EmulatedArcTwo":
        """Hard ground for these channels too."""
        added = self._checked(chans)
        return self._later(lambda: self.hard_ground.update(added))

    def gnd_remove(self, chans: Iterable[int]) -> "EmulatedArcTwo":
        """Release these channels from hard ground."""
        removed = self._checked(chans)
        return self._later(lambda: self.hard_ground.difference_update(removed))

    def open_channels(self, channels: Iterable[int]) -> "EmulatedArcTwo":
        """Disconnect channels from their converters; a hard ground stays."""
        opened = self._checked(channels)
        return self._later(lambda: self.levels.update(dict.fromkeys(opened)))

    def float_all(self) -> "EmulatedArcTwo":
        """Disconnect all channels; a hard ground stays."""
        return self.open_channels(range(CHANNELS))

    def ground_all(self) -> "EmulatedArcTwo":
        """All converters at 0 V."""
        return self._later(lambda: self.levels.update(dict.fromkeys(range(CHANNELS), 0.0)))

    def ground_all_fast(self) -> "EmulatedArcTwo":
        """As `ground_all`; which driver gives the 0 V makes no difference here."""
        return self.ground_all()

    def config_channels(
        self, input: Iterable[tuple[int, float]], base: float | None = None
    ) -> "EmulatedArcTwo":
        """Volts of single channels, and of all others if ``base`` is given."""
        given = {channel: self._volts(volts) for channel, volts in input}
        self._checked(given)
        rest = {} if base is None else dict.fromkeys(range(CHANNELS), self._volts(base))
        return self._later(lambda: self.levels.update(rest | given))

    # Reads execute at once, and everything buffered before them too

    def read_one(self, low: int, high: int, vread: float) -> float:
        """-vread on the low channel, the current at the high one; NaN if they do not cross."""
        self._checked((low, high))
        self.execute()
        return self._current(low, high, self._volts(vread))

    def read_slice(self, chan: int, vread: float) -> NDArray[np.float32]:
        """All cells of a line, whose channel is the low one."""
        return self.read_slice_masked(chan, self._crossing(chan), vread)

    def read_slice_masked(
        self, chan: int, mask: Iterable[int], vread: float
    ) -> NDArray[np.float32]:
        """As `read_slice`; NaN for the channels that are not in the mask."""
        wanted = self._checked(mask)
        return np.array(
            [
                self.read_one(chan, other, vread) if other in wanted else np.nan
                for other in self._crossing(chan)
            ],
            np.float32,
        )

    def read_all(self, vread: float, order: Any) -> NDArray[np.float32]:
        """(32, 32) currents; the order of biasing makes no difference here."""
        return np.array([self.read_slice(row, vread) for row in ROWS])

    # Pulses

    def pulse_one(self, low: int, high: int, voltage: float, nanos: int) -> "EmulatedArcTwo":
        """One pulse on the high channel against the low one, and against every line at 0 V."""
        self._checked((low, high))
        volts, width = self._volts(voltage), self._width(nanos)
        return self._later(lambda: self._pulse({high: volts}, {low}, width))

    def pulse_slice(self, chan: int, voltage: float, nanos: int) -> "EmulatedArcTwo":
        """One pulse for all cells of a line, whose channel is the low one."""
        return self.pulse_slice_masked(chan, voltage, nanos, self._crossing(chan))

    def pulse_slice_masked(
        self, chan: int, voltage: float, nanos: int, mask: Iterable[int]
    ) -> "EmulatedArcTwo":
        """As `pulse_slice`, for the channels in the mask."""
        driven = dict.fromkeys(self._checked(mask), self._volts(voltage))
        self._checked((chan,))
        width = self._width(nanos)
        return self._later(lambda: self._pulse(driven, {chan}, width))

    def pulse_slice_fast_open(
        self,
        chans: list[tuple[int, float, float]],
        cl_nanos: list[int | None],
        preset_state: bool,
    ) -> "EmulatedArcTwo":
        """Pulses without a low channel; one width and one direction for each cluster of eight."""
        if len(cl_nanos) != CHANNELS // CLUSTER:
            raise ValueError("Need 8 arguments for cluster timings")
        self._checked(channel for channel, _, _ in chans)
        for cluster, nanos in enumerate(cl_nanos):
            members = [entry for entry in chans if entry[0] // CLUSTER == cluster]
            if len({pulse > normal for _, pulse, normal in members}) > 1:
                raise ArC2Error(f"Mixed polarity in cluster {cluster}")
            if members and nanos is None:
                raise ArC2Error(f"Channels of cluster {cluster} without a timing")
            if nanos is not None and nanos > LONGEST_FAST:
                raise ArC2Error(f"{nanos} ns is longer than {LONGEST_FAST} ns")
            if members and nanos is not None:
                driven = {channel: self._volts(pulse) for channel, pulse, _ in members}
                self._later(partial(self._pulse, driven, set(), self._width(nanos)))
        return self

    def pulseread_one(self, low: int, high: int, vpulse: float, nanos: int, vread: float) -> float:
        """One pulse and one read, at once."""
        self.pulse_one(low, high, vpulse, nanos).execute()
        return self.read_one(low, high, vread)

    # The die

    def _later(self, command: Callable[[], None]) -> "EmulatedArcTwo":
        self._buffer.append(command)
        return self

    def _pulse(self, driven: dict[int, float], returns: set[int], width: float) -> None:
        """Volts on some channels; the ends of the pulse are the returns and every line at 0 V."""
        self.station.clock.advance(width)
        grounded = {c for c in range(CHANNELS) if self.levels[c] == 0.0} | self.hard_ground
        for high, volts in driven.items():
            for low in sorted((returns | grounded) - set(driven)):
                crossing = self._cell(low, high)
                if crossing is not None and self.station.die is not None and volts:
                    cell, sign = crossing
                    amplitude = sign * volts
                    self.station.die.pulse(
                        np.array([cell]), Pulse(amplitude=amplitude, width=width)
                    )

    def _current(self, low: int, high: int, vread: float) -> float:
        crossing = self._cell(low, high)
        if crossing is None:
            return float("nan")
        cell, sign = crossing
        return sign * self.station.current(cell, sign * vread)

    def _cell(self, low: int, high: int) -> tuple[int, int] | None:
        """Flat index where two channels cross, and +1 if the high one is the column."""
        die = self.station.die
        if (low in ROWS) == (high in ROWS):
            return None
        row, column = (low, high) if low in ROWS else (high, low)
        geometry = self.station.wafer.geometry
        place = (ROWS.index(row), COLUMNS.index(column))
        if die is None or place[0] >= geometry.rows or place[1] >= geometry.columns:
            return None
        return place[0] * geometry.columns + place[1], 1 if high in COLUMNS else -1

    def _crossing(self, channel: int) -> tuple[int, ...]:
        return COLUMNS if channel in ROWS else ROWS

    def _checked(self, channels: Iterable[int]) -> tuple[int, ...]:
        given = tuple(int(channel) for channel in channels)
        if any(not 0 <= channel < CHANNELS for channel in given):
            raise ArC2Error(f"There are channels 0 to {CHANNELS - 1}, not {given}")
        return given

    def _volts(self, volts: float) -> float:
        if not abs(volts) <= MAX_VOLTAGE:
            raise ArC2Error(f"{volts:g} V is beyond {MAX_VOLTAGE:g} V")
        return float(volts)

    def _width(self, nanos: int) -> float:
        if isinstance(nanos, float):
            raise TypeError("'float' object cannot be interpreted as an integer")
        if nanos <= 0:
            raise ArC2Error("a pulse takes some time")
        return nanos * NANOSECOND
