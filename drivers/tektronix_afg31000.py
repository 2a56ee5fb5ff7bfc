"""Tektronix AFG31000 arbitrary function generators, as sources of write pulses.

Command strings after Tektronix' own ``tm_devices`` and its example of a double pulse, after QMI's
driver (tested by its authors with an AFG31022), and after a PyMeasure-style driver that cites the
programmer manual 077-148-803, whose shortest widths these are. Levels are those that ``tm_devices``
allows into a high impedance. The longest period is the AFG3000's, not confirmed for this series.
"""

import time
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from pymeasure.instruments import Instrument
from pymeasure.instruments.validators import strict_discrete_set

from crossbar.units import Seconds, Volts
from drivers.burst_generator import BUS_LATENCY, SPARE_PERIOD, BurstGenerator
from drivers.generator_settings import (
    amplitude_setting,
    level_limits,
    offset_setting,
    polarity_setting,
)
from drivers.pulse_range import PulseRange

NAME = "Tektronix AFG31000"
MIN_AMPLITUDE: Volts = 2e-3
"""Open circuit, every model."""
LONGEST_WIDTH: Seconds = 400.0
"""The period, a little more than twice the width, ends at 1000 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """What depends on the model."""

    channels: int
    largest_level: Volts
    """Largest magnitude, open circuit."""
    shortest_width: Seconds


def _pair(series: str, level: Volts, width: Seconds) -> dict[str, Ratings]:
    """The models of a series with one channel and with two."""
    return {
        f"AFG{series}{channels}": Ratings(
            channels=channels, largest_level=level, shortest_width=width
        )
        for channels in (1, 2)
    }


MODELS = {
    **_pair("3102", 10.0, 16e-9),
    **_pair("3105", 10.0, 10e-9),
    **_pair("3110", 10.0, 6e-9),
    **_pair("3115", 5.0, 5e-9),
    **_pair("3125", 5.0, 4e-9),
}
"""The models by the second field of ``*IDN?``."""
HIGHEST_LEVEL: Volts = max(ratings.largest_level for ratings in MODELS.values())


class TektronixAFG31000(BurstGenerator):
    """Output 1 of an AFG31000; see `BurstGenerator` for how pulses are made.

    Between bursts it rests at a point of its waveform: at the end point, the level before and after
    a pulse, if ``BURSt:IDLE`` says so *and* a burst has ended since the waveform changed (so says
    Tektronix' example). Hence every pulse is first run once with the output off.

    It has one trigger source for both: with ``EXTernal`` it also takes ``*TRG``. An edge at the
    trigger input within the milliseconds of an `apply` would send a second pulse.

    PyMeasure's ``AFG3152C`` is not used: its numbers go out as ``%e`` with limits that assume a
    50 Ohm load, and it has neither bursts nor triggers.
    """

    MODELS: ClassVar[dict[str, Any]] = MODELS
    FUNCTION = ":SOUR1:FUNC:SHAP"
    OUTPUT = ":OUTP1:STAT"
    POLARITY = ":OUTP1:POL"
    AMPLITUDE = ":SOUR1:VOLT:AMPL"
    OFFSET = ":SOUR1:VOLT:OFFS"
    WIDTH = ":SOUR1:PULS:WIDT"
    PERIOD = ":SOUR1:PULS:PER"
    WAIT_FOR_BUS = ":SOUR1:BURS:IDLE END;:TRIG:SOUR EXT"
    WAIT_FOR_INPUT = ":TRIG:SOUR EXT"
    reach = PulseRange(
        name=NAME,
        smallest=MIN_AMPLITUDE,
        largest=min(ratings.largest_level for ratings in MODELS.values()),
        shortest=max(ratings.shortest_width for ratings in MODELS.values()),
        longest=LONGEST_WIDTH,
    )
    """What every model can do, until `check_identity` has found which one it is."""

    def __init__(self, adapter: Any, name: str = NAME, **kwargs: Any) -> None:
        super().__init__(adapter, name, includeSCPI=False, **kwargs)
        self._ratings: Ratings = MODELS["AFG31151"]

    shape = Instrument.control(
        ":SOUR1:FUNC:SHAP?",
        ":SOUR1:FUNC:SHAP %s",
        """Control the shape of the output (str, strictly "PULS", "SIN", "SQU", "RAMP", "DC").""",
        validator=strict_discrete_set,
        values=("PULS", "SIN", "SQU", "RAMP", "DC"),
        cast=str,
    )
    load = Instrument.measurement(
        ":OUTP1:IMP?",
        """Get the load that programmed levels refer to, in ohms (9.9e37 for an open circuit).""",
    )
    output_enabled = Instrument.control(
        ":OUTP1:STAT?",
        ":OUTP1:STAT %d",
        """Control whether the output is on (bool).""",
        validator=strict_discrete_set,
        values={True: 1, False: 0},
        map_values=True,
    )
    polarity = polarity_setting(POLARITY)
    amplitude = amplitude_setting(AMPLITUDE, NAME, (MIN_AMPLITUDE, 2 * HIGHEST_LEVEL))
    offset = offset_setting(OFFSET, NAME, HIGHEST_LEVEL)
    limit_high, limit_low = level_limits(":SOUR1:VOLT:LIM", NAME, HIGHEST_LEVEL)
    burst_idle = Instrument.control(
        ":SOUR1:BURS:IDLE?",
        ":SOUR1:BURS:IDLE %s",
        """Control where the output rests between bursts (str, strictly "STAR", "DC", "END").""",
        validator=strict_discrete_set,
        values=("STAR", "DC", "END"),
        cast=str,
    )
    trigger_source = Instrument.control(
        ":TRIG:SOUR?",
        ":TRIG:SOUR %s",
        """Control what starts a burst (str, strictly "EXT", which includes ``*TRG``, or "TIM").""",
        validator=strict_discrete_set,
        values=("EXT", "TIM"),
        cast=str,
    )

    @property
    def channels_available(self) -> int:
        """Get how many outputs the model has; this driver uses the first."""
        return self._ratings.channels

    def _take_ratings(self, ratings: Ratings) -> None:
        self._ratings = ratings
        self.reach = replace(
            self.reach, largest=ratings.largest_level, shortest=ratings.shortest_width
        )

    def _prepare_burst(self) -> None:
        self.shape = "PULS"
        self.write(":OUTP1:IMP INF")
        self.write(":SOUR1:BURS:MODE TRIG")
        self.write(":SOUR1:BURS:NCYC 1")
        self.trigger_source = "EXT"
        self.burst_idle = "END"
        self.write(":SOUR1:BURS:STAT ON")
        self.write(":SOUR1:PULS:HOLD WIDT")
        self.write(":SOUR1:PULS:TRAN:LEAD MIN")
        self.write(":SOUR1:PULS:TRAN:TRA MIN")

    def _set_limits(self, max_amplitude: Volts) -> None:
        self.limit_high = max_amplitude
        self.limit_low = -max_amplitude

    def _read_limits(self) -> tuple[float, float, bool]:
        """They cannot be switched off."""
        return *self._open_circuit_limits(self.limit_high, self.limit_low, self.load), True

    def _check_set_up(self, width: Seconds) -> None:
        """After the settings, where the output will rest: one burst that nobody sees."""
        super()._check_set_up(width)
        self._command(f"{self.OUTPUT} OFF;*TRG")
        period = 2 * width + SPARE_PERIOD
        if period > BUS_LATENCY:
            time.sleep(period)
