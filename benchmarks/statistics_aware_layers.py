"""Does it help an ordinary torch model to train on drawn defects? 784-100-10 on MNIST.

For each seed one network is trained on perfect bits and others on `StatisticsAwareMemory`; all are
tested on the same dies never seen, 1,000 images each. With ``--each-read`` a last one is trained on
dies drawn anew for every read, instead of other stretches of the same (slow):

    python -m benchmarks.statistics_aware_layers [--seeds 5] [--epochs 3] [--dies 20] [--each-read]
"""

import argparse
import os
from pathlib import Path

import torch
from torch import nn

from analysis.mean_interval import mean_interval
from crossbar.units import Ratio
from physics.defects import SISTER_CHIP
from training.binary_networks import mnist_mlp
from training.classifier import FitPlan, accuracy, fit
from training.erring_bits import held_in
from training.image_sets import ImageSet, load_image_set
from training.loop import one_thread
from training.statistics_aware_memory import StatisticsAwareMemory

BOUND = 1.5


def memory(seed: int, bound: Ratio | None, reads: int = 500) -> StatisticsAwareMemory:
    """Cells with the defects of the sister chip."""
    generator = torch.Generator().manual_seed(seed)
    return StatisticsAwareMemory(
        population=SISTER_CHIP, generator=generator, bound=bound, reads=reads
    )


def trained(
    images: ImageSet, plan: FitPlan, seed: int, cells: StatisticsAwareMemory | None
) -> nn.Module:
    """A network of this seed, on these cells or on perfect ones."""
    generator = torch.Generator().manual_seed(seed)
    model = mnist_mlp(generator, hidden=(100,))
    if cells is None:
        fit(model, images, plan, generator)
    else:
        with held_in(model, lambda latents: cells):
            fit(model, images, plan, generator)
    return model


def on_dies(model: nn.Module, images: ImageSet, dies: int, bound: Ratio | None) -> Ratio:
    """Mean accuracy on so many dies, the same ones for every network."""
    unseen = memory(999, bound)
    total = 0.0
    for _ in range(dies):
        with held_in(model, unseen.cells):
            total += accuracy(model, images)
    return total / dies


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--dies", type=int, default=20)
    parser.add_argument("--each-read", action="store_true")
    options = parser.parse_args()
    folder = os.environ.get("LAB_DATA_DIR")
    images = load_image_set("mnist", Path(folder) if folder else None).part(60_000, 1000)
    plan = FitPlan(epochs=options.epochs)
    for bound in (None, BOUND):
        ways = {"perfect bits": None, "statistics-aware": 500}
        if options.each_read:
            ways["statistics-aware, new dies for each read"] = 1
        for name, reads in ways.items():
            perfect, found = [], []
            for seed in range(1, options.seeds + 1):
                cells = None if reads is None else memory(seed, bound, reads)
                with one_thread():
                    model = trained(images, plan, seed, cells)
                    perfect.append(100 * accuracy(model, images))
                    found.append(100 * on_dies(model, images, options.dies, bound))
            print(f"bound {bound}, {name}: perfect die {_told(perfect)}, dies {_told(found)}")


def _told(values: list[float]) -> str:
    found = mean_interval(values)
    return f"{found.mean:.2f} % ({found.low:.2f} to {found.high:.2f})"


if __name__ == "__main__":
    main()
