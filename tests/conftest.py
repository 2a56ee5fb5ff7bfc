"""Settings that all tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples on every machine and every run: a failure is somebody's change, not luck.
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("ci")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bench", help="bench file of real instruments, for tests/hardware")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with real data, or a skip that says how to get it."""
    folder = os.environ.get("LAB_DATA_DIR")
    if not folder:
        pytest.skip("LAB_DATA_DIR is not set: real data are not at hand")
    return Path(folder)
