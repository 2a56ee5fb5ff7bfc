"""Single pulses from Keysight's pulse generators with two outputs: what 81110A and 81160A share.

Unlike a function generator in burst mode (`BurstGenerator`), whose way of sending pulses this is,
they ignore the period when a trigger starts a single pulse (81160A user guide, p. 142).
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from pymeasure.instruments import Instrument
from pymeasure.instruments.validators import strict_discrete_set

from crossbar.errors import ConfigurationError, InstrumentError, LimitError, ReplyError
from crossbar.units import Seconds, format_quantity
from drivers.as_prepared import not_as_prepared
from drivers.burst_generator import BurstGenerator
from drivers.generator_settings import polarity_setting
from drivers.scpi_error_queue import ENTRY, QUEUE_LENGTH, raise_reported

OUTPUTS = (1, 2)
WIDTH_TOLERANCE = 0.01
"""Of the width, how closely it must read back. Ours: the steps of these generators are a few
picoseconds, and their shortest pulses 1.5 ns."""
NOT_THERE = (-113, -114, -241)
"""What a generator with one output may answer to a command for the second (undefined header, suffix
out of range, hardware missing). Which of them it is was not confirmed."""


def never_added(value: str, values: Sequence[str]) -> str:
    """A PyMeasure validator that refuses to add one output's signal to the other's."""
    if value not in values:
        raise LimitError(
            f"Adding the outputs (:CHAN:MATH {value}) was asked for, but level limits hold for "
            "each output alone, not for the sum that a cell would see. Nothing was sent; leave "
            "it OFF."
        )
    return value


def arm_source_setting(header: str) -> Any:
    """The property ``arm_source``."""
    return Instrument.control(
        f"{header}?",
        f"{header} %s",
        """Control what starts a pulse (str, strictly "MAN" for ``*TRG``, "EXT", "IMM", "INT2").""",
        validator=strict_discrete_set,
        values=("MAN", "EXT", "IMM", "INT2"),
        cast=str,
    )


class TriggeredGenerator(BurstGenerator):
    """One output of a pulse generator, as a source of single pulses; see `BurstGenerator`.

    ``{ch}`` in a command stands for the number of the output, as in PyMeasure's channels.
    """

    SINGLE: ClassVar[str]
    """One pulse, and no other shape, for a trigger."""
    PREPARED: ClassVar[str]
    """A query that tells `prepare`'s settings from the factory's; see `_is_prepared`."""
    OUTPUT = ":OUTP{ch}"
    POLARITY = ":OUTP{ch}:POL"

    def __init__(self, adapter: Any, name: str = "", *, output: int = 1, **kwargs: Any) -> None:
        """``output`` (1 or 2) leads to the cells. Raises ConfigurationError for others."""
        if output not in OUTPUTS:
            raise ConfigurationError(
                f"The {self.reach.name} has outputs 1 and 2, not {output!r}. Name the one that is "
                "wired to the cells."
            )
        super().__init__(adapter, name or self.reach.name, includeSCPI=False, **kwargs)
        self._output = output

    output_enabled = Instrument.control(
        ":OUTP{ch}?",
        ":OUTP{ch} %s",
        """Control whether the output relay is closed (bool).""",
        validator=strict_discrete_set,
        values=(True, False),
        set_process=lambda on: "ON" if on else "OFF",
        get_process=bool,
    )
    polarity = polarity_setting(POLARITY)
    limits_enabled = Instrument.control(
        ":VOLT{ch}:LIM:STAT?",
        ":VOLT{ch}:LIM:STAT %s",
        """Control whether the level limits are in force (bool).""",
        validator=strict_discrete_set,
        values=(True, False),
        set_process=lambda on: "ON" if on else "OFF",
        get_process=bool,
    )
    channel_math = Instrument.control(
        ":CHAN:MATH?",
        ":CHAN:MATH %s",
        """Control whether output 1 sends the sum of both outputs (str, strictly "OFF").""",
        validator=never_added,
        values=("OFF",),
        cast=str,
    )

    @property
    def output(self) -> int:
        """Get which output leads to the cells."""
        return self._output

    def write(self, command: str, **kwargs: Any) -> None:
        """Send a command with the output's number where it says ``{ch}``."""
        super().write(self._addressed(command), **kwargs)

    def _addressed(self, command: str) -> str:
        return command.replace("{ch}", str(self._output))

    def _take_ratings(self, ratings: Any) -> None:
        """Nothing here depends on the model."""

    def _prepare_burst(self) -> None:
        self._switch_other_off()
        self._prepare_single_pulses()
        self.write(":PULS:HOLD{ch} WIDT")

    def _prepare_single_pulses(self) -> None:
        """After ``*RST``: pulses into the largest load, one for a trigger, fastest edges."""
        raise NotImplementedError

    def _switch_other_off(self) -> None:
        """The other output off, and nothing of it added to this one; there may be only one."""
        (other,) = set(OUTPUTS) - {self._output}
        doing = f":OUTP{other} OFF;:CHAN:MATH OFF"
        entry = self.ask(f"{doing};:SYST:ERR?")
        for _ in range(QUEUE_LENGTH):
            match = ENTRY.fullmatch(entry)
            if match is None or int(match[1]) not in NOT_THERE:
                break
            entry = self.ask(":SYST:ERR?")
        raise_reported(entry, self.ask, self.reach.name, doing=doing)

    def _times(self, width: Seconds) -> tuple[tuple[str, str], ...]:
        return ((self.WIDTH, f"{width:.9g}"),)

    def _once_more(self, levels: str, wait_for_trigger: str) -> str:
        return f"{self.SINGLE};{wait_for_trigger};{levels}"

    def _check_set_up(self, width: Seconds) -> None:
        """The error queue, the preparation, and the width, which may be adjusted with a warning."""
        answer = self.ask(f"{self.PREPARED}?;{self.WIDTH}?;:SYST:ERR?")
        sign, _, rest = answer.partition(";")
        answered, _, entry = rest.partition(";")
        raise_reported(entry, self.ask, self.reach.name)
        if not self._is_prepared(sign.strip()):
            query = self._addressed(self.PREPARED)
            raise not_as_prepared(self.reach.name, f"{query} answered {sign.strip()!r}")
        actual = self._number(answered, "its pulse width")
        if not abs(actual - width) <= WIDTH_TOLERANCE * width:
            raise InstrumentError(
                f"The {self.reach.name} was told a pulse width of {format_quantity(width, 's')}, "
                f"but reads back {format_quantity(actual, 's')}: its edges or its period do not "
                "allow it. Nothing was sent; ask for a longer pulse."
            )

    def _is_prepared(self, sign: str) -> bool:
        """Whether this reply to `PREPARED` is that of a generator as `prepare` left it."""
        raise NotImplementedError

    def _number(self, answered: str, asked: str) -> float:
        try:
            return float(answered)
        except ValueError:
            raise ReplyError(
                f"The {self.reach.name} answered {answered!r} when asked for "
                f"{self._addressed(asked)}. Clear the connection and reopen it."
            ) from None
