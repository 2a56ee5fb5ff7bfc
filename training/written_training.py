"""Training whose weights lie in junctions: every update of a weight is written by pulses.

The optimizer moves the latents, and after each step they are written. Without a copy the latents
then become what the cells hold, so that a failed write is a wrong weight until the gradient repairs
it; with a copy they stay as they were, and the next write tries again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from crossbar.errors import ConfigurationError
from crossbar.units import Ratio
from physics.mtj import MtjPopulation
from physics.write_pulses import WritePulse
from training.binary_layers import BinaryLinear, binary_layers
from training.classifier import FitPlan, accuracy, fit
from training.fixed_point import FixedPoint
from training.image_sets import ImageSet
from training.seeded import seeded
from training.written_words import WriteLedger, WrittenWords

WordPulses = tuple[WritePulse, ...]
"""One for each bit of a word, the most significant first."""


@dataclass(frozen=True, kw_only=True)
class WriteStage:
    """The pulses of one part of a training."""

    until: Ratio
    """Share of all steps at which this stage ends; the last one ends at 1."""
    layers: tuple[WordPulses, ...]
    """One a layer, from the input on."""


@dataclass(frozen=True, kw_only=True)
class WritePlan:
    """How weights lie in memory, and when they are written with which pulses."""

    format: FixedPoint
    stages: tuple[WriteStage, ...]
    keeps_copy: bool = False
    """Whether real-valued latents are kept beside the cells, and written rounded to the nearest.
    Without them the cells are the only place of a weight, and it is rounded at random: steps
    smaller than half of the last bit would otherwise never happen."""

    def __post_init__(self) -> None:
        ends = [stage.until for stage in self.stages]
        if not ends or ends != sorted(ends) or ends[-1] != 1 or not ends[0] > 0:
            raise ConfigurationError(
                f"Stages of writing that end at {ends} refused: they must rise from above 0 to 1."
            )
        if self.format.bits == 1 and not self.keeps_copy:
            raise ConfigurationError(
                "Words of one bit cannot hold small steps, rounded at random or not: keep a copy "
                "of the latents, or use more bits."
            )

    def stage_of(self, step: int, steps: int) -> WriteStage:
        """The stage in which a step lies, counted from 1."""
        return next(stage for stage in self.stages if step <= stage.until * steps + 1e-9)


class WordWriter:
    """Writes the weights of a model's layers after each step: an `AfterStep`."""

    def __init__(
        self, model: nn.Module, plan: WritePlan, steps: int, generator: torch.Generator
    ) -> None:
        self.layers = [layer for _, layer in binary_layers(model)]
        self.plan = plan
        self.steps = steps
        self.generator = generator
        if any(len(stage.layers) != len(self.layers) for stage in plan.stages):
            raise ConfigurationError(
                f"Each stage needs pulses for {len(self.layers)} layers; one has others."
            )

    @torch.no_grad()
    def __call__(self, step: int) -> None:
        """Write every layer with the pulses of this step."""
        stage = self.plan.stage_of(step, self.steps)
        rounding = None if self.plan.keeps_copy else self.generator
        for layer, pulses in zip(self.layers, stage.layers, strict=True):
            memory = layer.memory
            assert isinstance(memory, WrittenWords)  # `written_mlp` put them there
            memory.use(pulses)
            targets = self.plan.format.encoded(layer.latents.reshape(-1).cpu(), rounding)
            memory.write(targets, self.generator)
            if not self.plan.keeps_copy:
                layer.latents.copy_(memory.values)


@dataclass(frozen=True, kw_only=True)
class WrittenTraining:
    """What came out of a training."""

    accuracy: Ratio
    """On the test images, with the weights as they lie in the cells."""
    ledgers: tuple[WriteLedger, ...]
    """One a layer. Writing the first, random weights is not counted."""


def written_mlp(
    generator: torch.Generator,
    widths: Sequence[int],
    format: FixedPoint,
    population: MtjPopulation,
    cells: np.random.Generator,
) -> nn.Sequential:
    """Dense layers with batch normalization and ReLU, whose weights lie in junctions.

    ``widths`` are those of the inputs, of each hidden layer and of the outputs; ``cells`` draws the
    junctions. The first weights are random and held without an error.
    """
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in pairwise(widths):
        layer = BinaryLinear(inputs, outputs, generator)
        count = layer.latents.numel() * format.bits
        layer.memory = WrittenWords(
            shape=layer.latents.shape,
            format=format,
            cells=population.sample(count, cells),
            first=layer.latents,
            laws=population.laws,
            anomalies=population.anomalies,
        )
        layers += [layer, nn.BatchNorm1d(outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def train_written(
    images: ImageSet,
    hidden: Sequence[int],
    fit_plan: FitPlan,
    write_plan: WritePlan,
    population: MtjPopulation,
    seed: int,
    torch_device: str = "cpu",
) -> WrittenTraining:
    """Train a network on fresh junctions of a population, and test it as it lies in them.

    The seed gives the weights and the order of the images, the cells, and the draws of the writes,
    by generators of their own: trainings of one seed with other pulses start alike. Words are
    written on the CPU, whatever the torch device that multiplies with them.
    """
    generator = torch.Generator().manual_seed(seed)
    widths = (images.train_pixels[0].numel(), *hidden, images.classes)
    cells = np.random.default_rng(seed)
    model = written_mlp(generator, widths, write_plan.format, population, cells)
    model.to(torch_device)
    steps = fit_plan.epochs * (len(images.train_labels) // fit_plan.batch)
    draws = seeded(seed, "failing writes")
    writer = WordWriter(model, write_plan, steps, draws)
    fit(model, images, fit_plan, generator, after_step=writer)
    memories = [layer.memory for layer in writer.layers]
    return WrittenTraining(
        accuracy=accuracy(model, images),
        ledgers=tuple(each.ledger for each in memories if isinstance(each, WrittenWords)),
    )
