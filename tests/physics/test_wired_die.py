from dataclasses import replace

import numpy as np
import pytest

from crossbar.attempts import AttemptPlan
from crossbar.pulses import Pulse, State
from physics.line_resistance import Wires
from physics.nodal_analysis import BiasScheme, line_voltages, solve
from physics.wired_die import ArrayWiring, WiredDie

CELLS = np.arange(5000)
WIRES = Wires(word_segment=2.0, bit_segment=3.0, source=20.0)


def wired(die, selectors):
    return WiredDie(die, ArrayWiring(wires=WIRES, selectors=selectors))


def test_with_a_selector_a_cell_has_its_own_wires_in_series(uniform_die):
    """Nearest and farthest of equal cells: one segment of each line, or all of them."""
    die = uniform_die(read_noise=0.0)
    die.low[:] = True
    bare = die.conductance(CELLS[:1], 0.1)[0]
    seen = wired(die, True).conductance(CELLS, 0.1).reshape(100, 50)

    assert 1 / seen[99, 0] == pytest.approx(1 / bare + 20 + 2 + 3, rel=1e-12)
    assert 1 / seen[0, 49] == pytest.approx(1 / bare + 20 + 50 * 2 + 100 * 3, rel=1e-12)


def test_without_selectors_a_read_is_that_of_the_whole_circuit(uniform_die):
    """The column current of nodal analysis, all other lines grounded, a short beside the cell."""
    die = uniform_die(read_noise=0.0, fixed={5: 5e-3})
    bare = die.conductance(CELLS, 0.1).reshape(100, 50)
    cells = np.array([4, 5, 4321])
    current = wired(die, False).conduct(cells, 0.1)

    for cell, read in zip(cells, current, strict=True):
        row, column = divmod(int(cell), 50)
        volts = line_voltages(BiasScheme.GROUNDED, (100, 50), row, column, 0.1)
        assert read == pytest.approx(solve(bare, WIRES, *volts).column_current[column], rel=1e-9)


@pytest.mark.parametrize("selectors", [True, False])
def test_a_dot_product_goes_through_all_wires(uniform_die, selectors):
    """Vector by vector what nodal analysis says; a fresh state is seen at once."""
    die = uniform_die(read_noise=0.0)
    through = wired(die, selectors)
    for low in (True, False):
        die.low[:] = low
        volts = np.where(np.arange(100) % 3, 0.1, 0.0)
        bare = die.conductance(CELLS, 0.1).reshape(100, 50)
        expected = solve(bare, WIRES, volts, np.zeros(50)).column_current

        np.testing.assert_allclose(through.dot_product(0, volts[None])[0], expected, rtol=1e-6)


def test_voltage_dependence_passes_through_lossy_wires(uniform_die):
    """HIGH cells that see a half of what the rows get, beside the circuit solved again and again
    until every cell conducts as at its own voltage."""
    die = uniform_die(read_noise=0.0)
    die.low[:] = np.arange(5000) % 2 == 0
    volts = np.linspace(0.02, 0.1, 100)
    across = np.full(5000, 0.05)
    for _ in range(6):
        bare = die.conductance(CELLS, across).reshape(100, 50)
        solution = solve(bare, WIRES, volts, np.zeros(50))
        across = solution.cell_voltage.ravel()
    plain = die.dot_product(0, volts[None])[0]
    current = wired(die, True).dot_product(0, volts[None])[0]

    assert np.mean(current / plain) < 0.5
    np.testing.assert_allclose(current, solution.column_current, rtol=4e-3)


def test_noise_stays_that_of_the_cells(uniform_die):
    """Half a percent of each reading, through wires as without."""
    die = uniform_die()
    seen = wired(die, True)
    ratio = seen.conduct(CELLS, 0.1) / 0.1 / seen.conductance(CELLS, 0.1)

    assert np.std(ratio) == pytest.approx(0.005, rel=0.15)


def test_attempts_judge_by_what_the_terminals_show(uniform_die):
    """A threshold between the wired conductances tells the states of the farthest cell apart;
    its kept readings are the wired ones."""
    die = uniform_die(read_noise=0.0)
    seen = wired(die, True)
    cell = np.array([49])
    die.low[cell] = True
    low = float(seen.conductance(cell, 0.1)[0])
    plan = AttemptPlan(
        initial=State.LOW,
        restore=Pulse(amplitude=1.0, width=100e-9),
        write=Pulse(amplitude=-1.0, width=100e-9),
        read_amplitude=0.1,
        threshold=np.array([low * (1 - 1e-9)]),
        attempts=5,
        keep_readings=True,
    )
    counts = seen.attempt(cell, plan)

    assert counts.rejected[0] == counts.errors[0] == 0
    np.testing.assert_allclose(counts.readings[0, :, 0], low, rtol=1e-12)


def test_state_and_wear_are_those_of_the_cells(uniform_die):
    """Pulses reach the bare die; its snapshot is the wired one's."""
    die = uniform_die()
    seen = wired(die, True)
    seen.pulse(CELLS[:3], Pulse(amplitude=1.0, width=100e-9))

    assert np.array_equal(seen.pulses_given[:4], [1, 1, 1, 0])
    assert die.low[:3].all()
    other = wired(uniform_die(), True)
    other.restore(seen.snapshot())
    assert np.array_equal(other.die.low, die.low)


@pytest.mark.parametrize("target", [State.LOW, State.HIGH])
def test_far_cells_fail_more_often_than_near_ones(uniform_die, target):
    """With selectors as bare cells do under the divided amplitude; without, all alike."""
    die = uniform_die()
    near_and_far = np.array([99 * 50, 49])
    write, restore = Pulse.writing(target, 0.5, 10e-9), Pulse.writing(target.other, 1.2, 200e-9)
    threshold = np.sqrt(np.prod([die.conductance_in(near_and_far, s, 0.1) for s in State], axis=0))
    plan = AttemptPlan(
        initial=target.other, restore=restore, write=write, read_amplitude=0.1,
        threshold=threshold, attempts=20_000,
    )  # fmt: skip
    through = wired(die, True)
    seen = np.sqrt(np.prod([through.conductance_in(near_and_far, s, 0.1) for s in State], axis=0))
    counts = through.attempt(near_and_far, replace(plan, threshold=seen))
    rate = counts.errors / (counts.attempts - counts.rejected)

    assert rate[1] > rate[0] + 0.02
    path = np.array([20 + 2 + 3, 20 + 50 * 2 + 100 * 3])
    volts = abs(write.amplitude) / (1 + die.conductance_in(near_and_far, target.other, 0.5) * path)
    for place, at_cell in enumerate(volts):
        alone = replace(plan, write=Pulse.writing(target, round(float(at_cell), 3), 10e-9))
        own = uniform_die(seed=5).attempt(near_and_far, alone)
        assert own.errors[place] / own.attempts == pytest.approx(rate[place], abs=0.02)
    without = wired(uniform_die(), False)
    alike = without.attempt(near_and_far, plan).errors / plan.attempts
    assert alike[0] == pytest.approx(alike[1], abs=0.02)


def test_a_pulse_that_wires_weaken_no_longer_writes(uniform_die):
    """With up to 420 Ohm in series the far cells stay more often."""
    die = uniform_die(read_noise=0.0)
    die.low[:] = True
    wired(die, True).pulse(CELLS, Pulse(amplitude=-0.45, width=10e-9))
    written = ~die.low.reshape(100, 50)

    assert written[90:, :10].mean() > written[:10, 40:].mean() + 0.1
    assert np.array_equal(np.unique(die.pulses_given), [1])
