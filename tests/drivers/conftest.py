"""One instrument on a simulated bench, wired to one cell of a die that the needles touch."""

import pytest

from crossbar.geometry import DieAddress, DieGeometry
from drivers.visa import connect
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench

DIE = DieAddress(0, 0)


@pytest.fixture
def bench_with():
    """Call it with a driver's name in the catalog, an address, and which of 25 cells."""

    def made(name, address, cell=2, **options):
        geometry = DieGeometry(subarrays=1, rows=5, columns=5)
        wafer = SimulatedWafer(addresses=[DIE], geometry=geometry, seed=3)
        bench = SimulatedBench(wafer, {address: name}, options={address: options})
        bench.station.die_under_needles, bench.station.in_contact = DIE, True
        bench.station.route(cell)
        return bench

    return made


@pytest.fixture
def opened(bench_with):
    """Call it with a page of the manual (`burst_generator_page`, `smu_page`), get driver and bench.

    The driver has checked the identity, and is closed in the end.
    """
    adapters = []

    def made(page, **options):
        bench = bench_with(page.name, page.address, **options)
        adapters.append(connect(page.address, visa_library=bench.visa_library))
        driver = page.driver(adapters[-1], **options)
        driver.check_identity()
        return driver, bench

    yield made
    for adapter in adapters:
        adapter.close()
