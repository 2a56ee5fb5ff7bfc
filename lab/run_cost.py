"""What a run cost, in pulses, joules and seconds: kept as it is spent, and told afterwards.

The stress ledger counts pulses before they are sent and outlives every crash; this here is entered
when the needles leave a die, so what a killed process spent on its last die is missing.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

from crossbar.errors import StorageError
from crossbar.memory_die import MemoryDie
from crossbar.units import format_quantity
from db.rows import RunCost
from db.store import Store
from lab.bench import Bench
from lab.time_left import in_words

if TYPE_CHECKING:
    from lab.output import Output


class Spending:
    """Enters what a run costs, die by die; the way to a die counts as its own."""

    def __init__(self, store: Store, bench: Bench, run: int) -> None:
        self.store = store
        self.bench = bench
        self.run = run
        self._now, self._said = self._seconds(), bench.messages

    @contextmanager
    def on(self, die: MemoryDie) -> Iterator[None]:
        """Enter what is spent until the end of this, also where that is an exception."""
        try:
            yield
        except BaseException:
            with suppress(StorageError):  # what ended the run is what the user must see
                self._enter(die)
            raise
        self._enter(die)

    def _enter(self, die: MemoryDie) -> None:
        before, said = self._now, self._said
        self._now, self._said = self._seconds(), self.bench.messages
        ledger = die.ledger
        cost = RunCost(
            seconds=self._now - before,
            pulses=0 if ledger is None else ledger.sent,
            reads=0 if ledger is None else ledger.reads,
            energy=0.0 if ledger is None else ledger.energy.total,
            typical_energy=0.0 if ledger is None else ledger.energy.typical,
            messages=self._said - said,
        )
        self.store.add_cost(self.run, cost)

    def _seconds(self) -> float:
        """The clock of the bench: the virtual one of a simulated bench, else real time."""
        return time.monotonic() if self.bench.simulation is None else self.bench.bench_time


def tell_cost(output: "Output", store: Store, run: int) -> None:
    """One run: what it was, and what was spent on it."""
    row, cost = store.run(run), store.cost(run)
    lines: list[list[object]] = [
        ["protocol", row.protocol],
        ["status", row.status],
        ["dies done", f"{len(store.done_dies(run))} of {len(row.dies)}"],
    ]
    if cost is not None:
        lines += [
            ["time on the bench", in_words(cost.seconds)],
            ["pulses", f"{cost.pulses:,}"],
            ["reads", f"{cost.reads:,}"],
            ["energy of the pulses", format_quantity(cost.energy, "J")],
            ["of it in typical cells", format_quantity(cost.typical_energy, "J")],
            ["messages to instruments", f"{cost.messages:,}"],
        ]
    output.table(f"Run {run}", ["what", "how much"], lines)
    if cost is None:
        output.say(f"No cost was entered for run {run}: it touched no die, or is from before.")
    output.result(
        {
            "run": run,
            "protocol": row.protocol,
            "parameters": row.parameters,
            "status": row.status,
            "cost": None if cost is None else asdict(cost),
        }
    )
