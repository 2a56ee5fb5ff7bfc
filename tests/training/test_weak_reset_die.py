"""Weights on the cells of a simulated HfOx die, through drivers and bytes."""

from pathlib import Path

import numpy as np
import pytest
import torch

from crossbar.errors import DataError
from crossbar.pulses import State
from lab.chosen_bench import chosen_bench
from lab.session import session
from physics.weak_reset import mean_log_ratio
from training.weak_reset_die import DiePairs, DiePulses, ready_cells
from training.weak_reset_memory import WeakResetMemory, WeakResetSetup


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """An opened bench with a fresh HfOx wafer."""
    database = tmp_path_factory.mktemp("bench") / "lab.sqlite"
    with session(chosen_bench(Path("hfox"), False, 3), str(database)) as opened:
        yield opened.bench


@pytest.fixture
def contacted(bench):
    """Its first die, and the truth behind it."""
    address = bench.configuration.wafer.addresses[0]
    with bench.contacted(address) as die:
        yield die, bench.simulation.station.wafer.die(address)


def pairs_of(die, count):
    pulses = DiePulses()
    cells = ready_cells(die, 2 * count, pulses).reshape(2, count)
    return DiePairs(die, cells, pulses.weak, pulses.restoring.read_amplitude)


def test_ready_cells_switch_and_are_set(contacted):
    """Formed, LOW, none of them a defect; the same again once they are formed."""
    die, truth = contacted
    cells = ready_cells(die, 1500, DiePulses())
    assert len(np.unique(cells)) == 1500
    assert truth.low[cells].all()
    assert np.isnan(truth.fixed[cells]).all()
    assert len(ready_cells(die, 1500, DiePulses())) == 1500


def test_weights_are_signs_and_pulses_go_where_they_should(contacted):
    """Each cell gets its own number of pulses, which the model counts the same."""
    die, truth = contacted
    pairs = pairs_of(die, 300)
    resistance = truth.resistance(pairs.cells.ravel()).reshape(2, -1)
    clear = np.abs(np.log(resistance[0] / resistance[1])) > 0.05
    weights = pairs.read(torch.zeros(300)).numpy()
    expected = np.sign(resistance[0] - resistance[1])
    assert (weights == expected)[clear].all()

    given = torch.randint(-14, 15, (300,), generator=torch.Generator().manual_seed(1))
    before = truth.weak_pulses[pairs.cells]
    pairs.give(given)
    assert np.allclose(
        truth.weak_pulses[pairs.cells] - before,
        np.stack([given.clamp(min=0), (-given).clamp(min=0)]),
    )


def test_cells_of_the_die_rise_as_the_models_do(contacted):
    """The same cells, the same pulses: ln R rises by the published lines, within noise."""
    die, truth = contacted
    pairs = pairs_of(die, 400)
    before = pairs.log_resistance().double().numpy()
    pairs.give(torch.full((400,), 150))
    risen = pairs.log_resistance().double().numpy()[0] - before[0]
    weak = truth.truth.weak[torch.from_numpy(pairs.cells[0])]
    lines = (mean_log_ratio(weak, torch.tensor(150.0)) - weak.c1).numpy()
    model = WeakResetMemory((400,), WeakResetSetup(scattered=0), torch.Generator().manual_seed(1))
    first = model.log_resistance()[0].clone()
    model.give(torch.full((400,), 150.0))
    theirs = (model.log_resistance()[0] - first).double().numpy()
    extra = risen - lines
    assert abs(extra.mean() - 0.054) < 0.01  # pink noise, and a telegraph now and then
    error = (risen.var() / 400 + theirs.var() / 400) ** 0.5
    assert abs(risen.mean() - theirs.mean()) < 4 * error


def test_a_die_with_too_few_cells_says_so(contacted):
    """No die has 20,000 good ones."""
    die, _ = contacted
    with pytest.raises(DataError, match="of 20000 that the network takes"):
        ready_cells(die, 20_000, DiePulses())


def test_the_weak_pulse_is_the_published_one():
    """A RESET of 0.52 V and 200 ns, which counts for one."""
    weak = DiePulses().weak
    assert (weak.amplitude, weak.width) == (-0.52, 200e-9)
    assert weak == type(weak).writing(State.HIGH, 0.52, 200e-9)
