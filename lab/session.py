"""The bench and the database of one command, opened together and closed in order."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from crossbar.clock import ReplayClock
from crossbar.geometry import DieAddress
from crossbar.stress import StressLedger
from db.store import Store
from lab.bench import Bench, opened
from lab.chosen_bench import ChosenBench
from lab.interruption import termination_as_interrupt
from lab.traffic import UNWATCHED, Traffic


@dataclass(frozen=True, kw_only=True)
class Session:
    """What most commands need."""

    store: Store
    bench: Bench


@contextmanager
def session(
    chosen: ChosenBench,
    database: str,
    *,
    execution: str = "board",
    traffic: Traffic = UNWATCHED,
    create: bool = True,
) -> Iterator[Session]:
    """Open the database, which unless ``create`` must be there, then the bench; on the way out the
    bench goes first.
    """
    with Store.open(database, create=create) as store, termination_as_interrupt():
        simulation, state_file = None, None
        if chosen.is_simulated and traffic.replayed is None:
            from lab.simulation import simulated_bench  # torch: only where a bench is simulated

            state_file = state_file_beside(database, chosen.wafer)
            simulation = simulated_bench(chosen.configuration, store, state_file)
        with (
            traffic.prepared(chosen.configuration, simulation) as connector,
            opened(
                chosen.configuration,
                chosen.source,
                simulation=simulation,
                state_file=state_file,
                execution=execution,
                ledger_of=partial(stress_ledger, store, chosen),
                connector=connector,
                clock=None if traffic.replayed is None else ReplayClock(),
            ) as bench,
        ):
            yield Session(store=store, bench=bench)


@contextmanager
def store_if_there(database: str) -> Iterator[Store | None]:
    """The database, or None where there is none yet: it is not made."""
    if "://" in database or Path(database).exists():
        with Store.open(database, create=False) as store:
            yield store
    else:
        yield None


def state_file_beside(database: str, wafer: str) -> Path:
    """Where the simulated wafer's state outlives a command: beside the SQLite file."""
    path = Path(database) if "://" not in database else Path("lab.sqlite")
    name = wafer.replace("/", "%2F").replace("\\", "%5C")  # "lot 7/3" is a name, and no folder
    return path.with_name(f"{path.stem}.{name}.wafer.npz")


def stress_ledger(store: Store, chosen: ChosenBench, die: DieAddress) -> StressLedger:
    """What the database knows of the pulses that a die's cells received."""
    configuration = chosen.configuration
    wafer = configuration.wafer
    wafer_id = store.wafer(wafer.name, wafer.geometry, wafer.technology)
    known = store.stress(wafer_id, die)
    return StressLedger(
        pulses=np.zeros(wafer.geometry.cells, np.int64) if known is None else known[0],
        budget=configuration.limits.pulse_budget(wafer.technology),
        source=f"{chosen.source} [limits.{wafer.technology}]",
        keep=lambda pulses, exact: store.save_stress(wafer_id, die, pulses, exact=exact),
    )
