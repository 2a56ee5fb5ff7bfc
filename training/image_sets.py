"""Images in full size: digits, MNIST, CIFAR-10, or a folder of one's own.

Pixels stay bytes until a batch is taken: CIFAR-10 is 184 MB as bytes, four times that as floats.
`training.datasets` has the 10 x 10 digits that drive a die's rows.
"""

import lzma
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pooch
import torch
from numpy.typing import NDArray
from torch import Tensor

from crossbar.errors import ConfigurationError, DataError
from training import datasets

CIFAR_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
CIFAR_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
CIFAR_TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
CIFAR_TEST = ("test_batch.bin",)
CIFAR_IMAGE = (3, 32, 32)
CIFAR_MEAN = (0.4914, 0.4822, 0.4465)
CIFAR_SD = (0.2023, 0.1994, 0.2010)
"""Of the training set's channels; the values that everybody uses."""
DIGITS_SIDE = 10


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """Images and what they show, split for training and testing."""

    name: str
    train_pixels: Tensor
    """(n, channels, height, width) uint8."""
    train_labels: Tensor
    """(n,) int64."""
    test_pixels: Tensor
    test_labels: Tensor
    mean: tuple[float, ...] = (0.0,)
    sd: tuple[float, ...] = (1.0,)
    """Of each channel; taken off and divided by, after pixels were scaled to 0..1."""
    mirrored: bool = False
    """Whether a mirrored image shows the same: then training may mirror and shift it."""

    @property
    def classes(self) -> int:
        """How many things there are to tell apart."""
        return int(self.train_labels.max()) + 1

    def scaled(self, pixels: Tensor) -> Tensor:
        """float32 images of uint8 pixels, each channel normalized, on the pixels' torch device.

        Those of many channels have the channels last in memory: convolutions on a CPU then are half
        as fast again.
        """
        scaled = pixels.float().div_(255)
        if self.mean == (0.0,) and self.sd == (1.0,):
            return scaled
        mean = torch.tensor(self.mean, device=pixels.device).view(-1, 1, 1)
        sd = torch.tensor(self.sd, device=pixels.device).view(-1, 1, 1)
        return scaled.sub_(mean).div_(sd).contiguous(memory_format=torch.channels_last)

    def part(self, train: int, test: int) -> "ImageSet":
        """The first so many images of each; the sets come shuffled, except the folder's."""
        return replace(
            self,
            train_pixels=self.train_pixels[:train],
            train_labels=self.train_labels[:train],
            test_pixels=self.test_pixels[:test],
            test_labels=self.test_labels[:test],
        )


def load_image_set(name: str, data_dir: Path | None = None) -> ImageSet:
    """Load "digits" (10 x 10, no download), "mnist" (28 x 28) or "cifar10" (3 x 32 x 32).

    Files come from ``data_dir``, where it has a folder of that name, else they are downloaded into
    the user's cache. Raises ConfigurationError for another name, DataError for files that are
    missing, damaged or cannot be downloaded.
    """
    loaders = {"digits": _digits, "mnist": _mnist, "cifar10": _cifar10}
    if name not in loaders:
        raise ConfigurationError(
            f"There is no image set {name!r}; choose one of {', '.join(loaders)}."
        )
    return loaders[name](data_dir)


def _digits(data_dir: Path | None) -> ImageSet:
    found = datasets.load_dataset("digits", data_dir)

    def pixels(images: NDArray[np.float32]) -> Tensor:
        square = images.reshape(-1, 1, DIGITS_SIDE, DIGITS_SIDE)
        return torch.from_numpy(np.rint(square * 255).astype(np.uint8))

    return ImageSet(
        name="digits",
        train_pixels=pixels(found.train_images),
        train_labels=torch.from_numpy(found.train_labels),
        test_pixels=pixels(found.test_images),
        test_labels=torch.from_numpy(found.test_labels),
    )


def _mnist(data_dir: Path | None) -> ImageSet:
    """MNIST as published, 28 x 28."""
    train_images, train_labels, test_images, test_labels = datasets.mnist_arrays(data_dir)
    return ImageSet(
        name="mnist",
        train_pixels=torch.tensor(train_images).unsqueeze(1),
        train_labels=torch.from_numpy(train_labels.astype(np.int64)),
        test_pixels=torch.tensor(test_images).unsqueeze(1),
        test_labels=torch.from_numpy(test_labels.astype(np.int64)),
    )


def _cifar10(data_dir: Path | None) -> ImageSet:
    """CIFAR-10 (Krizhevsky 2009), its binary version: one label byte and 3072 pixels a record."""
    folder = _cifar_folder(data_dir)
    train_pixels, train_labels = _records(folder, CIFAR_TRAIN)
    test_pixels, test_labels = _records(folder, CIFAR_TEST)
    return ImageSet(
        name="cifar10",
        train_pixels=train_pixels,
        train_labels=train_labels,
        test_pixels=test_pixels,
        test_labels=test_labels,
        mean=CIFAR_MEAN,
        sd=CIFAR_SD,
        mirrored=True,
    )


def _cifar_folder(data_dir: Path | None) -> Path:
    """The folder with the batches; downloaded and unpacked once into the cache if need be."""
    if data_dir is not None and (data_dir / "cifar10").is_dir():
        return data_dir / "cifar10"
    cache = Path(pooch.os_cache("crossbar-lab"))
    try:
        pooch.retrieve(
            CIFAR_URL,
            known_hash=f"md5:{CIFAR_MD5}",
            fname="cifar-10-binary.tar.gz",
            path=cache,
            processor=pooch.Untar(extract_dir="cifar10"),
        )
    except (OSError, ValueError, tarfile.TarError) as error:
        raise DataError(
            f"CIFAR-10 could not be downloaded from {CIFAR_URL} to {cache}: {error}. Without "
            "network, put data_batch_1.bin to data_batch_5.bin and test_batch.bin (or .bin.xz) "
            "into a folder named cifar10 and set LAB_DATA_DIR to the folder above it."
        ) from error
    return cache / "cifar10" / "cifar-10-batches-bin"


def _records(folder: Path, names: tuple[str, ...]) -> tuple[Tensor, Tensor]:
    """(n, 3, 32, 32) uint8 pixels and (n,) labels of these batches."""
    size = 1 + int(np.prod(CIFAR_IMAGE))
    batches = []
    for name in names:
        content = _content(folder, name)
        if len(content) == 0 or len(content) % size:
            raise DataError(
                f"{folder / name} holds {len(content)} bytes, which is no whole number of records "
                f"of {size} bytes. Fetch CIFAR-10's binary version again."
            )
        batches.append(np.frombuffer(content, np.uint8).reshape(-1, size))
    records = np.concatenate(batches)
    labels = records[:, 0].astype(np.int64)
    if labels.max() > 9:
        raise DataError(
            f"{folder} has a record with label {labels.max()}, CIFAR-10 has 0 to 9. The files are "
            "not its binary version; fetch them again."
        )
    pixels = np.ascontiguousarray(records[:, 1:]).reshape(-1, *CIFAR_IMAGE)
    return torch.from_numpy(pixels), torch.from_numpy(labels)


def _content(folder: Path, name: str) -> bytes:
    """The batch's bytes; from ``name`` or, compressed, from ``name.xz``."""
    plain, packed = folder / name, folder / f"{name}.xz"
    try:
        return plain.read_bytes() if plain.exists() else lzma.decompress(packed.read_bytes())
    except (OSError, lzma.LZMAError) as error:
        raise DataError(
            f"Neither {plain} nor {packed} can be read ({error}). Put CIFAR-10's binary version "
            "there."
        ) from None


def load_image_folder(folder: Path, side: int) -> ImageSet:
    """Images of one's own: ``folder/train/CLASS/*`` and ``folder/test/CLASS/*``.

    Each image is scaled so that its shorter edge has ``side`` pixels, and its middle cut out; the
    channels are normalized like CIFAR-10's. Any format that Pillow reads. Raises DataError if there
    are no images, a file is none, or the two parts have different classes.
    """
    train, test = (_split_of(folder / part, side) for part in ("train", "test"))
    if train[2] != test[2]:
        raise DataError(
            f"{folder / 'train'} has the classes {', '.join(train[2])}, {folder / 'test'} has "
            f"{', '.join(test[2])}. Give both the same folders."
        )
    return ImageSet(
        name=folder.name,
        train_pixels=train[0],
        train_labels=train[1],
        test_pixels=test[0],
        test_labels=test[1],
        mean=CIFAR_MEAN,
        sd=CIFAR_SD,
        mirrored=True,
    )


def _split_of(folder: Path, side: int) -> tuple[Tensor, Tensor, list[str]]:
    from PIL import Image, ImageOps, UnidentifiedImageError

    names = (
        sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    )
    pixels, labels = [], []
    for label, name in enumerate(names):
        for path in sorted((folder / name).iterdir()):
            try:
                with Image.open(path) as image:
                    square = ImageOps.fit(image.convert("RGB"), (side, side))
            except (OSError, UnidentifiedImageError) as error:
                raise DataError(
                    f"{path} is no image that can be read ({error}). Remove it or replace it."
                ) from None
            pixels.append(np.asarray(square, np.uint8).transpose(2, 0, 1))
            labels.append(label)
    if not pixels:
        raise DataError(
            f"{folder} holds no images; a folder for each class is expected there, with images in "
            "it."
        )
    return torch.from_numpy(np.stack(pixels)), torch.tensor(labels), names
