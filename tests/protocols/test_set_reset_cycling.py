import numpy as np
import pytest

from crossbar.defect_map import CellClass
from crossbar.errors import ConfigurationError
from protocols.set_reset_cycling import SetResetCyclingParameters, set_reset_cycling


@pytest.mark.parametrize(
    ("execution", "checkpoints"), [("board", (1, 10, 1_000)), ("software", (1, 3))]
)
def test_healthy_cells_keep_their_window(die_of, execution, checkpoints):
    """Every checkpoint has a record of every cell, and a strong pulse leaves the window open."""
    parameters = SetResetCyclingParameters(sample=4, checkpoints=checkpoints)
    with die_of(execution=execution) as (die, simulated):
        trains = list(set_reset_cycling(die, parameters))

    assert len(trains) == 4 * len(checkpoints)
    for train in trains:
        healthy = simulated.truth.classes.ravel()[train.cell] == CellClass.HEALTHY
        assert (train.outcome == "open window") == healthy


def test_all_pulses_are_counted(die_of):
    """The records of a cell add up to the last checkpoint, and the ledger has as many."""
    parameters = SetResetCyclingParameters(sample=2, checkpoints=(2, 7, 100))
    with die_of() as (die, _):
        trains = list(set_reset_cycling(die, parameters))
        charged = None if die.ledger is None else die.ledger.pulses.copy()

    for cell in {train.cell for train in trains}:
        pulses = sum(train.pulses for train in trains if train.cell == cell)
        assert pulses.tolist() == [100, 100]
        assert charged is None or charged[cell] == 200


def test_a_resumed_run_goes_on_at_the_checkpoint_that_is_missing(die_of):
    """What is stored is left out, cell by cell."""
    parameters = SetResetCyclingParameters(sample=3, checkpoints=(1, 5))
    with die_of() as (die, _):
        trains = list(set_reset_cycling(die, parameters))
    stored = frozenset(train.key for train in trains[:4])
    with die_of() as (die, _):
        again = list(set_reset_cycling(die, parameters, stored))

    assert [train.key for train in again] == [train.key for train in trains[4:]]
    assert all(np.all(train.pulses == 4) for train in again)


@pytest.mark.parametrize("checkpoints", [(), (0, 5), (10, 10), (10, 5)])
def test_checkpoints_must_rise(checkpoints):
    """One message says so."""
    with pytest.raises(ConfigurationError, match="rising"):
        SetResetCyclingParameters(checkpoints=checkpoints)
