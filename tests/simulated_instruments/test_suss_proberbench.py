import pytest

from crossbar.geometry import DieAddress, DieGeometry
from physics.wafer import SimulatedWafer
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.suss_proberbench import EmulatedSussProberBench

ROUTE = [DieAddress(0, 0), DieAddress(1, 0)]


@pytest.fixture
def prober():
    geometry = DieGeometry(subarrays=1, rows=2, columns=2)
    station = ProbeStation(wafer=SimulatedWafer(addresses=ROUTE, geometry=geometry, seed=1))
    return EmulatedSussProberBench(station, subdies=3)


def ask(prober, text):
    prober.receive(text.encode() + b"\r")
    (reply,) = prober.replies
    prober.replies.clear()
    return reply.decode()


def test_lines_end_with_carriage_return(prober):
    assert ask(prober, "StepFirstDie") == "0: 0 0 0 2\r"
    assert "ProberBench" in ask(prober, "*IDN?")


def test_subdies_are_stepped_from_zero_to_the_last(prober):
    ask(prober, "StepNextDie 1 0 1")
    assert ask(prober, "StepNextSubDie") == "0: 2 2\r"
    assert ask(prober, "StepNextSubDie").startswith("510: ")
    assert ask(prober, "StepNextSubDie 0") == "0: 0 2\r"


def test_bins_belong_to_dies_and_the_first_step_clears_them(prober):
    ask(prober, "StepFirstDie")
    assert ask(prober, "BinStepDie 7").startswith("0: 1 0")
    assert prober.bins == {ROUTE[0]: 7}
    ask(prober, "StepFirstDie 0")
    assert prober.bins == {ROUTE[0]: 7}
    ask(prober, "StepFirstDie")
    assert prober.bins == {}


def test_a_move_in_the_plane_reaches_a_die_or_none(prober):
    """From contact it separates first; with the interlock it is refused."""
    ask(prober, "MoveChuckContact")
    assert ask(prober, "MoveChuck 5000 0 H Y 100") == "0: \r"
    assert (prober.station.die_under_needles, prober.station.in_contact) == (ROUTE[1], False)
    ask(prober, "MoveChuck 100 0 R")
    assert prober.station.die_under_needles is None
    assert ask(prober, "ReadChuckPosition") == "0: 5100.0 0.0 -300.0\r"
    ask(prober, "MoveChuckContact")
    ask(prober, "SetChuckMode 2 2 1")
    assert ask(prober, "MoveChuck 0 0").startswith("513: ")


@pytest.mark.parametrize(
    "text", ["MoveChuck", "MoveChuck nan 0", "MoveChuck 1 2 Q", "MoveChuckContact 101", "BinMapDie"]
)
def test_bad_parameters_are_refused(prober, text):
    assert ask(prober, text).startswith("51")
