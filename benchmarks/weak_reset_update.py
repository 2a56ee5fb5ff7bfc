"""How fast are weak RESET updates of pairs of cells, beside one exp over their resistances?

One update gives every pair of cells its own number of pulses, from -14 to 14, and leaves every
resistance and every weight up to date, on one thread. Beside it: one elementwise exp over the
pairs' ln R (two float32 a pair), and a table update in numpy, which is what pulses cost where the
response is a table of levels: one normal number a cell, a step along the table, a look-up. Times
are the thread's own, not the clock's, though other work on the machine takes memory bandwidth.
Rows are alternated and medians printed, of ratios within a round. Where synaptogen (extra "peers")
is installed, its partial RESET of as many cells, by one pulse each, stands beside them; it is given
a tenth of the cells, ten times.

    python -m benchmarks.weak_reset_update [--pairs 1000000] [--repeats 9] [--seed 1]
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from physics.weak_reset import PulseNoise, WeakResetPopulation
from training.weak_reset_memory import WeakResetMemory, WeakResetSetup

MOST = 14
LEVELS = 128
"""Of the table."""
TENTHS = 10
SETTLED = 30
"""Updates of either cell by turns before anything is timed: cells are past their first pulses."""


def process_time(work: Callable[[], object]) -> float:
    """Seconds of this thread."""
    started = time.thread_time()
    work()
    return time.thread_time() - started


def memory_of(pairs: int, telegraph: bool, pink: bool, seed: int) -> WeakResetMemory:
    """Pairs of the published population, with these kinds of noise."""
    setup = WeakResetSetup(
        population=WeakResetPopulation(), noise=PulseNoise(telegraph=telegraph, pink=pink)
    )
    return WeakResetMemory((pairs,), setup, torch.Generator().manual_seed(seed))


def table_update(pairs: int, seed: int) -> Callable[[], object]:
    """Each pair's pulsed cell moves along a table of levels, with cycle-to-cycle noise."""
    generator = np.random.default_rng(seed)
    table = np.geomspace(1.0, 3.0, LEVELS, dtype=np.float32)
    position = np.zeros((2, pairs), np.float32)
    pulses = generator.integers(-MOST, MOST + 1, pairs).astype(np.float32)
    given = np.stack([np.maximum(pulses, 0), np.maximum(-pulses, 0)])

    def update() -> np.ndarray:
        drawn = generator.standard_normal((2, pairs), np.float32)
        position[:] += given * (1 + 0.3 * drawn) * 0.1
        np.clip(position, 0, LEVELS - 1, out=position)
        true, inverted = table[position.astype(np.int32)]
        return np.where(true >= inverted, np.float32(1), np.float32(-1))

    return update


def synaptogen_time(pairs: int, seed: int) -> float | None:
    """Seconds for a partial RESET of one cell a pair; None where synaptogen is not installed."""
    try:
        from synaptogen import CellArrayCPU, applyVoltage
    except ImportError:
        return None
    count = pairs // TENTHS
    generator, cells = np.random.default_rng(seed), CellArrayCPU(count)
    seconds = 0.0
    for _ in range(TENTHS):
        applyVoltage(cells, -2.0)  # SET: a RESET has then something to do
        amplitudes = generator.uniform(0.7, 1.2, count).astype(np.float32)
        seconds += process_time(partial(applyVoltage, cells, amplitudes))
    return seconds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    pulses = torch.randint(
        -MOST, MOST + 1, (options.pairs,), generator=torch.Generator().manual_seed(options.seed)
    ).float()
    table = table_update(options.pairs, options.seed)
    print(
        f"{options.pairs:,} pairs, 0 to {MOST} pulses each, one thread, torch {torch.__version__}"
    )
    print("| noise | update, ms | million pairs a second | over one exp | numpy table over it |")
    print("|---|---|---|---|---|")
    for name, telegraph, pink in (
        ("none", False, False), ("pink", False, True), ("telegraph", True, False),
        ("both", True, True),
    ):  # fmt: skip
        memory = memory_of(options.pairs, telegraph, pink, options.seed)
        for number in range(SETTLED):
            memory.give(pulses * (-1) ** number)
        print(row(name, memory, pulses, table, options.repeats))
    peer = synaptogen_time(options.pairs, options.seed)
    if peer is not None:
        rate = options.pairs / peer / 1e6
        print(f"synaptogen: {1e3 * peer:.0f} ms, {rate:.1f} million cells a second")


def row(
    name: str,
    memory: WeakResetMemory,
    pulses: torch.Tensor,
    table: Callable[[], object],
    repeats: int,
) -> str:
    """One line of the table: medians over the rounds, ratios within a round."""
    log_ratio = memory.cells.log_ratio
    target = torch.empty_like(log_ratio)

    def update() -> None:
        memory.give(pulses)
        memory.weights()

    rounds = [
        (
            process_time(update),
            process_time(lambda: torch.exp(log_ratio, out=target)),
            process_time(table),
        )
        for _ in range(repeats)
    ]
    own = statistics.median(one[0] for one in rounds)
    over_exp = statistics.median(one[0] / one[1] for one in rounds)
    other = statistics.median(one[2] / one[0] for one in rounds)
    return (
        f"| {name} | {1e3 * own:.1f} | {len(pulses) / own / 1e6:.0f} | {over_exp:.1f} "
        f"| {other:.1f} |"
    )


if __name__ == "__main__":
    main()
