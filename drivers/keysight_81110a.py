"""Agilent/Keysight 81110A pulse generator with 81111A outputs: single pulses over GPIB."""

from typing import Any, ClassVar

from pymeasure.instruments import Instrument
from pymeasure.instruments.validators import strict_range

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

NAME = "Keysight 81110A"
HIGH_IMPEDANCE = 999e3
"""Value of ``OUTP:IMP:EXT``: programmed volts are then open-circuit volts to 0.005 %. The largest
one that the instrument takes is from memory, not confirmed."""
FACTORY_LOAD = 50.0
MIN_AMPLITUDE: Volts = 0.2
"""100 mVpp into 50 Ohm is the smallest amplitude; open circuit that is twice as much."""
MAX_LEVEL: Volts = 10.0
"""The 81111A's window is +-10 V, from memory. Ours: open-circuit volts, the safe reading."""
WIDTHS: tuple[Seconds, Seconds] = (3.03e-9, 999.5)
EDGES: tuple[Seconds, Seconds] = (2e-9, 200e-3)
FASTEST_EDGE: Seconds = 2e-9


class Keysight81110A(TriggeredGenerator):
    """One output of an 81110A, as a source of single pulses from 0 V to an amplitude and back.

    Amplitudes are *open-circuit volts*: `prepare` tells the generator that its load has a high
    impedance, so that it does not halve what it is asked for (levels refer to ``OUTP:IMP:EXT``;
    with the factory setting of 50 Ohm a high-impedance cell would get twice the programmed volts).
    What arrives at a cell behind the 50 Ohm source is worked out in ``die_access``.

    The output's number stands at the end of a node (``:VOLT2:HIGH``). Trigger, arming and pattern
    mode are those of both outputs. The instrument adjusts a width that its edges do not allow, and
    only warns (``SYST:WARN``, whose format is not confirmed), so the width is read back before the
    trigger; and so is the load, which tells whether the instrument was switched off and on.
    """

    MODELS: ClassVar[dict[str, Any]] = {"HP81110A": None, "81110A": None}
    AMPLITUDE = ":VOLT{ch}"
    OFFSET = ":VOLT{ch}:OFF"
    WIDTH = ":PULS:WIDT{ch}"
    WAIT_FOR_BUS = ":ARM:SOUR MAN"
    WAIT_FOR_INPUT = ":ARM:SOUR EXT"
    SINGLE = ":TRIG:COUN 1"
    PREPARED = ":OUTP{ch}:IMP:EXT"
    reach = PulseRange(
        name=NAME,
        smallest=MIN_AMPLITUDE,
        largest=MAX_LEVEL,
        shortest=WIDTHS[0],
        longest=WIDTHS[1],
    )

    load = Instrument.control(
        ":OUTP{ch}:IMP:EXT?",
        ":OUTP{ch}:IMP:EXT %.9g",
        """Control the load that programmed levels refer to, in ohms (strictly 0.1 to 999e3).""",
        validator=strict_range,
        values=(0.1, 999e3),
    )
    amplitude = amplitude_setting(AMPLITUDE, NAME, (MIN_AMPLITUDE, MAX_LEVEL))
    offset = offset_setting(OFFSET, NAME, MAX_LEVEL)
    limit_high, limit_low = level_limits(":VOLT{ch}:LIM", NAME, MAX_LEVEL)
    width = width_setting(WIDTH, NAME, WIDTHS)
    leading_edge, trailing_edge = edge_settings(":PULS:TRAN{ch}", NAME, EDGES)
    arm_source = arm_source_setting(":ARM:SOUR")
    trigger_count = Instrument.control(
        ":TRIG:COUN?",
        ":TRIG:COUN %d",
        """Control how many pulses one trigger sends (int, strictly 1 to 65536).""",
        validator=strict_range,
        values=(1, 65536),
        cast=int,
    )

    def _prepare_single_pulses(self) -> None:
        self.load = HIGH_IMPEDANCE
        self.arm_source = "MAN"
        self.write(":ARM:MODE STAR;SENS EDGE")
        self.write(":TRIG:SOUR IMM")
        self.write(":DIG:PATT OFF")  # it changes the trigger count, which therefore comes next
        self.trigger_count = 1
        self.leading_edge = FASTEST_EDGE
        self.trailing_edge = FASTEST_EDGE

    def _is_prepared(self, sign: str) -> bool:
        """The factory's load is 50 Ohm."""
        return self._number(sign, self.PREPARED) > FACTORY_LOAD
