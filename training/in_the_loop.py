"""Training with a die in the loop: it makes the forward pass, software the gradient.

Each mini-batch goes through the die: its dot products, digitally read, take the place of the sums
that the network would have by its conductances, and the gradient goes straight through to these.
Without dot products the conductances as read are the forward pass. From time to time the cells
whose latents changed sign are written. Gains and offsets, which are digital, learn at every step,
so a read-out of another gain than the map supposes, or cells that moved since, are learned around.
The scheme is known as hardware-in-the-loop or chip-in-the-loop training (Yao et al., Nature 577,
641, 2020, so retrain the last layer of their chip; from memory); that all layers are in the loop,
with binary weights, is ours, and so is when cells are written.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError
from crossbar.units import Ratio, Seconds, Volts
from training.column_calibration import calibrated
from training.datasets import Dataset
from training.loop import Stepper, one_thread
from training.looped_die import LoopedDie, Written
from training.network import CrossbarNetwork
from training.recipe import Schedule
from training.solution import Solution

TRAINED = "in-the-loop"
"""What its solutions are called."""

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class LoopPlan:
    """How long, how fast, and when cells are written."""

    epochs: int
    batch: int
    latent_rate: float
    digital_rate: float
    write_every: int = 5
    """Steps from one time that cells are written to the next."""
    last_write: Ratio = 0.9
    """Share of all steps after which no cell is written: gains and offsets have the rest."""
    pulses_per_write: int = 4
    """Most pulses that one cell gets in one go, each verified; 1 for single pulses."""
    pulses_per_cell: int = 40
    """Most pulses that one cell gets in the whole training."""
    write_amplitude: Volts = 0.9
    write_width: Seconds = 50e-9
    checkpoint_every: int = 25
    """Steps from one checkpoint to the next."""
    calibration_images: int = 500
    """Training images shown to the die with its first weights, their labels unseen, to begin with
    gains and offsets that suit its columns; 0 for none, as without dot products."""
    dot_products: bool = True
    """False has the forward pass made of conductances as read, whatever the hardware can."""

    def __post_init__(self) -> None:
        counts = (self.write_every, self.pulses_per_write, self.checkpoint_every)
        if min(counts) < 1 or not 0 <= self.last_write <= 1:
            raise ConfigurationError(
                f"A plan with write_every {self.write_every}, pulses_per_write "
                f"{self.pulses_per_write}, checkpoint_every {self.checkpoint_every} and last_write "
                f"{self.last_write:g}: the first three must be at least 1, the last from 0 to 1."
            )
        _ = self.schedule  # raises for the others

    @property
    def schedule(self) -> Schedule:
        """The steps and rates, as for training in software."""
        return Schedule(
            epochs=self.epochs,
            batch=self.batch,
            latent_rate=self.latent_rate,
            digital_rate=self.digital_rate,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopProgress:
    """Told after each step."""

    step: int
    """From 1 to ``steps``; 0 when the die has its first weights."""
    steps: int
    loss: float
    """Cross entropy of the mini-batch in nats; NaN at step 0."""
    written: Written | None
    """What was written after this step; None between."""


class LoopTraining:
    """One training of the network on one die, which can be put away and taken up again."""

    def __init__(
        self, dataset: Dataset, looped: LoopedDie, plan: LoopPlan, *, seed: int, start: Solution
    ) -> None:
        """``start`` is what the network begins with, and what the die is to hold at first.

        Raises ConfigurationError if the images do not fit the die, or are fewer than a batch.
        """
        rows = start.placement.geometry.rows
        if dataset.train_images.shape[1] != rows or len(dataset.train_images) < plan.batch:
            raise ConfigurationError(
                f"{dataset.name} has {len(dataset.train_images)} training images of "
                f"{dataset.train_images.shape[1]} pixels; this die takes {rows} pixels, one a row, "
                f"and the plan at least {plan.batch} images. Change the data set or the plan."
            )
        self.looped = looped
        self.plan = plan
        self.generator = torch.Generator().manual_seed(seed)
        self.network = CrossbarNetwork(start.placement, start.bound, self.generator)
        self.network.start_from(start)
        self.images = torch.from_numpy(dataset.train_images)
        self.labels = torch.from_numpy(dataset.train_labels)
        measured = looped.sums if plan.dot_products else None
        self.stepper = Stepper(self.network, looped, plan.schedule, len(self.images), measured)
        self.begun = False
        """Whether the die has its first weights."""
        self.epoch_state = self.generator.get_state()
        """Of the generator, before it ordered the images of the present epoch."""

    @property
    def steps(self) -> int:
        """How many there are in all."""
        return self.stepper.steps

    def run(
        self,
        keep: Callable[[int, dict[str, NDArray[Any]]], None],
        report: Callable[[LoopProgress], None] = lambda progress: None,
    ) -> Solution:
        """Go on from wherever this training is, to its end.

        ``keep`` is given each checkpoint, the number of its step and `snapshot`, and returns when
        it is safe. The same seed, start, die and history of its cells give the same bits.
        """
        with one_thread():
            if not self.begun:
                self.begun = True
                written = self.looped.program()
                self._calibrate()
                report(LoopProgress(step=0, steps=self.steps, loss=float("nan"), written=written))
                keep(0, self.snapshot())
            while self.stepper.done < self.steps:
                self._epoch(keep, report)
        return self.solution()

    def _calibrate(self) -> None:
        """Begin with gains and offsets that suit the columns, as the die's own sums tell."""
        sums = self.looped.sums
        if self.plan.dot_products and sums is not None and self.plan.calibration_images:
            shown = self.images[: self.plan.calibration_images].numpy()
            self.network.start_from(
                calibrated(sums.currents, self.looped.solution, shown, self.looped.calibration)
            )

    def _epoch(
        self,
        keep: Callable[[int, dict[str, NDArray[Any]]], None],
        report: Callable[[LoopProgress], None],
    ) -> None:
        """The steps that are left of the present epoch."""
        each = self.steps // self.plan.epochs
        self.generator.set_state(self.epoch_state)
        order = torch.randperm(len(self.images), generator=self.generator)
        for chosen in order.split(self.plan.batch)[self.stepper.done % each : each]:
            loss = float(self.stepper.step(self.images[chosen], self.labels[chosen]))
            step = self.stepper.done
            if step % each == 0:
                self.epoch_state = self.generator.get_state()
            written = self.looped.write(self._wanted()) if self._writes(step) else None
            report(LoopProgress(step=step, steps=self.steps, loss=loss, written=written))
            if step % self.plan.checkpoint_every == 0 or step == self.steps:
                keep(step, self.snapshot())

    def _writes(self, step: int) -> bool:
        """Whether cells are written after this step: at last with the last step that may."""
        last = int(self.plan.last_write * self.steps)
        return step == last or (step < last and step % self.plan.write_every == 0)

    def _wanted(self) -> NDArray[np.bool_]:
        return (self.network.latents.detach() >= 0).numpy()

    def solution(self) -> Solution:
        """What the network has learned; the states are those that the cells hold."""
        found = self.network.solution(TRAINED)
        used = found.placement.used
        return replace(found, target_low=np.where(used, self.looped.holds_low, found.target_low))

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Everything that `restore` needs to go on with the same bits, but for the cells."""
        arrays = {
            f"network/{name}": parameter.detach().numpy().copy()
            for name, parameter in self.network.named_parameters()
        }
        for number, state in self.stepper.optimizer.state_dict()["state"].items():
            for name, value in state.items():
                arrays[f"optimizer/{number}/{name}"] = value.numpy().copy()
        arrays |= {f"die/{name}": array for name, array in self.looped.snapshot().items()}
        arrays["generator"] = self.epoch_state.numpy().copy()
        arrays["step"] = np.array(self.stepper.done)
        return arrays

    @torch.no_grad()
    def restore(self, snapshot: Arrays) -> None:
        """Take over what `snapshot` returned, of a training of the same plan, seed and start."""
        for name, parameter in self.network.named_parameters():
            parameter.copy_(torch.from_numpy(snapshot[f"network/{name}"]))
        self._restore_optimizer(snapshot)
        self.looped.restore(_part(snapshot, "die/"))
        self.epoch_state = torch.from_numpy(np.array(snapshot["generator"]))
        self.stepper.done = int(snapshot["step"])
        self.begun = True

    def _restore_optimizer(self, snapshot: Arrays) -> None:
        state: dict[int, dict[str, torch.Tensor]] = {}
        for key, array in _part(snapshot, "optimizer/").items():
            number, name = key.split("/")
            state.setdefault(int(number), {})[name] = torch.from_numpy(np.array(array))
        whole = self.stepper.optimizer.state_dict()
        self.stepper.optimizer.load_state_dict(whole | {"state": state})


def _part(arrays: Arrays, prefix: str) -> dict[str, NDArray[Any]]:
    """Those whose names begin so, by the rest of their names."""
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
