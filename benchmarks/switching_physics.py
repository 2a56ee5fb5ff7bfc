"""The write-error physics: how fast, how near its own solver, and beside a Monte-Carlo of the spin.

- ln WER of a million cells at one pulse, by the table (goal: 0.5 s);
- the table beside the Fokker-Planck solver at random points (goal: within 1 %);
- some points by a stochastic Landau-Lifshitz-Gilbert-Slonczewski (s-LLGS) Monte-Carlo, a small
  reference of our own: a perpendicular macrospin in its thermal field by Heun's scheme, which is
  Stratonovich's.

    python -m benchmarks.switching_physics [--points 100] [--spins 20000] [--seed 1]
"""

import argparse
import statistics
import time

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.intervals import clopper_pearson
from physics.fokker_planck import SMALLEST_WER, TICK, write_error_rates
from physics.switching import log_wer

Array = NDArray[np.float64]

CELLS = 1_000_000
ROUNDS = 7
DAMPING = 0.05
"""It sets how fast spins precess about the axis; the write error rate does not depend on it."""
STEP = 2.5e-3
"""Of reduced time; 0.05 rad of precession."""
SPIN_POINTS = ((1.4, 5.0), (2.0, 3.0), (2.0, 5.0))
"""(current, duration), reduced, of the Monte-Carlo."""
DELTA = 60.0


def spins_not_switched(
    current: float, duration: float, delta: float, spins: int, random: np.random.Generator
) -> int:
    """How many of so many macrospins are still up after the pulse, by the s-LLGS equation.

    Reduced time and current, as in `physics.fokker_planck`. With the anisotropy field z along the
    axis, the spin torque i against it, and dH the thermal field over a step,

        dm = -m x [ (z dt + dH) / damping  +  m x ((z - i) dt + dH) ]
    """
    m = thermal_start(delta, spins, random)
    strength = np.sqrt(STEP / delta / (1 + DAMPING**-2))  # 2 D dt, shared by both torques

    def change(m: Array, thermal: Array) -> Array:
        precessing, damped = thermal / DAMPING, thermal.copy()
        precessing[2] += m[2] * (STEP / DAMPING)
        damped[2] += (m[2] - current) * STEP
        return cross(precessing + cross(m, damped), m)

    for _ in range(round(duration / STEP)):
        thermal = strength * random.standard_normal((3, spins))
        first = change(m, thermal)
        m = m + (first + change(m + first, thermal)) / 2
        m /= np.sqrt(np.sum(m * m, axis=0))
    return int(np.sum(m[2] > 0))


def thermal_start(delta: float, spins: int, random: np.random.Generator) -> Array:
    """(3, spins) unit vectors in thermal equilibrium around +z, from the exact distribution."""
    z = np.linspace(0, 1, 20_001)
    weight = np.exp(-delta * (1 - z**2))
    share = np.cumsum(weight)
    up = np.interp(random.uniform(size=spins), (share - share[0]) / (share[-1] - share[0]), z)
    angle = random.uniform(0, 2 * np.pi, spins)
    across = np.sqrt(1 - up**2)
    return np.array([across * np.cos(angle), across * np.sin(angle), up])


def cross(a: Array, b: Array) -> Array:
    """The vector product of (3, n) arrays; numpy's own is several times slower."""
    return np.array(
        [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    )


def tabled(current: object, duration: object, delta: object) -> Array:
    """WER by the table."""
    reduced = (torch.as_tensor(x, dtype=torch.float64) for x in (current, duration, delta))
    return log_wer(*torch.broadcast_tensors(*reduced)).exp().numpy()


def million() -> None:
    """Time of ln WER of a million different cells at one pulse."""
    random = torch.Generator().manual_seed(1)
    spread = [1 + 0.05 * torch.randn(CELLS, generator=random, dtype=torch.float64) for _ in "123"]
    cells = (2 * spread[0], 10 * spread[1], DELTA * spread[2])
    times = []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        log_wer(*cells)
        times.append(time.perf_counter() - started)
    print(f"ln WER of {CELLS:,} cells: {statistics.median(times[1:]):.3f} s, one thread")


def beside_solver(points: int, random: np.random.Generator) -> None:
    """The table's largest deviation from the solver, where the solver is sure."""
    worst, deviations, spent = "", [], 0.0
    while len(deviations) < points:
        current, delta = random.uniform(0.8, 5.0), random.uniform(25, 115)
        duration = round(float(np.exp(random.uniform(np.log(1), np.log(50)))) / TICK) * TICK
        started = time.perf_counter()
        solved = write_error_rates(current, np.array([duration]), delta)[0]
        spent += time.perf_counter() - started
        if not 10 * SMALLEST_WER < solved < 0.999:
            continue
        deviation = float(tabled(current, duration, delta) / solved - 1)
        if abs(deviation) > max(map(abs, deviations), default=0.0):
            worst = f"i = {current:.2f}, t = {duration:.2f}, delta = {delta:.0f}, WER {solved:.1e}"
        deviations.append(deviation)
    found = np.abs(deviations)
    print(
        f"table beside solver, {points} points: median {np.median(found):.2%}, largest "
        f"{found.max():.2%} ({worst}); the solver takes {spent / points:.2f} s a point"
    )


def beside_spins(spins: int, random: np.random.Generator) -> None:
    """The Monte-Carlo's points, with their intervals and times."""
    print("| i, t | solver | table | s-LLGS, 95 % interval | time a point: table, solver, s-LLGS |")
    print("|---|---|---|---|---|")
    for current, duration in SPIN_POINTS:
        times = [time.perf_counter()]
        table = float(tabled(current, duration, DELTA))
        times.append(time.perf_counter())
        solved = write_error_rates(current, np.array([duration]), DELTA)[0]
        times.append(time.perf_counter())
        up = spins_not_switched(current, duration, DELTA, spins, random)
        times.append(time.perf_counter())
        low, high = clopper_pearson(np.array(up), np.array(spins))
        took = np.diff(times)
        print(
            f"| {current:g}, {duration:g} | {solved:.4g} | {table:.4g} "
            f"| {up / spins:.4g} ({float(low):.4g} to {float(high):.4g}) of {spins:,} "
            f"| {took[0] * 1e6:.0f} us, {took[1] * 1e3:.0f} ms, {took[2]:.1f} s |"
        )


def main() -> None:
    """Print all three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--spins", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    random = np.random.default_rng(options.seed)
    million()
    beside_solver(options.points, random)
    beside_spins(options.spins, random)


if __name__ == "__main__":
    main()
