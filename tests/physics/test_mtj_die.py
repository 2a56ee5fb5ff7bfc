from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbar.attempts import AttemptPlan
from crossbar.defect_map import CellClass
from crossbar.errors import ConfigurationError
from crossbar.geometry import DieAddress
from crossbar.pulses import Pulse, State
from physics.wafer import SimulatedWafer

CELLS = np.arange(5000)
WRITE_LOW = Pulse.writing(State.LOW, 0.9, 50e-9)
WRITE_HIGH = Pulse.writing(State.HIGH, 0.9, 50e-9)
PLAN = AttemptPlan(
    initial=State.HIGH,
    restore=WRITE_HIGH,
    write=Pulse.writing(State.LOW, 0.6, 10e-9),
    read_amplitude=0.1,
    threshold=np.full(5000, 147e-6),
    attempts=1000,
)
DEFECTIVE = {
    "classes": {
        0: CellClass.SHORT, 1: CellClass.OPEN, 2: CellClass.STUCK_LOW, 3: CellClass.STUCK_HIGH,
    },
    "fixed": {0: 1e-3, 1: 0.0},
}  # fmt: skip


def fresh_die():
    return SimulatedWafer(seed=11).die(DieAddress(1, 2))


def test_writing_sets_the_state_and_conductance_follows(uniform_die):
    """LOW is 1/R_P at any voltage, HIGH is 1/(R_P (1 + TMR(V)))."""
    die = uniform_die()
    die.pulse(CELLS, WRITE_LOW)
    assert die.low.all()
    assert die.conductance(CELLS, 0.1) == pytest.approx(200e-6)
    die.pulse(CELLS, WRITE_HIGH)
    assert not die.low.any()
    assert die.conductance(CELLS, 0.1) == pytest.approx(200e-6 / (1 + 1 / 1.04))
    assert die.conductance(CELLS, -0.5) == pytest.approx(200e-6 / 1.5)


@given(st.floats(-0.3, 0.3))
def test_currents_obey_ohms_law(voltage):
    """Without noise I = V G(V), for either polarity, and none without voltage."""
    population = replace(SimulatedWafer(seed=1).population, read_noise=0.0)
    die = SimulatedWafer(seed=1, population=population).die(DieAddress(0, 0))
    some = np.arange(0, 20_000, 1000)
    current = die.conduct(some, voltage)
    np.testing.assert_allclose(current, voltage * die.conductance(some, voltage), rtol=1e-15)
    assert (current * voltage >= 0).all()


def test_read_noise_is_half_a_percent_of_the_reading(uniform_die):
    """Repeated readings scatter by 0.5 % around the truth, in both states."""
    die = uniform_die()
    for pulse in (WRITE_LOW, WRITE_HIGH):
        die.pulse(CELLS, pulse)
        ratio = die.conduct(CELLS, 0.1) / 0.1 / die.conductance(CELLS, 0.1)
        assert ratio.mean() == pytest.approx(1.0, abs=3e-4)
        assert ratio.std() == pytest.approx(0.005, rel=0.05)


def test_reading_one_cell_many_times_gives_new_noise_each_time(uniform_die):
    """A cell named ten times in one call is read ten times."""
    die, other = uniform_die(), uniform_die()
    readings = die.conduct(np.full(10, 42), 0.1)
    assert len(set(readings)) == 10
    assert [other.conduct(np.array([42]), 0.1)[0] for _ in range(10)] == list(readings)


def test_reads_never_change_the_state():
    """A thousand reads at 0.1 V, of all cells of a real-shaped die, disturb nothing."""
    die = fresh_die()
    before = die.low.copy()
    for _ in range(20):
        die.conduct(np.arange(20_000), 0.1)
    die.pulse(np.arange(20_000), Pulse(amplitude=0.1, width=1e-3))
    assert (die.low == before).all()


def test_pulses_stabilize_the_state_they_write(uniform_die):
    """However strong, a pulse never takes a cell out of the state that it writes."""
    die = uniform_die()
    die.pulse(CELLS, WRITE_LOW)
    for amplitude in (0.2, 0.5, 1.2):
        die.pulse(CELLS, Pulse.writing(State.LOW, amplitude, 20e-9))
        assert die.low.all()


def test_switching_fraction_follows_the_write_error_rate(uniform_die):
    """One weak pulse on 5,000 equal cells leaves the expected share unswitched."""
    die = uniform_die()
    die.pulse(CELLS, WRITE_HIGH)
    weak = Pulse.writing(State.LOW, 0.5, 10e-9)
    expected = die._effect(CELLS[:1], weak).fails[0]
    die.pulse(CELLS, weak)
    assert 0.05 < expected < 0.95
    assert 1 - die.low.mean() == pytest.approx(expected, abs=4 * np.sqrt(0.25 / 5000))


def test_defective_cells_keep_their_ways(uniform_die):
    """Shorts and opens conduct what they conduct; stuck cells stay where they are."""
    die = uniform_die(**DEFECTIVE)
    for pulse in (WRITE_LOW, WRITE_HIGH):
        die.pulse(CELLS, pulse)
        conductance = die.conductance(CELLS[:4], 0.1)
        assert conductance == pytest.approx([1e-3, 0, 200e-6, 200e-6 / (1 + 1 / 1.04)])


def test_attempts_on_defective_cells(uniform_die):
    """From HIGH to LOW: what reads LOW is always rejected, what reads HIGH is always an error."""
    die = uniform_die(**DEFECTIVE)
    for keep in (False, True):
        plan = replace(PLAN, attempts=50, keep_readings=keep, write=WRITE_LOW)
        found = die.attempt(CELLS, plan)
        assert found.rejected[:5].tolist() == [50, 0, 50, 0, 0]
        assert found.errors[:5].tolist() == [0, 50, 0, 50, 0]


def test_attempts_leave_readings_and_counts_that_agree(uniform_die):
    """Counting the kept readings by hand gives the counts; a rejected attempt has no second one."""
    die = uniform_die(read_noise=0.25)
    found = die.attempt(CELLS, replace(PLAN, attempts=20, keep_readings=True))
    first, second = found.readings[:, :, 0], found.readings[:, :, 1]
    rejected = first >= 147e-6
    assert (np.isnan(second) == rejected).all()
    assert (rejected.sum(axis=1) == found.rejected).all()
    assert ((second < 147e-6).sum(axis=1) == found.errors).all()
    assert found.rejected.sum() > 0
    assert found.errors.sum() > 0


@pytest.mark.parametrize("keep", [False, True])
def test_attempts_give_pulses_and_stress(uniform_die, keep):
    """Each attempt gives a restore, and a write unless it is rejected."""
    die = uniform_die(read_noise=0.25)
    found = die.attempt(CELLS, replace(PLAN, attempts=30, keep_readings=keep))
    assert (die.pulses_given == 60 - found.rejected).all()
    restore, write = (die._effect(CELLS, pulse).stress for pulse in (PLAN.restore, PLAN.write))
    np.testing.assert_allclose(die.stress, 30 * restore + (30 - found.rejected) * write)


def test_order_and_company_do_not_matter():
    """Backwards, in pieces, or only the later half in a fresh die: bit-identical results."""
    cells = np.arange(20_000)
    plan = replace(PLAN, threshold=np.full(20_000, 147e-6))

    def everything(die, some):
        die.pulse(some, WRITE_LOW)
        low = die.conduct(some, 0.1)
        counts = die.attempt(some, replace(plan, threshold=plan.threshold[some]))
        return low, die.conduct(some, 0.1), counts.rejected, counts.errors, die.low[some]

    whole = everything(fresh_die(), cells)
    backwards = [x[::-1] for x in everything(fresh_die(), cells[::-1])]
    later_half = everything(fresh_die(), cells[10_000:])
    die = fresh_die()
    pieces = [everything(die, cells[k : k + 100]) for k in range(0, 1000, 100)]
    for n, expected in enumerate(whole):
        assert (backwards[n] == expected).all()
        assert (later_half[n] == expected[10_000:]).all()
        assert (np.concatenate([piece[n] for piece in pieces]) == expected[:1000]).all()


def test_chunks_of_attempts_are_new_attempts(uniform_die):
    """The same plan again gives other errors; another plan in between changes nothing."""
    one, other = uniform_die(), uniform_die()
    first, second = one.attempt(CELLS, PLAN), one.attempt(CELLS, PLAN)
    assert (first.errors != second.errors).any()
    other.attempt(CELLS, PLAN)
    other.attempt(CELLS, replace(PLAN, write=Pulse.writing(State.LOW, 0.7, 10e-9)))
    assert (other.attempt(CELLS, PLAN).errors == second.errors).all()


def test_overstressed_cells_become_shorts_for_ever(uniform_die):
    """1.8 V kills at once; the short conducts 4 to 10 times a LOW cell and never switches again."""
    die = uniform_die()
    die.pulse(CELLS[:100], Pulse.writing(State.LOW, 1.8, 50e-9))
    assert die.dead.sum() == 100
    conductance = die.conductance(CELLS[:100], 0.1)
    assert ((conductance >= 4 * 200e-6) & (conductance <= 10 * 200e-6)).all()
    die.pulse(CELLS[:100], WRITE_HIGH)
    assert (die.conductance(CELLS[:100], 0.1) == conductance).all()


@pytest.mark.parametrize("keep", [False, True])
def test_cells_die_within_attempts(uniform_die, keep):
    """At 1.6 V a cell lasts about twenty attempts; afterwards it reads LOW and is rejected."""
    die = uniform_die()
    plan = replace(
        PLAN, attempts=60, write=Pulse.writing(State.LOW, 1.6, 50e-9), keep_readings=keep
    )
    found = die.attempt(CELLS, plan)
    assert die.dead.all()
    assert found.rejected == pytest.approx(40, abs=2)
    assert (found.errors == 0).all()


def test_rejected_attempts_do_not_wear_by_their_writes(uniform_die):
    """A cell stuck LOW is never written from HIGH, so even 1.8 V writes leave it whole."""
    die = uniform_die(**DEFECTIVE)
    plan = replace(PLAN, write=Pulse.writing(State.LOW, 1.8, 50e-9))
    found = die.attempt(CELLS, plan)
    assert found.rejected[2] == plan.attempts
    assert not die.dead[2]
    assert die.dead[3:].all()


def test_a_million_writes_wear_nothing(uniform_die):
    """Write error rates near the limit of 1.1 V are measured on cells that stay what they are."""
    die = uniform_die()
    plan = replace(PLAN, attempts=10**6, write=Pulse.writing(State.LOW, 1.1, 50e-9))
    die.attempt(CELLS, plan)
    assert die.stress.max() < 1e-4
    assert not die.dead.any()


def test_dot_product_adds_the_cells_currents():
    """Each output is the sum over rows of V G(V), sign included, within one reading's noise."""
    die = fresh_die()
    generator = np.random.default_rng(3)
    binary = generator.choice([-0.1, 0.0, 0.1], (7, 100))
    analog = generator.uniform(-0.1, 0.1, (7, 100))
    second = np.arange(5000, 10_000)
    for voltages in (binary, analog):
        expected = [
            (v[:, None] * die.conductance(second, np.repeat(v, 50)).reshape(100, 50)).sum(axis=0)
            for v in voltages
        ]
        found = die.dot_product(1, voltages)
        assert found.shape == (7, 50)
        ratio = found / np.array(expected)
        assert ratio.std() == pytest.approx(0.005, rel=0.2)
        assert ratio.mean() == pytest.approx(1.0, abs=0.001)


def test_dot_product_refuses_other_shapes():
    """The error names the shape that came and the one expected."""
    with pytest.raises(ConfigurationError, match=r"\(2, 99\).*\(batch, 100\)"):
        fresh_die().dot_product(0, np.zeros((2, 99)))
    with pytest.raises(ConfigurationError, match="0 to 3"):
        fresh_die().dot_product(4, np.zeros((2, 100)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"restore": WRITE_LOW}, "restore pulse"),
        ({"write": WRITE_HIGH}, "write pulse"),
        ({"threshold": np.full(4999, 147e-6)}, "Thresholds"),
        ({"threshold": np.full(5000, np.nan)}, "Thresholds"),
        ({"read_amplitude": 0.0}, "reads at 0 V"),
    ],
)
def test_contradictory_plans_are_refused(uniform_die, change, message):
    """Before anything happens to a cell."""
    die = uniform_die()
    with pytest.raises(ConfigurationError, match=message):
        die.attempt(CELLS, replace(PLAN, **change))
    assert not die.touched


def test_cells_off_the_die_are_refused(uniform_die):
    """An index past the last cell is an error, not another cell."""
    with pytest.raises(ConfigurationError, match="0 to 4999"):
        uniform_die().pulse(np.array([5000]), WRITE_LOW)
