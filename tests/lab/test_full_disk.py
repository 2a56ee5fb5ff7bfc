"""A disk that is full: the run ends with one message, everything is off, what was stored stays."""

import re

import pytest

from crossbar.geometry import DieAddress
from db.store import Store
from lab.configuration import read_configuration, write_configuration
from lab.simulation import simulated_bench

DIE = DieAddress(0, 0)


@pytest.fixture
def served_bench(tmp_path):
    """A bench over TCP, so that its emulators outlive the command; bench.toml leads to it."""
    configuration, _ = read_configuration(None)
    with Store.open(":memory:") as store:
        bench = simulated_bench(configuration, store, None)
    with bench.serve() as addresses:
        tables = {
            role: table.model_copy(update={"address": addresses[table.address]})
            for role, table in configuration.instruments.items()
        }
        changes = {"simulation": None, "visa_library": "@py", "instruments": tables}
        write_configuration(configuration.model_copy(update=changes), tmp_path / "bench.toml")
        yield bench


def test_a_full_disk_ends_the_run_and_leaves_everything_off(served_bench, lab, tmp_path):
    """The array maps of some dies fit, that of the next one does not."""
    first = lab("run", "array-map", "--dies", "1")
    assert first.returncode == 0, first.stderr
    size = (tmp_path / "lab.sqlite").stat().st_size

    second = lab("run", "array-map", "--dies", "8", largest_file=size + 400_000)

    assert second.returncode == 6, second.stderr
    assert "Traceback" not in second.stderr
    assert re.search(r"lab\.sqlite", second.stderr)
    assert re.search(r"disk", second.stderr)
    station = served_bench.station
    assert not station.in_contact
    assert station.pulsed_cell is None
    with Store.open(tmp_path / "lab.sqlite") as store:
        assert len(store.done_dies(1)) == 1
        measured = store.array_map(1, DIE)
    assert measured.low.size == 20_000
    resumed = lab("resume")
    assert resumed.returncode == 0, resumed.stderr
