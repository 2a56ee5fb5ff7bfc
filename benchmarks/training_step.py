"""What an epoch of MNIST costs: on drawn defects, in plain PyTorch, in other people's simulators.

One epoch of 784-100-10 in mini-batches of 128, one thread, all contestants in one process, in turn;
prints for each the median CPU time of its epochs and the median ratio to plain binarized PyTorch,
round by round. The plain network and its loop are written here with nothing but PyTorch. Simulators
of others that are not installed are named and left out:

    python -m benchmarks.training_step [--rounds 9] [--images 60000] [--seed 1]
"""

import argparse
import functools
import gc
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, hardtanh, linear

from benchmarks.analog_peers import PEERS, Learner
from physics.defects import SISTER_CHIP
from training.binary_networks import mnist_mlp
from training.classifier import FitPlan, fit
from training.erring_bits import held_in
from training.image_sets import ImageSet, load_image_set
from training.statistics_aware_memory import StatisticsAwareMemory

BATCH = 128
RATE = 5e-3
HIDDEN = 100
PLAIN = "plain binarized PyTorch"

Epoch = Callable[[], None]


def sign(x: Tensor) -> Tensor:
    """Straight through within plus and minus one; the fastest of the usual ways to write it."""
    soft = hardtanh(x)
    return soft + (torch.sign(x) - soft).detach()


class PlainLinear(nn.Linear):
    """A layer of binarized weights."""

    def forward(self, input: Tensor) -> Tensor:
        return linear(input, sign(self.weight))


class PlainActivation(nn.Module):
    """Binarized activations."""

    def forward(self, input: Tensor) -> Tensor:
        return sign(input)


def torch_epoch(learner: Learner, images: Tensor, labels: Tensor) -> None:
    """One epoch of an ordinary loop over (n, 784) images."""
    learner.model.train()
    for chosen in torch.randperm(len(images)).split(BATCH):
        loss = cross_entropy(learner.model(images[chosen]), labels[chosen])
        learner.optimizer.zero_grad()
        loss.backward()
        learner.optimizer.step()
        learner.after_step()


def plain(hidden: int) -> Learner:
    """The same network in nothing but PyTorch."""
    layers = PlainLinear(784, hidden, bias=False), PlainLinear(hidden, 10, bias=False)
    model = nn.Sequential(
        layers[0], nn.BatchNorm1d(hidden), PlainActivation(), layers[1], nn.BatchNorm1d(10)
    )

    def clip() -> None:
        with torch.no_grad():
            for layer in layers:
                layer.weight.clamp_(-1, 1)

    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, foreach=True)
    return Learner(model=model, optimizer=optimizer, after_step=clip)


def ours(images: ImageSet, seed: int, aware: bool) -> Epoch:
    """An epoch of `training.classifier.fit`, on defects drawn for each step or on perfect bits."""
    generator = torch.Generator().manual_seed(seed)
    model = mnist_mlp(generator, hidden=(HIDDEN,))
    plan = FitPlan(epochs=1, batch=BATCH, rate=RATE)

    def epoch() -> None:
        fit(model, images, plan, generator)

    def aware_epoch() -> None:
        memory = StatisticsAwareMemory(population=SISTER_CHIP, generator=generator)
        with held_in(model, lambda latents: memory):
            epoch()

    return aware_epoch if aware else epoch


def contestants(images: ImageSet, seed: int) -> dict[str, Epoch]:
    """All that are installed, ready for an epoch; the plain network first."""
    torch.manual_seed(seed)
    pixels = images.train_pixels.flatten(1).float() / 255
    found: dict[str, Epoch] = {}
    for name, peer in {PLAIN: plain, **PEERS}.items():
        try:
            learner = peer(HIDDEN)
        except ImportError as missing:
            print(f"{name}: left out ({missing})")
            continue
        found[name] = functools.partial(torch_epoch, learner, pixels, images.train_labels)
    found["ours, perfect bits"] = ours(images, seed, False)
    found["ours, statistics-aware"] = ours(images, seed, True)
    return found


def measured(found: dict[str, Epoch], rounds: int) -> dict[str, list[float]]:
    """CPU seconds of each epoch, round by round; a first round only warms up."""
    times: dict[str, list[float]] = {name: [] for name in found}
    names = list(found)
    for turn in range(rounds + 1):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            gc.collect()
            started = time.process_time()
            found[name]()
            times[name].append(time.process_time() - started)
    return {name: each[1:] for name, each in times.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    folder = os.environ.get("LAB_DATA_DIR")
    images = load_image_set("mnist", Path(folder) if folder else None).part(options.images, 1)
    times = measured(contestants(images, options.seed), options.rounds)
    reference = times[PLAIN]
    print(f"CPU time of an epoch of {options.images} images, {options.rounds} rounds, 1 thread")
    for name, each in times.items():
        ratios = [one / other for one, other in zip(each, reference, strict=True)]
        print(
            f"{name:40} {statistics.median(each):7.3f} s   {statistics.median(ratios):6.2f} times "
            f"plain ({min(ratios):.2f} to {max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()
