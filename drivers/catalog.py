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
    """One of `ROLES`."""
    target: str
    """``module:Class``, imported when a bench first uses it."""
    address: str
    """Where such an instrument usually answers: an example for bench files, not a default."""
    timeout: Seconds = 5.0
    """How long the instrument may take to answer."""
    termination: str = "\n"
    """What ends a message on the way to the instrument, and on a raw socket its replies too."""
    baud_rate: int = 9600
    """Of the instrument's serial line, where the address is one."""
    package: str = ""
    """The maker's own Python package, where that speaks to the instrument instead of VISA."""


ROLES = {
    "smu": "source-measure unit",
    "pulse_generator": "pulse generator",
    "pulse_measure_unit": "pulses and measures in one",
    "prober": "wafer prober",
    "switch_matrix": "switch matrix",
    "die_board": "board that holds and addresses a die",
}
"""What an instrument can be on a bench, in a technician's words."""

DRIVERS: dict[str, DriverEntry] = {
    "keithley_2600b": DriverEntry(
        role="smu",
        target="drivers.keithley_2600b:Keithley2600B",
        address="GPIB0::26::INSTR",
    ),
    "keithley_2450": DriverEntry(
        role="smu",
        target="drivers.keithley_2450:Keithley2450",
        address="GPIB0::18::INSTR",
    ),
    "keithley_2400": DriverEntry(
        role="smu",
        target="drivers.keithley_2400:Keithley2400",
        address="GPIB0::24::INSTR",
    ),
    "keysight_b2900": DriverEntry(
        role="smu",
        target="drivers.keysight_b2900:KeysightB2900",
        address="GPIB0::23::INSTR",
    ),
    "keysight_81160a": DriverEntry(
        role="pulse_generator",
        target="drivers.keysight_81160a:Keysight81160A",
        address="GPIB0::10::INSTR",
    ),
    "keysight_81110a": DriverEntry(
        role="pulse_generator",
        target="drivers.keysight_81110a:Keysight81110A",
        address="GPIB0::12::INSTR",
    ),
    "keysight_33500b": DriverEntry(
        role="pulse_generator",
        target="drivers.keysight_33500b:Keysight33500B",
        address="USB0::0x0957::0x2807::MY57801234::INSTR",
    ),
    "tektronix_afg31000": DriverEntry(
        role="pulse_generator",
        target="drivers.tektronix_afg31000:TektronixAFG31000",
        address="USB0::0x0699::0x035C::C019999::INSTR",
    ),
    "keithley_4200a": DriverEntry(
        role="pulse_measure_unit",
        target="drivers.keithley_4200a:Keithley4200A",
        address="TCPIP::192.168.0.42::1225::SOCKET",
        termination="\0",
    ),
    "picosecond_10070a": DriverEntry(
        role="pulse_generator",
        target="drivers.picosecond_10070a:Picosecond10070A",
        address="GPIB0::6::INSTR",
    ),
    "keysight_b1500a": DriverEntry(
        role="pulse_measure_unit",
        target="drivers.keysight_b1500a:KeysightB1500A",
        address="GPIB0::17::INSTR",
        termination="\r\n",
    ),
    "keysight_wgfmu": DriverEntry(
        role="pulse_measure_unit",
        target="drivers.keysight_wgfmu:KeysightWgfmu",
        address="GPIB0::17::INSTR",  # the mainframe's; the maker's library opens it
        package="wgfmu",
    ),
    "bnc_577": DriverEntry(
        role="pulse_generator",
        target="drivers.bnc_577:BNC577",
        address="TCPIP::192.168.0.51::2001::SOCKET",
        termination="\r\n",
        baud_rate=115200,
    ),
    "formfactor_velox": DriverEntry(
        role="prober",
        target="drivers.formfactor_velox:FormFactorVelox",
        address="GPIB0::28::INSTR",
        timeout=120.0,  # it answers when the move is over; a step across the wafer takes seconds
    ),
    "mpi_sentio": DriverEntry(
        role="prober",
        target="drivers.mpi_sentio:MpiSentio",
        address="TCPIP::127.0.0.1::35555::SOCKET",
        timeout=300.0,
    ),
    "suss_proberbench": DriverEntry(
        role="prober",
        target="drivers.suss_proberbench:SussProberBench",
        address="ASRL1::INSTR",
        timeout=120.0,
        termination="\r",
    ),
    "keithley_707b": DriverEntry(
        role="switch_matrix",
        target="drivers.keithley_707b:Keithley707B",
        address="GPIB0::16::INSTR",
    ),
    "die_board": DriverEntry(
        role="die_board",
        target="drivers.die_board:DieBoard",
        address="TCPIP::192.168.0.50::5025::SOCKET",
    ),
    "arc_two": DriverEntry(
        role="die_board",
        target="drivers.arc_two:ArcTwo",
        address="0:arc2fw.bin",  # the board's id, and the firmware file to load
        package="pyarc2",
    ),
    "nist_daffodil": DriverEntry(
        role="die_board",
        target="drivers.nist_daffodil:NistDaffodil",
        address="local",  # the package runs on the board's own Linux
        package="daffodillib",
    ),
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
