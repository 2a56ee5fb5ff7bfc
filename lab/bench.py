"""The opened bench: all instruments or none, and outputs off whatever happens."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from crossbar.clock import WallClock
from crossbar.errors import ConfigurationError, InstrumentError, LabError, LimitError
from crossbar.geometry import DieAddress
from crossbar.limits import Limits
from crossbar.memory_die import MemoryDie
from crossbar.ports import Clock
from crossbar.pulses import Pulse
from crossbar.stress import StressLedger
from drivers.catalog import ROLES, entry, load_driver
from drivers.die_access.assembly import DieAssembly
from drivers.protection import Protection
from drivers.visa import connect
from lab.configuration import BenchConfiguration, InstrumentTable
from lab.instrument_options import driver_options
from lab.interruption import uninterrupted
from lab.parameters import Parameters, build

logger = logging.getLogger(__name__)

MEASURING = ("smu", "pulse_measure_unit")
"""Preparing one switches its output on, at 0 V."""
SWITCHED_OFF = ("pulse_generator", "pulse_measure_unit", "smu", "die_board", "switch_matrix")
"""Sources first: a relay must not open while something drives it."""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Opened, identified instruments and the wafer map."""

    configuration: BenchConfiguration
    source: str
    """Where the configuration came from, for messages."""
    instruments: Mapping[str, Any]
    """Drivers by role."""
    limits: Limits
    simulation: Any = None
    """The `SimulatedBench` behind the instruments, or None on a real bench."""
    state_file: Path | None = None
    """Where the simulated wafer's state is kept."""
    execution: str = "board"
    ledger_of: Callable[[DieAddress], StressLedger] | None = None
    """Where the pulses of a die's cells are counted; None counts nothing."""
    clock: Clock = field(default_factory=WallClock)
    """What protocols wait by."""

    def keep_state(self) -> None:
        """Save the simulated wafer as it is now; a real wafer keeps its state by itself."""
        if self.simulation is not None and self.state_file is not None:
            self.simulation.save_state(self.state_file)

    @property
    def identities(self) -> dict[str, str]:
        """What each instrument answered to ``*IDN?``."""
        return {role: driver.identity for role, driver in self.instruments.items()}

    @property
    def messages(self) -> int:
        """How many messages the instruments were sent; those of makers' packages count as none."""
        adapters = (getattr(driver, "adapter", None) for driver in self.instruments.values())
        return sum(getattr(adapter, "messages", 0) for adapter in adapters)

    @property
    def bytes_moved(self) -> int:
        """How many bytes went to the instruments and came back, terminators not counted."""
        adapters = (getattr(driver, "adapter", None) for driver in self.instruments.values())
        return sum(getattr(adapter, "bytes_moved", 0) for adapter in adapters)

    @property
    def bench_time(self) -> float:
        """Seconds that the real bench would have taken so far; 0 where nothing is simulated."""
        return 0.0 if self.simulation is None else float(self.simulation.elapsed)

    def parameters(self, protocol: str, kind: type[Parameters]) -> Parameters:
        """Those of a protocol: its defaults, then the bench file's."""
        given = self.configuration.protocols.get(protocol, {})
        return build(kind, (f"{self.source} [protocols.{protocol}]", given))

    def protections(self, role: str) -> tuple[Protection, ...]:
        """What an instrument itself enforces, read back while it is as a protocol finds it."""
        driver = self.instruments[role]
        if role not in MEASURING:
            return tuple(driver.protections())
        try:
            _prepare(role, driver, self.configuration, self.source)
            return tuple(driver.protections())
        finally:
            with uninterrupted():
                _switch_off(role, driver)

    @contextmanager
    def contacted(self, die: DieAddress) -> Iterator[MemoryDie]:
        """Bring the needles onto a die; separate at the end, whatever happened."""
        prober = self.instruments["prober"]
        assembly = DieAssembly(
            instruments=self.instruments,
            geometry=self.configuration.wafer.geometry,
            limits=self.limits,
            wiring=self.configuration.wiring.generator_wiring,
            trigger_line=self.configuration.wiring.trigger_line,
            matrix_wiring=self.configuration.wiring.matrix.matrix_wiring,
            execution=self.execution,
        )
        ledger = None if self.ledger_of is None else self.ledger_of(die)
        # Before moving: a missing instrument is found here.
        memory_die = replace(assembly.die(die), ledger=ledger, clock=self.clock)
        prober.go_to(die)
        try:
            prober.contact()
            for role in MEASURING:
                if role in self.instruments:
                    _prepare(role, self.instruments[role], self.configuration, self.source)
            yield memory_die
        finally:
            # Outputs first: needles must not leave a cell while something drives it.
            with uninterrupted():
                try:
                    for role in SWITCHED_OFF:
                        if role in self.instruments:
                            _switch_off(role, self.instruments[role])
                finally:
                    prober.separate()
                    _settle(ledger)


@contextmanager
def opened(
    configuration: BenchConfiguration,
    source: str,
    *,
    simulation: Any = None,
    state_file: Path | None = None,
    execution: str = "board",
    ledger_of: Callable[[DieAddress], StressLedger] | None = None,
    connector: Callable[..., Any] = connect,
    clock: Clock | None = None,
) -> Iterator[Bench]:
    """Open every instrument, or none; switch every output off on the way out.

    Raises InstrumentError that names every instrument that did not open, not only the first.
    ``simulation`` is the simulated bench to open instead of hardware; its wafer's state is saved to
    ``state_file`` at the end. ``connector`` is `drivers.visa.connect`, or what stands in for it
    where traffic is recorded or replayed; ``clock`` by default real time, or the simulation's.
    """
    limits = configuration.limits_from(source)
    library = configuration.visa_library if simulation is None else simulation.visa_library
    with ExitStack() as on_the_way_out:
        if simulation is not None and state_file is not None:
            on_the_way_out.callback(simulation.save_state, state_file)
        instruments: dict[str, Any] = {}
        failures: list[LabError] = []
        for role, table in configuration.instruments.items():
            try:
                driver = _open(role, table, configuration, library, simulation, connector)
                on_the_way_out.callback(_close, role, driver)
                _protect(role, driver, configuration, source)
                instruments[role] = driver
            except LabError as error:
                failures.append(error)
        if failures:
            raise _gathered(failures, len(configuration.instruments))
        yield Bench(
            configuration=configuration,
            source=source,
            instruments=instruments,
            limits=limits,
            simulation=simulation,
            state_file=state_file,
            execution=execution,
            ledger_of=ledger_of,
            clock=clock or (WallClock() if simulation is None else simulation.clock),
        )


def _open(
    role: str,
    table: InstrumentTable,
    configuration: BenchConfiguration,
    library: Any,
    simulation: Any,
    connector: Callable[..., Any],
) -> Any:
    """Connect one instrument and make sure it is the one that was meant."""
    line = entry(table.driver)
    if line.role != role:
        raise ConfigurationError(
            f"[instruments.{role}] names the driver {table.driver!r}, which is for a {line.role}. "
            f"Give that instrument the role {line.role}, or another driver."
        )
    driver_type = load_driver(table.driver)
    options = driver_options(driver_type, role, table)
    if line.package:
        opened_by = driver_type.open_library if simulation is None else simulation.open_package
        driver = driver_type(opened_by(table.address), **options)
        driver.check_identity()
        return driver
    if role == "prober":
        options["die_frame"] = configuration.wafer.prober_frame.die_frame
    adapter = connector(
        table.address,
        role=role,
        visa_library=library,
        timeout=max(line.timeout, configuration.timeout),
        termination=line.termination,
        baud_rate=line.baud_rate,
    )
    try:
        driver = driver_type(adapter, **options)
        driver.check_identity()
    except BaseException:
        adapter.close()
        raise
    return driver


def _protect(role: str, driver: Any, configuration: BenchConfiguration, source: str) -> None:
    """Outputs off, and the instrument's own protection set to the bench's limits and read back."""
    driver.off()
    try:
        _prepare(role, driver, configuration, source)
    except LimitError as error:
        if source in str(error):
            raise
        raise LimitError(f"{source} [limits] is beyond the {ROLES[role]}: {error}") from None
    if role in MEASURING:
        driver.off()


def _prepare(role: str, driver: Any, configuration: BenchConfiguration, source: str) -> None:
    """Set an instrument's own protection to the bench's limits, and read it back."""
    limits = configuration.limits_from(source)
    # A cell's volts are a little less than the generator's; the highest limit is what counts.
    at_generator = configuration.wiring.generator_wiring.generator_pulse(
        Pulse(amplitude=limits.max_amplitude, width=limits.max_width)
    )
    highest = configuration.limits.generator_amplitude(at_generator.amplitude)
    if role == "smu":
        driver.prepare(limits.max_current, max_voltage=limits.max_amplitude)
    elif role == "pulse_generator":
        driver.prepare(highest)
    elif role == "pulse_measure_unit":
        driver.prepare(highest, limits.max_current)
    elif role == "prober":
        driver.prepare(configuration.limits.chuck_limits(source))
    elif role == "die_board":
        driver.prepare(limits)
    elif role == "switch_matrix":
        driver.prepare()


def _settle(ledger: StressLedger | None) -> None:
    """Write the exact counts; what went wrong before is more important than that it fails."""
    try:
        if ledger is not None:
            ledger.settle()
    except LabError as error:
        logger.error("the stress ledger keeps its reserve: %s", error)


def _close(role: str, driver: Any) -> None:
    with uninterrupted():
        _switch_off(role, driver)
        try:
            if hasattr(driver, "adapter"):
                driver.adapter.close()
            else:
                driver.shutdown()  # the session of a maker's package
        except Exception as error:  # noqa: BLE001  the others must still be closed
            logger.error("%s could not be closed: %s", role, error)


def _switch_off(role: str, driver: Any) -> None:
    """Switch off, and go on switching off the others if one does not answer any more."""
    try:
        driver.off()
    except Exception as error:  # noqa: BLE001  whatever it was, the others must still be switched off
        logger.error("%s could not be switched off: %s", role, error)


def _gathered(failures: list[LabError], count: int) -> LabError:
    """One error from several, with the class of the first so that the exit code tells."""
    if len(failures) == 1:
        return failures[0]
    lines = "\n".join(f"  {error}" for error in failures)
    kind = type(failures[0]) if isinstance(failures[0], InstrumentError) else InstrumentError
    return kind(f"{len(failures)} of {count} instruments did not open:\n{lines}")
