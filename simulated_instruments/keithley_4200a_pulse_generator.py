"""The older pulse commands of KXCI, of two letters: ``PT``, ``PV``, ``PG`` and their like.

As Keithley's one published example uses them; that a burst is over when ``PG`` is acknowledged, and
what is left out of a command, is ours. They use the channels of the pulse card with their RPMs.
"""

from crossbar.units import Seconds
from simulated_instruments.keithley_4200a_pulse_channel import PulseChannel
from simulated_instruments.keithley_4200a_pulse_unit import (
    CHANNELS,
    PERIODS,
    SHORTEST,
    SLOWEST_EDGE,
    KxciPulseUnit,
)
from simulated_instruments.keithley_4200a_syntax import (
    Arguments,
    Handler,
    KxciError,
    counted,
    real,
    whole,
)

MAX_BURST = 1000
"""Pulses of one ``PG``. Ours."""
LARGEST_CURRENT_LIMIT = 0.8
BURST = 0
"""Of ``PG``'s modes; 1 runs without end, which is not emulated."""


class TwoLetterPulses:
    """Settings of each channel, and the bursts."""

    def __init__(self, unit: KxciPulseUnit) -> None:
        self.unit = unit
        self.reset()

    def reset(self) -> None:
        """All channels off, with their defaults."""
        self.channels = {number: self._fresh(number) for number in range(1, CHANNELS + 1)}
        self.periods: dict[int, Seconds] = {}

    def _fresh(self, number: int) -> PulseChannel:
        return PulseChannel(number, self.unit.station, self.unit.rpms[number], wired=number == 1)

    @property
    def handlers(self) -> dict[str, Handler]:
        """The commands."""
        return {
            "PS": self._reset_one,
            "PD": self._set_load,
            "PT": self._set_times,
            "PV": self._set_levels,
            "TS": lambda arguments: self._check(whole(counted(arguments, 2)[1], 0, 0)),
            "PO": self._set_output,
            "PG": self._start,
        }

    @staticmethod
    def _check(_: object) -> None:
        """A value that only had to be in its range."""

    def _channel(self, text: str) -> PulseChannel:
        return self.channels[whole(text, 1, CHANNELS)]

    def _reset_one(self, arguments: Arguments) -> None:
        number = whole(counted(arguments, 1)[0], 1, CHANNELS)
        self.channels[number] = self._fresh(number)
        self.periods.pop(number, None)

    def _set_load(self, arguments: Arguments) -> None:
        """``PD1,ohms``: the load that levels refer to."""
        number, ohms = counted(arguments, 2)
        self._channel(number).load = real(ohms, 1.0, 1e7)

    def _set_times(self, arguments: Arguments) -> None:
        """``PT1,period,width,rise,fall``."""
        number, *texts = counted(arguments, 5)
        channel = self._channel(number)
        shortest, edge = SHORTEST[channel.source_range]
        period = real(texts[0], *PERIODS)
        width = real(texts[1], shortest, period)
        rise, fall = (real(text, edge, SLOWEST_EDGE) for text in texts[2:])
        if width <= 0.5 * (rise + fall) or width + 0.5 * (rise + fall) > period:
            raise KxciError("edges, width and period do not fit together")
        channel.width, channel.rise, channel.fall = width, rise, fall
        self.periods[channel.number] = period

    def _set_levels(self, arguments: Arguments) -> None:
        """``PV1,high,low,range,amperes``: ranges of 5 and 20 V into 50 Ohm are 10 and 40 V open."""
        number, high, low, span, amperes = counted(arguments, 5)
        channel = self._channel(number)
        channel.source_range = 10 if real(span, 5, 40) in (5, 10) else 40
        real(amperes, 0.0, LARGEST_CURRENT_LIMIT)  # where a fault is told; not a compliance
        levels = [real(text, -channel.source_range, channel.source_range) for text in (high, low)]
        channel.amplitude, channel.base = levels
        channel.check_levels()

    def _set_output(self, arguments: Arguments) -> None:
        """``PO1,state,complement``."""
        number, state, complement = counted(arguments, 3)
        whole(complement, 0, 0)
        self._channel(number).output = bool(whole(state, 0, 1))

    def _start(self, arguments: Arguments) -> None:
        """``PG1,0,count``: a burst."""
        number, mode, count = counted(arguments, 3)
        channel = self._channel(number)
        whole(mode, BURST, BURST)
        pulses = whole(count, 1, MAX_BURST)
        if self.unit.running:
            raise KxciError("a test is running")
        if not channel.output:
            raise KxciError(f"channel {channel.number} is off")
        channel.check_levels()
        period = self.periods.get(channel.number, 2 * channel.width)
        for _ in range(pulses):
            channel.drive(channel.amplitude, channel.width)
            channel.drive(channel.base, period - channel.width)
