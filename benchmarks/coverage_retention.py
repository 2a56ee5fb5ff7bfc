"""Do the intervals of drift and of flip times cover the truth, through the instruments?

HfOx cells drift, with the noise that they have, and junctions of low stability flip; both are
written, waited for and read by `lab`'s own protocol, and fitted from the stored records.

    python -m benchmarks.coverage_retention [--cells 200] [--wafers 10] [--seed 1]
"""

import argparse
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from crossbar.defect_map import CellClass
from crossbar.geometry import DieAddress
from crossbar.pulses import Pulse, State
from lab.chosen_bench import chosen_bench
from lab.findings import store_fits
from lab.runs import start_run
from lab.session import session
from lab.simulation import scaled
from physics.draws import keys, normals
from physics.hfox_time import DRIFT
from physics.mtj import MtjPopulation
from physics.retention import flip_time
from protocols.retention import RetentionParameters

DIE = DieAddress(0, 0)
FORM = Pulse(amplitude=3.3, width=1e-6)
STABILITY = 27.0
"""Of junctions that flip after some minutes."""
Found = dict[str, list[bool]]


def hfox_coverage(cells: int, seed: int, folder: Path, duration: float = 1e4) -> Found:
    """Whether each interval holds: the exponents of so many cells, half of them LOW, their mean and
    their spread.
    """
    found: Found = defaultdict(list)
    chosen = chosen_bench(Path("hfox"), False, seed)
    with session(chosen, str(folder / f"hfox-{seed}.sqlite")) as opened:
        die = opened.bench.simulation.station.wafer.die(DIE)
        everything = np.arange(die.geometry.cells)
        die.pulse(everything, FORM)
        works = everything[(die.classes == CellClass.HEALTHY) & die.formed & ~die.dead]
        names = [str(die.geometry.address(int(cell))) for cell in works[:: len(works) // cells]]
        parameters = replace(
            opened.bench.parameters("retention", RetentionParameters),
            cells=tuple(names[:cells]),
            duration=duration,
        )
        summary = start_run(opened.store, opened.bench, "retention", parameters, [DIE])
        fits = store_fits(opened.store, summary.run)[DIE]
        population = die.truth.population.time
        scores = normals(keys(die.seed, DRIFT, everything, die.writings))
        for fit in fits:
            low = fit.target is State.LOW
            drift = population.low_drift if low else population.high_drift
            real = {"exponent": drift.exponent, "spread": drift.spread}
            if fit.cell is not None and bool(die.low[fit.cell]) is not low:
                continue  # it missed its pulse, and is another state's cell
            if fit.cell is not None:
                real["exponent"] += drift.spread * scores[fit.cell]
            if fit.kind in ("drift", "drift of all"):
                for name, interval in fit.parameters.items():
                    label = f"HfOx {'LOW' if low else 'HIGH'}, {fit.kind}: {name}"
                    found[label].append(bool(interval.low <= real[name] <= interval.high))
    return found


def mtj_coverage(cells: int, seed: int, folder: Path) -> Found:
    """Whether the intervals of the flip times hold, of so many junctions that are all alike."""
    found: Found = defaultdict(list)
    with session(chosen_bench(None, True, seed), str(folder / f"mtj-{seed}.sqlite")) as opened:
        wafer = opened.bench.simulation.station.wafer
        wafer.defects = scaled(wafer.defects, 0.0)  # shorts and opens do not flip
        wafer.population = MtjPopulation(delta=STABILITY, delta_spread=0.0, tau_d_spread=0.0)
        truth = wafer.die(DIE).truth.cells
        mean = flip_time(truth.delta[:1], truth.tau_d[:1])[0]
        parameters = RetentionParameters(
            sample=cells, first=mean / 100, duration=0.3 * mean, per_decade=20
        )
        summary = start_run(opened.store, opened.bench, "retention", parameters, [DIE])
        for fit in store_fits(opened.store, summary.run)[DIE]:
            if fit.kind == "flips":
                interval = fit.parameters["flip_time"]
                found["MTJ: flip time"].append(bool(interval.low <= mean <= interval.high))
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=200)
    parser.add_argument("--wafers", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    together: Found = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.seed, options.seed + options.wafers):
            for part in (hfox_coverage, mtj_coverage):
                for name, inside in part(options.cells, seed, Path(folder)).items():
                    together[name] += inside
    print("| protocol | quantity | stated | intervals | covered | coverage (95 %) |")
    print("|---|---|---|---|---|---|")
    for name, inside in together.items():
        interval = binomtest(sum(inside), len(inside)).proportion_ci()
        ends = f"{100 * interval.low:.1f} to {100 * interval.high:.1f}"
        share = f"{100 * np.mean(inside):.1f} % ({ends})"
        print(f"| retention | {name} | 95 % | {len(inside)} | {sum(inside)} | {share} |")


if __name__ == "__main__":
    main()
