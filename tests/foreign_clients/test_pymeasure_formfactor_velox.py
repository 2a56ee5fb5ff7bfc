"""PyMeasure's own Velox driver, unmodified, on the emulator: in process and over TCP."""

import pytest

pytest.importorskip("pymeasure")
from pymeasure.instruments.formfactor.velox import Velox

from tests.foreign_clients.benches import DIES, prober_bench

pytestmark = pytest.mark.filterwarnings("default")
INSTRUMENT = "formfactor_velox"


@pytest.fixture
def bench():
    return prober_bench(INSTRUMENT)


@pytest.fixture
def rig(bench, link):
    """The client and the bench."""
    velox = Velox(link.address, visa_library=link.library, **link.ends)
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
