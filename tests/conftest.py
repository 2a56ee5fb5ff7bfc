"""Settings that all tests share."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

from crossbar.geometry import DieAddress
from db.store import Store
from drivers.catalog import DRIVERS, ROLES
from lab.bench import opened
from lab.configuration import read_configuration
from lab.simulation import simulated_bench

# The same examples on every machine and every run: a failure is somebody's change, not luck.
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("ci")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bench", help="bench file of real instruments, for tests/hardware")
    parser.addoption(
        "--record-sessions",
        action="store_true",
        help="make tests/recordings anew, from the emulators",
    )
    parser.addoption("--instruments-table", help="write which instrument passed what to this file")


def pytest_configure(config: pytest.Config) -> None:
    """The table of `docs/instruments.md` is filled by the test run itself."""
    if path := config.getoption("--instruments-table"):
        config.pluginmanager.register(InstrumentsTable(Path(path)))


class InstrumentsTable:
    """Counts, for every driver of the catalog, the tests of each kind that passed and failed."""

    KINDS = ("driver", "emulator", "contract", "foreign clients")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.passed: Counter[tuple[str, str]] = Counter()
        self.failed: Counter[tuple[str, str]] = Counter()
        self.skipped: Counter[tuple[str, str]] = Counter()
        self.clients: dict[str, set[str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of one test."""
        if report.when != "call" and not report.failed:
            return
        for kind, name in self._of(report.nodeid):
            getattr(self, report.outcome)[kind, name] += 1

    def _of(self, nodeid: str) -> Iterator[tuple[str, str]]:
        """What a test says something about; tests of a family name the instrument in their case."""
        path, _, test = nodeid.partition("::")
        folder, stem = Path(path).parent.name, Path(path).stem.removeprefix("test_")
        for name in DRIVERS:
            own = stem == name or stem.startswith(f"{name}_") or name in test
            if folder == "drivers" and own:
                yield "driver", name
            elif folder == "simulated_instruments" and own:
                yield "emulator", name
            elif folder == "contracts" and (name in test or name in stem):
                yield "contract", name
            elif folder == "foreign_clients" and stem.endswith(name):
                self.clients.setdefault(name, set()).add(stem.removesuffix(f"_{name}"))
                yield "foreign clients", name

    def pytest_sessionfinish(self) -> None:
        """Write the table."""
        lines = [
            "| instrument | role | driver | emulator | contract | foreign clients |",
            "|---|---|---|---|---|---|",
        ]
        for name, entry in DRIVERS.items():
            cells = [self._cell(kind, name) for kind in self.KINDS]
            link = f"[`{name}`](instruments/{name}.md)"
            lines.append(f"| {link} | {ROLES[entry.role]} | " + " | ".join(cells) + " |")
        before, _, rest = self.path.read_text().partition("<!-- table -->\n")
        _, _, after = rest.partition("<!-- /table -->")
        table = "\n".join(lines)
        self.path.write_text(f"{before}<!-- table -->\n{table}\n<!-- /table -->{after}")

    def _cell(self, kind: str, name: str) -> str:
        passed, failed = self.passed[kind, name], self.failed[kind, name]
        if not passed and not failed:
            return "none"
        words = f"{passed} passed" + (f", **{failed} failed**" if failed else "")
        clients = ", ".join(sorted(self.clients.get(name, ()))).replace("_", " ")
        return f"{clients}: {words}" if kind == "foreign clients" else words


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
    def open_bench(
        seed=3, execution="board", defect_scale=1.0, max_amplitude=None, technology="mtj", **wiring
    ):
        configuration, source = read_configuration(Path(technology))
        simulation = configuration.simulation.model_copy(
            update={"seed": seed, "defect_scale": defect_scale, **wiring}
        )
        configuration = configuration.model_copy(update={"simulation": simulation})
        if max_amplitude is not None:
            limits = getattr(configuration.limits, technology)
            limits = limits.model_copy(update={"max_amplitude": max_amplitude})
            wider = configuration.limits.model_copy(update={technology: limits})
            configuration = configuration.model_copy(update={"limits": wider})
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
