"""Do the intervals of telegraphs cover the truth? Many traces, without a bench.

Cells of the simulated HfOx population, five HIGH to one LOW and each with a telegraph, are read on
the spot; the intervals of those that the rule finds are compared with what the cells are, by how
many readings the fit puts on the wrong level. `benchmarks/coverage_read_noise.py` goes through
drivers and bytes.

    python -m benchmarks.coverage_telegraph [--traces 540] [--seed 31] [--readings 2048]
"""

import argparse
from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from analysis.telegraph import PARAMETERS, TelegraphFit, find_telegraphs
from physics.draws import keys
from physics.read_noise import ReadNoise
from physics.read_noise_population import HFOX_HIGH, HFOX_LOW, NOISE_DRAWS

INTERVAL = 10e-3
TOGETHER = 60
WRONG = (0.0, 0.003, 0.03, 1.0)
"""Parts of the readings on the wrong level that are told apart."""


def cells(number: int, generator: np.random.Generator) -> ReadNoise:
    """The noise of so many cells, every one with a telegraph."""
    low = number // 6
    drawn = [
        replace(population, telegraphs=1.0).cells(generator.uniform(size=(count, NOISE_DRAWS)))
        for population, count in ((HFOX_HIGH, number - low), (HFOX_LOW, low))
    ]
    names = [field.name for field in fields(ReadNoise)]
    return ReadNoise(
        **{name: np.concatenate([getattr(part, name) for part in drawn]) for name in names}
    )


def fitted(
    noise: ReadNoise, seed: int, readings: int, generator: np.random.Generator
) -> tuple[list[TelegraphFit], NDArray[np.bool_]]:
    """A fit of each cell, and (cells, readings) whether it was really captured."""
    own = keys(np.uint64(seed), np.arange(len(noise.white)))
    times = np.tile(np.arange(readings) * INTERVAL, (len(own), 1))
    traces = 1 + noise.at(own, times, keys(own[:, None], np.arange(readings)))
    fits = [
        fit
        for start in range(0, len(traces), TOGETHER)
        for fit in find_telegraphs(traces[start : start + TOGETHER], INTERVAL, generator)
    ]
    return fits, noise.is_captured(own, times)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=540)
    parser.add_argument("--seed", type=int, default=31)
    parser.add_argument("--readings", type=int, default=2048)
    options = parser.parse_args()
    generator = np.random.default_rng(options.seed)
    noise = cells(options.traces, generator)
    fits, captured = fitted(noise, options.seed, options.readings, generator)
    found = np.array([fit.is_telegraph for fit in fits])
    real = np.column_stack(
        [noise.captured, noise.period * (1 - noise.share), noise.period * noise.share]
    )
    low, estimate, high = (
        np.array([getattr(fit, name) for fit in fits]) for name in ("low", "estimate", "high")
    )
    in_captured = np.array([fit.in_captured for fit in fits])
    wrong = np.mean((in_captured > 0.5) != captured, axis=1)
    opened = found & np.all(low[:, 1:] == 0, axis=1)
    print(
        f"{found.sum()} of {len(fits)} telegraphs found, {opened.sum()} of them with dwell times "
        "that may be as short as they like"
    )
    print("| readings on the wrong level | quantity | found | covered | too small | too large |")
    print("|---|---|---|---|---|---|")
    groups = [("any", found)]
    groups += [
        (f"to {100 * most:g} %", found & (wrong <= most) & ((wrong > least) | (most == 0)))
        for least, most in zip((0.0, *WRONG), WRONG, strict=False)
    ]
    for label, chosen in groups:
        if not chosen.any():
            continue
        for column, name in enumerate(PARAMETERS):
            print(row(label, name, *(x[chosen, column] for x in (low, real, high))))
        size = estimate[chosen, 0] / real[chosen, 0]
        print(f"| {label} | step, found / true: median {np.median(size):.3f}, "
              f"10 to 90 % {np.quantile(size, 0.1):.3f} to {np.quantile(size, 0.9):.3f} |||||",
              flush=True)  # fmt: skip


def row(
    label: str,
    name: str,
    low: NDArray[np.float64],
    real: NDArray[np.float64],
    high: NDArray[np.float64],
) -> str:
    """One line of the table."""
    under, over = int(np.sum(high < real)), int(np.sum(low > real))
    hits = len(real) - under - over
    share = binomtest(hits, len(real)).proportion_ci()
    return (
        f"| {label} | {name} | {len(real)} | {100 * hits / len(real):.1f} % "
        f"({100 * share.low:.1f} to {100 * share.high:.1f}) | {under} | {over} |"
    )


if __name__ == "__main__":
    main()
