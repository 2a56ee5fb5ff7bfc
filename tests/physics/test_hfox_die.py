"""HfOx dies: FORMING, SET, RESET and weak RESET, and their state in a file."""

from dataclasses import replace

import numpy as np
import pytest

from crossbar.attempts import AttemptPlan
from crossbar.defect_map import CellClass
from crossbar.errors import ConfigurationError
from crossbar.geometry import DieAddress
from crossbar.pulses import Pulse, State
from physics.hfox import HfOxPopulation
from physics.hfox_time import HfOxTimePopulation
from physics.read_noise_population import ReadNoisePopulation
from physics.wafer import SimulatedWafer
from physics.weak_reset import reference_pulses

HERE = DieAddress(0, 0)
CELLS = np.arange(20_000)
FORM = Pulse(amplitude=3.3, width=1e-6)
SET, RESET = Pulse(amplitude=2.0, width=1e-6), Pulse(amplitude=-2.0, width=1e-6)


STILL = ReadNoisePopulation(white=0.01, flicker=0.0, flicker_spread=0.0, telegraphs=0.0)
NO_TRAPS = HfOxTimePopulation(low_noise=STILL, high_noise=STILL)


def wafer(seed=1, limit=100e-6, population=None):
    return SimulatedWafer(
        addresses=[HERE],
        seed=seed,
        population=population or HfOxPopulation(),
        current_limit=lambda: limit,
    )


def die(**options):
    return wafer(**options).die(HERE)


def healthy(made):
    return np.flatnonzero((made.classes == CellClass.HEALTHY) & made.formed)


def ohm(made, cells):
    return 1 / made.conductance(cells, 0.2)


def test_fresh_cells_hardly_conduct_and_do_not_set():
    """Below 0.1 uS (sky130), whatever a SET or RESET does."""
    fresh = die()
    good = np.flatnonzero(fresh.classes == CellClass.HEALTHY)
    fresh.pulse(CELLS, SET)
    fresh.pulse(CELLS, RESET)
    assert np.percentile(fresh.conductance(good, 0.2), 99) < 0.1e-6


def test_forming_obeys_the_cells_voltage_and_the_width():
    """At 2.5 V and 1 us about half are formed; a longer pulse of the same amplitude forms more."""
    short, long = die(), die()
    short.pulse(CELLS, Pulse(amplitude=2.5, width=1e-6))
    long.pulse(CELLS, Pulse(amplitude=2.5, width=10e-6))
    expected = short.truth.cells.forming_voltage <= 2.5
    able = np.isnan(short.truth.fixed)
    assert (short.formed == (expected & able)).all()
    assert 0.5 < short.formed[able].mean() < 0.62
    assert long.formed.sum() > 1.3 * short.formed.sum()


def test_the_current_limit_decides_what_a_set_leaves():
    """R is the switching voltage over the current: 3.7 kOhm at 200 uA; a weaker SET after a
    stronger one changes nothing.
    """
    level = [200e-6]
    made = SimulatedWafer(
        addresses=[HERE], seed=1, population=HfOxPopulation(), current_limit=lambda: level[0]
    ).die(HERE)
    made.pulse(CELLS, FORM)
    good = healthy(made)
    made.pulse(good, SET)
    strong = ohm(made, good)
    assert np.median(strong) == pytest.approx(3.7e3, rel=0.01)
    level[0] = 50e-6
    made.pulse(good, SET)
    assert (ohm(made, good) == strong).all()


def test_an_over_set_cell_cannot_be_reset():
    """With the transistors wide open a SET leaves 0.74 kOhm, which no RESET reaches."""
    made = die(limit=1e-3)
    made.pulse(CELLS, FORM)
    good = healthy(made)
    made.pulse(good, SET)
    before = ohm(made, good)
    made.pulse(good, RESET)
    assert np.median(before) == pytest.approx(0.74e3, rel=0.01)
    assert ohm(made, good) == pytest.approx(before, rel=0.3)
    assert made.low[good].all()


def test_reset_goes_further_with_the_amplitude_and_never_back():
    """Median resistances rise with rising pulses; a small pulse after a large one does nothing."""
    made = die()
    made.pulse(CELLS, FORM)
    good = healthy(made)
    made.pulse(good, SET)
    medians, last = [], ohm(made, good)
    for amplitude in (-1.0, -1.2, -1.4, -1.6):
        made.pulse(good, Pulse(amplitude=amplitude, width=1e-6))
        medians.append(np.median(ohm(made, good)))
    assert (np.diff(medians) > 0).all()
    last = ohm(made, good)
    made.pulse(good, Pulse(amplitude=-0.5, width=1e-6))
    moved = made.low[good]
    assert (ohm(made, good)[~moved] == last[~moved]).all()


def test_pulses_below_the_threshold_are_weak_resets():
    """LOW cells stay LOW, their resistance creeps up, and a SET brings them back."""
    made = die()
    made.pulse(CELLS, FORM)
    good = healthy(made)
    made.pulse(good, SET)
    before = ohm(made, good)
    for _ in range(5):
        made.pulse(good, Pulse(amplitude=-0.6, width=1e-6))
    rise = np.log(ohm(made, good) / before)
    assert made.low[good].all()
    assert 0.03 < np.median(rise) < 0.3
    assert made.weak_pulses[good] == pytest.approx(5 * reference_pulses(-0.6, 1e-6), rel=1e-12)
    made.pulse(good, SET)
    assert np.median(ohm(made, good)) == pytest.approx(np.median(before), rel=0.005)


def test_a_hard_reset_breaks_cells_for_good():
    """Far above their breakdown voltage all cells are shorts, and stay so."""
    made = die()
    made.pulse(CELLS, FORM)
    good = healthy(made)
    made.pulse(good, Pulse(amplitude=-4.0, width=1e-6))
    made.pulse(good, SET)
    made.pulse(good, RESET)
    assert made.dead[good].all()
    assert (made.stress[good] == 1).all()
    assert (ohm(made, good) < 7.4e3 / 3).all()


def test_the_order_of_cells_does_not_matter():
    """One by one and all at once end with the same bits."""
    some = np.arange(40)
    together, alone = die(), die()
    for pulse in (FORM, SET, RESET, SET, Pulse(amplitude=-0.7, width=1e-6)):
        together.pulse(some, pulse)
        for cell in some[::-1]:
            alone.pulse(np.array([cell]), pulse)
    assert (together.conductance(some, 0.2) == alone.conductance(some, 0.2)).all()


def test_the_state_survives_a_file(tmp_path):
    """A die loaded from a file behaves like the one that was saved, bit by bit."""
    first, second = wafer(), wafer()
    some = np.arange(500)
    weak = Pulse(amplitude=-0.7, width=1e-6)
    for pulse in (FORM, SET, RESET, SET, weak):
        first.die(HERE).pulse(some, pulse)
    first.save(tmp_path / "wafer.npz")
    second.load(tmp_path / "wafer.npz")
    for made in (first.die(HERE), second.die(HERE)):
        made.pulse(some, weak)
    assert (first.die(HERE).conduct(some, 0.2) == second.die(HERE).conduct(some, 0.2)).all()
    assert first.die(HERE).snapshot().keys() == second.die(HERE).snapshot().keys()


def test_attempts_count_what_pulses_do():
    """From LOW, a sound RESET fails on the share of cells whose HIGH is below the threshold."""
    made = die(population=HfOxPopulation(time=NO_TRAPS))
    made.pulse(CELLS, FORM)
    good = healthy(made)
    plan = AttemptPlan(
        initial=State.LOW, restore=SET, write=RESET, read_amplitude=0.2,
        threshold=np.full(len(good), 1 / 10e3), attempts=1,
    )  # fmt: skip
    counts = made.attempt(good, plan)
    assert counts.rejected.sum() == 0
    assert counts.errors.mean() == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / len(good)))


def test_a_dot_product_is_the_sum_of_currents():
    """Each cell at its own voltage, HIGH ones with their sinh; noise aside."""
    silent = replace(STILL, white=0.0)
    time = HfOxTimePopulation(low_noise=silent, high_noise=silent)
    made = die(population=HfOxPopulation(read_noise=0.0, time=time))
    made.pulse(CELLS, FORM)
    made.pulse(CELLS, SET)
    made.pulse(CELLS[::2], RESET)
    volts = np.random.default_rng(1).uniform(-0.3, 0.3, 100)
    cells = np.arange(5000)
    by_cell = made.conduct(cells, np.repeat(volts, 50)).reshape(100, 50).sum(axis=0)
    assert made.dot_product(0, volts[None])[0] == pytest.approx(by_cell, rel=1e-8)


def test_without_a_current_limit_nothing_is_set():
    """No silent default: the message names the setting."""
    made = SimulatedWafer(addresses=[HERE], seed=1, population=HfOxPopulation()).die(HERE)
    with pytest.raises(ConfigurationError, match="max_set_current"):
        made.pulse(CELLS, FORM)


def test_a_negative_spread_is_refused():
    """The message names the parameter."""
    with pytest.raises(ConfigurationError, match="formed_spread"):
        HfOxPopulation(formed_spread=-0.1)


@pytest.mark.parametrize(
    ("write", "threshold"),
    [(-2.0, 1 / 30e3), (-2.0, -1.0), (-1.2, 1 / 7.6e3), (-0.9, 1 / 7.4e3), (-0.7, 1 / 30e3)],
)
def test_attempts_in_stretches_are_those_one_by_one(write, threshold):
    """The same counts and states, of sound and weak pulses, with restores that fail to verify, on
    healthy, fixed and fresh cells.
    """
    some = np.arange(0, 20_000, 800)
    plan = AttemptPlan(
        initial=State.LOW, restore=SET, write=Pulse(amplitude=write, width=1e-6),
        read_amplitude=0.2, threshold=np.full(len(some), threshold), attempts=60,
    )  # fmt: skip
    together, alone = die(), die()
    for made in (together, alone):
        made.form_all()
        made.formed[some[:2]] = False
    found = together.attempt(some, plan)
    expected = alone.attempt(some, replace(plan, keep_readings=True))

    assert (found.rejected == expected.rejected).all()
    assert (found.errors == expected.errors).all()
    for name in ("low", "cycles", "pulses_given", "writings"):
        assert (getattr(together, name) == getattr(alone, name)).all(), name
    assert together.conductance(some, 0.2) == pytest.approx(alone.conductance(some, 0.2))


def test_a_million_cycles_age_a_cell():
    """HIGH falls and LOW rises, as its one cell of a million cycles did."""
    made = die()
    made.form_all()
    some = healthy(made)[:40]
    plan = AttemptPlan(
        initial=State.LOW, restore=SET, write=RESET, read_amplitude=0.2,
        threshold=np.full(len(some), -1.0), attempts=1,
    )  # fmt: skip
    logs = []
    for cycles in (0, 1_000_000):
        made.cycles[some] = cycles
        made.attempt(some, plan)
        high = np.log(ohm(made, some))
        made.pulse(some, SET)
        logs.append([np.median(np.log(ohm(made, some))), np.median(high)])
    assert logs[1][0] - logs[0][0] == pytest.approx(np.log(12.9 / 10.9), abs=0.05)
    assert logs[1][1] < logs[0][1] - 0.2


def test_the_conductance_in_a_state_is_that_of_typical_cells():
    """After a SET and after a RESET, by the median of the cells."""
    made = die()
    made.form_all()
    cells = healthy(made)
    for state, pulse in (
        (State.LOW, Pulse(amplitude=2.0, width=1e-6)),
        (State.HIGH, Pulse(amplitude=-2.0, width=1e-6)),
    ):
        made.pulse(cells, pulse)
        ratio = made.conductance(cells, 0.2) / made.conductance_in(cells, state, 0.2)
        assert np.median(ratio) == pytest.approx(1.0, rel=0.1)
