"""One network on 36 dies x 10,000 images in one batched call, beside the bare matrix products.

784-100-10 on MNIST's test images, on drawn dies. Bare are the batched products of both layers
(36 x 784 x 100 and 36 x 100 x 10 weights), the images as many at a time as in the call. One thread,
in turn; medians of CPU times and of their ratios, and by how much memory grew:

    python -m benchmarks.batched_grading [--rounds 9] [--dies 36] [--images 10000] [--torch-device]
"""

import argparse
import os
import resource
import statistics
import time
from pathlib import Path

import torch

from physics.defects import SISTER_CHIP
from training.batched_grading import IMAGES_TOGETHER, accuracy_on_dies, weights_on
from training.binary_networks import mnist_mlp
from training.image_sets import load_image_set
from training.statistics_aware_memory import StatisticsAwareMemory
from training.torch_device import torch_device


def bare(images: torch.Tensor, weights: list[torch.Tensor]) -> None:
    """The products alone, of (images, 784) with both layers' weights, on random activations."""
    hidden = torch.ones(len(weights[0]), IMAGES_TOGETHER, weights[1].shape[2], device=images.device)
    for part in images.split(IMAGES_TOGETHER):
        torch.matmul(part, weights[0].transpose(1, 2))
        torch.matmul(hidden[:, : len(part)], weights[1].transpose(1, 2))


def seconds(work) -> float:
    """CPU time of it; wall time where an accelerator does it."""
    clock = time.perf_counter if torch.cuda.is_initialized() else time.process_time
    started = clock()
    work()
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
    return clock() - started


def megabytes() -> float:
    """The most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--dies", type=int, default=36)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--torch-device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(1)
    where = torch_device(options.torch_device)
    folder = os.environ.get("LAB_DATA_DIR")
    images = load_image_set("mnist", Path(folder) if folder else None).part(1, options.images)
    generator = torch.Generator().manual_seed(1)
    model = mnist_mlp(generator, hidden=(100,)).to(where)
    memory = StatisticsAwareMemory(population=SISTER_CHIP, generator=generator)
    weights = weights_on(model, memory.cells, options.dies)
    pixels = images.scaled(images.test_pixels).flatten(1).to(where)
    seconds(lambda: bare(pixels, weights))
    before = megabytes()
    calls, products = [], []
    for _ in range(options.rounds + 1):
        calls.append(seconds(lambda: accuracy_on_dies(model, weights, images)))
        products.append(seconds(lambda: bare(pixels, weights)))
    grown = megabytes() - before
    ratios = [call / product for call, product in zip(calls[1:], products[1:], strict=True)]
    print(
        f"{options.dies} dies x {options.images} images: {statistics.median(calls[1:]):.3f} s; "
        f"bare products {statistics.median(products[1:]):.3f} s; memory grew by {grown:.0f} MB; "
        f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
