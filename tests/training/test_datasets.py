import gzip

import numpy as np
import pytest

from crossbar.errors import ConfigurationError, DataError
from training import datasets
from training.datasets import MNIST_FILES, load_dataset, read_idx


def test_digits_come_in_one_fixed_stratified_split(digits):
    """36 test images of every digit, 100 pixels from 0 to 1, the frame dark."""
    again = load_dataset("digits")

    assert digits.train_images.shape == (1437, 100)
    assert digits.train_images.dtype == np.float32
    assert np.bincount(digits.test_labels).tolist() == [36] * 10
    assert digits.train_images.min() == 0
    assert digits.train_images.max() == 1
    assert not digits.train_images.reshape(-1, 10, 10)[:, 0].any()
    assert np.array_equal(again.test_images, digits.test_images)


def test_no_digit_is_both_trained_on_and_tested_on(digits):
    """The split leaves every image on one side only."""
    trained_on = {image.tobytes() for image in digits.train_images}

    assert not any(image.tobytes() in trained_on for image in digits.test_images)


def test_mnist_is_read_from_the_data_directory(data_dir):
    """60,000 and 10,000 images, the box of the digit averaged to 10 x 10."""
    mnist = load_dataset("mnist", data_dir)

    assert mnist.train_images.shape == (60_000, 100)
    assert mnist.test_images.shape == (10_000, 100)
    assert mnist.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert 0 <= mnist.train_images.min() < mnist.train_images.max() <= 1


def test_a_damaged_file_is_refused_by_its_checksum(tmp_path):
    """A wrong MD5 is a DataError that names both."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    for name in MNIST_FILES:
        (folder / name).write_bytes(gzip.compress(b"\x00\x00\x08\x01\x00\x00\x00\x00", mtime=0))

    with pytest.raises(DataError, match="f68b3c2dcbeaaa9fbdd348bbdeb94873"):
        load_dataset("mnist", tmp_path)


def test_a_missing_file_is_named(tmp_path):
    """An incomplete folder is a DataError, not a download."""
    (tmp_path / "mnist").mkdir()

    with pytest.raises(DataError, match="train-images"):
        load_dataset("mnist", tmp_path)


@pytest.mark.parametrize(
    "content", [b"\x00\x00\x0d\x01\x00\x00\x00\x00", b"\x00\x00\x08\x01" + 5 * b"\x01"]
)
def test_a_file_that_is_not_idx_is_refused(tmp_path, content):
    """Another type of number, or another length than the header says, is a DataError."""
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(content, mtime=0))
    md5 = datasets.hashlib.md5(path.read_bytes()).hexdigest()

    with pytest.raises(DataError, match=r"IDX|header"):
        read_idx(path, md5)


def test_without_network_the_message_says_what_to_do(tmp_path, monkeypatch):
    """A refused connection is a DataError that names LAB_DATA_DIR and the digits."""
    monkeypatch.setattr(datasets, "MIRROR", "http://127.0.0.1:9/")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    with pytest.raises(DataError, match="LAB_DATA_DIR"):
        load_dataset("mnist")


def test_an_unknown_data_set_is_refused():
    """The message names those there are."""
    with pytest.raises(ConfigurationError, match='"digits" or "mnist"'):
        load_dataset("letters")
