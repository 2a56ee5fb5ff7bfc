"""Do the 95 % intervals of programmed levels cover the truth, through the instruments?

A sample of cells of every die is programmed to levels by the protocol, through drivers and bytes.
Its intervals are held against all cells of the die, which are programmed the same way afterwards;
what they really conduct is looked up in the simulation: noise averaged out over all times, drift as
it is while the cells are read. Prints rows of a table, and by how much the means are off.

    python -m benchmarks.coverage_program_and_verify [--technology hfox] [--wafers 5] [--seed 1]
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.level_statistics import LevelStatistics, level_statistics
from benchmarks.coverage_table import HEAD, Tallies
from crossbar.estimate import Estimate
from crossbar.geometry import CellIndices, DieAddress
from crossbar.records import ProgrammedBlock
from lab.chosen_bench import ChosenBench, chosen_bench
from lab.parameters import build
from lab.runs import start_run
from lab.session import Session, session
from physics.hfox_die import HfOxDie
from physics.simulated_die import SimulatedDie
from protocols.forming import FormingParameters
from protocols.program_levels import ProgramLevelsParameters

SAMPLE = ProgramLevelsParameters(sample=400, tolerance=0.15)
QUANTITIES = ("verified fraction", "inside when read again", "mean conductance", "cell to cell")


def coverage(
    chosen: ChosenBench,
    folder: Path,
    parameters: ProgramLevelsParameters = SAMPLE,
    dies: int | None = None,
) -> Tallies:
    """Intervals that held, by quantity, over the dies and levels of one wafer."""
    technology = chosen.configuration.wafer.technology
    places = chosen.configuration.wafer.addresses[:dies]
    whole = replace(parameters, sample=chosen.configuration.wafer.geometry.cells, seed=99)
    tallies = Tallies(f"program-and-verify, {'HfOx' if technology == 'hfox' else 'MTJ'}")
    with session(chosen, str(folder / f"{chosen.wafer}.sqlite")) as opened:
        if technology == "hfox":
            start_run(opened.store, opened.bench, "forming", FormingParameters(), places)
        for die in places:
            found = level_statistics(_programmed(opened, die, parameters))
            blocks = _programmed(opened, die, whole)
            real = level_statistics(blocks)
            truth = true_levels(blocks, opened.bench.simulation.station.wafer.die(die), whole)
            for line, everything in zip(found, real, strict=True):
                rate = everything.verified / everything.cells
                held = zip(QUANTITIES, intervals(line), (rate, *truth[line.level]), strict=True)
                for quantity, interval, value in held:
                    tallies.see(quantity, interval, value)
                    if quantity == "cell to cell" and interval.high < np.inf:
                        tallies.see("cell to cell, both ends told", interval, value)
    return tallies


def intervals(line: LevelStatistics) -> list[Estimate]:
    """Those of `QUANTITIES`."""
    share = 1 / line.cells
    return [
        Estimate.of(line.verified * share, line.low, line.high),
        Estimate.of(line.stayed * share, line.stayed_low, line.stayed_high),
        line.mean,
        line.deviation,
    ]


def parameters_for(chosen: ChosenBench) -> ProgramLevelsParameters:
    """Those of the bench file, or of the built-in MTJ, with a sample for each level."""
    table = chosen.configuration.protocols.get("program-and-verify")
    if table is None:
        return SAMPLE
    return build(ProgramLevelsParameters, (chosen.source, {**table, "sample": 800}))


def _programmed(
    opened: Session, die: DieAddress, parameters: ProgramLevelsParameters
) -> list[ProgrammedBlock]:
    """What a run of the protocol records of a die."""
    run = start_run(opened.store, opened.bench, "program-and-verify", parameters, [die]).run
    return opened.store.records(run, die, ProgrammedBlock)


def true_levels(
    blocks: list[ProgrammedBlock], simulated: SimulatedDie, parameters: ProgramLevelsParameters
) -> dict[int, tuple[float, float, float]]:
    """Of each level, right after its last block was read: the fraction of cells that are verified
    and inside, mean and standard deviation of the verified ones.
    """
    cells, level, verified = (
        np.concatenate([getattr(block, name) for block in blocks])
        for name in ("cells", "level", "verified")
    )
    ends = [np.concatenate(found) for found in zip(*(b.window for b in blocks), strict=True)]
    before = parameters.final_interval * np.arange(parameters.final_reads)
    actual = actual_conductance(simulated, cells, parameters.read_amplitude, before)
    inside = verified & (actual >= ends[0]) & (actual < ends[1])
    found = {}
    for number in np.unique(level):
        chosen = actual[(level == number) & verified]
        share = np.mean(inside[level == number])
        found[int(number)] = (float(share), float(np.mean(chosen)), float(np.std(chosen, ddof=1)))
    return found


def actual_conductance(
    simulated: SimulatedDie, cells: CellIndices, voltage: float, before: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n,) Siemens, averaged over moments so many seconds ago (k,), and over all that the noise of
    the cells may do: a telegraph takes its share of the time.
    """
    if not isinstance(simulated, HfOxDie):
        return simulated.conductance(cells, voltage)
    clock = simulated.clock
    now = clock()
    try:
        seen = []
        for moment in now - before:
            simulated.clock = lambda moment=moment: moment
            seen.append(simulated.conductance(cells, voltage))
    finally:
        simulated.clock = clock
    low, high = (
        noise.captured[cells] * noise.share[cells]
        for noise in (simulated.time.low_noise, simulated.time.high_noise)
    )
    return np.mean(seen, axis=0) * (1 - np.where(simulated.low[cells], low, high))


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wafers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--technology", choices=("mtj", "hfox"), help="default: both")
    parser.add_argument("--dies", type=int, default=36)
    options = parser.parse_args()
    print(HEAD)
    for technology in [options.technology] if options.technology else ("mtj", "hfox"):
        total = None
        for seed in range(options.seed, options.seed + options.wafers):
            chosen = chosen_bench(Path(technology), True, seed)
            with tempfile.TemporaryDirectory() as folder:
                found = coverage(chosen, Path(folder), parameters_for(chosen), options.dies)
            total = found if total is None else total.joined(found)
        print(*total.lines(), sep="\n", flush=True)


if __name__ == "__main__":
    main()
