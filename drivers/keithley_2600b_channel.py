"""Channel A of a Keithley 2600B as a property table: each line is a page of the manual."""

from pymeasure.instruments import Channel
from pymeasure.instruments.validators import strict_discrete_set

from crossbar.errors import ReplyError
from drivers.hardware_range import hardware_range

NAME = "Keithley 2600B"


def as_number(value: object) -> float:
    """A reply that must be a number, or ReplyError with its text."""
    if isinstance(value, float):
        return value
    raise ReplyError(f"The Keithley 2600B answered {value!r} where a number was expected.")


def as_truth(value: object) -> bool:
    """A reply that must be ``true`` or ``false``, or ReplyError with its text."""
    if value in ("true", "false"):
        return value == "true"
    raise ReplyError(f"The Keithley 2600B answered {value!r} where true or false was expected.")


def as_switch(value: object) -> bool:
    """A reply that must be 0 or 1."""
    return bool(as_number(value))


def as_integer(value: object) -> int:
    """A reply that must be an enumeration: those are numbers here."""
    return int(as_number(value))


class SourceMeasureUnit(Channel):
    """``smua``: the property table. Values in SI units; nothing is clipped."""

    source_function = Channel.control(
        "print({ch}.source.func)",
        "{ch}.source.func = %d",
        """Control what is sourced (0 OUTPUT_DCAMPS, 1 OUTPUT_DCVOLTS).""",
        validator=strict_discrete_set,
        values=(0, 1),
        get_process=as_integer,
    )
    level = Channel.control(
        "print({ch}.source.levelv)",
        "{ch}.source.levelv = %.9g",
        """Control the sourced voltage, in volts (strictly within the model's rating).""",
        validator=hardware_range("voltage", "V", NAME),
        values=(-40.0, 40.0),
        dynamic=True,
        get_process=as_number,
    )
    source_range = Channel.control(
        "print({ch}.source.rangev)",
        "{ch}.source.rangev = %.9g",
        """Control the source range, in volts: the smallest that fits is taken, and reads back.""",
        validator=hardware_range("source range", "V", NAME),
        values=(0.0, 40.0),
        dynamic=True,
        get_process=as_number,
    )
    source_autorange = Channel.control(
        "print({ch}.source.autorangev)",
        "{ch}.source.autorangev = %d",
        """Control whether the source range follows the level (bool).""",
        validator=strict_discrete_set,
        values=(False, True),
        get_process=as_switch,
    )
    current_limit = Channel.control(
        "print({ch}.source.limiti)",
        "{ch}.source.limiti = %.9g",
        """Control the current limit, in amperes (strictly within the model's rating).""",
        validator=hardware_range("current limit", "A", NAME),
        values=(10e-9, 1.5),
        dynamic=True,
        get_process=as_number,
    )
    output = Channel.control(
        "print({ch}.source.output)",
        "{ch}.source.output = %d",
        """Control whether the output is on (bool).""",
        validator=strict_discrete_set,
        values=(False, True),
        get_process=as_switch,
    )
    off_mode = Channel.control(
        "print({ch}.source.offmode)",
        "{ch}.source.offmode = %d",
        """Control what off means (0 NORMAL: 0 V; 1 ZERO; 2 HIGH_Z: a relay opens).""",
        validator=strict_discrete_set,
        values=(0, 1, 2),
        get_process=as_integer,
    )
    in_compliance = Channel.measurement(
        "print({ch}.source.compliance)",
        """Get whether the current limit clamps the source at this moment (bool).""",
        get_process=as_truth,
    )
    sense = Channel.control(
        "print({ch}.sense)",
        "{ch}.sense = %d",
        """Control how the voltage is sensed (0 SENSE_LOCAL, 1 SENSE_REMOTE: four wires).""",
        validator=strict_discrete_set,
        values=(0, 1),
        get_process=as_integer,
    )
    current = Channel.measurement(
        "print({ch}.measure.i())",
        """Measure the current, in amperes, at the present level.""",
        get_process=as_number,
    )
    voltage = Channel.measurement(
        "print({ch}.measure.v())",
        """Measure the voltage, in volts, at the present level.""",
        get_process=as_number,
    )
    nplc = Channel.control(
        "print({ch}.measure.nplc)",
        "{ch}.measure.nplc = %.9g",
        """Control the integration time, in power line cycles (strictly 0.001 to 25).""",
        validator=hardware_range("integration time in power line cycles", "", NAME),
        values=(0.001, 25),
        get_process=as_number,
    )
    measure_range = Channel.control(
        "print({ch}.measure.rangei)",
        "{ch}.measure.rangei = %.9g",
        """Control the current range, in amperes: the smallest that fits is taken.""",
        validator=hardware_range("current range", "A", NAME),
        values=(0.0, 1.5),
        dynamic=True,
        get_process=as_number,
    )
    measure_autorange = Channel.control(
        "print({ch}.measure.autorangei)",
        "{ch}.measure.autorangei = %d",
        """Control autoranging of the current (0 off, 1 on, 2 follow the limit).""",
        validator=strict_discrete_set,
        values=(0, 1, 2),
        get_process=as_integer,
    )
    measure_delay = Channel.control(
        "print({ch}.measure.delay)",
        "{ch}.measure.delay = %.9g",
        """Control the wait before a measurement, in seconds (strictly 0 to 1000).""",
        validator=hardware_range("measure delay", "s", NAME),
        values=(0, 1000),
        get_process=as_number,
    )
    autozero = Channel.control(
        "print({ch}.measure.autozero)",
        "{ch}.measure.autozero = %d",
        """Control when the reference is measured (0 never, 1 once now, 2 before each reading).""",
        validator=strict_discrete_set,
        values=(0, 1, 2),
        get_process=as_integer,
    )
