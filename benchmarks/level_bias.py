"""By how much readings of HfOx levels miss what the cells conduct, and through what.

Formed dies are programmed to the levels of the built-in HfOx bench, through drivers and bytes. Then
the verified cells of each level are looked at: the reading that let them pass, what they conduct
with every trap empty, and readings of later moments, straight from the simulated cells. Prints mean
and standard deviation of each over the true ones (noise averaged out over all times, drift as it is
at these readings), with the standard error over the dies.

    python -m benchmarks.level_bias [--wafers 8] [--dies 2] [--sample 1600]
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from analysis.level_statistics import deviation_of_cells
from benchmarks.coverage_program_and_verify import actual_conductance, parameters_for
from crossbar.records import ProgrammedBlock
from crossbar.units import Seconds
from lab.chosen_bench import chosen_bench
from lab.runs import start_run
from lab.session import session
from physics.hfox_die import HfOxDie
from protocols import program_levels
from protocols.forming import FormingParameters
from protocols.ping_pong import Outcome, into_windows

FloatArray = NDArray[np.float64]
LATER: dict[str, tuple[int, Seconds]] = {
    "one read": (1, 0.0),
    "8 reads, 0.1 s apart": (8, 0.1),
    "8 reads, 1 s apart": (8, 1.0),
    "8 reads, 10 s apart": (8, 10.0),
    "30 reads, 100 s apart": (30, 100.0),
}
"""Count and interval of the later readings."""


def programmed(
    seed: int, dies: int, sample: int
) -> Iterator[tuple[ProgrammedBlock, Outcome, HfOxDie]]:
    """Dies with the record of their programming and what decided it, right after it."""
    chosen = chosen_bench(Path("hfox"), True, seed)
    parameters = replace(parameters_for(chosen), sample=sample, final_reads=1)
    places = chosen.configuration.wafer.addresses[:dies]
    outcomes: list[Outcome] = []

    def kept(*arguments: object) -> Outcome:
        outcomes.append(into_windows(*arguments))  # type: ignore[arg-type]
        return outcomes[-1]

    with (
        tempfile.TemporaryDirectory() as folder,
        session(chosen, f"{folder}/bias.sqlite") as opened,
        patch.object(program_levels, "into_windows", kept),
    ):
        start_run(opened.store, opened.bench, "forming", FormingParameters(), places)
        for die in places:
            run = start_run(opened.store, opened.bench, "program-and-verify", parameters, [die]).run
            (block,) = opened.store.records(run, die, ProgrammedBlock)
            yield block, outcomes[-1], opened.bench.simulation.station.wafer.die(die)


def ratios(
    block: ProgrammedBlock, outcome: Outcome, die: HfOxDie, voltage: float = 0.2
) -> dict[tuple[str, int], tuple[float, float]]:
    """Mean and standard deviation over the true ones, by what was looked at and level."""
    cells, now, clock = block.cells, die.clock(), die.clock
    actual = actual_conductance(die, cells, voltage, np.zeros(1))
    seen = {
        "the deciding read": (outcome.conductance[:, None], actual),
        "the next read": (block.conductance[:, None], actual),
        "all traps empty": (die.conductance(cells, voltage)[:, None], actual),
    }
    for name, (count, interval) in LATER.items():
        moments = now + interval * np.arange(count)
        reads = []
        for moment in moments:
            die.clock = lambda moment=moment: moment  # type: ignore[misc]
            reads.append(die.conduct(cells, np.full(len(cells), voltage)) / voltage)
        die.clock = clock
        seen[f"later: {name}"] = (
            np.stack(reads, axis=1),
            actual_conductance(die, cells, voltage, now - moments),
        )
    return {
        (name, int(number)): (
            float(reads[here].mean() / true[here].mean()),
            float(deviation_of_cells(reads[here]).estimate / true[here].std(ddof=1)),
        )
        for name, (reads, true) in seen.items()
        for number in np.unique(block.level)
        for here in [(block.level == number) & block.verified]
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wafers", type=int, default=8, help="seeds, from 1")
    parser.add_argument("--dies", type=int, default=2)
    parser.add_argument("--sample", type=int, default=1600)
    options = parser.parse_args()
    found: dict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)
    for seed in range(1, options.wafers + 1):
        for made in programmed(seed, options.dies, options.sample):
            for key, value in ratios(*made).items():
                found[key].append(value)
    print("| looked at | level | mean (%) | cell to cell (%) |\n|---|---|---|---|")
    for (name, level), values in sorted(found.items(), key=lambda item: item[0][1]):
        mean, error = np.mean(values, axis=0), np.std(values, axis=0, ddof=1) / len(values) ** 0.5
        shown = (f"{100 * m:.2f} ± {100 * e:.2f}" for m, e in zip(mean, error, strict=True))
        print(f"| {name} | {level} | {' | '.join(shown)} |")


if __name__ == "__main__":
    main()
