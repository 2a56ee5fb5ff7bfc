"""Single trainings of weights on pairs of HfOx cells: points of the sweeps of `weak_reset`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from crossbar.errors import DataError
from lab.data_sets import data_dir, image_set
from lab.reproduce.weak_reset.cells import FILE, swept_cells, swept_population
from lab.sweep import Outcome
from physics.weak_reset import PulseNoise, WeakResetPopulation
from training.binary_networks import cifar_conv, mnist_mlp
from training.classifier import FitPlan, accuracy, fit
from training.image_sets import ImageSet
from training.torch_device import torch_device as checked
from training.weak_reset_gains import CompensatedPairs, Looking, looking_again
from training.weak_reset_learning import PulsedMemory, PulseRule, learning_by_pulses, memories_of
from training.weak_reset_memory import WeakResetMemory, WeakResetSetup

PUBLISHED = ("cell to cell", "cycle to cycle", "telegraph", "pink")
"""The paper's imperfections, by the names that points have."""
EVERYTHING = (*PUBLISHED, "read noise")
"""And one more of ours."""
PLAN_RATE = 8e-3
"""Of batch normalization, as published."""
READ_NOISE = 0.0034
"""Standard deviation of ln R in a reading; that of the simulated die's LOW cells."""


def trained(
    *,
    seed: int,
    images: str,
    train: int | None,
    test: int | None,
    network: Mapping[str, Any],
    imperfections: Sequence[str],
    rate: float,
    epochs: int,
    batch: int,
    sets: bool = False,
    compensated: bool = False,
    cells: str = "published",
    torch_device: str = "cpu",
) -> Outcome:
    """Train one network and test it: its accuracy, and the pulses that cells got.

    With the first ``train`` and ``test`` images, None being all. ``network`` is what
    `training.binary_networks` takes. ``cells`` are "published", or "swept": of real sweeps.
    """
    chosen = images_for(images, train, test)
    generator = torch.Generator().manual_seed(seed)
    model = network_for(images, network, generator)
    setup = setup_for(imperfections, sets, cells)
    made = memories_of(model, lambda shape: WeakResetMemory(shape, setup, generator))
    for memory in made.values():
        memory.to(checked(torch_device))
    model.to(checked(torch_device))
    plan = FitPlan(epochs=epochs, batch=batch, rate=PLAN_RATE)
    learn(model, chosen, made, plan, PulseRule(rate=rate), generator, compensated)
    pulses = torch.cat([memory.cells.pulses for memory in made.values()])
    return {
        "accuracy": accuracy(model, chosen),
        "pulses_mean": float(pulses.mean()),
        "pulses_most": float(pulses.max()),
    }


def perfect(
    *,
    seed: int,
    images: str,
    train: int | None,
    test: int | None,
    network: Mapping[str, Any],
    epochs: int,
    batch: int,
) -> Outcome:
    """The same network with latents and perfect bits."""
    chosen = images_for(images, train, test)
    generator = torch.Generator().manual_seed(seed)
    model = network_for(images, network, generator)
    fit(model, chosen, FitPlan(epochs=epochs, batch=batch, rate=PLAN_RATE), generator)
    return {"accuracy": accuracy(model, chosen)}


def learn(
    model: nn.Module,
    images: ImageSet,
    memories: Mapping[str, Any],
    plan: FitPlan,
    rule: PulseRule,
    generator: torch.Generator,
    compensated: bool = False,
) -> None:
    """Teach these memories, each cell with the same pulses or with its own number of them."""
    taught: Mapping[str, PulsedMemory] = memories
    after = None
    if compensated:
        pairs = {
            name: CompensatedPairs(memory, Looking(), generator)
            for name, memory in memories.items()
        }
        taught = pairs
        after = looking_again(learning_by_pulses(model, taught, plan, rule), pairs.values())
    after = after or learning_by_pulses(model, taught, plan, rule)
    fit(model, images, plan, generator, after_step=after)


def images_for(name: str, train: int | None, test: int | None) -> ImageSet:
    """The image set, or part of it."""
    found = image_set(name)
    return found.part(train or len(found.train_labels), test or len(found.test_labels))


def network_for(
    images: str, network: Mapping[str, Any], generator: torch.Generator
) -> nn.Sequential:
    """The network of these images."""
    if images == "cifar10":
        return cifar_conv(generator, **network)
    inputs = {"mnist": 784, "digits": 100}[images]
    return mnist_mlp(generator, inputs=inputs, hidden=tuple(network["hidden"]))


def setup_for(imperfections: Sequence[str], sets: bool, cells: str) -> WeakResetSetup:
    """Cells with these imperfections and no other."""
    population = WeakResetPopulation()
    if cells == "swept":
        swept = swept_cells(data_dir())
        if swept is None:
            raise DataError(
                f"There are no sweeps at $LAB_DATA_DIR/{FILE} on the machine that trains. Put the "
                "file there, or leave out cells fitted from sweeps."
            )
        population = swept_population(swept)
    return WeakResetSetup(
        population=replace(
            population,
            cell_to_cell="cell to cell" in imperfections,
            cycle_to_cycle="cycle to cycle" in imperfections,
        ),
        noise=PulseNoise(telegraph="telegraph" in imperfections, pink="pink" in imperfections),
        read_noise=READ_NOISE if "read noise" in imperfections else 0.0,
        sets=sets,
    )
