"""Settable attributes of TSP objects: defaults, ranges, and the complaints of the instrument."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from simulated_instruments.tsp_errors import ErrorQueue

WRONG_TYPE, ILLEGAL, TOO_BIG, TOO_SMALL = -104, -224, 1101, 1102


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One attribute: the value after a reset, and what it accepts."""

    default: float
    lower: float = -math.inf
    upper: float = math.inf
    choices: tuple[float, ...] = ()
    """If given, nothing between them is accepted."""

    def complaint(self, value: object) -> int:
        """Error code for a value that is not accepted, else 0."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return WRONG_TYPE
        if value > (max(self.choices) if self.choices else self.upper):
            return TOO_BIG
        if value < (min(self.choices) if self.choices else self.lower):
            return TOO_SMALL
        if not math.isfinite(value) or (self.choices and value not in self.choices):
            return ILLEGAL
        return 0


def choice(default: float, *choices: float) -> Setting:
    """A setting that is one of a few numbers, as enumerations are in TSP."""
    return Setting(default=default, choices=choices)


DURATION = Setting(default=0, lower=0, upper=100e3)
"""Seconds. The upper end is ours, but for timers, where the manual has it."""
SWITCH_OFF = choice(0, 0, 1)
SWITCH_ON = choice(1, 0, 1)


class Settings:
    """The present values of a TSP object's attributes."""

    def __init__(
        self,
        table: Mapping[str, Setting],
        errors: ErrorQueue,
        *,
        accept: Callable[[str, float], int] | None = None,
    ) -> None:
        self.table = table
        self.errors = errors
        self.values: dict[str, float] = {}
        self._accept = accept
        """Called with name and value before an accepted value is stored; a non-zero result is the
        error code with which the instrument refuses it after all."""
        self.reset()

    def reset(self) -> None:
        """Back to the defaults."""
        self.values.update({name: setting.default for name, setting in self.table.items()})

    def __getitem__(self, name: str) -> float:
        return self.values[name]

    def set(self, name: str, value: float) -> None:
        """Store a value, or report why not and leave the old one: TSP goes on in both cases."""
        code = self.table[name].complaint(value)
        if not code and self._accept:
            code = self._accept(name, float(value))
        if code:
            self.errors.report(code)
        else:
            self.values[name] = float(value)

    def getters(self) -> dict[str, Callable[[], float]]:
        """For `TspInterpreter.make_object`."""
        return {name: partial(self.__getitem__, name) for name in self.table}

    def setters(self) -> dict[str, Callable[[float], None]]:
        """For `TspInterpreter.make_object`."""
        return {name: partial(self.set, name) for name in self.table}
