"""Do the intervals of read noise cover the truth, and does the telegraph rule keep its rate?

HfOx cells of known noise are written and read by `lab`'s own protocol through drivers and bytes,
and fitted from the stored records; their drift is switched off, since the spectrum's model has
none. The false alarms are counted on traces of Gaussian noise of several colours.

    python -m benchmarks.coverage_read_noise [--cells 60] [--alarms 300] [--seed 1]
"""

import argparse
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from analysis.telegraph import FALSE_ALARMS, find_telegraphs
from crossbar.defect_map import CellClass
from crossbar.geometry import DieAddress
from crossbar.pulses import Pulse, State
from db.rows import FitRow
from lab.chosen_bench import chosen_bench
from lab.findings import store_fits
from lab.runs import start_run
from lab.session import session
from physics.draws import keys
from physics.hfox import HfOxPopulation
from physics.hfox_time import HfOxTimePopulation
from physics.read_noise import ReadNoise
from physics.retention import DriftPopulation
from protocols.read_noise import ReadNoiseParameters

DIE = DieAddress(0, 0)
FORM = Pulse(amplitude=3.3, width=1e-6)
STILL = DriftPopulation(exponent=0.0, spread=0.0)
SPECTRUM = ("white", "flicker", "slope")
TELEGRAPH = ("captured", "dwell_free", "dwell_captured")
Counts = dict[str, tuple[int, int]]


def coverage(cells: int, seed: int, folder: Path, readings: int = 2048) -> Counts:
    """(covered, intervals) by parameter, over both states of so many cells.

    The spectrum's of cells without a telegraph, the telegraph's of cells that have one and where it
    was found.
    """
    chosen = chosen_bench(Path("hfox"), False, seed)
    with session(chosen, str(folder / "coverage.sqlite")) as opened:
        wafer = opened.bench.simulation.station.wafer
        wafer.population = HfOxPopulation(
            time=HfOxTimePopulation(low_drift=STILL, high_drift=STILL)
        )
        die = wafer.die(DIE)
        everything = np.arange(die.geometry.cells)
        die.pulse(everything, FORM)
        works = everything[(die.classes == CellClass.HEALTHY) & die.formed & ~die.dead]
        names = [str(die.geometry.address(int(cell))) for cell in works[:: len(works) // cells]]
        parameters = replace(
            opened.bench.parameters("read-noise", ReadNoiseParameters),
            cells=tuple(names[:cells]),
            readings=readings,
        )
        summary = start_run(opened.store, opened.bench, "read-noise", parameters, [DIE])
        fits = store_fits(opened.store, summary.run)[DIE]
        truths = {State.LOW: die.time.low_noise, State.HIGH: die.time.high_noise}
        return count(fits, truths)


def count(fits: list[FitRow], truths: dict[State, ReadNoise]) -> Counts:
    """Compare each cell's intervals with what it really is."""
    found: dict[str, list[bool]] = defaultdict(list)
    for fit in fits:
        if fit.cell is None or fit.target is None or not fit.converged:
            continue
        noise = truths[fit.target][np.array([fit.cell])]
        has_telegraph = bool(noise.captured[0] > 0)
        real = {
            "white": noise.white[0],
            "flicker": noise.flicker[0],
            "slope": 1.0,
            "captured": noise.captured[0],
            "dwell_free": noise.period[0] * (1 - noise.share[0]),
            "dwell_captured": noise.period[0] * noise.share[0],
        }
        found["telegraph found" if has_telegraph else "false alarm"].append(
            fit.checks["telegraph"].flagged
        )
        for name, interval in fit.parameters.items():
            if (name in TELEGRAPH) == has_telegraph:
                found[name].append(bool(interval.low <= real[name] <= interval.high))
    return {name: (sum(inside), len(inside)) for name, inside in found.items()}


def false_alarms(traces: int, seed: int, readings: int = 1024) -> Counts:
    """(called a telegraph, traces) of Gaussian noise: white, 1/f, both, and a random walk."""
    generator = np.random.default_rng(seed)
    shape = (traces, readings)
    white = generator.standard_normal(shape)
    flicker = one_over_f(traces, readings, seed)
    noises: dict[str, NDArray[np.float64]] = {
        "white": 0.005 * white,
        "1/f": 0.01 * flicker,
        "white and 1/f": 0.005 * white + 0.005 * flicker,
        "random walk": 2e-4 * np.cumsum(white, axis=1),
    }
    found = {}
    for name, noise in noises.items():
        fits = [
            fit
            for start in range(0, traces, 10)
            for fit in find_telegraphs(1 + noise[start : start + 10], 10e-3, generator)
        ]
        found[name] = (sum(fit.is_telegraph for fit in fits), traces)
    return found


def one_over_f(traces: int, readings: int, seed: int) -> NDArray[np.float64]:
    """1/f noise of simulated cells with a density of 1 at 1 Hz, read every 10 ms."""
    values = {"white": 0.0, "flicker": 1.0, "captured": 0.0, "share": 0.5, "period": 1.0}
    noise = ReadNoise(**{name: np.full(traces, value) for name, value in values.items()})
    times = np.tile(np.arange(readings) * 10e-3, (traces, 1))
    return noise.slow(keys(np.uint64(seed), np.arange(traces)), times)


def row(quantity: str, stated: str, hits: int, of: int) -> str:
    """One line of the table."""
    interval = binomtest(hits, of).proportion_ci()
    share = f"{100 * hits / of:.1f} % ({100 * interval.low:.1f} to {100 * interval.high:.1f})"
    return f"| read-noise | {quantity} | {stated} | {of} | {hits} | {share} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=60)
    parser.add_argument("--alarms", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print("| protocol | quantity | stated | intervals | covered | coverage (95 %) |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        counts = coverage(options.cells, options.seed, Path(folder))
    for name in (*SPECTRUM, *TELEGRAPH):
        if name in counts:
            print(row(name, "95 %", *counts[name]))
    for name in ("telegraph found", "false alarm"):
        if name in counts:
            stated = f"{100 * FALSE_ALARMS:g} %" if name == "false alarm" else "as many as possible"
            print(row(name, stated, *counts[name]), flush=True)
    for name, counted in false_alarms(options.alarms, options.seed).items():
        print(row(f"false alarms in {name} noise", f"{100 * FALSE_ALARMS:g} %", *counted))


if __name__ == "__main__":
    main()
