import pytest

from crossbar.geometry import DieAddress, DieGeometry
from physics.wafer import SimulatedWafer
from simulated_instruments.mpi_sentio import EmulatedMpiSentio
from simulated_instruments.probe_station import ProbeStation

ROUTE = [DieAddress(0, 0), DieAddress(1, 0)]


@pytest.fixture
def prober():
    geometry = DieGeometry(subarrays=1, rows=2, columns=2)
    station = ProbeStation(wafer=SimulatedWafer(addresses=ROUTE, geometry=geometry, seed=1))
    return EmulatedMpiSentio(station)


def test_the_route_ends_with_a_flag_then_an_error(prober):
    assert prober.answer("map:step_first_die") == "0,0,0,0,0"
    assert prober.answer("map:step_next_die") == "1024,0,1,0,0"
    assert prober.answer("map:step_next_die").startswith("1035,0,")


@pytest.mark.parametrize(
    ("mode", "status", "touching"),
    [
        ("BackToContact", "1024", True),
        ("StepToSeparation", "1024", False),
        ("LockContact", "12", True),
    ],
)
def test_the_stepping_contact_mode(prober, mode, status, touching):
    prober.answer("map:step_first_die")
    prober.answer("move_chuck_contact")
    prober.answer(f"set_stepping_contact_mode {mode}")
    assert prober.answer("map:step_next_die").partition(",")[0] == status
    assert prober.station.in_contact is touching


def test_polling_ends(prober):
    """Each question lets time pass; the command has its effect once, at the end."""
    assert prober.answer("start_map:step_first_die") == "0,1,OK"
    answers = [prober.answer("query_command_status 1") for _ in range(6)]
    assert answers[:4] == ["30,1,pending"] * 4
    assert answers[4:] == ["0,1,0,0,0"] * 2
    assert prober.station.clock.now == pytest.approx(1.0)


def test_an_aborted_command_moves_nothing(prober):
    prober.answer("start_map:step_first_die")
    assert prober.answer("abort_command 1") == "0,0,OK"
    assert prober.answer("query_command_status 1").startswith("31,1,")
    assert prober.station.die_under_needles is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nonsense", 3),
        ("map:step_die x, 0, 0", 6),
        ("map:step_die 1", 7),
        ("map:step_die 7, 7, 0", 8),
        ("map:step_next_die", 12),
        ("move_chuck_xy Home, 1e9, 0", 8),
        ("chuck:move_z Moon, 0", 6),
        ("wait_complete", 7),
        ("set_stepping_contact_mode", 6),
    ],
)
def test_errors_have_their_codes(prober, text, code):
    assert int(prober.answer(text).partition(",")[0]) & 1023 == code


def test_without_a_taught_height_nothing_is_lifted(prober):
    bare = EmulatedMpiSentio(prober.station, contact_height=None)
    for text in ("move_chuck_contact", "move_chuck_separation"):
        assert bare.answer(text).startswith("23,0,")
    assert not bare.station.in_contact
