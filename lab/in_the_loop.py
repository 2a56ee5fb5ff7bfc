"""Runs that train with a die in the loop: begun, put away at each checkpoint, taken up again.

A checkpoint is one transaction: latents, optimizer, generator, and what is known of the cells. Of a
simulated die it holds the cells' state as well, to the last bit, so a run that was killed and is
resumed ends as an undisturbed one. A real die cannot be put back: its cells are read, and those
that hold something else than at the checkpoint are written again.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossbar.geometry import DieAddress
from crossbar.memory_die import MemoryDie
from crossbar.records import Key, Record
from db.rows import RunRow
from db.store import Store
from lab.bench import Bench
from lab.data_sets import data_set
from lab.learning import READ_AMPLITUDE, versions_of_training
from lab.parameters import as_json, build
from lab.runs import IN_THE_LOOP, Work, begin, still_touching, wafer_of
from protocols.program_and_verify import ProgramAndVerifyParameters
from training.datasets import Dataset
from training.hardware import grade_in_software
from training.in_the_loop import LoopPlan, LoopProgress, LoopTraining
from training.looped_die import LoopedDie
from training.recipe import RECIPES
from training.solution import Solution

CELLS = "cells/"
"""How the names of a simulated die's own arrays begin in a checkpoint."""
BESIDE_THE_PLAN = ("dataset", "start", "seed")
"""Parameters of a run that are not the plan's."""


def plan_for(dataset: str, assignments: dict[str, Any]) -> LoopPlan:
    """The data set's schedule for defect-aware training, and what ``--set`` says."""
    schedule = asdict(RECIPES[dataset].defect_aware)
    del schedule["dies"]
    return build(LoopPlan, (f"the recipe of {dataset}", schedule), ("--set", assignments))


def begin_in_the_loop(
    store: Store,
    bench: Bench,
    die: DieAddress,
    plan: LoopPlan,
    *,
    dataset: str,
    seed: int,
    start: int | None = None,
) -> int:
    """Enter a run that trains with a mapped die in the loop; returns its number.

    ``start`` is the training run to go on from, by default the newest ideal one for the data set.
    Raises DataError if there is none, or the die is not mapped.
    """
    store.defect_map(wafer_of(store, bench), die)
    row = (
        store.latest_training_run(strategy="ideal", dataset=dataset)
        if start is None
        else store.training_run(start)
    )
    parameters = as_json(plan) | {"dataset": dataset, "start": row.id, "seed": seed}
    return begin(store, bench, IN_THE_LOOP, parameters, [die])


def work_in_the_loop(
    store: Store,
    bench: Bench,
    row: RunRow,
    report: Callable[[LoopProgress], None] = lambda progress: None,
) -> Work:
    """What trains on the die of a run, for `lab.runs`; it leaves checkpoints, and no records."""

    def work(die: MemoryDie, done: frozenset[Key]) -> Iterable[Record]:
        if row.training_run_id is None:  # else it was killed after its very end
            _train(store, bench, row, die, report)
        return ()

    return work


def _train(
    store: Store,
    bench: Bench,
    row: RunRow,
    die: MemoryDie,
    report: Callable[[LoopProgress], None],
) -> None:
    dataset = data_set(row.parameters["dataset"])
    training = _training(store, row, die, dataset)
    kept = store.checkpoint(row.id)
    if kept is not None:
        training.restore(kept)
        _bring_back(bench, die, training.looped, kept)

    def keep(step: int, arrays: dict[str, NDArray[Any]]) -> None:
        still_touching(bench, die)
        store.save_checkpoint(row.id, arrays | _state_of_cells(bench, die))

    solution = training.run(keep, report)
    bench.keep_state()  # weights that count as programmed must survive a crash
    looped = training.looped
    emulated = grade_in_software(
        looped.conductance.reshape(die.geometry.shape), solution, dataset.test_images,
        dataset.test_labels, looped.calibration,
    )  # fmt: skip
    store.finish_training(
        row.id,
        dataset=dataset.name,
        recipe=row.parameters | pulses_of(looped),
        seed=row.parameters["seed"],
        software_accuracy=emulated.accuracy,
        versions=versions_of_training(),
        solution=solution.to_arrays(),
        die=die.address,
    )


def _training(store: Store, row: RunRow, die: MemoryDie, dataset: Dataset) -> LoopTraining:
    """A run's training before its first step."""
    given = {name: value for name, value in row.parameters.items() if name not in BESIDE_THE_PLAN}
    plan = build(LoopPlan, (f"run {row.id}", given))
    start = Solution.from_arrays(store.training_run(row.parameters["start"]).solution)
    looped = LoopedDie(
        die=die,
        defect_map=store.defect_map(row.wafer_id, die.address),
        solution=start,
        read_amplitude=READ_AMPLITUDE,
        pulses=ProgramAndVerifyParameters(
            write_amplitude=plan.write_amplitude,
            write_width=plan.write_width,
            read_amplitude=READ_AMPLITUDE,
            max_pulses=plan.pulses_per_write,
        ),
        pulses_per_cell=plan.pulses_per_cell,
    )
    return LoopTraining(dataset, looped, plan, seed=row.parameters["seed"], start=start)


def pulses_of(looped: LoopedDie) -> dict[str, int]:
    """What the training cost the cells, for the database and for people."""
    return {
        "pulses": int(looped.given.sum()),
        "most_pulses": int(looped.given.max()),
        "worn_out": int(np.sum(~looped.writable[looped.cells])),
    }


def _state_of_cells(bench: Bench, die: MemoryDie) -> dict[str, NDArray[Any]]:
    """Of a simulated die; nothing of a real one."""
    if bench.simulation is None:
        return {}
    state = bench.simulation.station.wafer.die(die.address).snapshot()
    return {f"{CELLS}{name}": array for name, array in state.items()}


def _bring_back(
    bench: Bench, die: MemoryDie, looped: LoopedDie, kept: dict[str, NDArray[Any]]
) -> None:
    """Bring the cells to where they were at the checkpoint."""
    if bench.simulation is None:
        looped.bring_back()
        return
    state = {
        name.removeprefix(CELLS): array for name, array in kept.items() if name.startswith(CELLS)
    }
    bench.simulation.station.wafer.die(die.address).restore(state)
