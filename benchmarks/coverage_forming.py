"""Do the 95 % intervals of `forming` cover the truth, through the instruments?

Fresh simulated dies are formed by `lab`'s own protocol, through drivers and bytes; the forming
voltages are fitted from the stored records and compared with the population that the cells were
drawn from. Prints rows of the coverage table:

    python -m benchmarks.coverage_forming [--dies 400] [--seed 1]
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from analysis.forming_fit import EULER
from lab.chosen_bench import ChosenBench, chosen_bench
from lab.findings import store_fits
from lab.runs import start_run
from lab.session import session
from physics.hfox import HfOxPopulation
from protocols.forming import FormingParameters


def bench_of_small_dies(seed: int, dies: int) -> ChosenBench:
    """The built-in HfOx bench, with dies of 400 cells."""
    chosen = chosen_bench(Path("hfox"), False, seed)
    wafer = chosen.configuration.wafer.model_copy(
        update={
            "columns": 20, "rows": -(-dies // 20), "subarrays": 1,
            "word_lines": 20, "bit_lines": 20,
        }
    )  # fmt: skip
    return replace(chosen, configuration=chosen.configuration.model_copy(update={"wafer": wafer}))


def true_values(population: HfOxPopulation) -> dict[str, float]:
    """What the intervals should hold."""
    location, scale = population.forming_location, population.forming_scale
    return {
        "mean": location + EULER * scale,
        "scale": scale,
        "v99": location - scale * float(np.log(-np.log(0.99))),
    }


def coverage(dies: int, seed: int, folder: Path) -> dict[str, tuple[int, int]]:
    """(covered, intervals) by quantity, over so many dies of 400 cells."""
    chosen = bench_of_small_dies(seed, dies)
    addresses = chosen.configuration.wafer.addresses[:dies]
    with session(chosen, str(folder / "coverage.sqlite")) as opened:
        summary = start_run(opened.store, opened.bench, "forming", FormingParameters(), addresses)
        fits = store_fits(opened.store, summary.run)
    counts = {}
    for name, truth in true_values(HfOxPopulation()).items():
        found = [fit.parameters[name] for (fit,) in fits.values()]
        counts[name] = (sum(each.low <= truth <= each.high for each in found), len(found))
    return counts


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dies", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts = coverage(options.dies, options.seed, Path(folder))
    print("| protocol | quantity | stated | intervals | covered | 95 % interval of the coverage |")
    print("|---|---|---|---|---|---|")
    for name, (covered, all_) in counts.items():
        interval = binomtest(covered, all_).proportion_ci()
        print(
            f"| forming, 400 cells | {name} | 95 % | {all_} | {100 * covered / all_:.1f} % "
            f"| {100 * interval.low:.1f} to {100 * interval.high:.1f} % |"
        )


if __name__ == "__main__":
    main()
