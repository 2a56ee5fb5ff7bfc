"""Keysight 33500B and 33600A waveform generators, as sources of write pulses.

Command strings after PyMeasure's ``Agilent33500``. What that has not (limits, polarity, trigger
source of a channel) is from memory of the manual, not confirmed at an instrument, and so are the
figures of the 33600A and which model has two channels.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from pymeasure.instruments import Instrument
from pymeasure.instruments.agilent import Agilent33500
from pymeasure.instruments.validators import strict_discrete_set

from crossbar.units import Seconds, Volts
from drivers.burst_generator import LONGEST_WIDTH, BurstGenerator
from drivers.generator_settings import (
    amplitude_setting,
    level_limits,
    offset_setting,
    polarity_setting,
)
from drivers.pulse_range import PulseRange

NAME = "Keysight 33500B"
MIN_AMPLITUDE: Volts = 0.02
"""10 mVpp into 50 Ohm; open circuit that is twice as much."""
MAX_LEVEL: Volts = 10.0
"""Largest magnitude of a level, open circuit."""
SLOWEST_EDGE: Seconds = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """What depends on the model."""

    name: str
    channels: int
    shortest_width: Seconds
    fastest_edge: Seconds


def _series(name: str, width: Seconds, edge: Seconds, **channels: int) -> dict[str, Ratings]:
    return {
        model.removeprefix("K"): Ratings(
            name=name, channels=count, shortest_width=width, fastest_edge=edge
        )
        for model, count in channels.items()
    }


MODELS = {
    **_series(
        NAME, 16e-9, 8.4e-9,
        K33509B=1, K33510B=2, K33511B=1, K33512B=2, K33519B=1, K33520B=2, K33521B=1, K33522B=2,
        K33521A=1, K33522A=2,
    ),
    **_series("Keysight 33600A", 5e-9, 2.9e-9, K33611A=1, K33612A=2, K33621A=1, K33622A=2),
}  # fmt: skip
"""The models by the second field of ``*IDN?``."""


class Keysight33500B(BurstGenerator, Agilent33500):
    """Output 1 of a 33500B or 33600A; see `BurstGenerator` for how pulses are made.

    The properties ``shape``, ``pulse_hold``, ``pulse_transition``, ``output``, ``burst_mode``,
    ``burst_state`` and ``burst_ncycles`` are PyMeasure's. Its levels are not used: they go out as
    ``%f`` and stop at 5 V because they assume a 50 Ohm load; nor is its ``check_errors``, which
    logs instead of raising.

    The relay may let a short spike through when it closes (less than 1 V, from memory, not
    confirmed): look at it on an oscilloscope before a cell is connected.
    """

    MODELS: ClassVar[dict[str, Any]] = MODELS
    FUNCTION = ":FUNC"
    OUTPUT = ":OUTP1"
    POLARITY = ":OUTP1:POL"
    AMPLITUDE = ":VOLT"
    OFFSET = ":VOLT:OFFS"
    WIDTH = ":FUNC:PULS:WIDT"
    PERIOD = ":FUNC:PULS:PER"
    WAIT_FOR_BUS = ":TRIG1:SOUR BUS"
    WAIT_FOR_INPUT = ":TRIG1:SOUR EXT"
    reach = PulseRange(
        name=NAME,
        smallest=MIN_AMPLITUDE,
        largest=MAX_LEVEL,
        shortest=16e-9,
        longest=LONGEST_WIDTH,
    )
    """That of the 33500B, until `check_identity` has found a 33600A."""

    def __init__(self, adapter: Any, name: str = NAME, **kwargs: Any) -> None:
        super().__init__(adapter, name, **kwargs)
        self._ratings: Ratings = MODELS["33511B"]

    amplitude = amplitude_setting(AMPLITUDE, NAME, (MIN_AMPLITUDE, 2 * MAX_LEVEL))
    offset = offset_setting(OFFSET, NAME, MAX_LEVEL)
    polarity = polarity_setting(POLARITY)
    limit_high, limit_low = level_limits(":VOLT:LIM", NAME, MAX_LEVEL)
    limits_enabled = Instrument.control(
        ":VOLT:LIM:STAT?",
        ":VOLT:LIM:STAT %d",
        """Control whether the level limits are in force (bool).""",
        validator=strict_discrete_set,
        values={True: 1, False: 0},
        map_values=True,
    )
    trigger_source = Instrument.control(
        ":TRIG1:SOUR?",
        ":TRIG1:SOUR %s",
        """Control what starts a burst (str, strictly "BUS" for ``*TRG``, "EXT", "IMM", "TIM").""",
        validator=strict_discrete_set,
        values=("BUS", "EXT", "IMM", "TIM"),
        cast=str,
    )

    @property
    def load(self) -> Any:
        """Get the load that programmed levels refer to, in ohms (9.9e37 for an open circuit)."""
        return self.output_load

    @property
    def channels_available(self) -> int:
        """Get how many outputs the model has; this driver uses the first."""
        return self._ratings.channels

    def _take_ratings(self, ratings: Ratings) -> None:
        self._ratings = ratings
        self.reach = replace(self.reach, name=ratings.name, shortest=ratings.shortest_width)
        self.pulse_transition_values = (ratings.fastest_edge, SLOWEST_EDGE)

    def _prepare_burst(self) -> None:
        self.shape = "PULS"
        self.output_load = "INF"
        self.burst_mode = "TRIG"
        self.burst_ncycles = 1
        self.trigger_source = "BUS"
        self.burst_state = True
        self.pulse_hold = "WIDT"
        self.pulse_transition = self._ratings.fastest_edge
