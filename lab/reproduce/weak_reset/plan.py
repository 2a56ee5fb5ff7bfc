"""What is trained to do the weak RESET paper again: the points of its sweeps."""

from dataclasses import dataclass
from typing import Any

from lab.reproduce.weak_reset.points import EVERYTHING

Point = dict[str, Any]
CELL_TO_CELL = "cell to cell"
ALONE: dict[str, tuple[str, ...]] = {
    "none": (),
    **{name: (name,) for name in EVERYTHING},
    "all": EVERYTHING,
}
"""Conditions: each imperfection alone, none and all."""
WITH_SETS = ("none", CELL_TO_CELL, "cycle to cycle", "all")
"""Conditions that are also trained with SETs."""
COMPENSATED = (CELL_TO_CELL, "all")
CHOSEN_RATE = 8.0
"""Pulses for a step as long as the learning rate: the released optimizer's default, and the best of
2, 8 and 32 on held-out training images."""


@dataclass(frozen=True, kw_only=True)
class Trainings:
    """A network and how long it is trained."""

    images: str
    train: int | None
    """Images; None are all."""
    test: int | None
    network: dict[str, Any]
    epochs: int
    batch: int

    @property
    def described(self) -> str:
        """For people."""
        size = ", ".join(f"{name} {value}" for name, value in self.network.items())
        images = "all" if self.train is None else f"{self.train}"
        return (
            f"{self.images}, {images} training images, {size}, {self.epochs} epochs in batches of "
            f"{self.batch}"
        )

    def point(self, seed: int, condition: str, **more: Any) -> Point:
        """Of `points.trained`."""
        return {
            **self.plain(seed),
            "imperfections": list(ALONE[condition]),
            "rate": CHOSEN_RATE,
            **more,
        }

    def plain(self, seed: int) -> Point:
        """Of `points.perfect`."""
        return {
            "seed": seed, "images": self.images, "train": self.train, "test": self.test,
            "network": self.network, "epochs": self.epochs, "batch": self.batch,
        }  # fmt: skip


MNIST = Trainings(
    images="mnist", train=None, test=None, network={"hidden": [128]}, epochs=4, batch=500
)
DIGITS = Trainings(
    images="digits", train=None, test=None, network={"hidden": [32]}, epochs=3, batch=64
)
CIFAR = Trainings(
    images="cifar10", train=None, test=None, network={"width": 16, "dense": 256}, epochs=3,
    batch=100,
)  # fmt: skip
