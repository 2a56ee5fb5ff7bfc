"""What every bench must do that hands out a die, whatever is on it: boards, a matrix, or needles on
a single cell. A new instrument in the catalog makes a new bench here.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossbar.attempts import AttemptPlan
from crossbar.errors import LabError, LimitError
from crossbar.pulses import Pulse, State
from protocols.attempts import execution_of, run_attempts
from tests.contracts.benches import KINDS, READ, touched_on


@pytest.fixture(params=KINDS, ids=str)
def touched(request):
    """One bench of every kind, in contact."""
    with touched_on(request.param) as opened:
        yield opened


def test_it_reads_what_the_cells_are(touched):
    """Every cell, at both polarities."""
    conductance = touched.truth.conductance(touched.cells, READ)
    for voltage in (READ, -READ):
        readings = touched.die.read(touched.cells, voltage)
        assert readings.conductance == pytest.approx(conductance, rel=0.1)
        assert not readings.in_compliance.any()
    assert not touched.truth.pulses_given.any()


def test_it_writes_the_cell_that_was_meant_and_no_other(touched):
    """One pulse each, which the database counts before it is sent."""
    last = touched.cells[-1:]
    for count, state in enumerate((State.LOW, State.HIGH, State.LOW), 1):
        touched.die.write(last, touched.writing(state))
        assert touched.truth.pulses_given[last] == count
        assert touched.truth.low[last] == (state is State.LOW)
        assert touched.counted[last] >= count
    assert touched.truth.pulses_given.sum() == 3


def test_it_gives_many_pulses_as_it_gives_one(touched):
    """In a burst where the bench has one; none is lost, and all are counted."""
    last = touched.cells[-1:]
    touched.die.write(last, touched.writing(State.LOW), times=7)
    assert touched.truth.pulses_given[last] == 7
    assert touched.truth.low[last]
    assert touched.counted[last] >= 7
    assert touched.truth.pulses_given.sum() == 7


def test_attempts_are_counted_by_whoever_keeps_the_time(touched):
    """At a threshold that was measured."""
    cell, both = touched.cells[:1], []
    for state in State:
        touched.die.write(cell, touched.writing(state))
        both.append(touched.die.read(cell, READ).conductance)
    write = touched.writing(State.LOW)
    plan = AttemptPlan(
        initial=State.HIGH,
        restore=touched.writing(State.HIGH, 100e-6),
        write=write,
        read_amplitude=READ,
        threshold=np.sqrt(both[0] * both[1]),
        attempts=5,
    )
    counts = run_attempts(touched.die, cell, plan)

    fastest = touched.bench.execution if touched.die.sequencers else "software"
    assert execution_of(touched.die, plan) == fastest
    assert (counts.rejected[0], counts.errors[0]) == (0, 0)  # these pulses are strong ones
    assert touched.truth.pulses_given[0] == 12
    assert touched.counted[0] >= 12


@pytest.mark.parametrize(
    "wrong",
    [
        lambda t: t.die.write(t.cells[:1], Pulse(amplitude=1.3, width=100e-9)),
        lambda t: t.die.write(t.cells[:1], Pulse(amplitude=0.9, width=2e-3)),
        lambda t: t.die.read(t.cells[:1], 0.4),
    ],
    ids=["amplitude", "width", "read amplitude"],
)
def test_nothing_beyond_the_limits_is_sent(wrong, touched):
    """The message says whose limit it is."""
    messages = touched.bench.messages
    with pytest.raises(LimitError, match="mtj"):
        wrong(touched)
    assert touched.bench.messages == messages
    assert not touched.truth.pulses_given.any()


def test_away_from_the_die_everything_is_off(touched):
    """Inside a run too: whoever switches off leaves no path and no voltage."""
    touched.die.read(touched.cells[:1], READ)
    for driver in touched.bench.instruments.values():
        driver.off()
    station = touched.bench.simulation.station
    assert not station.in_contact
    if touched.die.geometry.cells > 1:
        assert station.measured_cell is None
        assert station.pulsed_cell is None


VOLTS = st.floats(-40, 40) | st.sampled_from([1.2, -1.2, 1.2001, 0.3, -0.3001, 0.0, np.nan, np.inf])
WIDTHS = st.floats(1e-10, 1e-2) | st.sampled_from([1e-9, 1e-3, 1.001e-3, np.nan])
CALLS = st.lists(
    st.tuples(
        st.sampled_from(["write", "read", "attempt", "apply", "measure", "off", "release"]),
        VOLTS,
        WIDTHS,
    ),
    min_size=1,
    max_size=15,
)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(calls=CALLS)
def test_no_sequence_of_calls_shows_a_cell_more_than_its_limits(kind, calls):
    """On the die and on the instruments' own ports, sensible or not: what is refused is refused
    with this program's errors, and what gets through is within volts, seconds and amperes.
    """
    with touched_on(kind) as touched, pytest.MonkeyPatch.context() as monkeypatch:
        limits, given_pulse, seen = touched.die.limits, touched.truth.pulse, []

        def note(cells, pulse):
            seen.append((pulse, touched.truth.conductance(cells, pulse.amplitude)))
            return given_pulse(cells, pulse)

        monkeypatch.setattr(touched.truth, "pulse", note)
        for call, volts, width in calls:
            try:
                CALLED[call](touched, volts, width)
            except LabError:
                continue
        for pulse, conductance in seen:
            # A cell above the typical resistance gets a little more of the generator's volts.
            assert abs(pulse.amplitude) <= limits.max_amplitude * 1.02
            assert np.max(np.abs(pulse.amplitude) * conductance) <= limits.max_current * 1.02


def attempt(touched, volts, width):
    """One attempt of a plan that is as wrong as its numbers."""
    pulse = Pulse(amplitude=volts, width=width)
    plan = AttemptPlan(
        initial=State.HIGH,
        restore=pulse,
        write=pulse,
        read_amplitude=READ,
        threshold=np.full(1, 1e-4),
        attempts=1,
    )
    run_attempts(touched.die, touched.cells[:1], plan)


def on_instruments(method, *arguments):
    """Call a method of every instrument that has it."""

    def call(touched, volts, width):
        values = {"volts": volts, "pulse": None}
        if "pulse" in arguments:
            values["pulse"] = Pulse(amplitude=volts, width=width)
        for role, driver in touched.bench.instruments.items():
            if role != "prober" and hasattr(driver, method):
                getattr(driver, method)(*(values[name] for name in arguments))

    return call


CALLED = {
    "write": lambda t, volts, width: t.die.write(t.cells[:1], Pulse(amplitude=volts, width=width)),
    "read": lambda t, volts, width: t.die.read(t.cells[:1], volts),
    "attempt": attempt,
    "apply": on_instruments("apply", "pulse"),
    "measure": on_instruments("measure", "volts"),
    "off": on_instruments("off"),
    "release": on_instruments("release"),
}
