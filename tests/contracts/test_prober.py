"""What every prober must do; a new one in the catalog is covered by itself."""

import pytest

from crossbar.errors import InstrumentError, LimitError
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.limits import ChuckLimits
from drivers.catalog import DRIVERS, load_driver
from drivers.die_frame import DieFrame
from drivers.visa import connect
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench

DIES = [DieAddress(x, y) for y in range(2) for x in range(3)]
FRAME = DieFrame(origin_column=3, origin_row=2, x_sign=-1, y_sign=-1)
"""A map that counts from the upper right corner."""
LIMITS = ChuckLimits(max_contact_height=15e-3, max_overtravel=1e-4, max_travel=0.2, source="test")
PROBERS = [name for name, entry in DRIVERS.items() if entry.role == "prober" and not entry.package]


@pytest.fixture(params=PROBERS)
def bench(request):
    wafer = SimulatedWafer(
        addresses=DIES, geometry=DieGeometry(subarrays=1, rows=2, columns=2), seed=1
    )
    address = DRIVERS[request.param].address
    return SimulatedBench(
        wafer, {address: request.param}, options={address: {"die_frame": FRAME}}
    ), request.param


@pytest.fixture
def station(bench):
    return bench[0].station


@pytest.fixture
def prober(bench):
    simulated, name = bench
    entry = DRIVERS[name]
    adapter = connect(
        entry.address,
        role="prober",
        visa_library=simulated.visa_library,
        timeout=entry.timeout,
        termination=entry.termination,
    )
    driver = load_driver(name)(adapter, die_frame=FRAME)
    driver.check_identity()
    driver.prepare(LIMITS)
    yield driver
    adapter.close()


@pytest.mark.parametrize("die", DIES)
def test_go_to_brings_the_die_under_the_needles_separated(prober, station, die):
    """Every die of the wafer, in this project's coordinates."""
    prober.go_to(die)

    assert (station.die_under_needles, station.in_contact) == (die, False)


def test_contact_and_separate(prober, station):
    """The needles touch in between."""
    prober.go_to(DIES[0])
    prober.contact()
    assert station.in_contact

    prober.separate()
    assert not station.in_contact


def test_separate_is_safe_at_any_time(prober, station):
    """Before the first die, and twice."""
    prober.separate()
    prober.separate()

    assert not station.in_contact


def test_contact_is_lost_on_the_way_to_another_die(prober, station):
    """Nothing touches a die that was not asked for."""
    prober.go_to(DIES[0])
    prober.contact()
    prober.go_to(DIES[1])

    assert (station.die_under_needles, station.in_contact) == (DIES[1], False)


def test_a_die_that_is_not_there_is_refused(prober, station):
    """With an error, separated, and still where it was."""
    prober.go_to(DIES[2])
    prober.contact()
    with pytest.raises(InstrumentError):
        prober.go_to(DieAddress(9, 9))

    assert (station.die_under_needles, station.in_contact) == (DIES[2], False)


def test_off_separates(prober, station):
    prober.go_to(DIES[0])
    prober.contact()
    prober.off()
    assert not station.in_contact


def test_a_die_too_far_away_is_refused_where_it_was(prober, station):
    """No command is sent: not even contact is lost."""
    prober.go_to(DIES[0])
    prober.contact()
    prober.prepare(
        ChuckLimits(max_contact_height=15e-3, max_overtravel=1e-4, max_travel=1e-3, source="test")
    )
    with pytest.raises(LimitError, match="max_travel"):
        prober.go_to(DIES[1])
    assert (station.die_under_needles, station.in_contact) == (DIES[0], True)


def test_its_taught_heights_are_read_back_and_compared(prober):
    """A limit below what the prober was taught stops the bench."""
    taught = {p.name: p for p in prober.protections()}
    assert taught["contact height"].in_force
    for low in ({"max_contact_height": 1e-6}, {"max_overtravel": 1e-9}):
        limits = {"max_contact_height": 15e-3, "max_overtravel": 1e-4, "max_travel": 0.2} | low
        with pytest.raises(LimitError):
            prober.prepare(ChuckLimits(**limits, source="test"))
    assert 0 < taught["contact height"].value <= 15e-3
