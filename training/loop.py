"""The one training loop; what differs between the ways of training is the store."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from crossbar.errors import ConfigurationError
from training.datasets import Dataset
from training.network import CrossbarNetwork, MeasuredSums
from training.placement import Placement
from training.recipe import Schedule
from training.solution import Solution
from training.weight_store import WeightStore

CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where training is, after each epoch."""

    epoch: int
    """From 1 to ``epochs``."""
    epochs: int
    loss: float
    """Mean cross entropy of the epoch's mini-batches, in nats."""


def train(
    dataset: Dataset,
    store: WeightStore,
    placement: Placement,
    schedule: Schedule,
    *,
    bound: float,
    trained: str,
    seed: int,
    start: Solution | None = None,
    report: Callable[[Progress], None] | None = None,
    torch_device: torch.device = CPU,
) -> Solution:
    """Train a network on what the store makes of its latents.

    ``start`` continues from a finished solution instead of random weights. ``trained`` is the name
    that the solution carries. The same seed (and a store of the same seed) gives the same bits, on
    one kind of machine and ``torch_device``. Raises ConfigurationError if images do not fit the
    die, or ``start`` is for another placement.
    """
    rows = placement.geometry.rows
    if dataset.train_images.shape[1] != rows or len(dataset.train_images) < schedule.batch:
        raise ConfigurationError(
            f"{dataset.name} has {len(dataset.train_images)} training images of "
            f"{dataset.train_images.shape[1]} pixels; this die takes {rows} pixels, one a row, and "
            f"the schedule at least {schedule.batch} images. Change the data set or the schedule."
        )
    with one_thread():
        return _train(
            dataset, store, placement, schedule, bound, trained, seed, start, report, torch_device
        )


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread: sums then round alike whatever the number of cores, and two
    trainings on one machine do not wait for each other's threads. These matrices are small.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _train(
    dataset: Dataset,
    store: WeightStore,
    placement: Placement,
    schedule: Schedule,
    bound: float,
    trained: str,
    seed: int,
    start: Solution | None,
    report: Callable[[Progress], None] | None,
    torch_device: torch.device,
) -> Solution:
    generator = torch.Generator().manual_seed(seed)
    network = CrossbarNetwork(placement, bound, generator)
    if start is not None:
        if start.placement != placement:
            raise ConfigurationError(
                f"Training cannot continue from a solution for {start.placement}, because this one "
                f"is for {placement}. Use the same recipe for both."
            )
        network.start_from(start)
    network.to(torch_device)
    images = torch.from_numpy(dataset.train_images).to(torch_device)
    labels = torch.from_numpy(dataset.train_labels).to(torch_device)
    stepper = Stepper(network, store, schedule, len(images))
    for epoch in range(1, schedule.epochs + 1):
        order = torch.randperm(len(images), generator=generator).to(torch_device)
        # The images left over after the last whole mini-batch have their turn in another epoch.
        losses = [
            stepper.step(images[chosen], labels[chosen])
            for chosen in order.split(schedule.batch)
            if len(chosen) == schedule.batch
        ]
        if report is not None:
            loss = float(torch.stack(losses).mean())
            report(Progress(epoch=epoch, epochs=schedule.epochs, loss=loss))
    return network.solution(trained)


class Stepper:
    """Makes one step of the optimizer at a time, and lowers its rates on the way."""

    def __init__(
        self,
        network: CrossbarNetwork,
        store: WeightStore,
        schedule: Schedule,
        images: int,
        measured: MeasuredSums | None = None,
    ) -> None:
        self.network = network
        self.store = store
        self.measured = measured
        self.rates = (schedule.latent_rate, schedule.digital_rate)
        self.optimizer = torch.optim.Adam(
            [{"params": [network.latents]}, {"params": network.digital()}], foreach=True
        )
        self.steps = schedule.epochs * (images // schedule.batch)
        self.done = 0

    def step(self, images: Tensor, labels: Tensor) -> Tensor:
        """Learn from a mini-batch: (batch, rows) images, (batch,) labels. Returns the loss."""
        falling = (1 + math.cos(math.pi * self.done / self.steps)) / 2
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * falling
        conductances = self.store.realize(self.network.latents)
        shared = images.view(len(conductances), -1, images.shape[1])
        scores = self.network(shared, conductances, self.store.window, self.measured)
        loss = cross_entropy(scores.flatten(0, 1), labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        with torch.no_grad():
            # Beyond 1 a latent gets no gradient and would never come back.
            self.network.latents.clamp_(-1, 1)
        self.done += 1
        return loss.detach()
