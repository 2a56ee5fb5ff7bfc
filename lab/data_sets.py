"""Where data sets are on this computer, and those that are read once a process."""

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.datasets import Dataset
    from training.image_sets import ImageSet


def data_dir() -> Path | None:
    """The folder that ``LAB_DATA_DIR`` names, if it is set."""
    folder = os.environ.get("LAB_DATA_DIR")
    return Path(folder) if folder else None


def data_set(name: str) -> "Dataset":
    """As `training.datasets.load_dataset`."""
    return _data_set(name, data_dir())


def image_set(name: str) -> "ImageSet":
    """As `training.image_sets.load_image_set`: CIFAR-10 takes ten seconds to unpack."""
    return _image_set(name, data_dir())


@lru_cache(maxsize=1)
def _data_set(name: str, folder: Path | None) -> "Dataset":
    from training.datasets import load_dataset  # torch: only where images are needed

    return load_dataset(name, folder)


@lru_cache(maxsize=1)
def _image_set(name: str, folder: Path | None) -> "ImageSet":
    from training.image_sets import load_image_set  # torch: only where images are needed

    return load_image_set(name, folder)
