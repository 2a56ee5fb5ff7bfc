"""Keysight 81160A pulse function arbitrary generator: the bench's source of write pulses."""

from typing import Any, ClassVar

from pymeasure.instruments import Instrument
from pymeasure.instruments.validators import strict_discrete_set, strict_range

from crossbar.units import Seconds, Volts
from drivers.hardware_range import hardware_range
from drivers.pulse_range import PulseRange
from drivers.triggered_generator import TriggeredGenerator

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
    OUTPUT = ":OUTP{ch}"
    POLARITY = ":OUTP{ch}:POL"
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

    def __init__(self, adapter: Any, name: str = NAME, *, output: int = 1, **kwargs: Any) -> None:
        super().__init__(adapter, name, output=output, **kwargs)

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
    amplitude = Instrument.control(
        ":VOLT{ch}?",
        ":VOLT{ch} %.9g",
        """Control the high level minus the low level, in volts (strictly 0.1 to 10).""",
        validator=hardware_range("amplitude", "V", NAME),
        values=(MIN_AMPLITUDE, MAX_LEVEL),
    )
    offset = Instrument.control(
        ":VOLT{ch}:OFFS?",
        ":VOLT{ch}:OFFS %.9g",
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
        """Control the pulse width at half amplitude, in seconds (strictly 1.5e-9 to 1e6).""",
        validator=hardware_range("pulse width", "s", NAME),
        values=WIDTHS,
    )
    leading_edge = Instrument.control(
        ":FUNC{ch}:PULS:TRAN?",
        ":FUNC{ch}:PULS:TRAN %.9g",
        """Control the leading edge, 10 % to 90 %, in seconds (strictly 1e-9 to 1e3).""",
        validator=hardware_range("leading edge", "s", NAME),
        values=EDGES,
    )
    trailing_edge = Instrument.control(
        ":FUNC{ch}:PULS:TRAN:TRA?",
        ":FUNC{ch}:PULS:TRAN:TRA %.9g",
        """Control the trailing edge, 90 % to 10 %, in seconds (strictly 1e-9 to 1e3).""",
        validator=hardware_range("trailing edge", "s", NAME),
        values=EDGES,
    )
    arm_source = Instrument.control(
        ":ARM:SOUR{ch}?",
        ":ARM:SOUR{ch} %s",
        """Control what starts a pulse (str, strictly "MAN" for ``*TRG``, "EXT", "IMM", "INT2").""",
        validator=strict_discrete_set,
        values=("MAN", "EXT", "IMM", "INT2"),
        cast=str,
    )
    trigger_count = Instrument.control(
        ":TRIG{ch}:COUN?",
        ":TRIG{ch}:COUN %d",
        """Control how many pulses one trigger sends (int, strictly 1 to 2147483647).""",
        validator=strict_range,
        values=(1, 2147483647),
        cast=int,
    )

    def prepare(self, max_amplitude: Volts = MAX_LEVEL) -> None:
        """As `BurstGenerator.prepare`; the other output is switched off."""
        super().prepare(max_amplitude)

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
