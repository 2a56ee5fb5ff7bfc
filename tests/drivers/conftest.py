"""One instrument on a simulated bench, wired to cell 2 of a die that the needles touch."""

import pytest

from crossbar.geometry import DieAddress, DieGeometry
from drivers.visa import connect
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench

DIE = DieAddress(0, 0)


@pytest.fixture
def bench_of():
    """Call it with a page of the manual (`burst_generator_page`, `smu_page`), or use `opened`."""

    def made(page, **options):
        geometry = DieGeometry(subarrays=1, rows=5, columns=5)
        wafer = SimulatedWafer(addresses=[DIE], geometry=geometry, seed=3)
        bench = SimulatedBench(wafer, {page.address: page.name}, options={page.address: options})
        bench.station.die_under_needles, bench.station.in_contact = DIE, True
        bench.station.route(2)
        return bench

    return made


@pytest.fixture
def opened(bench_of):
    """Call it with a page: the driver, its identity checked, and the bench."""
    adapters = []

    def made(page, **options):
        bench = bench_of(page, **options)
        adapters.append(connect(page.address, visa_library=bench.visa_library))
        driver = page.driver(adapters[-1], **options)
        driver.check_identity()
        return driver, bench

    yield made
    for adapter in adapters:
        adapter.close()
