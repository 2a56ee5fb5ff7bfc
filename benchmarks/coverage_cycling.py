"""Do the 95 % intervals of `set-reset-cycling` on HfOx cover the truth, through the instruments?

Simulated dies are formed and cycled by `lab`'s own protocols, through drivers and bytes; medians
and spreads of both states are worked out of the stored records and compared with those of the
population that the cells were drawn from. Prints rows of the coverage table:

    python -m benchmarks.coverage_cycling [--dies 400] [--seed 1]
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from scipy.stats import binomtest, norm

from benchmarks.coverage_forming import bench_of_small_dies
from crossbar.geometry import DieAddress
from crossbar.pulses import Pulse
from lab.findings import store_fits
from lab.runs import start_run
from lab.session import session
from physics.defects import SISTER_CHIP
from physics.hfox import HfOxPopulation, log_high_quantile
from physics.wafer import SimulatedWafer
from protocols.forming import FormingParameters
from protocols.set_reset_cycling import SetResetCyclingParameters

CELLS = 100
"""A die."""


def true_values() -> dict[str, float]:
    """What the intervals should hold: LOW from 100,000 cells, HIGH from its quantiles."""
    place = DieAddress(0, 0)
    logs = []
    for seed in range(5):
        wafer = SimulatedWafer(
            addresses=[place],
            seed=seed,
            population=HfOxPopulation(),
            defects=SISTER_CHIP,
            current_limit=lambda: 100e-6,
        )
        die = wafer.die(place)
        die.form_all()
        good = np.flatnonzero(np.isnan(die.truth.fixed))
        die.pulse(good, Pulse(amplitude=2.0, width=1e-6))
        logs.append(np.log(die.resistance(good)))
    low = np.concatenate(logs)
    high = log_high_quantile(norm.ppf((np.arange(1_000_000) + 0.5) / 1_000_000))
    return {
        "low_median": float(np.exp(np.median(low))),
        "low_spread": float(low.std()),
        "high_median": float(np.exp(np.median(high))),
        "high_spread": float(high.std()),
    }


def coverage(dies: int, seed: int, folder: Path) -> dict[str, tuple[int, int]]:
    """(covered, intervals) by quantity, over so many dies."""
    chosen = bench_of_small_dies(seed, dies)
    addresses = chosen.configuration.wafer.addresses[:dies]
    with session(chosen, str(folder / "coverage.sqlite")) as opened:
        start_run(opened.store, opened.bench, "forming", FormingParameters(), addresses)
        parameters = SetResetCyclingParameters(
            sample=CELLS,
            checkpoints=(1,),
            low_amplitude=2.0,
            high_amplitude=2.0,
            width=1e-6,
            read_amplitude=0.2,
        )
        summary = start_run(opened.store, opened.bench, "set-reset-cycling", parameters, addresses)
        fits = store_fits(opened.store, summary.run)
    counts = {}
    for name, truth in true_values().items():
        found = [fit.parameters[name] for (fit,) in fits.values()]
        counts[name] = (sum(each.low <= truth <= each.high for each in found), len(found))
    return counts


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dies", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"truth: {true_values()}")
    with tempfile.TemporaryDirectory() as folder:
        counts = coverage(options.dies, options.seed, Path(folder))
    print("| protocol | quantity | stated | intervals | covered | 95 % interval of the coverage |")
    print("|---|---|---|---|---|---|")
    for name, (covered, all_) in counts.items():
        interval = binomtest(covered, all_).proportion_ci()
        print(
            f"| set-reset-cycling, {CELLS} HfOx cells | {name.replace('_', ' ')} | 95 % | {all_} "
            f"| {100 * covered / all_:.1f} % "
            f"| {100 * interval.low:.1f} to {100 * interval.high:.1f} % |"
        )


if __name__ == "__main__":
    main()
