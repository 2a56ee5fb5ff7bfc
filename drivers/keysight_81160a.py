"""Keysight 81160A pulse function arbitrary generator: the bench's source of write pulses."""

from typing import Any, ClassVar

from pymeasure.instruments import Instrument
from pymeasure.instruments.validators import strict_discrete_set, strict_range

from crossbar.units import Seconds, Volts
from drivers.generator_settings import (
    amplitude_setting,
    edge_settings,
    level_limits,
    offset_setting,
    width_setting,
)
from drivers.pulse_range import PulseRange
from drivers.triggered_generator import TriggeredGenerator, arm_source_setting

NAME = "Keysight 81160A"
HIGH_IMPEDANCE = 1e6
"""Largest value of ``OUTP:LOAD``: programmed volts are then open-circuit volts to 0.005 %."""
MIN_AMPLITUDE: Volts = 0.1
"""50 mVpp into 50 Ohm is the smallest amplitude; open circuit that is twice as much."""
MAX_LEVEL: Volts = 10.0
"""Largest magnitude of a level, open circuit."""
WIDTHS: tuple[Seconds, Seconds] = (1.5e-9, 1e6)
EDGES: tuple[Seconds, Seconds] = (1e-9, 1e3)
FASTEST_EDGE: Seconds = 1e-9


class Keysight81160A(TriggeredGenerator):
    """One output of an 81160A, as a source of single pulses from 0 V to an amplitude and back.

    Amplitudes are *open-circuit volts*: `prepare` tells the generator that its load has a high
    impedance, so that it does not halve what it is asked for (levels refer to ``OUTP:LOAD``; with
    the factory setting of 50 Ohm a high-impedance cell would get twice the programmed volts). What
    arrives at a cell behind the 50 Ohm source is worked out in ``die_access``.

    Not a subclass of PyMeasure's ``Keysight81160A``, whose command strings these are: that one's
    validators stop at 5 V because they assume a 50 Ohm load, its levels go out as ``%f``, it has no
    output polarity, and its ``check_errors`` logs instead of raising.
    """

    MODELS: ClassVar[dict[str, Any]] = {"81160A": None}
    AMPLITUDE = ":VOLT{ch}"
    OFFSET = ":VOLT{ch}:OFFS"
    WIDTH = ":PULS:WIDT{ch}"
    WAIT_FOR_BUS = ":ARM:SOUR{ch} MAN"
    WAIT_FOR_INPUT = ":ARM:SOUR{ch} EXT"
    SINGLE = ":FUNC{ch} PULS"
    PREPARED = ":FUNC{ch}"
    reach = PulseRange(
        name=NAME,
        smallest=MIN_AMPLITUDE,
        largest=MAX_LEVEL,
        shortest=WIDTHS[0],
        longest=WIDTHS[1],
    )

    function = Instrument.control(
        ":FUNC{ch}?",
        ":FUNC{ch} %s",
        """Control the shape of the output (str, strictly "PULS", "DC", "SQU", "SIN" or "RAMP").""",
        validator=strict_discrete_set,
        values=("PULS", "DC", "SQU", "SIN", "RAMP"),
        cast=str,
    )
    load = Instrument.control(
        ":OUTP{ch}:LOAD?",
        ":OUTP{ch}:LOAD %.9g",
        """Control the load that programmed levels refer to, in ohms (strictly 0.3 to 1e6).""",
        validator=strict_range,
        values=(0.3, 1e6),
    )
    amplitude = amplitude_setting(AMPLITUDE, NAME, (MIN_AMPLITUDE, MAX_LEVEL))
    offset = offset_setting(OFFSET, NAME, MAX_LEVEL)
    limit_high, limit_low = level_limits(":VOLT{ch}:LIM", NAME, MAX_LEVEL)
    width = width_setting(WIDTH, NAME, WIDTHS)
    leading_edge, trailing_edge = edge_settings(":FUNC{ch}:PULS:TRAN", NAME, EDGES)
    arm_source = arm_source_setting(":ARM:SOUR{ch}")
    trigger_count = Instrument.control(
        ":TRIG{ch}:COUN?",
        ":TRIG{ch}:COUN %d",
        """Control how many pulses one trigger sends (int, strictly 1 to 2147483647).""",
        validator=strict_range,
        values=(1, 2147483647),
        cast=int,
    )

    def _prepare_single_pulses(self) -> None:
        self.function = "PULS"
        self.load = HIGH_IMPEDANCE
        self.arm_source = "MAN"
        self.trigger_count = 1
        self.leading_edge = FASTEST_EDGE
        self.trailing_edge = FASTEST_EDGE

    def _is_prepared(self, sign: str) -> bool:
        """The factory's function is a sine."""
        return sign == "PULS"
