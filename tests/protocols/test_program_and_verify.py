import numpy as np
import pytest

from crossbar.defect_map import CellClass
from crossbar.errors import ConfigurationError
from protocols.program_and_verify import ProgramAndVerifyParameters, program_and_verify

THRESHOLD = 1.4e-4


def test_healthy_cells_end_as_wanted_and_others_say_so(die_of):
    """What is verified is what the die holds; shorts cannot be HIGH, and get no endless pulses."""
    generator = np.random.default_rng(1)
    with die_of() as (die, simulated):
        cells = np.sort(generator.choice(20_000, 12_000, replace=False))
        target_low = generator.random(12_000) < 0.5
        parameters = ProgramAndVerifyParameters()
        blocks = list(program_and_verify(die, parameters, cells, target_low, THRESHOLD))

    classes = simulated.truth.classes.ravel()[cells]
    verified = np.concatenate([block.verified for block in blocks])
    assert verified[classes == CellClass.HEALTHY].mean() > 0.999
    assert not verified[(classes == CellClass.SHORT) & ~target_low].any()
    assert max(int(block.pulses.max()) for block in blocks) == parameters.max_pulses
    held = simulated.low[cells]
    switching = classes == CellClass.HEALTHY
    assert np.array_equal(held[switching & verified], target_low[switching & verified])


def test_programming_again_writes_nothing_new(die_of):
    """Cells that already are as wanted are not stressed."""
    cells, target_low = np.arange(500), np.arange(500) % 2 == 0
    with die_of(defect_scale=0) as (die, _):
        list(program_and_verify(die, ProgramAndVerifyParameters(), cells, target_low, THRESHOLD))
        (again,) = program_and_verify(
            die, ProgramAndVerifyParameters(), cells, target_low, THRESHOLD
        )

    assert again.pulses.sum() == 0
    assert again.verified.all()


def test_bench_instruments_program_too(die_of):
    """Without the board's own pulses: SMU, generator and routing do the same."""
    cells, target_low = np.arange(30), np.arange(30) % 3 == 0
    with die_of(execution="software", defect_scale=0) as (die, _):
        blocks = list(
            program_and_verify(die, ProgramAndVerifyParameters(), cells, target_low, THRESHOLD)
        )

    assert all(block.verified.all() for block in blocks)


def test_a_budget_of_nothing_is_refused():
    """At least one pulse."""
    with pytest.raises(ConfigurationError):
        ProgramAndVerifyParameters(max_pulses=0)
