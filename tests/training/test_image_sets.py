import lzma

import numpy as np
import pytest
import torch
from PIL import Image

from crossbar.errors import ConfigurationError, DataError
from training import image_sets
from training.image_sets import load_image_folder, load_image_set


@pytest.fixture
def cifar_folder(tmp_path):
    """Small files of CIFAR-10's format: one plain, the others compressed; label = batch."""
    folder = tmp_path / "cifar10"
    folder.mkdir()
    for label, name in enumerate(image_sets.CIFAR_TRAIN + image_sets.CIFAR_TEST):
        record = bytes([label]) + bytes(range(256)) * 12
        if label == 0:
            (folder / name).write_bytes(record * 2)
        else:
            (folder / f"{name}.xz").write_bytes(lzma.compress(record * 2))
    return tmp_path


def test_cifar_records_become_images_and_labels(cifar_folder):
    """One label byte, then 1024 pixels of each channel."""
    found = load_image_set("cifar10", cifar_folder)

    assert found.train_pixels.shape == (10, 3, 32, 32)
    assert found.train_labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert found.test_labels.tolist() == [5, 5]
    assert found.train_pixels[0, 1].flatten()[:3].tolist() == [0, 1, 2]


def test_real_cifar_has_its_known_size(data_dir):
    """50,000 and 10,000 images, as many of each class, pixels as normalized as everybody's."""
    found = load_image_set("cifar10", data_dir)

    assert torch.bincount(found.train_labels).tolist() == [5000] * 10
    assert torch.bincount(found.test_labels).tolist() == [1000] * 10
    scaled = found.scaled(found.train_pixels[::50])
    assert scaled.mean((0, 2, 3)).abs().max() < 0.05


def test_real_mnist_is_full_size(data_dir):
    """28 x 28 pixels, as published."""
    found = load_image_set("mnist", data_dir)

    assert found.train_pixels.shape == (60_000, 1, 28, 28)
    assert found.classes == 10


def test_digits_are_those_of_the_dies(digits):
    """The same split and pixels, to a 255th."""
    found = load_image_set("digits")

    brightness = found.scaled(found.test_pixels).flatten(1).numpy()
    assert np.abs(brightness - digits.test_images).max() <= 0.5 / 255 + 1e-6


def test_a_cut_cifar_file_is_refused(cifar_folder):
    """The message names the file and the size of a record."""
    (cifar_folder / "cifar10" / image_sets.CIFAR_TRAIN[0]).write_bytes(b"12345")

    with pytest.raises(DataError, match=r"data_batch_1.*3073"):
        load_image_set("cifar10", cifar_folder)


def test_a_missing_cifar_file_is_named(cifar_folder):
    """Both names that would do are in the message."""
    (cifar_folder / "cifar10" / "test_batch.bin.xz").unlink()

    with pytest.raises(DataError, match=r"test_batch\.bin\.xz"):
        load_image_set("cifar10", cifar_folder)


def test_an_unknown_set_is_refused():
    """The message names those there are."""
    with pytest.raises(ConfigurationError, match="digits, mnist, cifar10"):
        load_image_set("imagenet")


@pytest.fixture
def image_folder(tmp_path):
    """Two classes, of dark and of bright images, some of them not square."""
    for part in ("train", "test"):
        for name, brightness in (("dark", 20), ("bright", 230)):
            folder = tmp_path / part / name
            folder.mkdir(parents=True)
            for number in range(3):
                image = Image.new("RGB", (30 + number, 40), (brightness,) * 3)
                image.save(folder / f"{number}.png")
    return tmp_path


def test_a_folder_of_images_is_read_by_class(image_folder):
    """Classes are the folders in alphabetical order; images come in the asked size."""
    found = load_image_folder(image_folder, 24)

    assert found.train_pixels.shape == (6, 3, 24, 24)
    assert found.train_labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert int(found.train_pixels[0, 0, 0, 0]) == 230


def test_a_file_that_is_no_image_is_named(image_folder):
    """One message, with the file's name."""
    (image_folder / "train" / "dark" / "notes.txt").write_text("not an image")

    with pytest.raises(DataError, match=r"notes\.txt"):
        load_image_folder(image_folder, 24)


def test_an_empty_folder_says_what_is_expected(tmp_path):
    """A folder for each class, with images in it."""
    with pytest.raises(DataError, match="folder for each class"):
        load_image_folder(tmp_path, 24)
