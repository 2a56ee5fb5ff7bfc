"""The bench and the database of one command, opened together and closed in order."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from db.store import Store
from lab.bench import Bench, opened
from lab.chosen_bench import ChosenBench
from lab.interruption import termination_as_interrupt


@dataclass(frozen=True, kw_only=True)
class Session:
    """What most commands need."""

    store: Store
    bench: Bench


@contextmanager
def session(chosen: ChosenBench, database: str, *, execution: str = "board") -> Iterator[Session]:
    """Open the database, then the bench; on the way out the bench goes first."""
    with Store.open(database) as store, termination_as_interrupt():
        simulation, state_file = None, None
        if chosen.is_simulated:
            from lab.simulation import simulated_bench  # torch: only where a bench is simulated

            state_file = state_file_beside(database, chosen.wafer)
            simulation = simulated_bench(chosen.configuration, store, state_file)
        with opened(
            chosen.configuration,
            chosen.source,
            simulation=simulation,
            state_file=state_file,
            execution=execution,
        ) as bench:
            yield Session(store=store, bench=bench)


def state_file_beside(database: str, wafer: str) -> Path:
    """Where the simulated wafer's state outlives a command: beside the SQLite file."""
    path = Path(database) if "://" not in database else Path("lab.sqlite")
    return path.with_name(f"{path.stem}.{wafer}.wafer.npz")
