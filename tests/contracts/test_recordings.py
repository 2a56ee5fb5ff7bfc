"""Every driver says what it said when it was recorded, and makes the same of the same replies.

A recording is the file that `lab run --record` writes, of one short session a role, in
tests/recordings. Those are of the emulators: no recording of real instruments is at hand yet. After
a change of a driver that is meant, look at what differs, and make them anew:

    python -m pytest tests/contracts/test_recordings.py --record-sessions
"""

from functools import partial
from pathlib import Path

import pytest

from crossbar.geometry import CellAddress, DieAddress, DieGeometry
from crossbar.limits import ChuckLimits, Limits
from crossbar.pulses import Pulse
from drivers.catalog import DRIVERS, entry, load_driver
from drivers.traffic import Recording, TrafficDifferenceError
from drivers.traffic_file import Recorder
from drivers.visa import connect
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench

RECORDINGS = Path(__file__).parents[1] / "recordings"
NAMES = [name for name, line in DRIVERS.items() if not line.package]
DIE = DieAddress(0, 0)
GEOMETRY = DieGeometry(subarrays=1, rows=4, columns=4)
MOST = 1e-3
CHUCK = ChuckLimits(max_contact_height=15e-3, max_overtravel=1e-4, max_travel=0.2, source="test")
CELLS = Limits(
    max_amplitude=1.2,
    min_width=1e-9,
    max_width=1e-3,
    max_read_amplitude=0.3,
    max_current=MOST,
    source="test",
)


def measured(driver):
    """What a meter says at three voltages."""
    return [list(driver.measure(voltage)) for voltage in (0.1, -0.1, 0.2)]


def pulsed(driver):
    """A pulse of each sign that the source can send."""
    reach = driver.reach
    amplitude = reach.nearest(max(1.0, reach.smallest))
    width = min(max(100e-9, reach.shortest), reach.longest)
    for sign in reach.signs:
        driver.apply(Pulse(amplitude=sign * amplitude, width=width))
    return []


def smu(driver):
    """Prepare and measure."""
    driver.prepare(MOST)
    return measured(driver)


def pulse_generator(driver):
    """Prepare and pulse."""
    driver.prepare(max(1.5, driver.reach.smallest))
    return pulsed(driver)


def pulse_measure_unit(driver):
    """Prepare, pulse and measure."""
    driver.prepare(1.5, MOST)
    return pulsed(driver) + measured(driver)


def prober(driver):
    """To the die, down and up."""
    driver.prepare(CHUCK)
    driver.go_to(DIE)
    driver.contact()
    driver.separate()
    return []


def switch_matrix(driver):
    """Connect two lines."""
    driver.prepare()
    driver.close_only(["1A05", "1C01"])
    return sorted(driver.closed)


def die_board(driver):
    """Connect a cell."""
    driver.prepare(CELLS)
    driver.select(CellAddress(0, 1, 1))
    driver.release()
    return []


SESSIONS = {
    "smu": smu,
    "pulse_generator": pulse_generator,
    "pulse_measure_unit": pulse_measure_unit,
    "prober": prober,
    "switch_matrix": switch_matrix,
    "die_board": die_board,
}


def session(name, connector):
    """One session from identification to off; what the driver returned."""
    line = entry(name)
    adapter = connector(
        line.address, role=line.role, timeout=line.timeout, termination=line.termination
    )
    driver = load_driver(name)(adapter)
    driver.check_identity()
    results = SESSIONS[line.role](driver)
    found = [[p.name, p.value, p.unit, p.in_force] for p in driver.protections()]
    driver.check_errors()
    driver.off()
    adapter.close()
    return {"identity": driver.identity, "results": results, "protections": found}


def emulated(name, recorder=None):
    """The session on a fresh emulator."""
    wafer = SimulatedWafer(addresses=[DIE], geometry=GEOMETRY, seed=5)
    bench = SimulatedBench(wafer, {entry(name).address: name})
    bench.station.die_under_needles, bench.station.in_contact = DIE, entry(name).role != "prober"
    bench.station.route(5)
    return session(name, partial(connect, visa_library=bench.visa_library, recorder=recorder))


@pytest.fixture
def recording_of(pytestconfig):
    """The path of a driver's recording, made anew if that was asked for."""

    def path_of(name):
        path = RECORDINGS / f"{name}.jsonl"
        if pytestconfig.getoption("--record-sessions"):
            with Recorder(path, {"driver": name, **emulated(name)}) as recorder:
                emulated(name, recorder)
        assert path.exists(), f"{name} has no recording; {__doc__.splitlines()[-1].strip()}"
        return path

    return path_of


@pytest.mark.parametrize("name", NAMES)
def test_a_driver_says_and_understands_what_was_recorded(name, recording_of):
    recording = Recording(recording_of(name))
    found = session(name, recording.connect)

    assert found == {key: recording.header[key] for key in found}
    assert recording.finish() > 2


@pytest.mark.parametrize("name", NAMES)
def test_a_change_would_be_seen(name, recording_of, tmp_path):
    """Another message than the recorded one is told, with its line."""
    lines = recording_of(name).read_text().splitlines()
    place = next(n for n, line in reversed(list(enumerate(lines))) if '"event": "write"' in line)
    lines[place] = lines[place].replace('"text": "', '"text": "x', 1)
    changed = tmp_path / "changed.jsonl"
    changed.write_text("\n".join(lines) + "\n")
    with pytest.raises(TrafficDifferenceError, match=f"line {place + 1}"):
        session(name, Recording(changed).connect)
