"""The emulator of every driver in `drivers.catalog`, under the same name."""

from typing import Any

from crossbar.errors import ConfigurationError
from drivers.catalog import entry, load_target

EMULATORS: dict[str, str] = {
    "keithley_2600b": "simulated_instruments.keithley_2600b:EmulatedKeithley2600B",
    "keithley_2450": "simulated_instruments.keithley_2450:EmulatedKeithley2450",
    "keithley_2400": "simulated_instruments.keithley_2400:EmulatedKeithley2400",
    "keysight_b2900": "simulated_instruments.keysight_b2900:EmulatedKeysightB2900",
    "keysight_81160a": "simulated_instruments.keysight_81160a:EmulatedKeysight81160A",
    "keysight_81110a": "simulated_instruments.keysight_81110a:EmulatedKeysight81110A",
    "keysight_33500b": "simulated_instruments.keysight_33500b:EmulatedKeysight33500B",
    "tektronix_afg31000": "simulated_instruments.tektronix_afg31000:EmulatedTektronixAFG31000",
    "keithley_4200a": "simulated_instruments.keithley_4200a:EmulatedKeithley4200A",
    "picosecond_10070a": "simulated_instruments.picosecond_10070a:EmulatedPicosecond10070A",
    "keysight_b1500a": "simulated_instruments.keysight_b1500a:EmulatedKeysightB1500A",
    "keysight_wgfmu": "simulated_instruments.keysight_wgfmu:EmulatedKeysightWgfmu",
    "bnc_577": "simulated_instruments.bnc_577:EmulatedBNC577",
    "formfactor_velox": "simulated_instruments.formfactor_velox:EmulatedFormFactorVelox",
    "mpi_sentio": "simulated_instruments.mpi_sentio:EmulatedMpiSentio",
    "suss_proberbench": "simulated_instruments.suss_proberbench:EmulatedSussProberBench",
    "keithley_707b": "simulated_instruments.keithley_707b:EmulatedKeithley707B",
    "die_board": "simulated_instruments.die_board:EmulatedDieBoard",
    "arc_two": "simulated_instruments.arc_two:EmulatedArcTwo",
    "nist_daffodil": "simulated_instruments.nist_daffodil:EmulatedNistDaffodil",
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
