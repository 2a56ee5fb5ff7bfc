"""The emulator of every driver in `drivers.catalog`, under the same name."""

from typing import Any

from crossbar.errors import ConfigurationError
from drivers.catalog import entry, load_target

EMULATORS: dict[str, str] = {
    "keithley_2600b": "simulated_instruments.keithley_2600b:EmulatedKeithley2600B",
    "keysight_81160a": "simulated_instruments.keysight_81160a:EmulatedKeysight81160A",
    "formfactor_velox": "simulated_instruments.formfactor_velox:EmulatedFormFactorVelox",
    "die_board": "simulated_instruments.die_board:EmulatedDieBoard",
}


def load_emulator(driver: str) -> Any:
    """The class of a driver's emulator: call it with a `ProbeStation`.

    Raises ConfigurationError for an unknown driver and for one that has no emulator.
    """
    entry(driver)
    if driver not in EMULATORS:
        raise ConfigurationError(
            f"Driver {driver!r} has no emulator; simulated are {', '.join(sorted(EMULATORS))}. "
            "Leave it out of the simulated bench, or add it to simulated_instruments/catalog.py."
        )
    return load_target(EMULATORS[driver])
