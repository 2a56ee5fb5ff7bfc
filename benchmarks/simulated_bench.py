"""How fast the simulated bench is, through the instruments' bytes, by its fastest execution.

Each figure is the median of several rounds in one process: the time to map a wafer into the
database, write attempts a second on the board, cells programmed and verified a second.

    python -m benchmarks.simulated_bench [--dies 36] [--rounds 3] [--clock wall]

On a busy machine ``--clock cpu`` counts the time of this process only; the disk's is left out.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from crossbar.geometry import DieAddress
from crossbar.memory_die import MemoryDie
from crossbar.records import ProgrammedBlock, WerPoint
from db.store import Store
from lab.chosen_bench import chosen_bench
from lab.runs import begin, measure, start_run
from lab.session import Session, session
from protocols.array_map import ArrayMapParameters
from protocols.program_and_verify import ProgramAndVerifyParameters, program_and_verify
from protocols.write_error_rate import WriteErrorRateParameters, write_error_rate

DIE = DieAddress(0, 0)
Clock = Callable[[], float]
CLOCKS: dict[str, Clock] = {"wall": time.perf_counter, "cpu": time.process_time}
SEED = 3


@contextmanager
def fresh() -> Iterator[Session]:
    """The built-in bench with an untouched wafer and an empty database on disk."""
    with (
        tempfile.TemporaryDirectory() as folder,
        session(chosen_bench(None, True, SEED), str(Path(folder) / "speed.sqlite")) as opened,
    ):
        yield opened


def map_wafer(dies: int, clock: Clock) -> float:
    """Seconds to map so many dies, both states, with contact checks, records and defect maps."""
    with fresh() as opened:
        addresses = opened.bench.configuration.wafer.addresses[:dies]
        return seconds(
            lambda: start_run(
                opened.store, opened.bench, "array-map", ArrayMapParameters(), addresses
            ),
            clock,
        )


def attempt_rate(clock: Clock) -> float:
    """Write attempts a second of 500 cells under the protocol's default conditions, not stored."""
    found: list[WerPoint] = []
    with fresh() as opened, opened.bench.contacted(DIE) as die:
        spent = seconds(
            lambda: found.extend(write_error_rate(die, WriteErrorRateParameters(sample=500))),
            clock,
        )
    return sum(point.attempts + point.rejected for point in found) / spent


def stored_attempt_rate(clock: Clock) -> float:
    """The same by `lab run`'s own means: every cell and condition is a transaction on disk."""
    with fresh() as opened:
        store, parameters = opened.store, WriteErrorRateParameters()
        spent = seconds(
            lambda: start_run(store, opened.bench, "write-error-rate", parameters, [DIE]), clock
        )
        (run,) = store.runs()
        points = store.records(run.id, DIE, WerPoint)
        return sum(point.attempts + point.rejected for point in points) / spent


def program_rate(clock: Clock) -> float:
    """Cells a second: a whole die brought to random states, read, written, read and stored."""
    with fresh() as opened:
        store, bench = opened.store, opened.bench
        start_run(store, bench, "array-map", ArrayMapParameters(), [DIE])
        cells = np.arange(bench.configuration.wafer.geometry.cells)
        target = np.random.default_rng(SEED).uniform(size=len(cells)) < 0.5
        (wafer,) = store.wafers()
        threshold = store.defect_map(wafer.id, DIE).decision_threshold
        run = begin(store, bench, "program-and-verify", {}, [DIE])

        def work(die: MemoryDie, done: frozenset) -> Iterator[ProgrammedBlock]:
            parameters = ProgramAndVerifyParameters()
            return program_and_verify(die, parameters, cells, target, threshold, done)

        spent = seconds(lambda: measure(store, bench, run, work), clock)
        check(store, run)
        return len(cells) / spent


def check(store: Store, run: int) -> None:
    """Nearly all cells are as asked, or the figure is of something else."""
    blocks = store.records(run, DIE, ProgrammedBlock)
    verified = np.concatenate([block.verified for block in blocks])
    if len(verified) != 20_000 or not verified.mean() > 0.9:
        raise SystemExit(f"{verified.mean():.0%} of {len(verified)} cells verified")


def seconds(work: Callable[[], object], clock: Clock) -> float:
    """How long it takes."""
    started = clock()
    work()
    return clock() - started


def tell(what: str, unit: str, goal: str, rounds: list[float]) -> None:
    """A row of the table."""
    middle = statistics.median(rounds)
    print(f"| {what} | {middle:,.3g} {unit} | {min(rounds):,.3g} to {max(rounds):,.3g} | {goal} |")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dies", type=int, default=36)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    options = parser.parse_args()
    clock = CLOCKS[options.clock]
    map_wafer(1, clock)  # imports, tables
    print("| what | median | range | goal |")
    print("|---|---|---|---|")
    rounds = range(options.rounds)
    tell(
        f"array map of {options.dies} dies into the database", "s", "60 s",
        [map_wafer(options.dies, clock) for _ in rounds],
    )  # fmt: skip
    tell(
        "write attempts on the board",
        "a second",
        "10 million",
        [attempt_rate(clock) for _ in rounds],
    )
    tell("the same, stored", "a second", "", [stored_attempt_rate(clock) for _ in rounds])
    tell("cells programmed", "a second", "100,000", [program_rate(clock) for _ in rounds])


if __name__ == "__main__":
    main()
