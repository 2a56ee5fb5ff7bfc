"""How much of the experiment is done, in full and quick, and which strategies there are."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Sizes."""

    dataset: str
    dies: int
    """Of the wafer, the first so many."""
    hidden: int
    spared_hidden: int
    """Hidden units of the network that leaves columns spare."""
    ensemble_hidden: int
    """Hidden units of the network that sits on the die three times."""
    epochs: dict[str, int]
    """By way of training."""
    images: int
    """Test images in emulation."""
    hardware_images: int
    """Test images on each programmed die, and in the matrix of dies."""
    own_dies: int
    """Dies that get weights of their own: rows of the matrix."""
    own_in_hardware: int
    """Of these, dies that are programmed with their own weights and graded in hardware."""
    lines: int
    """Random directions of the loss landscape."""
    steps: Sequence[float]
    """Along each."""


FULL = Plan(
    dataset="mnist",
    dies=36,
    hidden=150,
    spared_hidden=140,
    ensemble_hidden=50,
    epochs={"ideal": 15, "statistics-aware": 30, "defect-aware": 1},
    images=1500,
    hardware_images=1500,
    own_dies=36,
    own_in_hardware=12,
    lines=12,
    steps=(0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5),
)
QUICK = Plan(
    dataset="digits",
    dies=6,
    hidden=100,
    spared_hidden=90,
    ensemble_hidden=50,
    epochs={"ideal": 20, "statistics-aware": 8, "defect-aware": 2},
    images=180,
    hardware_images=90,
    own_dies=3,
    own_in_hardware=2,
    lines=4,
    steps=(0.0, 0.5, 1.0, 1.5),
)
"""The same experiment on small images and few dies, to see that all of it works."""
