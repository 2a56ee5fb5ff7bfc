"""No bytes make an emulator raise, hang, or harm a cell that its instrument protects."""

import contextlib
import math
import random
import signal
import socket
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyvisa.errors import VisaIOError

from crossbar.errors import LabError
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.pulses import Pulse
from drivers.catalog import entry, load_driver
from drivers.visa import connect
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench
from simulated_instruments.tcp_server import serve
from simulated_instruments.vocabulary import emulated, mutated, vocabulary

NAMES = emulated()
ADDRESS = "GPIB0::9::INSTR"
CALL_BUDGET = 3_000_000
"""Python calls that one message may take: a long script, never a loop without end."""
PATIENCE = 20.0
"""Seconds, for a loop that calls nothing."""
MAX_AMPLITUDE = 0.8
MAX_CURRENT = 1e-4
FUZZED = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class OutOfBudgetError(AssertionError):
    """A message took too long."""


@contextlib.contextmanager
def budget():
    """Raise OutOfBudgetError from within whatever runs too long."""
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += 1
        if calls > CALL_BUDGET:
            raise OutOfBudgetError(f"more than {CALL_BUDGET} calls")

    def expire(number, frame):
        raise OutOfBudgetError(f"more than {PATIENCE} s")

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(None)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def new_bench(name):
    """One instrument and one cell routed to it, in contact."""
    wafer = SimulatedWafer(
        addresses=[DieAddress(0, 0)], geometry=DieGeometry(subarrays=1, rows=4, columns=4), seed=1
    )
    bench = SimulatedBench(wafer, {ADDRESS: name})
    bench.station.die_under_needles, bench.station.in_contact = DieAddress(0, 0), True
    bench.station.route(0)
    return bench


def messages(name):
    """Mutations of the instrument's commands; Hypothesis shrinks to fewer of them."""
    seeds = vocabulary(name)
    one = st.integers(0, 2**32 - 1).map(lambda seed: mutated(seeds, random.Random(seed)))
    return st.lists(one, min_size=1, max_size=12)


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.mark.parametrize("end", [False, True])
@pytest.mark.parametrize("name", NAMES)
@FUZZED
@given(chunks=st.lists(st.binary(max_size=60), max_size=6))
def test_random_bytes_are_survived(name, end, chunks):
    """However they are cut, with and without the bus's END."""
    emulator = new_bench(name).emulators[ADDRESS]
    with budget():
        for chunk in chunks:
            emulator.receive(chunk, end=end)
        emulator.receive(emulator.TERMINATOR)
        assert 0 <= emulator.status_byte() <= 255
        emulator.clear()
    assert not emulator.replies


@pytest.mark.parametrize("name", NAMES)
@settings(FUZZED, max_examples=60)
@given(data=st.data())
def test_damaged_commands_are_survived(name, data):
    """Real commands with other arguments, cut short, run together, with a byte changed."""
    emulator = new_bench(name).emulators[ADDRESS]
    for message in data.draw(messages(name)):
        with budget():
            emulator.receive(message + emulator.TERMINATOR)
            emulator.trigger()
        assert all(isinstance(reply, bytes) for reply in emulator.replies)
        emulator.replies.clear()


@pytest.mark.parametrize("name", NAMES)
def test_after_any_of_it_the_instrument_still_says_who_it_is(name):
    """A device clear, then the driver's own first question, through VISA."""
    bench = new_bench(name)
    emulator = bench.emulators[ADDRESS]
    seeds, source = vocabulary(name), random.Random(1)
    with budget():
        for _ in range(100):
            emulator.receive(mutated(seeds, source) + emulator.TERMINATOR)
    emulator.clear()
    line = entry(name)
    adapter = connect(
        ADDRESS, visa_library=bench.visa_library, timeout=line.timeout, termination=line.termination
    )
    load_driver(name)(adapter).check_identity()
    adapter.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_served_instrument_outlives_any_client(name):
    """Random bytes over TCP: each client is answered to the end, and the next one accepted."""
    bench = new_bench(name)
    seeds, source = vocabulary(name), random.Random(2)
    with serve({"one": bench.emulators[ADDRESS]}, clock=bench.station.clock) as addresses:
        port = int(addresses["one"].split("::")[2])
        for _ in range(10):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
                noise = [source.randbytes(40), *(mutated(seeds, source) for _ in range(5))]
                client.sendall(b"\n".join(noise) + b"\n")
                client.shutdown(socket.SHUT_WR)
                while client.recv(65536):
                    pass  # until the server has answered all and closed


LEVELS = (b"1", b"-1", b"2", b"-2", b"5", b"-5", b"10", b"1.7")
"""Volts (or amperes) beyond what the bench allows."""


def loud_messages(name):
    """Settings with a large argument among the damaged commands."""
    settable = [seed for seed in vocabulary(name) if b"?" not in seed]
    loud = st.tuples(st.sampled_from(settable), st.sampled_from(LEVELS)).map(
        lambda pair: pair[0].rstrip(b"1 ") + b" " + pair[1]
    )
    return st.lists(st.one_of(loud, loud, messages(name).map(b";".join)), min_size=5, max_size=40)


PROTECTED = {
    "pulse_generator": (MAX_AMPLITUDE,),
    "pulse_measure_unit": (MAX_AMPLITUDE, MAX_CURRENT),
    "smu": (MAX_CURRENT,),
}
"""What the bench hands to ``prepare`` at opening, by role."""
GUARDED = [
    name
    for name in NAMES
    if entry(name).role in PROTECTED
    and hasattr(load_driver(name), "protections")
    and getattr(getattr(load_driver(name), "reach", None), "smallest", 0.0) <= MAX_AMPLITUDE
]


class Guarded:
    """An instrument that the bench has opened and limited, and what its cell got since."""

    def __init__(self, name, monkeypatch):
        self.bench = new_bench(name)
        self.emulator = self.bench.emulators[ADDRESS]
        self.limits = PROTECTED[entry(name).role]
        line = entry(name)
        adapter = connect(
            ADDRESS,
            visa_library=self.bench.visa_library,
            timeout=line.timeout,
            termination=line.termination,
        )
        self.driver = load_driver(name)(adapter)
        self.stimuli = []
        die = self.bench.station.die
        pulse = die.pulse

        def note(cells, what):
            current = float(die.conductance(cells, what.amplitude)[0]) * abs(what.amplitude)
            self.stimuli.append((abs(what.amplitude), current))
            pulse(cells, what)

        monkeypatch.setattr(die, "pulse", note)
        self.prepare()

    def prepare(self):
        """As the bench does at opening; the cell may have been stressed while unprotected."""
        self.emulator.clear()
        self.driver.prepare(*self.limits)
        if hasattr(self.driver, "arm_external"):
            reach = self.driver.reach
            amplitude, width = reach.nearest(MAX_AMPLITUDE / 2), min(1e-6, reach.longest)
            self.driver.arm_external(Pulse(amplitude=amplitude, width=width))
        self.asked = self._limits_now()
        self.volts, self.amperes = self._largest("V"), self._largest("A")
        self.stimuli.clear()

    def _largest(self, unit):
        """What the instrument's own protections allow; without one it promises nothing."""
        values = [abs(p.value) for p in self.driver.protections() if p.unit == unit]
        return max(values, default=math.inf)

    def _limits_now(self):
        """What a generator's limits mean in open-circuit volts depends on the load it assumes."""
        return self.driver.protections(), getattr(self.driver, "load", None)

    def send(self, unit):
        """One command, and a trigger from every side."""
        self.emulator.receive(unit + self.emulator.TERMINATOR)
        self.emulator.trigger()
        if hasattr(self.emulator, "external_trigger"):
            self.emulator.external_trigger()

    def still_protected(self):
        """Whether what was set at opening reads back unchanged; a garbled link counts as no."""
        self.emulator.clear()
        try:
            return self._limits_now() == self.asked
        except (LabError, ValueError, VisaIOError):  # ValueError: a reply that is no number
            return False


@pytest.mark.parametrize("name", GUARDED)
@settings(FUZZED, max_examples=20)
@given(data=st.data())
def test_what_the_instrument_limits_no_message_exceeds(name, data):
    """As long as its limits read back as the bench set them: messages may of course set others."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        guarded = Guarded(name, monkeypatch)
        if not guarded.asked[0]:
            pytest.skip(f"{name} has no limits of its own")
        for message in data.draw(loud_messages(name)):
            # One unit at a time, so that no message loosens a limit, acts, and restores it.
            for unit in message.replace(b"\n", b";").split(b";"):
                guarded.send(unit)
                if not guarded.still_protected():
                    guarded.prepare()
                for volts, amperes in guarded.stimuli:
                    assert volts <= guarded.volts * 1.001
                    assert amperes <= guarded.amperes * 1.01
