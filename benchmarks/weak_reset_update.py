"""How fast are weak RESET updates of pairs of cells, beside one exp over their resistances?

One update gives every pair of cells its own number of pulses, drawn anew from -14 to 14, and leaves
every resistance and every weight up to date. Everything has one thread, takes its turn in every
round, and is told as CPU time: medians, and the median of what it is over one elementwise exp over
the pairs' ln R (two float32 a pair) in the same round, with the smallest and the largest. Beside it

- normal numbers alone, one a pair: what a pulse's noise would cost at the least if it were drawn;
- a table update in numpy, which is what pulses cost where the response is a table of levels: one
  normal number a cell, a step along the table, a look-up;
- pulsed updates of others where they are installed: synaptogen's partial RESET of a cell a pair by
  one pulse each (a tenth of the cells, ten times), and aihwkit's `ConstantStep` devices, a square
  of one a pair, at an outer product of two random vectors.

    OMP_NUM_THREADS=1 python -m benchmarks.weak_reset_update [--pairs N] [--rounds 15] [--seed 1]
"""

import argparse
import itertools
import math
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from physics.weak_reset import PulseNoise, WeakResetPopulation
from training.weak_reset_memory import WeakResetMemory, WeakResetSetup

MOST = 14
PATTERNS = 8
"""Of pulses, taken by turns."""
LEVELS = 128
"""Of the table."""
TENTHS = 10
SETTLED = 32
"""Updates before anything is timed: cells are past their first pulses."""
AIHWKIT_RATE = 0.01
"""Gives its devices 2.5 pulses each in the mean, at most 31; ours get 7.2, at most 14."""
EXP = "one exp"

Contestant = Callable[[], float]
"""Does its work once and tells the seconds that it took."""


def timed(work: Callable[[], object]) -> float:
    """Seconds of all processors."""
    started = time.process_time()
    work()
    return time.process_time() - started


def weak_reset(pairs: int, seed: int, telegraph: bool, pink: bool) -> Contestant:
    """Pairs of the published population, with these kinds of noise."""
    setup = WeakResetSetup(
        population=WeakResetPopulation(), noise=PulseNoise(telegraph=telegraph, pink=pink)
    )
    generator = torch.Generator().manual_seed(seed)
    memory = WeakResetMemory((pairs,), setup, generator)
    patterns = itertools.cycle(
        torch.randint(-MOST, MOST + 1, (pairs,), generator=generator).float()
        for _ in range(PATTERNS)
    )

    def update() -> None:
        memory.give(next(patterns))
        memory.weights()

    for _ in range(SETTLED):
        update()
    return lambda: timed(update)


def one_exp(pairs: int, seed: int) -> Contestant:
    """Over two numbers a pair."""
    log_ratio = torch.rand(2 * pairs, generator=torch.Generator().manual_seed(seed))
    target = torch.empty_like(log_ratio)
    return lambda: timed(lambda: torch.exp(log_ratio, out=target))


def normal_numbers(pairs: int, seed: int) -> Contestant:
    """One a pair, in one call."""
    generator, drawn = torch.Generator().manual_seed(seed), torch.empty(pairs)
    return lambda: timed(lambda: torch.randn(pairs, generator=generator, out=drawn))


def table_update(pairs: int, seed: int) -> Contestant:
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

    return lambda: timed(update)


def synaptogen(pairs: int, seed: int) -> Contestant:
    """A partial RESET of one cell a pair."""
    from synaptogen import CellArrayCPU, applyVoltage

    count = pairs // TENTHS
    generator, cells = np.random.default_rng(seed), CellArrayCPU(count)

    def update() -> float:
        seconds = 0.0
        for _ in range(TENTHS):
            applyVoltage(cells, -2.0)  # SET: a RESET has then something to do
            amplitudes = generator.uniform(0.7, 1.2, count).astype(np.float32)
            seconds += timed(partial(applyVoltage, cells, amplitudes))
        return seconds

    return update


def aihwkit(pairs: int, seed: int) -> Contestant:
    """Pulses to every device of a square tile."""
    from aihwkit.simulator.configs import ConstantStepDevice, SingleRPUConfig
    from aihwkit.simulator.tiles import AnalogTile

    side = math.isqrt(pairs)
    tile = AnalogTile(side, side, SingleRPUConfig(device=ConstantStepDevice()))
    tile.set_learning_rate(AIHWKIT_RATE)
    generator = torch.Generator().manual_seed(seed)
    x, d = (torch.rand((1, side), generator=generator) * 2 - 1 for _ in range(2))
    return lambda: timed(lambda: tile.update(x, d))


def contestants(pairs: int, seed: int) -> dict[str, Contestant]:
    """Everything that is installed."""
    found = {
        EXP: one_exp(pairs, seed),
        "normal numbers alone, one a pair": normal_numbers(pairs, seed),
        "update, no noise": weak_reset(pairs, seed, telegraph=False, pink=False),
        "update, pink noise": weak_reset(pairs, seed, telegraph=False, pink=True),
        "update, telegraph": weak_reset(pairs, seed, telegraph=True, pink=False),
        "update, both": weak_reset(pairs, seed, telegraph=True, pink=True),
        "table in numpy": table_update(pairs, seed),
    }
    for peer in (synaptogen, aihwkit):
        try:
            found[peer.__name__] = peer(pairs, seed)
        except ImportError:
            print(f"{peer.__name__} is not installed and left out")
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    taking_part = contestants(options.pairs, options.seed)
    rounds = [
        {name: work() for name, work in taking_part.items()} for _ in range(options.rounds + 1)
    ][1:]  # memory is asked of the system in the first one
    print(
        f"{options.pairs:,} pairs, one thread, {options.rounds} rounds, torch {torch.__version__}"
    )
    print("| what | ms | over one exp |")
    print("|---|---|---|")
    for name in taking_part:
        took = statistics.median(one[name] for one in rounds)
        ratios = sorted(one[name] / one[EXP] for one in rounds)
        middle = statistics.median(ratios)
        print(f"| {name} | {1e3 * took:.1f} | {middle:.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f}) |")


if __name__ == "__main__":
    main()
