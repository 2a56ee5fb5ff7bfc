"""Agilent/Keysight 81110A pulse generator with 81111A outputs: single pulses over GPIB."""

from typing import Any, ClassVar

from pymeasure.instruments import Instrument
from pymeasure.instruments.validators import strict_discrete_set, strict_range

from crossbar.units import Seconds, Volts
from drivers.hardware_range import hardware_range
from drivers.pulse_range import PulseRange
from drivers.triggered_generator import TriggeredGenerator

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
    OUTPUT = ":OUTP{ch}"
    POLARITY = ":OUTP{ch}:POL"
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

    def __init__(self, adapter: Any, name: str = NAME, *, output: int = 1, **kwargs: Any) -> None:
        super().__init__(adapter, name, output=output, **kwargs)

    load = Instrument.control(
        ":OUTP{ch}:IMP:EXT?",
        ":OUTP{ch}:IMP:EXT %.9g",
        """Control the load that programmed levels refer to, in ohms (strictly 0.1 to 999e3).""",
        validator=strict_range,
        values=(0.1, 999e3),
    )
    amplitude = Instrument.control(
        ":VOLT{ch}?",
        ":VOLT{ch} %.9g",
        """Control the high level minus the low level, in volts (strictly 0.2 to 10).""",
        validator=hardware_range("amplitude", "V", NAME),
        values=(MIN_AMPLITUDE, MAX_LEVEL),
    )
    offset = Instrument.control(
        ":VOLT{ch}:OFF?",
        ":VOLT{ch}:OFF %.9g",
        """Control the mean of the high and the low level, in volts (strictly -10 to 10).""",
        validator=hardware_range("offset", "V", NAME),
        values=(-MAX_LEVEL, MAX_LEVEL),
    )
    limit_high = Instrument.control(
        ":VOLT{ch}:LIM:HIGH?",
        ":VOLT{ch}:LIM:HIGH %.9g",
        """Control the highest level that the generator accepts, in volts (strictly -10 to 10).""",
        validator=hardware_range("upper limit", "V", NAME),
        values=(-MAX_LEVEL, MAX_LEVEL),
    )
    limit_low = Instrument.control(
        ":VOLT{ch}:LIM:LOW?",
        ":VOLT{ch}:LIM:LOW %.9g",
        """Control the lowest level that the generator accepts, in volts (strictly -10 to 10).""",
        validator=hardware_range("lower limit", "V", NAME),
        values=(-MAX_LEVEL, MAX_LEVEL),
    )
    width = Instrument.control(
        ":PULS:WIDT{ch}?",
        ":PULS:WIDT{ch} %.9g",
        """Control the pulse width at half amplitude, in seconds (strictly 3.03e-9 to 999.5).""",
        validator=hardware_range("pulse width", "s", NAME),
        values=WIDTHS,
    )
    leading_edge = Instrument.control(
        ":PULS:TRAN{ch}?",
        ":PULS:TRAN{ch} %.9g",
        """Control the leading edge, 10 % to 90 %, in seconds (strictly 2e-9 to 0.2).""",
        validator=hardware_range("leading edge", "s", NAME),
        values=EDGES,
    )
    trailing_edge = Instrument.control(
        ":PULS:TRAN{ch}:TRA?",
        ":PULS:TRAN{ch}:TRA %.9g",
        """Control the trailing edge, 90 % to 10 %, in seconds (strictly 2e-9 to 0.2).""",
        validator=hardware_range("trailing edge", "s", NAME),
        values=EDGES,
    )
    arm_source = Instrument.control(
        ":ARM:SOUR?",
        ":ARM:SOUR %s",
        """Control what starts a pulse (str, strictly "MAN" for ``*TRG``, "EXT", "IMM", "INT2").""",
        validator=strict_discrete_set,
        values=("MAN", "EXT", "IMM", "INT2"),
        cast=str,
    )
    trigger_count = Instrument.control(
        ":TRIG:COUN?",
        ":TRIG:COUN %d",
        """Control how many pulses one trigger sends (int, strictly 1 to 65536).""",
        validator=strict_range,
        values=(1, 65536),
        cast=int,
    )

    def prepare(self, max_amplitude: Volts = MAX_LEVEL) -> None:
        """As `BurstGenerator.prepare`; the other output is switched off."""
        super().prepare(max_amplitude)

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
