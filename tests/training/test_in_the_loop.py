"""Training with a simulated die in the loop, through drivers and bytes."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from crossbar.errors import ConfigurationError
from crossbar.geometry import DieGeometry
from crossbar.stress import StressLedger
from physics.defects import SISTER_CHIP
from tests.training.looped import PLAN, MappedDie, first, mapped_die
from training.ideal_store import IdealStore
from training.loop import train
from training.network import as_measured
from training.recipe import RECIPES


@pytest.fixture(scope="module")
def start(digits):
    """An ideal network on a die of the default geometry, quickly trained."""
    recipe = RECIPES["digits"]
    store = IdealStore(window=SISTER_CHIP.window)
    schedule = replace(recipe.ideal, epochs=8, latent_rate=0.02, digital_rate=0.01)
    place = recipe.placement(DieGeometry())
    return train(digits, store, place, schedule, bound=recipe.bound, trained="ideal", seed=1)


def kept(training, *steps):
    """Run to the end; what was kept after these steps."""
    checkpoints = {}
    solution = training.run(lambda step, arrays: checkpoints.update({step: arrays}))
    return (solution, *(checkpoints[step] for step in steps))


def test_measured_values_carry_the_gradient_of_modelled_ones():
    """The forward pass is the die's, the backward pass the model's."""
    modelled = torch.tensor([1.0, 2.0], requires_grad=True)

    found = as_measured(3 * modelled, np.array([5.5, -1.0]))
    found.sum().backward()

    assert found.tolist() == [5.5, -1.0]
    assert modelled.grad.tolist() == [3.0, 3.0]


def test_the_loop_learns_around_a_read_out_that_the_map_does_not_show(bench_of, digits, start):
    """Wrong gains of the columns: the same images in as many steps of software see none of them."""
    plan = replace(PLAN, write_every=5)
    with mapped_die(bench_of, gain_spread=0.1) as mapped:
        software = mapped.trained_in_software(digits, start, plan.schedule)
        in_software = mapped.accuracy(software, digits)
        looped = mapped.training(digits, start, plan).run(lambda *_: None)
        in_the_loop = mapped.accuracy(looped, digits)

    assert in_the_loop > in_software + 0.05
    assert in_the_loop > 0.85


@pytest.mark.parametrize("step", [0, 2])
def test_a_training_taken_up_again_ends_with_the_same_bits(bench_of, digits, start, step):
    """From a checkpoint in the middle of an epoch and the die's state at that moment."""
    few, plan = first(digits, 192), replace(PLAN, epochs=2, checkpoint_every=1)
    with mapped_die(bench_of) as mapped:
        cells = {}

        def keep(number, arrays):
            cells[number] = (arrays, deepcopy(mapped.truth.snapshot()))

        whole = mapped.training(few, start, plan).run(keep)
        end = deepcopy(mapped.truth.snapshot())
        again = mapped.training(few, start, plan)
        again.restore(cells[step][0])
        mapped.truth.restore(cells[step][1])
        resumed = again.run(lambda *_: None)

    assert sorted(cells) == [0, 1, 2, 3, 4, 5, 6]
    assert resumed.checksum == whole.checksum
    after = mapped.truth.snapshot()  # looked_at is a time, and time went on
    same = {name: np.array_equal(array, after[name]) for name, array in end.items()}
    assert [name for name, equal in same.items() if not equal] in ([], ["looked_at"])


def test_no_cell_gets_more_pulses_than_it_may(bench_of, digits, start):
    """Cells at their bound keep their state; what is digital goes on learning."""
    few, plan = first(digits, 384), replace(PLAN, pulses_per_cell=5, latent_rate=0.1)
    with mapped_die(bench_of) as mapped:
        before = mapped.truth.pulses_given.copy()
        training = mapped.training(few, start, plan)
        reports = []
        solution = training.run(lambda *_: None, reports.append)
        given = mapped.truth.pulses_given - before

    assert given.max() <= 5
    assert np.array_equal(given, training.looped.given)
    assert reports[-1].step == training.steps
    assert max(report.written.worn_out for report in reports if report.written) > 0
    assert not np.array_equal(solution.hidden_gain, start.hidden_gain)


def test_a_spent_stress_ledger_stops_writing_and_not_the_training(bench_of, digits, start):
    """The budget of the bench's limits counts as well, and is not run into."""
    few = first(digits, 256)
    with mapped_die(bench_of) as mapped:
        spent = StressLedger(
            pulses=np.full(mapped.die.geometry.cells, 100), budget=101, source="this test",
            keep=lambda *_: None,
        )  # fmt: skip
        limited = replace(mapped, die=replace(mapped.die, ledger=spent))
        training = limited.training(few, start)
        solution = training.run(lambda *_: None)

    assert spent.pulses.max() <= 101
    assert np.array_equal(
        solution.target_low[start.placement.used],
        training.looped.holds_low[start.placement.used],
    )


def test_without_dot_products_the_conductances_as_read_are_the_forward_pass(
    bench_of, digits, start
):
    """A die that drifted since its map is seen in its readings."""
    few = first(digits, 640)
    with mapped_die(bench_of) as mapped:
        bare = replace(mapped, die=replace(mapped.die, multiplier=None))
        training = bare.training(few, start)
        solution = training.run(lambda *_: None)
        accuracy = mapped.accuracy(solution, digits)
        relative = training.looped.realize(training.network.latents)

    assert training.looped.sums is None
    assert accuracy > 0.8
    assert torch.allclose(
        relative.flatten().double(),
        torch.from_numpy(training.looped.conductance / mapped.found.median_low), atol=1e-6,
    )  # fmt: skip


def test_a_die_that_was_written_meanwhile_is_brought_back(bench_of, digits, start):
    """A real die cannot be put back bit for bit: what differs is read and written."""
    few = first(digits, 128)
    with mapped_die(bench_of) as mapped:
        training = mapped.training(few, start)
        (_, checkpoint) = kept(training, 0)
        held = start.target_low.ravel()
        cells = training.looped.cells[:500]
        flip(mapped, cells)
        again = mapped.training(few, start)
        again.restore(checkpoint)
        again.looped.bring_back()
        found = mapped.truth.low

    alive = mapped.truth.truth.switches[cells]
    assert np.mean(found[cells][alive] == held[cells][alive]) > 0.99


def flip(mapped: MappedDie, cells):
    """Turn cells over behind everybody's back."""
    mapped.truth.low[cells] = ~mapped.truth.low[cells]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"write_every": 0}, "write_every 0"),
        ({"last_write": 1.5}, "last_write 1.5"),
        ({"epochs": 0}, "0 epochs"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(change, message):
    """Before anything is done."""
    with pytest.raises(ConfigurationError, match=message):
        replace(PLAN, **change)


def test_a_bound_that_allows_no_write_is_refused(bench_of, digits, start):
    """The message says which two numbers do not go together."""
    with (
        mapped_die(bench_of) as mapped,
        pytest.raises(ConfigurationError, match="pulses_per_cell 3 allows no write"),
    ):
        mapped.training(digits, start, replace(PLAN, pulses_per_cell=3))
