"""Which networks are trained and graded, in full and quick."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crossbar.units import Ratio
from lab.sweep import Plain

PERFECT, FRESH, WRITTEN = "perfect", "fresh", "written"
"""How a network is trained: without errors, with fresh ones, or while its writes fail."""


@dataclass(frozen=True, kw_only=True)
class NetworkPlan:
    """One network, and what is done with it. Sizes and rates of training are ours."""

    title: str
    images: str
    """Name of the image set."""
    width: int
    train: int
    """Training images."""
    test: int
    epochs: int
    batch: int
    most_seeds: int
    """No more seeds than this, however many are asked for."""
    rates: Sequence[Ratio]
    """Bit error rates of the grades."""
    aware: Ratio
    """Bit error rate of the training with errors."""
    written: Sequence[Ratio]
    """Rates of failing writes of the trainings in memory."""
    dies: int = 2
    """Deployments with static errors of a network that never saw an error, of which the paper's
    claim is."""
    aware_dies: int = 2
    """Those of a network that was trained with errors."""
    together: int = 1000
    """Test images in one forward pass."""

    def points(self, seeds: Sequence[int], torch_device: str) -> Iterator[dict[str, Plain]]:
        """Arguments of `points.graded_training`, all of a seed before the next."""
        for seed in self.of(seeds):
            for trained, rate in self.trainings:
                yield {
                    "images": self.images,
                    "width": self.width,
                    "train": self.train,
                    "test": self.test,
                    "epochs": self.epochs,
                    "batch": self.batch,
                    "seed": seed,
                    "trained": trained,
                    "rate": rate,
                    "rates": [] if trained == WRITTEN else list(self.rates),
                    "dies": {PERFECT: self.dies, FRESH: self.aware_dies, WRITTEN: 0}[trained],
                    "together": self.together,
                    "torch_device": torch_device,
                }

    @property
    def trainings(self) -> list[tuple[str, Ratio]]:
        """How, and at which rate."""
        return [(PERFECT, 0.0), (FRESH, self.aware), *((WRITTEN, rate) for rate in self.written)]

    def of(self, seeds: Sequence[int]) -> Sequence[int]:
        """The seeds that this network gets."""
        return seeds[: self.most_seeds]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The whole experiment."""

    networks: Sequence[NetworkPlan]
    dies: int
    """Dies whose cells are measured, each by itself."""
    cells: int
    """Measured cells of each."""


MNIST = NetworkPlan(
    title="MNIST, 784-512-512-10",
    images="mnist",
    width=512,
    train=60_000,
    test=10_000,
    epochs=2,
    batch=256,
    most_seeds=100,
    rates=(1e-5, 1e-4, 1e-3, 1e-2, 2e-2, 3e-2, 5e-2, 1e-1),
    aware=0.03,
    written=(1e-3, 1e-1),
)
CIFAR = NetworkPlan(
    title="CIFAR-10, six convolutions from 16 channels up",
    images="cifar10",
    width=16,
    train=50_000,
    test=10_000,
    epochs=6,
    batch=100,
    most_seeds=5,
    rates=(1e-5, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1),
    aware=0.01,
    written=(1e-3,),
    dies=8,
    together=200,
)
DIGITS = NetworkPlan(
    title="digits, 100-64-64-10",
    images="digits",
    width=64,
    train=1437,
    test=360,
    epochs=3,
    batch=32,
    most_seeds=100,
    rates=(1e-3, 1e-2, 1e-1),
    aware=0.03,
    written=(1e-3,),
)
FULL = Plan(networks=(MNIST, CIFAR), dies=6, cells=40)
QUICK = Plan(networks=(DIGITS,), dies=2, cells=10)
