"""A simulated bench for protocols: real drivers, real bytes, emulated instruments."""

from contextlib import contextmanager

import pytest

from crossbar.geometry import DieAddress
from db.store import Store
from lab.bench import opened
from lab.configuration import read_configuration
from lab.simulation import simulated_bench


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
