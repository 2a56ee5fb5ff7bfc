"""Majumdar et al. 2021: which imperfection of HfOx cells harms a network that learns on them."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from lab.data_sets import data_dir
from lab.reproduce.paper import Paper, PaperResult
from lab.reproduce.reproducing import Reproduction
from lab.reproduce.weak_reset import in_place, points
from lab.reproduce.weak_reset.cells import swept_cells
from lab.reproduce.weak_reset.outcomes import Accuracies
from lab.reproduce.weak_reset.page import InPlace, Trained, page
from lab.reproduce.weak_reset.plan import (
    ALONE,
    CELL_TO_CELL,
    CIFAR,
    COMPENSATED,
    DIGITS,
    MNIST,
    WITH_SETS,
    Trainings,
)
from lab.sweep import Outcome


def run(reproduction: Reproduction) -> PaperResult:
    """Train everything; for a quick look small networks on small digits, without CIFAR-10."""
    trainings = DIGITS if reproduction.quick else MNIST
    plain = [trainings.plain(seed) for seed in reproduction.seeds]
    perfect = reproduction.sweep(f"{trainings.images} perfect bits", points.perfect, plain)
    here = (reproduction, trainings)
    with_sets = WITH_SETS[:3] if reproduction.quick else WITH_SETS
    compensated = COMPENSATED[:1] if reproduction.quick else COMPENSATED
    sweeps = swept_cells(data_dir())
    return page(
        Trained(
            seeds=reproduction.seeds,
            trainings=trainings,
            perfect=[outcome["accuracy"] for outcome in perfect],
            alone=_accuracies(*here, "", tuple(ALONE)),
            with_sets=_accuracies(*here, " with SETs", with_sets, sets=True),
            compensated=_accuracies(*here, " compensated", compensated, compensated=True),
            swept=_accuracies(*here, " swept cells", (CELL_TO_CELL,), cells="swept")
            if sweeps
            else None,
            sweeps=sweeps,
            cifar=None
            if reproduction.quick
            else _accuracies(reproduction, CIFAR, "", tuple(ALONE)),
            cifar_trainings=CIFAR,
            in_place=_in_place(reproduction),
        )
    )


def _accuracies(
    reproduction: Reproduction,
    trainings: Trainings,
    name: str,
    conditions: Sequence[str],
    **more: Any,
) -> Accuracies:
    """Of every condition, over the seeds."""
    if reproduction.torch_device != "cpu":
        more["torch_device"] = reproduction.torch_device
    wanted = [
        trainings.point(seed, condition, **more)
        for condition in conditions
        for seed in reproduction.seeds
    ]
    outcomes = reproduction.sweep(f"{trainings.images}{name}", points.trained, wanted)
    found: dict[str, list[float]] = {condition: [] for condition in conditions}
    for place, outcome in enumerate(outcomes):
        found[conditions[place // len(reproduction.seeds)]].append(outcome["accuracy"])
    return found


def _in_place(reproduction: Reproduction) -> InPlace:
    """On dies and in the model: a simulated die for every seed, or, on a real bench, the dies of
    its wafer one after the other.
    """
    hidden, epochs = ([], 1) if reproduction.quick else ([32], 6)
    seeds = range(1, (1 if reproduction.quick else 2) * len(reproduction.seeds) + 1)
    small: dict[str, Any] = {"hidden": hidden, "epochs": epochs}
    model = reproduction.sweep(
        "in the model", in_place.in_the_model, [{"seed": seed, **small} for seed in seeds]
    )
    die: list[Outcome]
    if reproduction.bench.is_simulated:
        bench = reproduction.bench.configuration.model_dump(mode="json")
        wanted = [{"seed": seed, "bench": bench, **small} for seed in seeds]
        taught = partial(in_place.on_a_simulated_die, source=reproduction.bench.source)
        die = reproduction.sweep("in place", taught, wanted)
    else:
        dies = len(reproduction.bench.configuration.wafer.addresses)
        die = [
            in_place.on_a_die(
                reproduction.bench, reproduction.database, number, seed, hidden, epochs
            )
            for number, seed in enumerate(list(seeds)[:dies])
        ]
    return InPlace(model=model, die=die, hidden=hidden, epochs=epochs)


PAPER = Paper(
    name="weak-reset",
    title="Learning with weak RESET: which imperfection harms most",
    citation=(
        "A. Majumdar, M. Bocquet, T. Hirtzlin, A. Laborieux, J.-O. Klein, E. Nowak, E. Vianello, "
        "J.-M. Portal, D. Querlioz, Model of the Weak Reset Process in HfOx Resistive Memory for "
        "Deep Learning Frameworks, IEEE Trans. Electron Devices 68, 4925 (2021), arXiv:2107.06064; "
        "model, learning rule and figures from the authors' released code"
    ),
    claim=(
        "Binarized networks learn on pairs of HfOx cells that only ever get weak RESET pulses; of "
        "the cells' imperfections, switched on one by one, cell-to-cell variability harms most."
    ),
    minutes={True: 0.3, False: 100.0},
    run=run,
    seeds={True: 2, False: 5},
    technology="hfox",
    datasets=("MNIST", "CIFAR-10"),
)
