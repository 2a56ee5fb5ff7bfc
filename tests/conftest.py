"""Settings that all tests share."""

import os
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

from crossbar.geometry import DieAddress
from db.store import Store
from lab.bench import opened
from lab.configuration import read_configuration
from lab.simulation import simulated_bench

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


@pytest.fixture
def bench_of(tmp_path):
    """Open the built-in simulated bench: ``with bench_of(execution="software") as bench``."""

    @contextmanager
    def open_bench(seed=3, execution="board", defect_scale=1.0):
        configuration, source = read_configuration(None)
        simulation = configuration.simulation.model_copy(
            update={"seed": seed, "defect_scale": defect_scale}
        )
        configuration = configuration.model_copy(update={"simulation": simulation})
        with Store.open(tmp_path / "bench.sqlite") as store:
            simulated = simulated_bench(configuration, store, None)
        with opened(configuration, source, simulation=simulated, execution=execution) as bench:
            yield bench

    return open_bench


@pytest.fixture
def die_of(bench_of):
    """A contacted die: ``with die_of(execution="board") as (memory_die, truth)``."""

    @contextmanager
    def contacted(**options):
        address = DieAddress(0, 0)
        with bench_of(**options) as bench, bench.contacted(address) as die:
            yield die, bench.simulation.station.wafer.die(address)

    return contacted
