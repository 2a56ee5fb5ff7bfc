"""Do the 95 % intervals of weak RESET cover the truth, through the instruments?

Formed HfOx dies of known truth are measured by `lab`'s own weak-reset protocol, through drivers and
bytes; the stored records are fitted, cell by cell and as a population, and compared with the cells'
own parameters. Prints rows of the coverage table:

    python -m benchmarks.coverage_weak_reset [--dies 20] [--cells 50] [--seed 1]
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import binomtest

from analysis.weak_reset_fit import WeakResetFits, fit_weak_reset
from analysis.weak_reset_population import fit_population, separate_parts
from analysis.weak_reset_trains import gather_trains
from crossbar.records import PulseTrain
from lab.chosen_bench import chosen_bench
from lab.planning import form
from lab.runs import start_run
from lab.session import session
from physics.hfox_die import HfOxDie
from physics.weak_reset import WeakResetPopulation, reference_pulses
from protocols.weak_reset import WeakResetParameters

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Of the fitted cells, in pulses of the condition."""

    m1: Values
    t_star: Values
    m2: Values


def measured(
    seed: int, parameters: WeakResetParameters, folder: Path, dies: int
) -> Iterator[tuple[WeakResetFits, Truth]]:
    """Fits and truth of every die and condition."""
    chosen = chosen_bench(Path("hfox"), False, seed)
    addresses = chosen.configuration.wafer.addresses[:dies]
    with session(chosen, str(folder / f"{seed}.sqlite")) as opened:
        wafer = opened.bench.simulation.station.wafer
        form(wafer, addresses)
        summary = start_run(opened.store, opened.bench, "weak-reset", parameters, addresses)
        for address in addresses:
            records = opened.store.records(summary.run, address, PulseTrain)
            for trains in gather_trains(records):
                fits = fit_weak_reset(trains)
                yield fits, true_parameters(wafer.die(address), fits)


def true_parameters(die: HfOxDie, fits: WeakResetFits) -> Truth:
    """What the simulated cells really are, by a pulse of this amplitude and width."""
    trains = fits.trains
    strength = np.asarray(reference_pulses(trains.amplitude, trains.width))
    weak = die.truth.weak[torch.from_numpy(trains.cells)]
    return Truth(
        m1=weak.m1.numpy() * strength,
        t_star=weak.t_star.numpy() / strength,
        m2=weak.m2.numpy() * strength,
    )


def population_truth(amplitude: float, width: float, pulses: int) -> dict[str, float]:
    """What the intervals of a population should hold, by the published distributions.

    A family that is cut off where the fit does not know of it counts by its nearest member.
    """
    population, strength = WeakResetPopulation(), float(reference_pulses(amplitude, width))
    generator = torch.Generator().manual_seed(0)
    cells = population.cells(torch.rand((400_000, 6), generator=generator, dtype=torch.float64))
    reference = torch.full_like(cells.m1, pulses * strength)
    early = torch.minimum(reference, cells.t_star)
    rise = (cells.m1 * early + cells.m2 * (reference - early)).numpy()
    return {
        "m1 scale": strength * population.m1.scale,
        "m1 location": strength * population.m1.location,
        "ln t_star mean": population.log_t_star.mean - float(np.log(strength)),
        "ln t_star sd": population.log_t_star.sd,
        "m2 scale": strength * float(cells.m2.mean()),
        "start, cell to cell": float(cells.c1.std()),
        "start, cycle to cycle": float(cells.r0.log().std()),
        "rise, median": float(np.median(rise)),
        "rise, cell to cell": float(np.std(rise)),
    }


def population_intervals(fits: WeakResetFits) -> dict[str, tuple[float, float]]:
    """The same, as found."""
    found, parts = fit_population(fits), separate_parts(fits)
    return {
        "m1 scale": found.m1.interval["scale"],
        "m1 location": found.m1.interval["location"],
        "ln t_star mean": found.log_t_star.interval["mean"],
        "ln t_star sd": found.log_t_star.interval["sd"],
        "m2 scale": found.m2.interval["scale"],
        "start, cell to cell": (found.start.between.low, found.start.between.high),
        "start, cycle to cycle": (found.start.within.low, found.start.within.high),
        "rise, median": (parts.progress.low, parts.progress.high),
        "rise, cell to cell": (parts.cell_to_cell.low, parts.cell_to_cell.high),
    }


def coverage(
    dies: int, seed: int, parameters: WeakResetParameters, folder: Path
) -> dict[str, tuple[int, int]]:
    """(covered, intervals) by quantity: the cells' own parameters, then those of each die's cells
    as a population.
    """
    covered: Counter[str] = Counter()
    intervals: Counter[str] = Counter()

    def count(name: str, inside: NDArray[np.bool_] | bool) -> None:
        covered[name] += int(np.sum(inside))
        intervals[name] += int(np.size(inside))

    for fits, truth in measured(seed, parameters, folder, dies):
        for name in ("m1", "t_star", "m2"):
            low, high = getattr(fits, f"{name}_interval").T
            true = getattr(truth, name)
            count(f"{name} of a cell", (low <= true) & (true <= high))
        count("no misfit at 5 %", fits.misfit >= 0.05)
        trains = fits.trains
        wanted = population_truth(trains.amplitude, trains.width, int(trains.pulses[-1]))
        for name, (low, high) in population_intervals(fits).items():
            count(name, low <= wanted[name] <= high)
    return {name: (covered[name], intervals[name]) for name in intervals}


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dies", type=int, default=20)
    parser.add_argument("--cells", type=int, default=50, help="on each die")
    parser.add_argument("--amplitude", type=float, default=0.52)
    parser.add_argument("--width", type=float, default=200e-9)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    parameters = WeakResetParameters(
        sample=options.cells, amplitudes=(options.amplitude,), widths=(options.width,)
    )
    with tempfile.TemporaryDirectory() as folder:
        counts = coverage(options.dies, options.seed, parameters, Path(folder))
    print("| protocol | quantity | stated | intervals | covered | 95 % interval of the coverage |")
    print("|---|---|---|---|---|---|")
    for name, (covered, all_) in counts.items():
        interval = binomtest(covered, all_).proportion_ci()
        print(
            f"| weak-reset | {name} | 95 % | {all_} | {100 * covered / all_:.1f} % "
            f"| {100 * interval.low:.1f} to {100 * interval.high:.1f} % |"
        )


if __name__ == "__main__":
    main()
