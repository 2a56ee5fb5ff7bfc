"""MPI's own package, unmodified, on the emulator: its TCP and its VISA communicator."""

import functools

import pytest

pytest.importorskip("sentio_prober_control")
import pyvisa
from sentio_prober_control.Communication.CommunicatorTcpIp import CommunicatorTcpIp
from sentio_prober_control.Communication.CommunicatorVisa import CommunicatorVisa
from sentio_prober_control.Sentio.Enumerations import (
    ChuckSite,
    DieNumber,
    SteppingContactMode,
    XyReference,
    ZReference,
)
from sentio_prober_control.Sentio.ProberBase import ProberException
from sentio_prober_control.Sentio.ProberSentio import SentioProber

from tests.foreign_clients.benches import DIES, prober_bench

pytestmark = pytest.mark.filterwarnings("default")
INSTRUMENT = "mpi_sentio"


@pytest.fixture
def bench():
    """Its dies have two sub-sites; the VISA communicator expects it on GPIB."""
    return prober_bench(INSTRUMENT, address="GPIB0::20::INSTR", subsites=2)


@pytest.fixture
def rig(bench, link, monkeypatch):
    """The client and the bench."""
    if link.tcp:
        _, host, port, _ = link.address.split("::")
        communicator = CommunicatorTcpIp.create(f"{host}:{port}")
    else:
        # The communicator takes the system's VISA library: here the system has the bench's.
        system = functools.partial(pyvisa.ResourceManager, link.library)
        monkeypatch.setattr(pyvisa, "ResourceManager", system)
        communicator = CommunicatorVisa.create(link.address)
    yield SentioProber(communicator), bench
    communicator.disconnect()
    if link.tcp:  # disconnect() leaves its reader, and with it the socket, open
        communicator._CommunicatorTcpIp__reader.close()


def test_it_walks_the_route_to_its_end(rig):
    """The end is flagged with the last step, and an error after it."""
    prober, bench = rig
    prober.set_stepping_contact_mode(SteppingContactMode.StepToSeparation)
    place = prober.map.step_first_die(1)
    visited = [place]
    while not prober.map.end_of_route():
        assert prober.move_chuck_contact() == 12000
        assert bench.station.in_contact
        visited.append(prober.map.step_next_die(1))
        assert not bench.station.in_contact
    assert visited == [(die.x, die.y, 1) for die in DIES]
    with pytest.raises(ProberException, match="End of route"):
        prober.map.step_next_die()


@pytest.mark.parametrize(
    ("mode", "touching"),
    [(SteppingContactMode.BackToContact, True), (SteppingContactMode.StepToSeparation, False)],
)
def test_the_contact_mode_governs_stepping(rig, mode, touching):
    prober, bench = rig
    prober.set_stepping_contact_mode(mode)
    prober.map.step_first_die()
    prober.move_chuck_contact()
    prober.map.step_die(0, 1)
    assert (bench.station.die_under_needles, bench.station.in_contact) == (DIES[2], touching)


def test_contact_can_be_locked(rig):
    prober, bench = rig
    prober.map.step_first_die()
    prober.move_chuck_contact()
    prober.set_stepping_contact_mode(SteppingContactMode.LockContact)
    with pytest.raises(ProberException, match="at contact"):
        prober.map.step_next_die()
    assert (bench.station.die_under_needles, bench.station.in_contact) == (DIES[0], True)


def test_bins_belong_to_dies_and_subsites(rig, emulator):
    prober, _ = rig
    prober.map.step_first_die()
    assert prober.map.bin_step_next_die(3) == (1, 0, 0)
    prober.map.bins.set_bin(5, 0, 1, 1)
    assert emulator.bins == {(DIES[0], 0): 3, (DIES[2], 1): 5}
    prober.map.bins.clear_all()
    assert emulator.bins == {}


def test_subsites_of_one_die(rig):
    prober, _ = rig
    prober.map.step_first_die()
    assert prober.map.subsites.get_num() == 2
    assert prober.map.subsites.step_next() == (0, 0, 1)
    with pytest.raises(ProberException, match="no subsite 2"):
        prober.map.subsites.step_next()
    assert prober.map.subsites.step_previous() == (0, 0, 0)


def test_the_map_tells_its_sizes(rig):
    prober, _ = rig
    prober.map.step_die(0, 1)
    assert prober.map.die.get_current_index() == (2, 0, 1)
    assert prober.map.get_num_dies(DieNumber.Selected) == 3
    assert prober.map.get_index_size() == (5000, 5000)
    assert prober.map.get_home_die() == (0, 0)


def test_heights_old_names_and_new(rig):
    prober, bench = rig
    assert prober.get_chuck_site_height(ChuckSite.Wafer) == (12000, 300, 50, 100)
    assert prober.get_chuck_site_status(ChuckSite.Wafer)[1]
    prober.chuck.move_z(ZReference.Contact, 0)
    assert bench.station.in_contact
    assert prober.chuck.get_z(ZReference.Contact) == (0, ZReference.Contact)
    assert prober.move_chuck_separation() == 11700
    assert prober.get_chuck_z(ZReference.Zero) == 11700
    with pytest.raises(ProberException, match="beyond contact"):
        prober.chuck.move_z(ZReference.Contact, 1)


def test_the_chuck_moves_in_its_plane(rig):
    prober, bench = rig
    prober.map.step_first_die()
    prober.move_chuck_contact()
    assert prober.move_chuck_xy(XyReference.Home, 5000, 0) == (5000, 0)
    assert (bench.station.die_under_needles, bench.station.in_contact) == (DIES[1], False)
    prober.move_chuck_xy(XyReference.Current, 100, 0)
    assert bench.station.die_under_needles is None
    assert prober.move_chuck_home() == (0, 0)
    assert prober.chuck.move_xy(XyReference.Home, 0, 5000) == (0, 5000, XyReference.Home)
    assert prober.chuck.get_xy(XyReference.Zero) == (0, 5000, XyReference.Zero)
    assert bench.station.die_under_needles == DIES[2]


def test_an_asynchronous_command_is_pending_then_over(rig):
    """No function of the package starts a step; its communicator can."""
    prober, bench = rig
    prober.comm.send("start_map:step_die 1, 0, 0")
    _, number, text = prober.comm.read_line().strip().split(",", 2)
    assert text == "OK"
    assert prober.query_command_status(int(number)).errc() == 30
    assert bench.station.die_under_needles is None
    assert prober.wait_complete(int(number)).message() == "1,0,0"
    assert bench.station.die_under_needles == DIES[1]
    assert prober.query_command_status(99).errc() == 32


def test_what_it_does_not_know_is_an_error_of_its_own(rig):
    prober, _ = rig
    with pytest.raises(ProberException, match="no handler"):
        prober.map.get_diameter()
