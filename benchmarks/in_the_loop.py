"""Does a die in the loop teach what its map does not show?

A simulated die is mapped. Then it has what the map cannot know: a read-out of other gains (each
column's amplifier of its own), or cells that moved since (all a little, each by its own amount).
Both trainings start from the same ideal weights and see the same images in as many steps: one in
software, on the map, programmed afterwards, with and without a calibration of the columns by
training images without labels; the other with the die in the loop. Graded in hardware on the test
images; all of it through drivers and bytes. Prints mean and Student's interval over the dies, and
of the differences, die by die.

    python -m benchmarks.in_the_loop [--dies 8] [--epochs 5] [--faults gain drift none] [--scale 1]
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.classification import classify
from analysis.mean_interval import mean_interval
from crossbar.defect_map import DefectMap
from crossbar.geometry import DieAddress
from crossbar.memory_die import MemoryDie
from db.store import Store
from lab.bench import opened
from lab.configuration import read_configuration
from lab.learning import READ_AMPLITUDE
from lab.simulation import simulated_bench
from physics.defects import SISTER_CHIP
from physics.mtj_die import MtjDie
from physics.product_front_end import ProductFrontEnd
from protocols.array_map import ArrayMapParameters, array_map
from protocols.program_and_verify import ProgramAndVerifyParameters, program_and_verify
from training.calibration import Calibration
from training.column_calibration import calibrated
from training.column_sums import currents_of_die
from training.datasets import Dataset, load_dataset
from training.defect_aware_store import DefectAwareStore
from training.hardware import grade
from training.ideal_store import IdealStore
from training.in_the_loop import LoopPlan, LoopTraining
from training.loop import train
from training.looped_die import LoopedDie
from training.recipe import RECIPES
from training.solution import Solution

DIE = DieAddress(0, 0)
FAULTS = ("gain", "drift", "none")
GAIN_SPREAD = 0.1
"""Standard deviation of a column's gain around one."""
DRIFT = -0.08
"""Of the mean of ln G, since the map."""
DRIFT_SPREAD = 0.06
"""From cell to cell."""
CALIBRATING = 500
"""Training images shown for the calibration of columns."""
ARMS = ("software", "software, columns calibrated", "in the loop")


@contextmanager
def mapped_die(
    seed: int, fault: str, scale: float, folder: Path
) -> Iterator[tuple[MemoryDie, DefectMap]]:
    """A die in contact, with its map of before, and the fault."""
    configuration, source = read_configuration(None)
    chance = np.random.default_rng(seed)
    assert configuration.simulation is not None
    table = configuration.simulation.model_copy(update={"seed": seed})
    if fault == "gain":
        gains = 1 + scale * GAIN_SPREAD * chance.standard_normal(
            configuration.wafer.geometry.columns
        )
        front_end = ProductFrontEnd(gains=tuple(gains.tolist()))
        table = table.model_copy(update={"front_end": front_end})
    configuration = configuration.model_copy(update={"simulation": table})
    with Store.open(folder / "lab.sqlite") as store:
        simulation = simulated_bench(configuration, store, None)
    with (
        opened(configuration, source, simulation=simulation) as bench,
        bench.contacted(DIE) as die,
    ):
        blocks = list(array_map(die, ArrayMapParameters()))
        low, high = (
            np.concatenate([getattr(block, name) for block in blocks]).reshape(die.geometry.shape)
            for name in ("low", "high")
        )
        found = classify(low, high)
        if fault == "drift":
            drift(simulation.station.wafer.die(DIE), chance, scale)
        yield die, found


def drift(die: MtjDie, chance: np.random.Generator, scale: float) -> None:
    """Every junction conducts a little less than before, each by its own amount."""
    moved = np.exp(scale * (DRIFT + DRIFT_SPREAD * chance.standard_normal(die.geometry.cells)))
    cells = die.truth.cells
    die.truth = replace(die.truth, cells=replace(cells, r_p=cells.r_p / moved))


def in_software(die: MemoryDie, found: DefectMap, dataset: Dataset, ideal: Solution, epochs: int,
                seed: int) -> Solution:  # fmt: skip
    """Defect-aware training on the map, programmed."""
    recipe = RECIPES[dataset.name]
    solution = train(
        dataset, DefectAwareStore.of(found), ideal.placement,
        replace(recipe.defect_aware, epochs=epochs), bound=recipe.bound, trained="defect-aware",
        seed=seed, start=ideal,
    )  # fmt: skip
    cells, low = solution.placement.target_states(solution.target_low)
    parameters = ProgramAndVerifyParameters()
    list(program_and_verify(die, parameters, cells, low, found.decision_threshold))
    return solution


def in_the_loop(
    die: MemoryDie, found: DefectMap, dataset: Dataset, ideal: Solution, plan: LoopPlan, seed: int
) -> tuple[Solution, NDArray[np.int64]]:
    """What the die in the loop has learned, and the pulses that its cells were given."""
    looped = LoopedDie(
        die=die, defect_map=found, solution=ideal, read_amplitude=READ_AMPLITUDE,
        pulses=ProgramAndVerifyParameters(max_pulses=plan.pulses_per_write),
        pulses_per_cell=plan.pulses_per_cell,
    )  # fmt: skip
    training = LoopTraining(dataset, looped, plan, seed=seed, start=ideal)
    return training.run(lambda step, arrays: None), looped.given


def accuracies(
    seed: int,
    fault: str,
    scale: float,
    epochs: int,
    dataset: Dataset,
    ideal: Solution,
    folder: Path,
) -> tuple[list[float], NDArray[np.int64]]:
    """In hardware, of each arm; and the pulses of the last."""
    recipe = RECIPES[dataset.name].defect_aware
    plan = LoopPlan(
        epochs=epochs, batch=recipe.batch, latent_rate=recipe.latent_rate,
        digital_rate=recipe.digital_rate,
    )  # fmt: skip
    results = []

    def graded(die: MemoryDie, solution: Solution, known: Calibration) -> None:
        done = grade(die, solution, dataset.test_images, dataset.test_labels, known)
        results.append(done.accuracy)

    with mapped_die(seed, fault, scale, folder) as (die, found):
        known = Calibration.of(found, READ_AMPLITUDE)
        solution = in_software(die, found, dataset, ideal, epochs, seed)
        graded(die, solution, known)
        currents = currents_of_die(die, solution)
        shown = dataset.train_images[:CALIBRATING]
        graded(die, calibrated(currents, solution, shown, known), known)
    with mapped_die(seed, fault, scale, folder) as (die, found):
        solution, pulses = in_the_loop(die, found, dataset, ideal, plan, seed)
        graded(die, solution, Calibration.of(found, READ_AMPLITUDE))
    return results, pulses


def ideal_solution(dataset: Dataset, seed: int) -> Solution:
    """Weights that know of no die."""
    recipe = RECIPES[dataset.name]
    geometry = read_configuration(None)[0].wafer.geometry
    store = IdealStore(window=SISTER_CHIP.window)
    return train(dataset, store, recipe.placement(geometry), recipe.ideal, bound=recipe.bound,
                 trained="ideal", seed=seed)  # fmt: skip


def told(values: NDArray[np.float64]) -> str:
    """Mean and interval in percent."""
    found = mean_interval(100 * values)
    return f"{found.mean:.1f} ({found.low:.1f} to {found.high:.1f})"


def main() -> None:
    """Print a table of the arms for each fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dies", type=int, default=8, help="wafers of seeds from 1, a die of each")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="of the faults")
    parser.add_argument("--faults", nargs="+", choices=FAULTS, default=FAULTS)
    chosen = parser.parse_args()
    dataset = load_dataset("digits")
    seeds = range(1, chosen.dies + 1)
    ideals = {seed: ideal_solution(dataset, seed) for seed in seeds}
    print(f"| fault | {' | '.join(ARMS)} | loop - software | loop - calibrated | most pulses |")
    with tempfile.TemporaryDirectory() as folder:
        for fault in chosen.faults:
            found = [
                accuracies(
                    seed, fault, chosen.scale, chosen.epochs, dataset, ideals[seed], Path(folder)
                )
                for seed in seeds
            ]
            arms = np.array([accuracy for accuracy, _ in found])
            most = max(int(pulses.max()) for _, pulses in found)
            cells = " | ".join(told(arm) for arm in arms.T)
            ahead = " | ".join(told(arms[:, 2] - arms[:, other]) for other in (0, 1))
            print(f"| {fault} | {cells} | {ahead} | {most} |", flush=True)


if __name__ == "__main__":
    main()
