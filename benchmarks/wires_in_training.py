"""What do wires cost a network, and what does training with them in the loop win back?

Maps simulated dies whose lines have resistance, through the instruments, trains weights for each,
and grades them in software, in the exact circuit of the mapped cells: as trained without wires, the
same with gains and offsets fitted to the wires, and trained with the wires, the circuit solved at
every step and at every tenth. Prints means over the dies with Student's intervals, and the time
that a step took:

    python -m benchmarks.wires_in_training --ohms 0.5 --dies 3 --seed 1
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from analysis.mean_interval import mean_interval
from crossbar.defect_map import DefectMap
from crossbar.geometry import DieAddress
from db.store import Store
from lab.chosen_bench import ChosenBench, chosen_bench
from lab.data_sets import data_set
from lab.learning import Teacher, Trained, mapped_dies
from lab.runs import start_run, wafer_of
from lab.session import session
from physics.line_resistance import Wires
from protocols.array_map import ArrayMapParameters
from training.recipe import RECIPES


@dataclass(frozen=True, kw_only=True)
class Ways:
    """The ways of training on one die, each from the same ideal weights."""

    plain: Teacher
    wired: Teacher
    ideal: Trained

    def of(self, die: DieAddress, found: DefectMap) -> dict[str, tuple[float, float]]:
        """By name: accuracy in the exact circuit, and seconds of this process."""
        exact = self.wired.emulated_accuracy
        unaware = self._timed(lambda: self.plain.defect_aware(die, found, self.ideal.solution))
        fitted = self.wired.calibrated(unaware[0].solution, found)
        tenth = replace(self.wired, solve_every=10)
        every = self._timed(lambda: self.wired.defect_aware(die, found, self.ideal.solution))
        seldom = self._timed(lambda: tenth.defect_aware(die, found, self.ideal.solution))
        return {
            "trained without wires": (exact(unaware[0].solution, found), unaware[1]),
            "the same, columns calibrated": (exact(fitted, found), unaware[1]),
            "wires in the loop": (every[0].software_accuracy, every[1]),
            "the same, solved every 10 steps": (seldom[0].software_accuracy, seldom[1]),
        }

    def _timed(self, work: Callable[[], Trained]) -> tuple[Trained, float]:
        started = time.process_time()
        return work(), time.process_time() - started


def wired_bench(ohms: float, seed: int) -> ChosenBench:
    """The built-in simulated bench, its dies with lines of so many ohms a segment."""
    chosen = chosen_bench(None, True, seed)
    assert chosen.configuration.simulation is not None
    simulation = chosen.configuration.simulation.model_copy(update={"line_resistance": ohms})
    configuration = chosen.configuration.model_copy(update={"simulation": simulation})
    return replace(chosen, configuration=configuration)


def mapped(
    chosen: ChosenBench, database: str, dies: int
) -> tuple[int, dict[DieAddress, DefectMap]]:
    """The wafer's number, and the maps of its first dies."""
    places = chosen.configuration.wafer.addresses[:dies]
    with session(chosen, database) as opened:
        start_run(opened.store, opened.bench, "array-map", ArrayMapParameters(), places)
        wafer = wafer_of(opened.store, opened.bench)
        return wafer, mapped_dies(opened.store, wafer, places)


def main() -> None:
    """Measure, train, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ohms", type=float, default=0.5)
    parser.add_argument("--dies", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dataset", choices=sorted(RECIPES), default="digits")
    arguments = parser.parse_args()
    chosen = wired_bench(arguments.ohms, arguments.seed)
    with TemporaryDirectory() as folder:
        database = str(Path(folder) / "lab.sqlite")
        wafer, maps = mapped(chosen, database, arguments.dies)
        with Store.open(database) as store:
            plain = Teacher(
                store=store, wafer=wafer, geometry=chosen.configuration.wafer.geometry,
                dataset=data_set(arguments.dataset), seed=arguments.seed,
            )  # fmt: skip
            wires = Wires(word_segment=arguments.ohms, bit_segment=arguments.ohms)
            ways = Ways(plain=plain, wired=replace(plain, wires=wires), ideal=plain.ideal())
            found = [ways.of(die, each) for die, each in maps.items()]
    print(f"{arguments.ohms:g} Ohm a segment, {arguments.dataset}, seed {arguments.seed}")
    for name in found[0]:
        mean = mean_interval([100 * each[name][0] for each in found])
        seconds = sum(each[name][1] for each in found) / len(found)
        print(
            f"{name:32} {mean.mean:5.1f} % ({mean.low:.1f} to {mean.high:.1f}), "
            f"{mean.count} dies, {seconds:.0f} s a die"
        )


if __name__ == "__main__":
    main()
