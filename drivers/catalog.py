"""The drivers that ``bench.toml`` can name. A new instrument is one line here."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from crossbar.errors import ConfigurationError
from crossbar.units import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverEntry:
    """Where a driver is, and what it is for."""

    role: str
    """"smu", "pulse_generator", "prober" or "die_board"."""
    target: str
    """``module:Class``, imported when a bench first uses it."""
    timeout: Seconds = 5.0
    """How long the instrument may take to answer."""


DRIVERS: dict[str, DriverEntry] = {
    "keithley_2600b": DriverEntry(role="smu", target="drivers.keithley_2600b:Keithley2600B"),
    "keysight_81160a": DriverEntry(
        role="pulse_generator", target="drivers.keysight_81160a:Keysight81160A"
    ),
    "formfactor_velox": DriverEntry(
        role="prober",
        target="drivers.formfactor_velox:FormFactorVelox",
        timeout=120.0,  # it answers when the move is over; a step across the wafer takes seconds
    ),
    "die_board": DriverEntry(role="die_board", target="drivers.die_board:DieBoard"),
}


def entry(driver: str) -> DriverEntry:
    """The catalog's line for a driver's name. Raises ConfigurationError for an unknown one."""
    try:
        return DRIVERS[driver]
    except KeyError:
        raise ConfigurationError(
            f"There is no driver {driver!r}; the catalog has {', '.join(sorted(DRIVERS))}. "
            "Correct it in bench.toml, or add a line to drivers/catalog.py."
        ) from None


def load_driver(driver: str) -> Any:
    """The class of a driver: call it with an adapter from `drivers.visa.connect`."""
    return load_target(entry(driver).target)


def load_target(target: str) -> Any:
    """Import ``module:Class``."""
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)
