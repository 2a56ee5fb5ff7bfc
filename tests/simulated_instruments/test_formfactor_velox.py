import pytest
import pyvisa
from pymeasure.instruments.formfactor.velox import Velox

from crossbar.geometry import DieAddress, DieGeometry
from drivers.die_frame import DieFrame
from physics.wafer import SimulatedWafer
from simulated_instruments.formfactor_velox import EmulatedFormFactorVelox
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.visa_library import EmulatorVisaLibrary
from tests.simulated_instruments.transcripts import rows

ROUTE = [DieAddress(0, 0), DieAddress(1, 0), DieAddress(0, 1)]
ADDRESS = "GPIB0::28::INSTR"


@pytest.fixture
def station():
    geometry = DieGeometry(subarrays=1, rows=2, columns=2)
    return ProbeStation(wafer=SimulatedWafer(addresses=ROUTE, geometry=geometry, seed=1))


@pytest.fixture
def prober(station):
    return EmulatedFormFactorVelox(station)


def ask(prober, text):
    """One command as bytes, its one reply as text."""
    prober.receive(text.encode() + b"\n")
    (reply,) = prober.replies
    prober.replies.clear()
    return reply.decode()


def test_identity_has_no_status_code(prober):
    """Unlike every other reply."""
    assert ask(prober, "*IDN?") == "Cascade Microtech,Velox,0,3.4\n"


def test_the_route_starts_and_ends(prober, station):
    """In the wafer's order; past the last die comes 703, and the chuck stays."""
    assert ask(prober, "StepFirstDie") == "0: 0 0 0 0\n"
    assert ask(prober, "StepNextDie") == "0: 1 0 0 0\n"
    assert ask(prober, "StepNextDie") == "0: 0 1 0 0\n"
    assert ask(prober, "StepNextDie").startswith("703: ")
    assert station.die_under_needles == ROUTE[2]


def test_a_step_names_column_and_row(prober, station):
    """In the prober's own frame."""
    prober.die_frame = DieFrame(origin_column=10, x_sign=-1)

    assert ask(prober, "StepNextDie 9 0") == "0: 9 0 0 0\n"
    assert station.die_under_needles == DieAddress(1, 0)


def test_a_step_off_the_map_is_refused(prober, station):
    """701, and the chuck stays."""
    ask(prober, "StepFirstDie")

    assert ask(prober, "StepNextDie 5 5").startswith("701: ")
    assert station.die_under_needles == ROUTE[0]


@pytest.mark.parametrize(
    "command", ["stepnextdie", "Frobnicate", "StepNextDie x y", "StepNextDie 1", "EnableMotorQuiet"]
)
def test_what_it_does_not_understand_is_refused(prober, station, command):
    """With a status other than 0, 701 and 703, and nothing moves. Names are case sensitive."""
    code, _, text = ask(prober, command).partition(": ")

    assert int(code) not in (0, 701, 703)
    assert text.strip()
    assert station.die_under_needles is None


def test_contact_needs_a_taught_height(station):
    """Contact and separation both; the heights say -1."""
    prober = EmulatedFormFactorVelox(station, contact_height=None)

    assert not ask(prober, "MoveChuckContact").startswith("0:")
    assert not ask(prober, "MoveChuckSeparation").startswith("0:")
    assert ask(prober, "ReadChuckHeights").startswith("0: -1 ")
    assert not station.in_contact


def test_the_status_tells_contact_by_letter(prober):
    """Not by the flag IsContactSet, which is bit 4 of the mode throughout."""
    separated = ask(prober, "ReadChuckStatus").split()
    ask(prober, "MoveChuckContact")
    touching = ask(prober, "ReadChuckStatus").split()

    assert (separated[7], touching[7]) == ("S", "C")
    assert int(separated[2]) & 16
    assert int(touching[2]) & 16


def test_a_move_breaks_contact(prober, station):
    """Auto-Z drops to separation first, and that takes its time too."""
    ask(prober, "StepFirstDie")
    ask(prober, "MoveChuckContact")
    started = station.clock.now
    ask(prober, "StepNextDie")

    assert not station.in_contact
    assert station.clock.now - started == pytest.approx(1.3)


def test_heights_take_time_only_when_they_change(prober, station):
    """0.3 s to contact, nothing to stay there."""
    ask(prober, "MoveChuckContact")
    ask(prober, "MoveChuckContact")

    assert station.clock.now == pytest.approx(0.3)


def test_the_map_position_counts_from_the_first_die(prober):
    """Offsets in micrometres, the die's number on the route, and how many there are."""
    assert not ask(prober, "ReadMapPosition2").startswith("0:")

    ask(prober, "StepNextDie 1 0")
    assert ask(prober, "ReadMapPosition2") == "0: 1 0 5000.0 0.0 -1 -1 2 3 0 0\n"


def test_the_map_may_have_other_dies_than_the_wafer(station):
    """An operator deselects dies."""
    prober = EmulatedFormFactorVelox(station, addresses=ROUTE[1:])

    assert ask(prober, "GetNumSelectedDies") == "0: 2\n"
    assert ask(prober, "StepFirstDie") == "0: 1 0 0 0\n"


def test_pymeasures_own_driver_walks_the_wafer(prober, station):
    """A client that was not written for this emulator, unmodified."""
    library = EmulatorVisaLibrary({ADDRESS: prober}, clock=station.clock)
    velox = Velox(ADDRESS, visa_library=library)
    visited = []
    coordinates = velox.wafermap.step_first_die()
    while not velox.wafermap.end_reached:
        velox.chuck.move_contact()
        visited.append((coordinates[:2], station.in_contact))
        velox.chuck.move_separation()
        coordinates = velox.wafermap.step_next_die()

    assert visited == [([0, 0], True), ([1, 0], True), ([0, 1], True)]
    assert velox.wafermap.enabled
    velox.adapter.close()
    pyvisa.ResourceManager(library).close()


def test_what_pymeasures_tests_send_is_accepted(station):
    """On a map that has their die and sub-die."""
    prober = EmulatedFormFactorVelox(station, addresses=[*ROUTE, DieAddress(5, 6)], subdies=3)
    for row in rows("pymeasure_velox_commands"):
        reply = ask(prober, row["message"])
        assert reply.startswith("0: ") or row["message"] == "*IDN?", (row, reply)


def test_the_message_server_wants_a_name_first(prober):
    assert ask(prober, "Cmd=1:StepFirstDie:").startswith("Rsp=1:514:")
    assert ask(prober, "FCN=1:RegisterProberApp:a a 0") == "FCN=1:0:\n"
    assert ask(prober, "Cmd=7:StepFirstDie:1 1") == "Rsp=7:0:0 0 0 0\n"
    assert ask(prober, "Cmd=999:EchoData:a b") == 'Rsp=999:0:"a b"\n'
    assert ask(prober, "Cmd=8:Nonsense:") == 'Rsp=8:509:"Unknown command Nonsense"\n'


@pytest.mark.parametrize("text", ["Cmd=:x", "Cmd=1", "FCN=x", "FCN=1:Nonsense:", "Cmd=1234:a:"])
def test_damaged_frames_are_refused(prober, station, text):
    assert ":515:" in ask(prober, text)
    assert station.die_under_needles is None


def test_all_commands_are_listed(prober):
    """Section, name, number and time-out of each, as the vendor's library takes them apart."""
    listed = ask(prober, "FCN=1:GetCommands:").split(":")[2].split(";")
    assert "StepNextDie" in [entry.split(" ")[1] for entry in listed]
    assert all(len(entry.split()) == 4 for entry in listed)
