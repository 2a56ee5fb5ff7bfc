"""The two ways on which a client reaches the one instrument of a bench: in process and over TCP."""

import itertools
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from simulated_instruments.bench import SimulatedBench
from tests.foreign_clients.benches import one_cell_bench

NUMBERS = itertools.count()


@dataclass(frozen=True, kw_only=True)
class Link:
    """What a client is told, to find the instrument."""

    address: str
    library: Any
    """PyVISA's own by name, or the bench's own as an object."""
    ends: dict[str, str] = field(default_factory=dict)
    """How messages end: a raw socket has to be told."""

    @property
    def tcp(self) -> bool:
        """Whether it goes over the network."""
        return self.library == "@py"


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> SimulatedBench:
    """The module's ``INSTRUMENT`` reaches one cell."""
    return one_cell_bench(request.module.INSTRUMENT)


@pytest.fixture
def emulator(bench: SimulatedBench) -> Any:
    """The instrument's other side."""
    (emulator,) = bench.emulators.values()
    return emulator


@pytest.fixture(params=["in process", "tcp"])
def link(request: pytest.FixtureRequest, bench: SimulatedBench) -> Iterator[Link]:
    """To the bench's instrument."""
    with bench.serve() as addresses:
        ((address, served),) = addresses.items()
        if request.param == "tcp":
            ends = {"read_termination": "\n", "write_termination": "\n"}
            yield Link(address=served, library="@py", ends=ends)
        else:
            yield Link(address=address, library=bench.visa_library)


@pytest.fixture(scope="module")
def manager() -> Iterator[Any]:
    """Of `tm_devices`; a process has one. Its log would go to a file in the working directory."""
    devices = pytest.importorskip("tm_devices")
    logs = pytest.importorskip("tm_devices.helpers")
    logs.configure_logging(
        log_console_level=logs.LoggingLevels.NONE,
        log_file_level=logs.LoggingLevels.NONE,
        log_uncaught_exceptions=False,
    )
    with devices.DeviceManager(verbose=False) as manager:
        manager.setup_cleanup_enabled = manager.teardown_cleanup_enabled = False
        yield manager


@pytest.fixture
def linked_manager(manager: Any, link: Link, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """It takes a VISA library by name only, so the bench's is registered as a PyVISA backend."""
    manager.visa_library = "@py"
    if not link.tcp:
        backend = types.ModuleType(f"pyvisa_bench{next(NUMBERS)}")  # PyVISA remembers each name
        backend.WRAPPER_CLASS = lambda *_: link.library  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, backend.__name__, backend)
        manager.visa_library = backend.__name__.replace("pyvisa_", "@")
    yield manager
    manager.remove_all_devices()
