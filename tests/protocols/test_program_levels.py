"""Cells into windows of conductance."""

import numpy as np
import pytest

from crossbar.defect_map import CellClass
from crossbar.errors import ConfigurationError, LimitError
from crossbar.pulses import State
from protocols.catalog import protocol
from protocols.program_levels import ProgramLevelsParameters, program_levels


def test_cells_end_in_their_windows(die_of):
    """Verified cells conduct what was asked for, and it is the truth, not only the reading."""
    parameters = ProgramLevelsParameters(sample=2_000)
    with die_of() as (die, simulated):
        (block,) = program_levels(die, parameters)

    healthy = simulated.truth.classes[block.cells] == CellClass.HEALTHY
    assert block.verified[healthy].mean() > 0.99
    low, high = block.window
    truth = simulated.conductance(block.cells, parameters.read_amplitude)
    inside = (truth > 0.98 * low) & (truth < 1.02 * high)
    assert inside[block.verified].all()
    assert sorted(np.unique(block.level)) == [0, 1]
    assert abs(int((block.level == 0).sum()) - 1_000) <= 1
    assert np.array_equal(block.target_low, block.level == 1)


def test_final_reads_grade_the_levels(die_of):
    """As many as asked for, so far apart as asked for, their mean beside them."""
    with die_of(defect_scale=0) as (die, _):
        begun = die.clock.now
        (quick,) = program_levels(die, ProgramLevelsParameters(sample=50, final_reads=1))
        between = die.clock.now
        slow = ProgramLevelsParameters(sample=50, final_reads=4, final_interval=10.0)
        (block,) = program_levels(die, slow)
        ended = die.clock.now

    assert quick.final.shape == (50, 1)
    assert block.final.shape == (50, 4)
    assert np.array_equal(block.conductance, block.final.mean(axis=1))
    assert (block.final.std(axis=1) > 0).all()
    assert between - begun < 10
    assert 30 <= ended - between < 40


def test_a_cell_that_does_not_follow_is_left_alone(die_of):
    """Shorts and opens get the ramp once and three pulses more, never the budget."""
    parameters = ProgramLevelsParameters(sample=2_000, max_pulses=100)
    with die_of(defect_scale=3) as (die, simulated):
        (block,) = program_levels(die, parameters)

    classes = simulated.truth.classes[block.cells]
    gone = (classes == CellClass.SHORT) | (classes == CellClass.OPEN)
    ramp = len(parameters.ramps[State.LOW].pulses)
    assert gone.sum() > 50
    assert not block.verified[gone].any()
    assert (block.pulses[gone] == ramp - 1 + parameters.patience).all()
    assert block.pulses.max() < 30


def test_pulses_grow_only_for_cells_that_need_it(die_of):
    """A cell that has followed gets nothing more; the next one of the ramp is larger."""
    sent = []
    parameters = ProgramLevelsParameters(sample=500, low_start=0.3, high_start=0.3, step=0.1)
    with die_of(defect_scale=0) as (die, _):
        write = type(die).write

        def watched(self, cells, pulse):
            sent.append((pulse.amplitude, len(cells)))
            write(self, cells, pulse)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(die), "write", watched)
            (block,) = program_levels(die, parameters)

    up = [(volts, count) for volts, count in sent if volts > 0]
    assert [volts for volts, _ in up] == pytest.approx([0.3 + 0.1 * n for n in range(len(up))])
    assert [count for _, count in up] == sorted((count for _, count in up), reverse=True)
    assert len({count for _, count in up}) > 1
    assert sum(count for _, count in sent) == block.pulses.sum()


def test_overshoot_turns_around(die_of):
    """Of a window narrower than the spread of the cells, those beside it are tried from both sides
    within the budget, and are not called verified.
    """
    parameters = ProgramLevelsParameters(
        sample=300, levels=(150e-6,), tolerance=0.1, max_pulses=7, pattern="turn"
    )
    with die_of(defect_scale=0) as (die, _):
        (block,) = program_levels(die, parameters)

    assert not block.verified.any()
    assert (block.pulses == 7).all()


def test_instruments_do_the_same(die_of):
    """By software every cell is reached alone, in blocks that can be resumed."""
    parameters = ProgramLevelsParameters(sample=60)
    with die_of(execution="software", defect_scale=0) as (die, _):
        blocks = list(program_levels(die, parameters))
        rest = list(program_levels(die, parameters, frozenset({blocks[0].key})))

    assert len(blocks) == 2
    assert [block.key for block in rest] == [blocks[1].key]
    assert all(block.verified.all() for block in blocks)


def test_a_ramp_beyond_the_limits_is_refused_before_the_first_pulse(die_of):
    """Even if no cell may ever need its last pulse."""
    with die_of() as (die, simulated), pytest.raises(LimitError, match="the limit is"):
        list(program_levels(die, ProgramLevelsParameters(low_stop=1.5)))
    assert not simulated.pulses_given.any()


@pytest.mark.parametrize(
    "wrong",
    [
        {"levels": ()},
        {"levels": (2e-4, 1e-4)},
        {"levels": (1e-4, 1.2e-4)},
        {"tolerance": 0.0},
        {"low_start": 0.0},
        {"high_start": 1.0, "high_stop": 0.9},
        {"step": -0.1},
        {"max_pulses": 0},
        {"patience": 0},
        {"sample": 0},
        {"final_reads": 0},
        {"final_interval": -1.0},
    ],
)
def test_what_makes_no_sense_is_refused(wrong):
    """Levels that overlap or do not rise, ramps that do not, and empty budgets."""
    with pytest.raises(ConfigurationError):
        ProgramLevelsParameters(**wrong)


def test_it_can_be_run_by_name():
    """`lab run program-and-verify` finds it."""
    assert protocol("program_and_verify").run is program_levels
