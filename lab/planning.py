"""What a run will cost, found by doing it on a simulated bench that nobody keeps."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from crossbar.errors import ConfigurationError
from crossbar.geometry import DieAddress
from crossbar.pulses import Pulse, State
from crossbar.stress import StressLedger
from crossbar.units import Joules, Ratio, Seconds
from db.store import Store
from drivers.visa import connect
from lab.bench import Bench, opened
from lab.chosen_bench import ChosenBench
from lab.configuration import SimulationTable
from lab.runs import start_run
from lab.session import stress_ledger
from lab.simulation import simulated_bench
from lab.twins import twin_of
from physics.die_truth import DieTruth
from physics.hfox_die import HfOxDie
from physics.wafer import SimulatedWafer

WITHIN: Seconds = 60.0
"""Of this computer's time, for a rehearsal; ours."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of a run, or of what was rehearsed of it."""

    records: int
    duration: Seconds
    """On the real bench: the virtual clock of the simulated one."""
    pulses: int
    """All cells together; those of attempts that a sequencer then leaves out included."""
    reads: int
    """Cells read on the computer's word; those within attempts are the hardware's."""
    energy: Joules
    """Of the pulses, V^2 t / R in the states that they met (`crossbar.pulse_energy`)."""
    typical_energy: Joules
    """The part of it, for states not known from readings, that was reckoned with the
    ``cell_resistance`` of the bench file; 0 without one."""
    most_pulses: int
    """On any single cell."""
    life_used: Ratio
    """The largest share of a cell's life, by the breakdown law of the simulated cells (ours)."""
    messages: int
    """Sent to the instruments; boards driven by their makers' packages count none."""
    bytes_moved: int
    """Both ways, terminators not counted."""

    def times(self, factor: Ratio) -> "Cost":
        """So many times as much. What the worst cell gets stays: other dies have other cells."""
        return Cost(
            records=round(factor * self.records),
            duration=factor * self.duration,
            pulses=round(factor * self.pulses),
            reads=round(factor * self.reads),
            energy=factor * self.energy,
            typical_energy=factor * self.typical_energy,
            most_pulses=self.most_pulses,
            life_used=self.life_used,
            messages=round(factor * self.messages),
            bytes_moved=round(factor * self.bytes_moved),
        )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The cost of a run, as the simulated twin of the bench had it."""

    protocol: str
    dies: int
    cost: Cost
    cells: str
    """What it was rehearsed on, in words."""
    rehearsed: Ratio
    """Share of the run that was rehearsed; the rest is reckoned in proportion."""
    at_least: bool = False
    """True where not even one die could be rehearsed to its end: the cost is a lower bound."""


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """How far a rehearsal came."""

    cost: Cost
    dies: int
    """Finished."""
    finished: bool


class OutOfTimeError(Exception):
    """Ends a rehearsal; never leaves this module."""


FORMS_EVERYTHING = Pulse.writing(State.LOW, 4.0, 1e-6)
"""Beyond what any HfOx cell of the simulated population takes to form."""


def form(wafer: SimulatedWafer, dies: Sequence[DieAddress]) -> None:
    """Form the cells of fresh HfOx dies behind the instruments' backs: a run is rehearsed on cells
    that work. Other cells need no FORMING.
    """
    for address in dies:
        die = wafer.die(address)
        if isinstance(die, HfOxDie):
            die.pulse(np.flatnonzero(~die.formed), FORMS_EVERYTHING)


def plan_run(
    chosen: ChosenBench,
    protocol: str,
    parameters: Any,
    dies: Sequence[DieAddress],
    execution: str = "board",
    *,
    known: Store | None = None,
    state_file: Path | None = None,
    within: Seconds = WITHIN,
    listener: Callable[[DieAddress], None] = lambda die: None,
) -> Plan:
    """Run the protocol on a simulated wafer with the instruments of the bench file.

    Nothing real is touched, and nothing is kept. ``known`` is the database of the bench: a real
    wafer that it has measured is rehearsed on its twin; other cells are of the built-in population,
    which may not be yours. A simulated wafer is as its ``state_file`` says; cells that need FORMING
    are formed, unless the protocol does it. After ``within`` seconds the rehearsal is broken off.
    ``listener`` is told of every finished die.
    """
    stage, cells = _stage(chosen, known, state_file)
    rehearse = partial(_rehearse, stage, protocol, parameters, within=within)
    found = rehearse(dies, execution, listener=listener)
    plan = Plan(protocol=protocol, dies=len(dies), cost=found.cost, cells=cells, rehearsed=1.0)
    if found.finished:
        return plan
    if found.dies:
        share = found.dies / len(dies)
        return replace(plan, cost=found.cost.times(1 / share), rehearsed=share)
    if execution != "board" and "die_board" in stage.chosen.configuration.instruments:
        # The same pulses in less of this computer's time: how many of them were rehearsed?
        faster = rehearse(dies[:1], "board", within=max(within, WITHIN))
        if faster.finished and found.cost.pulses:
            share = found.cost.pulses / faster.cost.pulses
            cost = replace(
                found.cost.times(1 / share),
                records=faster.cost.records,
                most_pulses=faster.cost.most_pulses,
                life_used=faster.cost.life_used,
            )
            return replace(plan, cost=cost.times(len(dies)), rehearsed=share / len(dies))
    return replace(plan, rehearsed=0.0, at_least=True)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Where a rehearsal takes place."""

    chosen: ChosenBench
    """With a [simulation] table."""
    known: Store | None
    """What the table refers to: imported maps, twins."""
    measured: dict[DieAddress, DieTruth] | None
    """Dies that are twins of the real ones."""
    state_file: Path | None
    """Of a simulated wafer, which is read only."""


def _stage(chosen: ChosenBench, known: Store | None, state_file: Path | None) -> tuple[Stage, str]:
    """The simulated bench, and in words what its cells are."""
    configuration = chosen.configuration
    simulation = configuration.simulation or SimulationTable()
    simulation = simulation.model_copy(update={"real_time": False})
    simulated = configuration.model_copy(update={"simulation": simulation})
    real = configuration.simulation is None
    measured = _twin_dies(chosen, known) if real else None
    cells = "simulated cells"
    if real and measured is None:
        cells = "cells of the built-in population"
    elif measured is not None:
        cells = f"the twin of {len(measured)} measured dies"
    stage = Stage(
        chosen=replace(chosen, configuration=simulated),
        known=known,
        measured=measured,
        state_file=None if real else state_file,
    )
    return stage, cells


def _twin_dies(chosen: ChosenBench, known: Store | None) -> dict[DieAddress, DieTruth] | None:
    """The twin of a real wafer, if the database has measured it and its cells have twins."""
    for wafer in known.wafers() if known is not None else []:
        if known is not None and wafer.name == chosen.wafer and known.defect_maps(wafer.id):
            with suppress(ConfigurationError):  # a technology without twins
                return twin_of(known, wafer, SimulationTable().seed).truths
    return None


def _rehearse(
    stage: Stage,
    protocol: str,
    parameters: Any,
    dies: Sequence[DieAddress],
    execution: str,
    *,
    within: Seconds,
    listener: Callable[[DieAddress], None] = lambda die: None,
) -> Rehearsal:
    """Run the protocol until it is over, or the time is."""
    deadline = Deadline(within)
    with _opened_stage(stage, execution, deadline) as (store, bench, wafer, ledgers):
        if protocol != "forming":
            form(wafer, dies)
        cost = partial(_cost, bench, ledgers, wafer, bench.bench_time)
        done: list[Cost] = []
        records = 0

        def listen(event: str, die: DieAddress, count: int) -> None:
            nonlocal records
            records = count
            if event in ("done", "no contact"):
                done.append(cost(dies, records))
                listener(die)
            deadline.check()

        deadline.start()
        try:
            start_run(store, bench, protocol, parameters, dies, listen)
            return Rehearsal(cost=done[-1], dies=len(dies), finished=True)
        except OutOfTimeError:
            cut = done[-1] if done else cost(dies, records)
            return Rehearsal(cost=cut, dies=len(done), finished=len(done) == len(dies))
        finally:
            deadline.armed = False


@contextmanager
def _opened_stage(
    stage: Stage, execution: str, deadline: "Deadline"
) -> Iterator[tuple[Store, Bench, SimulatedWafer, list[StressLedger]]]:
    """A database that is thrown away, the open bench, its wafer, and the ledgers of the dies that
    are contacted, as they come. The deadline sees every message.
    """
    chosen = stage.chosen
    ledgers: list[StressLedger] = []
    with TemporaryDirectory() as folder, Store.open(Path(folder) / "plan.sqlite") as store:
        simulated = simulated_bench(
            chosen.configuration, stage.known or store, stage.state_file, measured=stage.measured
        )

        def kept(die: DieAddress) -> StressLedger:
            ledgers.append(stress_ledger(store, chosen, die))
            return ledgers[-1]

        with opened(
            chosen.configuration,
            chosen.source,
            simulation=simulated,
            execution=execution,
            ledger_of=kept,
            connector=partial(connect, recorder=deadline),
        ) as bench:
            yield store, bench, simulated.station.wafer, ledgers


def _cost(
    bench: Bench,
    ledgers: Sequence[StressLedger],
    wafer: SimulatedWafer,
    started: Seconds,
    dies: Sequence[DieAddress],
    records: int,
) -> Cost:
    """What was spent so far."""
    return Cost(
        records=records,
        duration=bench.bench_time - started,
        pulses=sum(ledger.sent for ledger in ledgers),
        reads=sum(ledger.reads for ledger in ledgers),
        energy=sum(ledger.energy.total for ledger in ledgers),
        typical_energy=sum(ledger.energy.typical for ledger in ledgers),
        most_pulses=max((int(ledger.pulses.max()) for ledger in ledgers), default=0),
        life_used=max(float(wafer.die(die).stress.max()) for die in dies),
        messages=bench.messages,
        bytes_moved=bench.bytes_moved,
    )


class Deadline:
    """Looks at the clock whenever a message goes out, in the place of a recorder of traffic."""

    def __init__(self, patience: Seconds) -> None:
        self.patience = patience
        self.until: Seconds = 0.0
        self.armed = False
        """Only while the protocol runs: opening, and switching off, are not to be disturbed."""

    def start(self) -> None:
        """Begin to look."""
        self.until = time.monotonic() + self.patience
        self.armed = True

    def note(
        self,
        role: str,
        event: str,
        data: str | bytes,
        *,
        count: int | None = None,
        kind: str | None = None,
    ) -> None:
        """A message travels. Raises OutOfTimeError once."""
        if event == "write":
            self.check()

    def check(self) -> None:
        """Raise OutOfTimeError once when the time is over."""
        if self.armed and time.monotonic() > self.until:
            self.armed = False
            raise OutOfTimeError
