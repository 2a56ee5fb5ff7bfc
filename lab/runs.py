"""Runs: a protocol over the dies of a wafer, every record stored before the next pulse goes out."""

import importlib.metadata
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from crossbar.errors import ConfigurationError, ContactError
from crossbar.geometry import DieAddress
from crossbar.memory_die import MemoryDie
from crossbar.records import ContactRecord, Key, Record, WerPoint
from db.rows import UsedInstrument
from db.store import Store
from lab.bench import Bench
from lab.chosen_bench import ChosenBench
from lab.findings import store_defect_map
from lab.parameters import as_json
from lab.run_cost import Spending
from protocols.catalog import PROTOCOLS, ProtocolEntry, protocol
from protocols.contact_check import ContactCheckParameters, contact_check

PACKAGES = ("crossbar-lab", "numpy", "pymeasure", "pyvisa", "sqlalchemy")
MAX_CONTACT_FAILURES = 3
"""So many dies in a row without contact mean that something is wrong with the set-up."""

IN_THE_LOOP = "train-in-the-loop"
"""What runs are called that train with a die in the loop (`lab.in_the_loop`)."""

Work = Callable[[MemoryDie, frozenset[Key]], Iterable[Record]]
"""(die, keys already stored) to records."""

Listener = Callable[[str, DieAddress, int], None]
"""Told ("contact" | "record" | "done" | "no contact", die, number of records so far)."""


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """How a run ended."""

    run: int
    """Number of the run in the database."""
    protocol: str
    status: str
    dies: int
    """Dies finished, those of earlier parts of the same run included."""
    records: int
    """Records stored by this part of the run."""
    without_contact: tuple[DieAddress, ...]
    bench_time: float
    """Seconds the real bench would have taken (simulated), else 0."""
    messages: int = 0
    """Sent to the instruments by this part of the run."""


def versions() -> dict[str, str]:
    """What the numbers were made with; stored with every run. Does not import torch."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed as a package"
    return found


def start_run(
    store: Store,
    bench: Bench,
    name: str,
    parameters: Any,
    dies: Sequence[DieAddress],
    listener: Listener = lambda *_: None,
) -> RunSummary:
    """Run a protocol on the given dies. An interruption leaves the run resumable.

    Raises ConfigurationError, before anything is done, for a protocol of another technology.
    """
    check_technology(bench, name)
    run = begin(store, bench, name, as_json(parameters), dies)
    work = work_of(store, run, protocol(name), parameters)
    return measure(store, bench, run, work, listener, findings_of(store, run))


def check_technology(bench: Bench, name: str) -> None:
    """Raise ConfigurationError if the protocol is not for the cells of this wafer."""
    technology, wanted = bench.configuration.wafer.technology, protocol(name).technology
    if wanted not in (None, technology):
        raise ConfigurationError(
            f"{name} is for {wanted} cells, and wafer {bench.configuration.wafer.name!r} has "
            f"{technology} cells (technology in {bench.source} [wafer]). Run a protocol for these, "
            "or correct the bench file."
        )


def work_of(store: Store, run: int, entry: ProtocolEntry, parameters: Any) -> Work:
    """What a protocol does on a die of a run, whether it begins there or goes on."""
    if not entry.looks_back:
        return lambda die, done: entry.run(die, parameters, done)
    return lambda die, done: entry.run(die, parameters, store.records(run, die.address, WerPoint))


def findings_of(store: Store, run: int) -> Callable[[MemoryDie], None]:
    """What is worked out of a die's records as soon as they are complete."""
    if store.run(run).protocol != "array-map":
        return lambda die: None

    def classify(die: MemoryDie) -> None:
        store_defect_map(store, run, die.address)

    return classify


def wafer_of(store: Store, bench: Bench | ChosenBench) -> int:
    """The database's number of the wafer on the bench, open or not."""
    wafer = bench.configuration.wafer
    return store.wafer(wafer.name, wafer.geometry, wafer.technology)


def begin(
    store: Store,
    bench: Bench,
    name: str,
    parameters: dict[str, Any],
    dies: Sequence[DieAddress],
    training_run: int | None = None,
) -> int:
    """Enter a run with everything needed to repeat it; returns its number."""
    configuration = bench.configuration
    wafer = wafer_of(store, bench)
    frame = configuration.wafer.prober_frame.die_frame
    for die in dies:
        store.die(wafer, die, prober=frame.to_prober(die))
    simulation = configuration.simulation
    run = store.begin_run(
        wafer,
        name,
        parameters,
        simulation.seed if simulation is not None else None,
        versions(),
        configuration.model_dump_json(),
        dies,
        training_run_id=training_run,
    )
    store.record_instruments(
        run,
        [
            UsedInstrument(
                role=role,
                driver=table.driver,
                address=table.address,
                identity=bench.identities[role],
            )
            for role, table in configuration.instruments.items()
        ],
    )
    return run


def measure(
    store: Store,
    bench: Bench,
    run: int,
    work: Work,
    listener: Listener = lambda *_: None,
    afterwards: Callable[[MemoryDie], None] = lambda die: None,
) -> RunSummary:
    """Do the work of a run on each of its dies that is not done, storing record by record.

    ``afterwards`` is called on each die when its records are stored and the needles still touch.
    The run is marked done, interrupted or failed, whatever happens short of a power cut.
    """
    row = store.run(run)
    finished = store.done_dies(run)
    stored, misses, without_contact = 0, 0, []
    started, said = bench.bench_time, bench.messages
    spending = Spending(store, bench, run)
    with _end_noted(store, run):
        for die in row.dies:
            if die in finished:
                continue
            with bench.contacted(die) as memory_die, spending.on(memory_die):
                listener("contact", die, stored)
                done = store.done_keys(run, die)
                contact = check_contact(bench, memory_die)
                if contact.key not in done:
                    store.add(run, die, contact)
                if not contact.touching:
                    without_contact.append(die)
                    misses += 1
                    _give_up_after(misses, die, contact)
                    store.finish_die(run, die)
                    listener("no contact", die, stored)
                    continue
                misses = 0
                records = _kept(bench, row.protocol, work(memory_die, done | {contact.key}))
                for record in _while_touching(bench, memory_die, records):
                    store.add(run, die, record)  # durable before the generator goes on
                    stored += 1
                    listener("record", die, stored)
                afterwards(memory_die)
            if row.training_run_id is not None:
                bench.keep_state()  # weights that count as programmed must survive a crash
            store.finish_die(run, die)
            listener("done", die, stored)
    return RunSummary(
        run=run,
        protocol=row.protocol,
        status="done",
        dies=len(store.done_dies(run)),
        records=stored,
        without_contact=tuple(without_contact),
        bench_time=bench.bench_time - started,
        messages=bench.messages - said,
    )


@contextmanager
def _end_noted(store: Store, run: int) -> Iterator[None]:
    """Mark the run as done, interrupted or failed, by how this block ends."""
    try:
        yield
    except KeyboardInterrupt:
        store.finish_run(run, "interrupted", "stopped by the user")
        raise
    except Exception as error:
        store.finish_run(run, "failed", str(error))
        raise
    store.finish_run(run, "done")


def check_contact(bench: Bench, die: MemoryDie) -> ContactRecord:
    """Read a few cells right after touchdown, as [protocols.contact-check] says."""
    return next(contact_check(die, bench.parameters("contact-check", ContactCheckParameters)))


def _kept(bench: Bench, name: str, records: Iterable[Any]) -> Iterator[Any]:
    """Pass records on; where a resumed run needs the cells as they are, keep a simulated wafer
    before each, for what a stored record tells of must not be lost.
    """
    lasting = name in PROTOCOLS and PROTOCOLS[name].lasting
    for record in records:
        if lasting:
            bench.keep_state()
        yield record


def _while_touching(bench: Bench, die: MemoryDie, records: Iterable[Any]) -> Iterator[Any]:
    """Pass records on, each measurement's after another look at the contact."""
    said = bench.messages
    for record in records:
        if bench.messages != said or not said:  # makers' packages count no messages: look always
            still_touching(bench, die)
            said = bench.messages
        yield record


def still_touching(bench: Bench, die: MemoryDie) -> None:
    """Raise ContactError if the needles have lifted since the last look: what was measured since
    then is worth nothing, and is not stored.
    """
    contact = check_contact(bench, die)
    if not contact.touching:
        raise ContactError(
            f"The needles lost contact with die {die.address} during the measurement: the best of "
            f"{len(contact.cells)} cells conducts {contact.conductance.max():.3g} S. The piece of "
            "work in hand is not stored. Check chuck and needles, then go on with `lab resume`."
        )


def _give_up_after(misses: int, die: DieAddress, contact: ContactRecord) -> None:
    if misses >= MAX_CONTACT_FAILURES:
        raise ContactError(
            f"No contact on {misses} dies in a row, the last one {die}: the best of "
            f"{len(contact.cells)} cells conducts {contact.conductance.max():.3g} S. Check needles "
            "and contact height, then go on with `lab resume`."
        )
