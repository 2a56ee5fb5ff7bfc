"""A whole bench in memory: one wafer, one probe station, an emulator for every instrument."""

import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from crossbar.errors import ConfigurationError
from crossbar.units import Seconds
from drivers.catalog import entry
from physics.wafer import SimulatedWafer
from physics.wired_die import ArrayWiring
from simulated_instruments.catalog import load_emulator
from simulated_instruments.clock import VirtualClock, WaferClock
from simulated_instruments.emulated_instrument import EmulatedInstrument
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.tcp_server import serve
from simulated_instruments.visa_library import BUS_LATENCY, EmulatorVisaLibrary

TRIGGER_LINE = 1
"""The SMU's digital line that goes to the pulse generator's external trigger input."""


class SimulatedBench:
    """Emulators wired to one station, reached in process (`visa_library`) or over TCP (`serve`)."""

    def __init__(
        self,
        wafer: SimulatedWafer,
        instruments: Mapping[str, str],
        *,
        options: Mapping[str, Mapping[str, Any]] | None = None,
        trigger_line: int = TRIGGER_LINE,
        real_time: bool = False,
        latency: Seconds = BUS_LATENCY,
        wiring: ArrayWiring | None = None,
    ) -> None:
        """``instruments`` maps resource names to driver names of the catalog; ``options`` gives
        keyword arguments for single emulators, by resource name (a prober's ``die_frame``);
        ``wiring`` is that of the cells on each die.

        Raises ConfigurationError for an unknown driver and for options of an absent instrument.
        """
        strangers = set(options or {}) - set(instruments)
        if strangers:
            raise ConfigurationError(
                f"Options were given for {', '.join(sorted(strangers))}, which the simulated bench "
                f"does not have; it has {', '.join(instruments)}."
            )
        self.latency = latency
        self.station = ProbeStation(
            wafer=wafer, clock=VirtualClock(real_time=real_time), wiring=wiring
        )
        self.emulators: dict[str, EmulatedInstrument] = {}
        self._options = {address: dict(given) for address, given in (options or {}).items()}
        self.packages: dict[str, Any] = {}
        """What stands in for the objects of makers' own packages, by address."""
        # All share the wafer and the clock, so over TCP all take turns.
        self._lock = threading.RLock()
        for address, driver in instruments.items():
            emulator = load_emulator(driver)(self.station, **(options or {}).get(address, {}))
            if entry(driver).package:
                self.packages[address] = emulator
                continue
            emulator.lock = self._lock
            self.emulators[address] = emulator
            if entry(driver).role == "pulse_generator":
                triggered = self.station.trigger_lines.setdefault(trigger_line, [])
                triggered.append(emulator.external_trigger)
        chosen_by = {entry(driver).role for driver in instruments.values()}
        if wafer.geometry.cells == 1 and not chosen_by & {"die_board", "switch_matrix"}:
            self.station.route(0)  # the needles are on it; nothing is left to be chosen
        self.visa_library = EmulatorVisaLibrary(
            self.emulators, clock=self.station.clock, latency=latency
        )
        """The bench's own VISA library, for `drivers.visa.connect`."""

    def open_package(self, address: str) -> Any:
        """What stands in for the object of a maker's package, as the driver's `open_library` gives
        it: with a session open, if it has sessions.
        """
        stand_in = self.packages[address]
        if hasattr(stand_in, "open_session"):
            stand_in.open_session()
        return stand_in

    @property
    def elapsed(self) -> Seconds:
        """How long a real bench would have taken so far."""
        return self.station.clock.now

    @property
    def clock(self) -> WaferClock:
        """For protocols that wait."""
        station = self.station
        return WaferClock(wafer_time=station.wafer.now, virtual=station.clock)

    def restart(self, address: str) -> None:
        """Switch an instrument off and on: settings, replies and errors are lost, outputs and
        relays are as at power-on. A prober's chuck stays where it is.
        """
        emulator = self.emulators[address]
        lock = emulator.lock
        with lock:
            if hasattr(emulator, "restore_defaults"):
                emulator.restore_defaults()  # opens what relays it has in the station
            emulator.__init__(self.station, **self._options.get(address, {}))  # type: ignore[misc]
            emulator.lock = lock

    def serve(
        self, *, host: str = "127.0.0.1", ports: Mapping[str, int] | None = None
    ) -> AbstractContextManager[dict[str, str]]:
        """Serve all emulators over TCP; gives the address to use for each resource name."""
        return serve(
            self.emulators, host=host, ports=ports, clock=self.station.clock, latency=self.latency
        )

    def save_state(self, path: Path) -> None:
        """Keep what was done to the wafer's cells."""
        with self._lock:
            self.station.wafer.save(path)

    def load_state(self, path: Path) -> None:
        """Bring the wafer back. Raises DataError for another wafer's file."""
        with self._lock:
            self.station.wafer.load(path)
