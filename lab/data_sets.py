"""Where data sets are on this computer, and those that are read once a process."""

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from crossbar.errors import ConfigurationError

if TYPE_CHECKING:
    from training.datasets import Dataset
    from training.image_sets import ImageSet


def data_dir() -> Path | None:
    """The folder that ``LAB_DATA_DIR`` names, if it is set. It must be there."""
    folder = os.environ.get("LAB_DATA_DIR")
    if not folder:
        return None
    if not Path(folder).is_dir():
        raise ConfigurationError(
            f"LAB_DATA_DIR names {folder}, and there is no such folder. Correct it, or unset it: "
            "data sets are then downloaded where they are needed."
        )
    return Path(folder)


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
