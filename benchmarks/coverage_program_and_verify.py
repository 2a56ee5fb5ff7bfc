"""Do the 95 % intervals of programmed levels cover the truth, through the instruments?

A sample of cells of every die is programmed to levels by the protocol, through drivers and bytes.
Its intervals are held against 8,000 cells of the die, which are programmed the same way afterwards;
what they really conduct is looked up in the simulation. Prints rows for the table
of coverages.

    python benchmarks/coverage_program_and_verify.py [--wafers 5] [--seed 1]
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from analysis.level_statistics import LevelStatistics, level_statistics
from crossbar.geometry import DieAddress
from crossbar.records import ProgrammedBlock
from lab.chosen_bench import ChosenBench, chosen_bench
from lab.parameters import build
from lab.runs import start_run
from lab.session import Session, session
from protocols.forming import FormingParameters
from protocols.program_levels import ProgramLevelsParameters

SAMPLE = ProgramLevelsParameters(sample=400, tolerance=0.15)
WHOLE = 8_000
"""Cells that stand for the whole die: their fraction is known ten times better than a sample's."""
QUANTITIES = ("verified fraction", "mean conductance")
Counts = dict[str, tuple[int, int]]


def coverage(
    chosen: ChosenBench,
    folder: Path,
    parameters: ProgramLevelsParameters = SAMPLE,
    dies: int | None = None,
) -> Counts:
    """(covered, intervals) by quantity, over the dies and levels of one wafer."""
    places = chosen.configuration.wafer.addresses[:dies]
    whole = replace(parameters, sample=WHOLE, seed=99)
    counts = dict.fromkeys(QUANTITIES, (0, 0))
    with session(chosen, str(folder / f"{chosen.wafer}.sqlite")) as opened:
        if chosen.configuration.wafer.technology == "hfox":
            start_run(opened.store, opened.bench, "forming", FormingParameters(), places)
        for die in places:
            found = _programmed(opened, die, parameters)
            real = _programmed(opened, die, whole)
            truth = _really(opened, die, parameters)
            for line, everything in zip(found, real, strict=True):
                rate = everything.verified / everything.cells
                for name, low, value, high in (
                    (QUANTITIES[0], line.low, rate, line.high),
                    (QUANTITIES[1], line.mean_low, truth[line.level], line.mean_high),
                ):
                    covered, count = counts[name]
                    counts[name] = (covered + int(low <= value <= high), count + 1)
    return counts


def parameters_for(chosen: ChosenBench) -> ProgramLevelsParameters:
    """Those of the bench file, or of the built-in MTJ, with a sample for each level."""
    table = chosen.configuration.protocols.get("program-and-verify")
    if table is None:
        return SAMPLE
    return build(ProgramLevelsParameters, (chosen.source, {**table, "sample": 800}))


def _programmed(
    opened: Session, die: DieAddress, parameters: ProgramLevelsParameters
) -> list[LevelStatistics]:
    """What a run of the protocol says of a die's levels."""
    run = start_run(opened.store, opened.bench, "program-and-verify", parameters, [die]).run
    return level_statistics(opened.store.records(run, die, ProgrammedBlock))


def _really(
    opened: Session, die: DieAddress, parameters: ProgramLevelsParameters
) -> dict[int, float]:
    """Mean conductance without noise of each level's verified cells, of the last run on the die."""
    store = opened.store
    blocks = store.records(store.runs()[0].id, die, ProgrammedBlock)
    simulated = opened.bench.simulation.station.wafer.die(die)
    cells, level, verified = (
        np.concatenate([getattr(block, name) for block in blocks])
        for name in ("cells", "level", "verified")
    )
    order = np.argsort(cells)
    conductance = simulated.conductance(cells[order], parameters.read_amplitude)
    return {
        int(number): float(np.mean(conductance[(level == number)[order] & verified[order]]))
        for number in np.unique(level)
    }


def rows(counts: Counts, protocol: str) -> list[str]:
    """Lines of the table of coverages, in Markdown."""
    lines = []
    for name, (covered, count) in counts.items():
        interval = binomtest(covered, count).proportion_ci()
        lines.append(
            f"| {protocol} | {name} | 95 % | {count} | {covered} | {100 * covered / count:.1f} % "
            f"({100 * interval.low:.1f} to {100 * interval.high:.1f}) |"
        )
    return lines


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wafers", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--technology", choices=("mtj", "hfox"), default="mtj")
    parser.add_argument("--dies", type=int, default=36)
    options = parser.parse_args()
    total = dict.fromkeys(QUANTITIES, (0, 0))
    for seed in range(options.seed, options.seed + options.wafers):
        with tempfile.TemporaryDirectory() as folder:
            chosen = chosen_bench(Path(options.technology), True, seed)
            found = coverage(chosen, Path(folder), parameters_for(chosen), options.dies)
        total = {
            name: (total[name][0] + found[name][0], total[name][1] + found[name][1])
            for name in QUANTITIES
        }
    print("| protocol | quantity | stated | intervals | covered | coverage (Clopper-Pearson) |")
    print("|---|---|---|---|---|---|")
    print("\n".join(rows(total, f"program-and-verify ({options.technology})")))


if __name__ == "__main__":
    main()
