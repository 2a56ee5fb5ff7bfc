"""How often each kind of interval covers the true error rate, by simulation: 10,000 experiments at
every rate and number of attempts, and, for those who stop when they like, 10,000 counts that are
stopped at the first look that excludes the truth. A second table stops as `write_error_rate` does
by default, by either interval. Prints the tables of ``docs/experiments.md``::

    python -m benchmarks.interval_coverage --seed 1
"""

import argparse

import numpy as np
from numpy.typing import NDArray

from analysis.anytime_intervals import anytime
from analysis.intervals import clopper_pearson, jeffreys, wilson
from analysis.stopping import StoppedInterval, StoppingRule

KINDS = {
    "Clopper-Pearson": clopper_pearson,
    "Wilson": wilson,
    "Jeffreys": jeffreys,
    "anytime": anytime,
}
EXPECTED_ERRORS = (1, 3, 10, 30, 100)
"""Attempts are chosen so that this many errors are expected."""
RATES = (1e-6, 1e-4, 1e-2, 0.1, 0.5)
STOPPED_RATES = (0.1, 1e-2, 3e-3, 1e-3, 1e-4, 1e-5)
LOOKS = np.unique(np.geomspace(1, 1e5, 60).astype(int))
"""After how many attempts the impatient look."""


def main() -> None:
    """Print coverage in percent: mean over the grid and worst point, and while looking."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--experiments", type=int, default=10_000)
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    size = arguments.experiments

    points = [(rate, round(errors / rate)) for rate in RATES for errors in EXPECTED_ERRORS]
    counts = [random.binomial(attempts, rate, size) for rate, attempts in points]
    looked = {rate: looks(random, rate, size) for rate in RATES}
    print("| interval | fixed attempts, mean | worst of the grid | while looking, worst rate |")
    print("|---|---|---|---|")
    for name, method in KINDS.items():
        covered = np.array(
            [
                100 * inside(method, errors, np.asarray(attempts), rate).mean()
                for (rate, attempts), errors in zip(points, counts, strict=True)
            ]
        )
        rate, attempts = points[int(covered.argmin())]
        always = {
            rate: 100 * inside(method, errors, LOOKS, rate).all(axis=1).mean()
            for rate, errors in looked.items()
        }
        hardest = min(always, key=lambda rate: always[rate])
        print(
            f"| {name} | {covered.mean():.1f} % | {covered.min():.1f} % ({rate:g}, {attempts}) "
            f"| {always[hardest]:.1f} % ({hardest:g}) |"
        )
    print_stopped(random, size)
    print(f"\nStandard error of one point: {100 * np.sqrt(0.05 * 0.95 / size):.2f} points.")


def print_stopped(random: np.random.Generator, size: int) -> None:
    """Coverage at the stop of the protocol's own rule, and the attempts that it takes (median)."""
    print("\n| stopped by | " + " | ".join(f"{rate:g}" for rate in STOPPED_RATES) + " |")
    print("|---|" + "---|" * len(STOPPED_RATES))
    for kind in StoppedInterval:
        rule = StoppingRule(max_attempts=10**9, first_chunk=10_000, kind=kind)
        cells = []
        for rate in STOPPED_RATES:
            errors, attempts = np.zeros((2, size), dtype=np.int64)
            while (chunk := rule.next_chunk(errors, attempts, 0)).any():
                errors += random.binomial(chunk, rate)
                attempts += chunk
            low, high = rule.interval(errors, attempts)
            covered = np.mean((low <= rate) & (rate <= high))
            cells.append(f"{100 * covered:.1f} %, {int(np.median(attempts)):,}")
        print(f"| {kind.value} | " + " | ".join(cells) + " |")


def looks(random: np.random.Generator, rate: float, size: int) -> NDArray[np.int64]:
    """Errors seen at every look: (experiments, looks)."""
    fresh = random.binomial(np.diff(LOOKS, prepend=0), rate, (size, len(LOOKS)))
    return np.asarray(fresh.cumsum(axis=1))


def inside(
    method: object, errors: NDArray[np.int64], attempts: NDArray[np.int64], rate: float
) -> NDArray[np.bool_]:
    """Whether the 95 % interval holds the rate."""
    low, high = method(errors, attempts)  # type: ignore[operator]
    return np.asarray((low <= rate) & (rate <= high))


if __name__ == "__main__":
    main()
