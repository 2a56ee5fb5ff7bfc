"""Benches of one instrument, as the catalog names it, at the catalog's address."""

from crossbar.geometry import DieAddress, DieGeometry
from drivers.catalog import entry
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench

DIE = DieAddress(0, 0)
CELL = 12
DIES = [DieAddress(0, 0), DieAddress(1, 0), DieAddress(0, 1)]
"""In the order in which a prober visits them."""


def one_cell_bench(instrument: str, **options) -> SimulatedBench:
    """The needles touch, and the instrument reaches one cell."""
    wafer = SimulatedWafer(
        addresses=[DIE], geometry=DieGeometry(subarrays=1, rows=5, columns=5), seed=3
    )
    address = entry(instrument).address
    bench = SimulatedBench(wafer, {address: instrument}, options={address: options})
    bench.station.die_under_needles, bench.station.in_contact = DIE, True
    bench.station.route(CELL)
    return bench


def prober_bench(instrument: str, address: str = "", **options) -> SimulatedBench:
    """A prober has three dies before it, and touches none; ``address`` is another than usual."""
    wafer = SimulatedWafer(
        addresses=DIES, geometry=DieGeometry(subarrays=1, rows=2, columns=2), seed=1
    )
    address = address or entry(instrument).address
    return SimulatedBench(wafer, {address: instrument}, options={address: options})
