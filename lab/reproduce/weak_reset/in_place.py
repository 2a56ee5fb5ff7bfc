"""The same small training on the cells of a die, through the instruments, and on the model's."""

from collections.abc import Mapping, Sequence
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import nn

from crossbar.memory_die import MemoryDie
from lab.chosen_bench import ChosenBench
from lab.configuration import BenchConfiguration
from lab.reproduce.weak_reset.points import EVERYTHING, PLAN_RATE, learn, network_for, setup_for
from lab.session import session
from lab.sweep import Outcome
from training.binary_layers import binary_layers
from training.classifier import FitPlan, accuracy
from training.image_sets import load_image_set
from training.weak_reset_die import DiePairs, DiePulses, ready_cells
from training.weak_reset_learning import PulseRule, memories_of
from training.weak_reset_memory import WeakResetMemory, WeakResetSetup


def on_a_simulated_die(
    *, seed: int, bench: Mapping[str, Any], source: str, hidden: Sequence[int], epochs: int
) -> Outcome:
    """Train on the first die of the simulated wafer of this seed; ``bench`` is the bench's
    configuration. Nothing of the wafer is kept.
    """
    configuration = BenchConfiguration.model_validate(bench)
    assert configuration.simulation is not None
    simulation = configuration.simulation.model_copy(update={"seed": seed})
    chosen = ChosenBench(
        configuration=configuration.model_copy(update={"simulation": simulation}), source=source
    )
    with TemporaryDirectory() as folder:
        return on_a_die(chosen, f"{folder}/lab.sqlite", 0, seed, hidden, epochs)


def on_a_die(
    chosen: ChosenBench, database: str, die: int, seed: int, hidden: Sequence[int], epochs: int
) -> Outcome:
    """Train on the die of this number of the bench's wafer; its pulses are counted in the
    database.
    """
    generator = torch.Generator().manual_seed(seed)
    model = network_for("digits", {"hidden": hidden}, generator)
    with session(chosen, database) as opened:
        address = chosen.configuration.wafer.addresses[die]
        with opened.bench.contacted(address) as contacted:
            memories = pairs_on(contacted, model)
            for memory in memories.values():
                memory.scatter(WeakResetSetup().scattered, generator)
            return _taught(model, memories, epochs, generator)


def in_the_model(*, seed: int, hidden: Sequence[int], epochs: int) -> Outcome:
    """Train on the model's cells, with every imperfection and the die's read noise."""
    generator = torch.Generator().manual_seed(seed)
    model = network_for("digits", {"hidden": hidden}, generator)
    setup = setup_for(EVERYTHING, False, "published")
    memories = memories_of(model, lambda shape: WeakResetMemory(shape, setup, generator))
    return _taught(model, memories, epochs, generator)


def pairs_on(die: MemoryDie, model: nn.Module) -> dict[str, DiePairs]:
    """Cells of the die, formed and SET, for every weight."""
    pulses, sizes = DiePulses(), [2 * layer.latents.numel() for _, layer in binary_layers(model)]
    ready = ready_cells(die, sum(sizes), pulses)
    parts = iter(np.split(ready, np.cumsum(sizes)[:-1]))
    read_amplitude = pulses.restoring.read_amplitude
    return memories_of(
        model,
        lambda shape: DiePairs(die, next(parts).reshape(2, *shape), pulses.weak, read_amplitude),
    )


def _taught(
    model: nn.Module, memories: Mapping[str, Any], epochs: int, generator: torch.Generator
) -> Outcome:
    """Accuracy, and the mean rise of ln R by the training."""
    images = load_image_set("digits")
    before = _mean_log_r(memories)
    plan = FitPlan(epochs=epochs, batch=64, rate=PLAN_RATE)
    learn(model, images, memories, plan, PulseRule(), generator)
    return {"accuracy": accuracy(model, images), "rise": _mean_log_r(memories) - before}


def _mean_log_r(memories: Mapping[str, Any]) -> float:
    readings = [memory.log_resistance().flatten() for memory in memories.values()]
    return float(torch.cat(readings).mean())
