"""One instrument of the catalog, opened on its emulator, with one healthy cell at its terminals."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from crossbar.geometry import DieAddress, DieGeometry
from drivers.catalog import DRIVERS, load_driver
from drivers.visa import connect
from physics.defects import SISTER_CHIP
from physics.simulated_die import SimulatedDie
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench

DIE = DieAddress(0, 0)
CELL = 5
PERFECT = replace(SISTER_CHIP, point_rates={}, column_rate={}, row_rate={})


@dataclass(kw_only=True)
class Rig:
    """A driver, its emulator, and the truth behind them."""

    name: str
    role: str
    driver: Any
    bench: SimulatedBench
    die: SimulatedDie
    cell: int = CELL

    @property
    def emulator(self) -> Any:
        """The instrument's other side."""
        return next(iter(self.bench.emulators.values()))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A module with ``ROLES`` runs over every VISA driver of these roles in the catalog."""
    roles = getattr(metafunc.module, "ROLES", ())
    if roles and "rig" in metafunc.fixturenames:
        names = [n for n, entry in DRIVERS.items() if entry.role in roles and not entry.package]
        metafunc.parametrize("rig", names, indirect=True)


@contextmanager
def rig_of(name: str) -> Iterator[Rig]:
    """Open one driver on its emulator; the needles touch, the cell is connected."""
    entry = DRIVERS[name]
    wafer = SimulatedWafer(
        addresses=[DIE],
        geometry=DieGeometry(subarrays=1, rows=4, columns=4),
        seed=5,
        defects=PERFECT,
    )
    bench = SimulatedBench(wafer, {entry.address: name})
    bench.station.die_under_needles, bench.station.in_contact = DIE, True
    bench.station.route(CELL)
    adapter = connect(
        entry.address,
        role=entry.role,
        visa_library=bench.visa_library,
        timeout=entry.timeout,
        termination=entry.termination,
    )
    try:
        driver = load_driver(name)(adapter)
        driver.check_identity()
        yield Rig(name=name, role=entry.role, driver=driver, bench=bench, die=wafer.die(DIE))
    finally:
        adapter.close()


@pytest.fixture
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """The rig of the driver that the test is parametrized with, indirectly."""
    with rig_of(request.param) as opened:
        yield opened
