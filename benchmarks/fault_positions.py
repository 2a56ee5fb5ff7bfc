"""Does a run end safely, whatever goes wrong, and whenever? One fault at every message of a run.

A small write-error measurement on a simulated bench is repeated with one fault of every kind at
every position, its software execution and that of the board. Afterwards everything must be off and
separated, no pulse repeated, every pulse in the ledger, every stored record that of the undisturbed
run, and the message must name who it was. Prints a table, and exits with 1 if anything was not so:

    python -m benchmarks.fault_positions [--every 1] [--kind lost_reply] [--execution software]
"""

import argparse
import logging
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from crossbar.errors import LabError
from crossbar.geometry import DieAddress
from crossbar.records import Key, WerPoint
from db.store import Store
from lab.bench import opened
from lab.chosen_bench import ChosenBench
from lab.configuration import BenchConfiguration, read_configuration
from lab.runs import start_run
from lab.session import stress_ledger
from lab.simulation import simulated_bench
from protocols.write_error_rate import WriteErrorRateParameters
from simulated_instruments.faults import KINDS, Fault, FaultyVisaLibrary, Scenario, inject

DIE = DieAddress(0, 0)
SEED = 5
PARAMETERS = {
    "software": WriteErrorRateParameters(
        sample=2, amplitudes=(0.5,), widths=(10e-9,), max_attempts=3, first_chunk=1
    ),
    "board": WriteErrorRateParameters(
        sample=3, amplitudes=(0.4, 0.5, 0.7), max_attempts=300, first_chunk=100
    ),
}
"""By execution; small, but with several chunks and both directions."""
NAMES = {
    "smu": ("smu", "Keithley 2600B"),
    "pulse_generator": ("pulse_generator", "Keysight 81160A"),
    "prober": ("prober", "FormFactor Velox", "chuck"),
    "die_board": ("die_board", "die board"),
}
"""What a message may call an instrument."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one run ended, and in which state it left the bench."""

    error: Exception | None
    without_contact: bool
    """The first look found no contact: the die was left out, and the command says so."""
    happened: tuple[str, str]
    """Role and message where the fault happened; ("", "") if it did not."""
    messages: int
    records: dict[Key, WerPoint]
    received: NDArray[np.int64]
    """(cells,) pulses that the simulated cells got."""
    ledger: NDArray[np.int64]
    """(cells,) pulses that the database counts."""
    left_on: tuple[str, ...]
    """What was not off, open or separated at the end."""


def configuration() -> BenchConfiguration:
    """The built-in bench with a wafer of one small, perfect die."""
    built_in, _ = read_configuration(None)
    wafer = built_in.wafer.model_copy(
        update={"columns": 1, "rows": 1, "subarrays": 1, "word_lines": 4, "bit_lines": 4}
    )
    assert built_in.simulation is not None
    simulation = built_in.simulation.model_copy(update={"seed": SEED, "defect_scale": 0.0})
    return built_in.model_copy(update={"wafer": wafer, "simulation": simulation})


def run_with(execution: str, *faults: Fault, seed: int = 0) -> Outcome:
    """One run, from opening the bench to closing it."""
    chosen = ChosenBench(configuration=configuration(), source="fault positions")
    with Store.open(":memory:") as store:
        bench = simulated_bench(chosen.configuration, store, None)
        roles = {role: table.address for role, table in chosen.configuration.instruments.items()}
        library = inject(bench, Scenario(seed=seed, faults=faults), roles)
        error: Exception | None = None
        summary = None
        try:
            with opened(
                chosen.configuration,
                chosen.source,
                simulation=bench,
                execution=execution,
                ledger_of=partial(stress_ledger, store, chosen),
            ) as opened_bench:
                summary = start_run(
                    store, opened_bench, "write-error-rate", PARAMETERS[execution], [DIE]
                )
        except Exception as raised:  # noqa: BLE001  what is no LabError is a finding
            error = raised
        run = store.runs()[-1].id if store.runs() else None
        records = [] if run is None else store.records(run, DIE, WerPoint)
        counted = None if run is None else store.stress(store.run(run).wafer_id, DIE)
        received = bench.station.wafer.die(DIE).pulses_given.copy()
        return Outcome(
            error=error,
            without_contact=summary is not None and bool(summary.without_contact),
            happened=_happened(library),
            messages=library.messages,
            records={record.key: record for record in records},
            received=received,
            ledger=np.zeros_like(received) if counted is None else counted[0],
            left_on=tuple(_left_on(bench, roles)),
        )


def findings(kind: str, outcome: Outcome, undisturbed: Outcome) -> Iterator[str]:
    """What is not as it must be after a run with a fault."""
    yield from (f"{what} was left on" for what in outcome.left_on)
    if (outcome.received > outcome.ledger).any():
        yield "cells received pulses that the ledger does not count"
    if (outcome.received > undisturbed.received).any():
        yield "cells received more pulses than in the undisturbed run"
    if (outcome.received > _accounted(outcome, undisturbed)).any():
        yield "cells received more pulses than records and one unfinished point account for"
    for key, record in outcome.records.items():
        if record != undisturbed.records[key]:
            yield f"record {key} differs from that of the undisturbed run"
    role, message = outcome.happened
    if outcome.error is None:
        whole = outcome.records.keys() == undisturbed.records.keys()
        if not whole and not outcome.without_contact:
            yield "records are missing, but no error was raised"
    elif not isinstance(outcome.error, LabError):
        yield f"{type(outcome.error).__name__} is no LabError: {outcome.error}"
    else:
        names = ("contact",) if kind == "needle_lifts" else NAMES[role]
        if not any(name in str(outcome.error) for name in names):
            yield f"the message does not name {role} (at {message}): {outcome.error}"


def _accounted(outcome: Outcome, undisturbed: Outcome) -> NDArray[np.int64]:
    """(cells,) two pulses for the threshold, those of stored records, and those of the first point
    that is not stored: the unknown one.
    """
    pulses = np.zeros_like(outcome.received)
    unknown_counted: set[int] = set()
    for key, record in undisturbed.records.items():  # in the order of measuring
        if key not in outcome.records:
            if record.cell in unknown_counted:
                continue
            unknown_counted.add(record.cell)
        pulses[record.cell] += 2 * record.attempts + record.rejected
    measured = [record.cell for record in undisturbed.records.values()]
    pulses[np.unique(measured)] += 2
    return pulses


def _happened(library: FaultyVisaLibrary) -> tuple[str, str]:
    if not library.happened:
        return "", ""
    _, role, message = library.happened[0]
    return role, message[:60].decode("latin-1")


def _left_on(bench: object, roles: dict[str, str]) -> Iterator[str]:
    """Outputs that are on, routes that are closed, needles that touch."""
    emulators = bench.emulators  # type: ignore[attr-defined]
    if emulators[roles["smu"]].channels["smua"].source["output"]:
        yield "the smu's output"
    if emulators[roles["pulse_generator"]].output:
        yield "the pulse generator's output"
    if bench.station.pulsed_cell is not None:  # type: ignore[attr-defined]
        yield "the board's route"
    if bench.station.in_contact:  # type: ignore[attr-defined]
        yield "contact"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only every so-manieth position")
    parser.add_argument("--kind", choices=KINDS, action="append")
    parser.add_argument("--execution", choices=sorted(PARAMETERS), action="append")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)  # what could not be switched off at first is in the table
    failed = 0
    print(f"{'fault':20} {'execution':10} {'positions':>9} {'happened':>9} {'errors':>7} findings")
    for kind in options.kind or KINDS:
        for execution in options.execution or PARAMETERS:
            failed += report(kind, execution, options.every)
    sys.exit(1 if failed else 0)


def report(kind: str, execution: str, every: int) -> int:
    """Print one line of the table, and what is wrong; returns the number of findings."""
    undisturbed = run_with(execution)
    positions = range(1, undisturbed.messages + 1, every)
    happened, errors = 0, 0
    wrong: Counter[str] = Counter()
    first: dict[str, int] = {}
    for position in positions:
        outcome = run_with(execution, Fault(kind=kind, message=position), seed=position)  # type: ignore[arg-type]
        happened += outcome.happened != ("", "")
        errors += outcome.error is not None
        for finding in findings(kind, outcome, undisturbed):
            wrong[finding] += 1
            first.setdefault(finding, position)
    print(
        f"{kind:20} {execution:10} {len(positions):9} {happened:9} {errors:7} {wrong.total()}",
        flush=True,
    )
    for finding, count in wrong.most_common(8):
        print(f"    {count} times, first at message {first[finding]}: {finding}", flush=True)
    return wrong.total()


if __name__ == "__main__":
    main()
