"""What a command does with the traffic to its instruments: record it, replay it, or disturb it."""

import logging
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from crossbar.errors import ConfigurationError, DataError, LabError, StorageError
from crossbar.geometry import DieAddress
from drivers.catalog import entry
from drivers.traffic import Recording
from drivers.traffic_file import Recorder
from drivers.visa import connect
from lab.chosen_bench import ChosenBench
from lab.configuration import BenchConfiguration

HEADER = frozenset({"protocol", "parameters", "dies", "execution", "source", "bench"})


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """How the instruments of a session are reached; by default as they are."""

    recorded: Path | None = None
    header: dict[str, Any] | None = None
    """What the recording says about itself (`header_of`)."""
    replayed: Recording | None = None
    faults: Path | None = None
    """A scenario of faults, for a simulated bench."""

    @contextmanager
    def prepared(
        self, configuration: BenchConfiguration, simulation: Any
    ) -> Iterator[Callable[..., Any]]:
        """Disturb the simulation, if asked; gives what opens a connection.

        Raises ConfigurationError for faults on a real bench, and for a recording of instruments
        whose bytes do not pass through here.
        """
        if self.faults is not None:
            _inject(self.faults, configuration, simulation)
        if self.replayed is not None:
            yield self.replayed.connect
        elif self.recorded is not None:
            _check_recordable(configuration)
            with Recorder(self.recorded, self.header or {}) as recorder:
                yield partial(connect, recorder=recorder)
        else:
            yield connect


UNWATCHED = Traffic()
"""Neither recorded, replayed nor disturbed."""


def header_of(
    chosen: ChosenBench,
    protocol: str,
    parameters: dict[str, Any],
    dies: Sequence[DieAddress],
    execution: str,
) -> dict[str, Any]:
    """Everything needed to do the same again, in JSON values."""
    simulation = chosen.configuration.simulation
    document = chosen.configuration.model_dump(mode="json", exclude_none=True)
    return {
        "protocol": protocol,
        "parameters": parameters,
        "dies": [[die.x, die.y] for die in dies],
        "execution": execution,
        "source": chosen.source,
        "seed": None if simulation is None else simulation.seed,
        "bench": tomli_w.dumps(document),
    }


@dataclass(frozen=True, kw_only=True)
class RecordedRun:
    """What the header of a recording says was done."""

    chosen: ChosenBench
    protocol: str
    parameters: dict[str, Any]
    dies: tuple[DieAddress, ...]
    execution: str


def recorded_run(recording: Recording) -> RecordedRun:
    """Read the header. Raises DataError where it is not one of `header_of`."""
    header = recording.header
    if missing := sorted(HEADER - set(header)):
        raise DataError(f"The header of {recording.path} lacks {', '.join(missing)}.")
    try:
        configuration = BenchConfiguration.model_validate(tomllib.loads(header["bench"]))
        return RecordedRun(
            chosen=ChosenBench(configuration=configuration, source=str(header["source"])),
            protocol=str(header["protocol"]),
            parameters=dict(header["parameters"]),
            dies=tuple(DieAddress(int(x), int(y)) for x, y in header["dies"]),
            execution=str(header["execution"]),
        )
    except (ValidationError, tomllib.TOMLDecodeError, TypeError, ValueError) as error:
        raise DataError(f"The header of {recording.path} is damaged: {error}") from None


def replay(path: Path, database: str) -> int:
    """Do a recorded run again without any instrument; returns the number of messages.

    Raises TrafficDifferenceError where the run is another one. An error that was recorded ends the
    replay as it ended the run, and is no difference.
    """
    from lab.parameters import build
    from lab.runs import start_run
    from lab.session import session
    from protocols.catalog import protocol as protocol_entry

    recording = Recording(path)
    run = recorded_run(recording)
    parameters = build(protocol_entry(run.protocol).parameters, (str(path), run.parameters))
    # After a difference nothing can be switched off, and there is nothing to be switched off.
    logging.disable(logging.CRITICAL)
    try:
        with session(
            run.chosen, database, execution=run.execution, traffic=Traffic(replayed=recording)
        ) as opened:
            start_run(opened.store, opened.bench, run.protocol, parameters, run.dies)
    except (StorageError, ConfigurationError, DataError):
        raise
    except LabError:
        # Either the difference, which `finish` tells, or what was recorded; any other error of the
        # run itself leaves lines over.
        recording.finish()
    finally:
        logging.disable(logging.NOTSET)
    return recording.finish()


def _check_recordable(configuration: BenchConfiguration) -> None:
    for role, table in configuration.instruments.items():
        if package := entry(table.driver).package:
            raise ConfigurationError(
                f"[instruments.{role}] {table.driver} speaks through its maker's package "
                f"{package}, whose bytes are not seen here: this bench cannot be recorded."
            )


def _inject(path: Path, configuration: BenchConfiguration, simulation: Any) -> None:
    if simulation is None:
        raise ConfigurationError(
            "--faults disturbs simulated instruments only; this bench is real. Leave it out, or "
            "use --simulated."
        )
    # Only here: simulators are loaded where a bench is simulated.
    from simulated_instruments.faults import inject, read_scenario

    roles = {role: table.address for role, table in configuration.instruments.items()}
    inject(simulation, read_scenario(path), roles)
