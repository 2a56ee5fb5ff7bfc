"""Dot products of a crossbar with resistive wires, beside badcrossbar (the extra ``peers``).

A crossbar of 5 to 20 kOhm cells, 2 Ohm a segment. Every repeat times, one after the other, both
programs on the same vectors; currents must agree to 1e-9. Where badcrossbar would take too long, it
solves some of the vectors and its time is scaled up, which the table says.

    python -m benchmarks.line_resistance [--size 128] [--ohms 2] [--repeats 5] [--most 128]
"""

import argparse
import logging
import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from physics.line_resistance import Wires, effective_matrix
from physics.nodal_analysis import solve

Array = NDArray[np.float64]
AGREEMENT = 1e-9
SEED = 1


def ours(conductance: Array, ohms: float, vectors: Array) -> Array:
    """(vectors, columns) amperes, the effective matrix made for them alone."""
    wires = Wires(word_segment=ohms, bit_segment=ohms)
    return vectors @ effective_matrix(torch.from_numpy(conductance), wires).numpy()


def node_by_node(conductance: Array, ohms: float, vectors: Array) -> Array:
    """The same by nodal analysis, one solution for each vector."""
    wires = Wires(word_segment=ohms, bit_segment=ohms)
    nothing = np.zeros(conductance.shape[1])
    return np.array([solve(conductance, wires, v, nothing).column_current for v in vectors])


def badcrossbar(conductance: Array, ohms: float, vectors: Array) -> Array:
    """The same by badcrossbar: one sparse solution for all vectors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that cairo, for its pictures, is not there
        import badcrossbar
    return np.asarray(badcrossbar.compute(vectors.T, 1 / conductance, ohms).currents.output)


def timed(work: Callable[[Array, float, Array], Array], *given: object) -> tuple[float, Array]:
    """Seconds and result."""
    started = time.perf_counter()
    result = work(*given)  # type: ignore[arg-type]
    return time.perf_counter() - started, result


def compare(size: int, ohms: float, count: int, most: int, repeats: int) -> str:
    """A row of the table: medians of all repeats and of their ratios."""
    random = np.random.default_rng(SEED)
    conductance = 1 / random.uniform(5e3, 20e3, (size, size))
    vectors = random.uniform(0, 0.3, (count, size))
    solved = min(count, most)
    mine, theirs = [], []
    for _ in range(repeats):
        seconds, currents = timed(ours, conductance, ohms, vectors)
        mine.append(seconds)
        seconds, expected = timed(badcrossbar, conductance, ohms, vectors[:solved])
        theirs.append(seconds * count / solved)
        difference = float(np.max(np.abs(currents[:solved] / expected - 1)))
        if difference > AGREEMENT:
            raise SystemExit(f"currents differ by {difference:.1e}")
    ratios = [b / a for a, b in zip(mine, theirs, strict=True)]
    scaled = "" if solved == count else f" (from {solved})"
    return (
        f"| {count:,} | {statistics.median(mine):.3f} s "
        f"| {statistics.median(theirs):.3g} s{scaled} "
        f"| {statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f}) "
        f"| {difference:.0e} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--ohms", type=float, default=2.0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--most", type=int, default=128, help="vectors that badcrossbar is given")
    options = parser.parse_args()
    logging.disable(logging.INFO)
    torch.set_num_threads(1)
    compare(8, options.ohms, 1, 1, 1)  # imports and first calls
    print(f"{options.size} x {options.size}, {options.ohms:g} Ohm a segment, one thread")
    print("| vectors | effective matrix | badcrossbar | ratio | largest difference |")
    print("|---|---|---|---|---|")
    for count in (1, 128, 10_000):
        print(compare(options.size, options.ohms, count, options.most, options.repeats))
    one = np.random.default_rng(SEED).uniform(0, 0.3, (1, options.size))
    conductance = 1 / np.random.default_rng(SEED).uniform(5e3, 20e3, (options.size, options.size))
    seconds, nodal = timed(node_by_node, conductance, options.ohms, one)
    difference = np.max(np.abs(ours(conductance, options.ohms, one) / nodal - 1))
    print(f"own nodal analysis of one vector: {seconds:.2f} s, difference {difference:.0e}")


if __name__ == "__main__":
    main()
