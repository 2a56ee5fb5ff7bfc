"""PyMeasure's own Velox driver, unmodified, on the emulator: in process and over TCP."""

import pytest

pytest.importorskip("pymeasure")
from pymeasure.instruments.formfactor.velox import Velox

from crossbar.geometry import DieAddress, DieGeometry
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench

pytestmark = pytest.mark.filterwarnings("default")
ADDRESS = "GPIB0::28::INSTR"
DIES = [DieAddress(0, 0), DieAddress(1, 0), DieAddress(0, 1)]


@pytest.fixture(params=["in process", "tcp"])
def rig(request):
    """The client and the bench."""
    wafer = SimulatedWafer(
        addresses=DIES, geometry=DieGeometry(subarrays=1, rows=2, columns=2), seed=1
    )
    bench = SimulatedBench(wafer, {ADDRESS: "formfactor_velox"})
    with bench.serve() as addresses:
        if request.param == "tcp":
            ends = {"read_termination": "\n", "write_termination": "\n"}
            velox = Velox(addresses[ADDRESS], visa_library="@py", **ends)
        else:
            velox = Velox(ADDRESS, visa_library=bench.visa_library)
        yield velox, bench
        velox.adapter.close()


def test_it_walks_the_wafer_to_its_end(rig):
    velox, bench = rig
    visited = []
    place = velox.wafermap.step_first_die()
    while not velox.wafermap.end_reached:
        velox.chuck.move_contact()
        visited.append((bench.station.die_under_needles, bench.station.in_contact, place[:2]))
        velox.chuck.move_separation()
        assert not bench.station.in_contact
        place = velox.wafermap.step_next_die()
    assert visited == [(die, True, [die.x, die.y]) for die in DIES]
    assert velox.error_code == 703


def test_errors_are_raised(rig):
    velox, bench = rig
    velox.wafermap.step_first_die()
    with pytest.raises(ConnectionError, match="701"):
        velox.wafermap.step_to_die(7, 7)
    with pytest.raises(ConnectionError, match="510"):
        velox.wafermap.step_to_die(1, 0, 3)
    assert bench.station.die_under_needles == DIES[0]


def test_the_chuck_moves_by_length_and_by_index(rig):
    velox, bench = rig
    velox.chuck.index = (4000.0, 3000.0)
    assert velox.chuck.index == [4000.0, 3000.0]
    velox.chuck.move(4000, 0)
    assert bench.station.die_under_needles == DIES[1]
    velox.chuck.move_index(0, 1)
    assert bench.station.die_under_needles == DIES[2]
    velox.chuck.move(10, 0, "relative", "mils")
    assert bench.station.die_under_needles is None


def test_it_knows_what_answers(rig):
    velox, _ = rig
    assert "Velox" in velox.id
    assert velox.version == 3.4  # PyMeasure casts what it can
    assert velox.wafermap.enabled
