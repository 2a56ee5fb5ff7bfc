"""Images of handwritten digits, 100 pixels each: scikit-learn's (on board) and MNIST."""

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pooch
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError, DataError

SIDE = 10
"""Pixels along each edge of an image; its SIDE**2 pixels drive the rows of a sub-array."""
SPLIT_SEED = 20240515
TEST_IMAGES_A_DIGIT = 36
"""Of scikit-learn's 1797 images, 360 are for testing: as many of each digit."""

MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist/"
"""Where MNIST is downloaded from, once, if it is not in the data directory."""
MNIST_FILES = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}
"""MD5 of the four compressed files as LeCun, Cortes and Burges published them."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Images and their digits, split for training and testing."""

    name: str
    train_images: NDArray[np.float32]
    """(n, SIDE**2) brightness from 0 to 1, rows of pixels one after the other."""
    train_labels: NDArray[np.int64]
    """(n,) 0 to 9."""
    test_images: NDArray[np.float32]
    test_labels: NDArray[np.int64]


def evenly_spread(available: int, wanted: int) -> NDArray[np.intp]:
    """Places of so many out of all available ones, at even distances: a data set's first images may
    be easier than the others. All of them where more are wanted.
    """
    return np.linspace(0, available - 1, min(wanted, available)).astype(np.intp)


def load_dataset(name: str, data_dir: Path | None = None) -> Dataset:
    """Load "digits" (needs no download) or "mnist".

    MNIST is read from ``data_dir / "mnist"`` if that folder exists, else downloaded into the user's
    cache. Raises ConfigurationError for another name, DataError if a file is missing, damaged or
    cannot be downloaded.
    """
    if name == "digits":
        return _digits()
    if name == "mnist":
        return _mnist(data_dir)
    raise ConfigurationError(f'There is no data set {name!r}; choose "digits" or "mnist".')


def _digits() -> Dataset:
    """The 8 x 8 digits of scikit-learn (UCI Optdigits test set), framed by one dark pixel."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.pad(bunch.images / 16, ((0, 0), (1, 1), (1, 1))).reshape(-1, SIDE**2)
    images, labels = images.astype(np.float32), bunch.target.astype(np.int64)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(labels))
    rank = np.zeros(len(labels), dtype=np.intp)
    for digit in range(10):
        mine = order[labels[order] == digit]
        rank[mine] = np.arange(len(mine))
    test = rank < TEST_IMAGES_A_DIGIT
    return Dataset(
        name="digits",
        train_images=images[~test],
        train_labels=labels[~test],
        test_images=images[test],
        test_labels=labels[test],
    )


def _mnist(data_dir: Path | None) -> Dataset:
    """MNIST: the 20 x 20 box that holds the digit, averaged 2 x 2."""
    train_images, train_labels, test_images, test_labels = mnist_arrays(data_dir)
    return Dataset(
        name="mnist",
        train_images=_shrink(train_images),
        train_labels=train_labels.astype(np.int64),
        test_images=_shrink(test_images),
        test_labels=test_labels.astype(np.int64),
    )


def mnist_arrays(data_dir: Path | None) -> tuple[NDArray[np.uint8], ...]:
    """MNIST's four files as bytes: training images (n, 28, 28) and labels (n,), then test ones."""
    paths = {name: _find(name, md5, data_dir) for name, md5 in MNIST_FILES.items()}
    return tuple(read_idx(path, MNIST_FILES[name]) for name, path in paths.items())


def _shrink(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(n, 28, 28) bytes to (n, 100) brightness."""
    box = images[:, 4:24, 4:24].reshape(-1, SIDE, 2, SIDE, 2)
    brightness: NDArray[np.float32] = box.mean(axis=(2, 4), dtype=np.float32) / np.float32(255)
    return brightness.reshape(-1, SIDE**2)


def _find(name: str, md5: str, data_dir: Path | None) -> Path:
    """The file in the data directory, or in the cache, or downloaded into the cache."""
    if data_dir is not None and (data_dir / "mnist").is_dir():
        return data_dir / "mnist" / name
    cache = Path(pooch.os_cache("crossbar-lab"))
    try:
        return Path(pooch.retrieve(MIRROR + name, known_hash=f"md5:{md5}", fname=name, path=cache))
    except (OSError, ValueError) as error:  # requests' errors are OSErrors; a bad hash ValueError
        raise DataError(
            f"MNIST's {name} could not be downloaded from {MIRROR} to {cache}: {error}. Without "
            "network, put the four files into a folder named mnist and set LAB_DATA_DIR to the "
            'folder above it, or use the data set "digits".'
        ) from error


def read_idx(path: Path, md5: str) -> NDArray[np.uint8]:
    """Read a compressed IDX file of bytes, of whatever number of dimensions.

    Raises DataError if it is missing, has another checksum or is not IDX.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error}). Put MNIST's four files there.") from None
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != md5:
        raise DataError(
            f"{path} is damaged: its MD5 is {found}, MNIST's is {md5} (training/datasets.py). "
            "Delete the file and fetch it again."
        )
    try:
        data = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be decompressed ({error}). Fetch it again.") from None
    if data[:3] != b"\x00\x00\x08" or len(data) < 4 + 4 * data[3]:
        raise DataError(f"{path} is not an IDX file of bytes; it starts with {data[:4]!r}.")
    shape = np.frombuffer(data, dtype=">i4", count=data[3], offset=4)
    values = np.frombuffer(data, dtype=np.uint8, offset=4 + 4 * data[3])
    if values.size != np.prod(shape):
        raise DataError(f"{path} holds {values.size} bytes, its header says {tuple(shape)}.")
    return values.reshape(tuple(shape))
