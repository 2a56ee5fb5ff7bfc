"""Do the intervals of white and 1/f noise cover the truth, and does it matter how noise is made?

HfOx cells without telegraphs, twice: as they are simulated, where each of the processes
that make 1/f noise is renewed at random events, few in a trace for the slow ones; and as Gaussian
noise of exactly the same covariance. And each with two kinds of interval: that of Whittle's
likelihood, which supposes Gaussian noise, and the one that is told, which asks the trace.
Half widths are medians, relative to the truth.

    python -m benchmarks.coverage_spectrum [--traces 300] [--seed 12] [--readings 2048]
        [--state high]
"""

import argparse
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.stats import binomtest

from analysis.read_noise_spectrum import PARAMETERS, fit_spectrum
from physics.draws import keys
from physics.read_noise import SPACING, ReadNoise, flicker_memories, left_by_averaging
from physics.read_noise_population import HFOX_HIGH, HFOX_LOW, NOISE_DRAWS

FloatArray = NDArray[np.float64]
INTERVAL = 10e-3
APERTURE = 1e-3


def by_events(noise: ReadNoise, seed: int, readings: int) -> FloatArray:
    """(cells, readings) as the bench would simulate them."""
    own = keys(np.uint64(seed), np.arange(len(noise.white)))
    times = np.tile(np.arange(readings) * INTERVAL, (len(own), 1))
    return 1 + noise.at(own, times, keys(own[:, None], np.arange(readings)), APERTURE)


def gaussian(noise: ReadNoise, generator: np.random.Generator, readings: int) -> FloatArray:
    """(cells, readings) of the same covariance: autoregressions of first order."""
    shape = (len(noise.white), readings)
    deviation = noise.white[:, None] * generator.standard_normal(shape)
    for tau in flicker_memories(APERTURE):
        stays = np.exp(-INTERVAL / tau)
        steps = generator.standard_normal(shape)
        steps[:, 1:] *= np.sqrt(1 - stays**2)
        size = np.sqrt(noise.flicker * np.log(SPACING) * left_by_averaging(tau, APERTURE))
        deviation += lfilter([1], [1, -stays], steps, axis=1) * size[:, None]
    return 1 + deviation


def table(label: str, traces: FloatArray, noise: ReadNoise, supposed_gaussian: bool) -> None:
    """Print how often each interval holds, on which side it misses, and how wide it is."""
    fits = [fit_spectrum(trace, INTERVAL, APERTURE, gaussian=supposed_gaussian) for trace in traces]
    real = np.column_stack([noise.white, noise.flicker, np.ones(len(traces))])
    low, high = (np.array([getattr(fit, name) for fit in fits]) for name in ("low", "high"))
    kind = "for Gaussian noise" if supposed_gaussian else "told"
    for column, name in enumerate(PARAMETERS):
        under = int(np.sum(high[:, column] < real[:, column]))
        over = int(np.sum(low[:, column] > real[:, column]))
        hits = len(traces) - under - over
        share = binomtest(hits, len(traces)).proportion_ci()
        wide = np.median((high - low)[:, column] / real[:, column]) / 2
        print(f"| {label} | {kind} | {name} | {len(traces)} | {100 * hits / len(traces):.1f} % "
              f"({100 * share.low:.1f} to {100 * share.high:.1f}) | {under} | {over} "
              f"| {wide:.3f} |",
              flush=True)  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=300)
    parser.add_argument("--seed", type=int, default=12)
    parser.add_argument("--readings", type=int, default=2048)
    parser.add_argument("--state", choices=("high", "low"), default="high")
    options = parser.parse_args()
    generator = np.random.default_rng(options.seed)
    uniform = generator.uniform(size=(options.traces, NOISE_DRAWS))
    population = HFOX_HIGH if options.state == "high" else HFOX_LOW
    noise = replace(population, telegraphs=0.0).cells(uniform)
    print("| noise | interval | quantity | traces | covered | too small | too large | half width |")
    print("|---|---|---|---|---|---|---|---|")
    for label, traces in (
        ("Gaussian", gaussian(noise, generator, options.readings)),
        ("by events", by_events(noise, options.seed, options.readings)),
    ):
        for supposed_gaussian in (True, False):
            table(label, traces, noise, supposed_gaussian)


if __name__ == "__main__":
    main()
