"""What a run will cost, found by doing it on a simulated bench that nobody keeps."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from crossbar.geometry import DieAddress
from crossbar.pulses import Pulse, State
from crossbar.stress import StressLedger
from crossbar.units import Joules, Ratio, Seconds
from db.store import Store
from lab.bench import opened
from lab.chosen_bench import ChosenBench
from lab.configuration import SimulationTable
from lab.runs import start_run
from lab.session import stress_ledger
from lab.simulation import simulated_bench
from physics.hfox_die import HfOxDie
from physics.wafer import SimulatedWafer


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The cost of a run, as the simulated twin of the bench had it."""

    protocol: str
    dies: int
    records: int
    duration: Seconds
    """On the real bench: the virtual clock of the simulated one."""
    pulses: int
    """All cells together; those of attempts that a sequencer then leaves out included."""
    reads: int
    """Cells read on the computer's word; those within attempts are the hardware's."""
    energy: Joules
    """Of the pulses, V^2 t / R with the ``cell_resistance`` of the bench file; 0 without one."""
    most_pulses: int
    """On any single cell."""
    life_used: Ratio
    """The largest share of a cell's life, by the breakdown law of the simulated cells (ours)."""
    messages: int
    """Sent to the instruments; boards driven by their makers' packages count none."""
    bytes_moved: int
    """Both ways, terminators not counted."""


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
) -> Plan:
    """Run the protocol on a new simulated wafer with the instruments of the bench file; cells that
    need FORMING are formed, unless the protocol does it.

    Nothing real is touched, and nothing is kept. A bench file without [simulation] gets the default
    one: cells of the built-in population, which may not be yours.
    """
    simulation = chosen.configuration.simulation or SimulationTable()
    simulation = simulation.model_copy(update={"real_time": False})
    chosen = replace(
        chosen, configuration=chosen.configuration.model_copy(update={"simulation": simulation})
    )
    ledgers: list[StressLedger] = []

    def kept(ledger_of: Any, die: DieAddress) -> StressLedger:
        ledgers.append(ledger_of(die))
        return ledgers[-1]

    with TemporaryDirectory() as folder, Store.open(Path(folder) / "plan.sqlite") as store:
        simulated = simulated_bench(chosen.configuration, store, None)
        with opened(
            chosen.configuration,
            chosen.source,
            simulation=simulated,
            execution=execution,
            ledger_of=partial(kept, partial(stress_ledger, store, chosen)),
        ) as bench:
            wafer = simulated.station.wafer
            if protocol != "forming":
                form(wafer, dies)
            summary = start_run(store, bench, protocol, parameters, dies)
            return Plan(
                protocol=protocol,
                dies=len(dies),
                records=summary.records,
                duration=summary.bench_time,
                pulses=sum(ledger.sent for ledger in ledgers),
                reads=sum(ledger.reads for ledger in ledgers),
                energy=sum(ledger.energy for ledger in ledgers),
                most_pulses=max(int(ledger.pulses.max()) for ledger in ledgers),
                life_used=max(float(wafer.die(die).stress.max()) for die in dies),
                messages=bench.messages,
                bytes_moved=bench.bytes_moved,
            )
