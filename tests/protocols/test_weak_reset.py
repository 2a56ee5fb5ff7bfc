import numpy as np
import pytest

from crossbar.defect_map import CellClass
from crossbar.errors import ConfigurationError, LimitError
from crossbar.pulses import Pulse
from physics.weak_reset import reference_pulses
from protocols.weak_reset import WeakResetParameters, weak_reset

FORMS = Pulse(amplitude=3.3, width=1e-6)
SMALL = {"sample": 12, "amplitudes": (0.5, 0.6), "widths": (2e-7,), "pulses": 50, "read_every": 20}


def form(simulated):
    simulated.pulse(np.arange(simulated.geometry.cells), FORMS)


@pytest.mark.parametrize("execution", ["board", "software"])
def test_trains_are_recorded_from_set_to_end(die_of, execution):
    """Pulses as asked for, a reading before them and at the end of every step, signs as pulses."""
    cells = ("0:3:1", "2:7:40") if execution == "software" else ()
    parameters = WeakResetParameters(**SMALL, cells=cells, trains=1)
    with die_of(technology="hfox", defect_scale=0.0, execution=execution) as (die, simulated):
        form(simulated)
        trains = list(weak_reset(die, parameters))
        given = simulated.pulses_given[trains[0].cell]

    expected = len(cells) or 12
    assert sorted({train.part for train in trains}) == [0, 1]
    assert len({train.key for train in trains}) == len(trains) == 2 * expected
    complete = [train for train in trains if train.outcome == "complete"]
    assert len(complete) >= 0.8 * len(trains)
    for train in complete:
        assert train.pulses.tolist() == [0, 20, 20, 10]
        assert np.isnan(train.amplitude[0])
        assert train.amplitude[1:] == pytest.approx([-parameters.amplitudes[train.part]] * 3)
        assert train.conductance[0] >= parameters.set_conductance
    if trains[0].outcome == "complete":
        assert given >= 1 + 2 + 2 + 100  # formed, both states, two SETs, two trains


def test_resistance_rises_as_the_model_says(die_of):
    """After SET there is no pulse in the cells; after a train as many as the strength says, and the
    readings are what the cells conduct.
    """
    parameters = WeakResetParameters(**SMALL | {"amplitudes": (0.6,), "pulses": 200}, trains=1)
    with die_of(technology="hfox", defect_scale=0.0) as (die, simulated):
        form(simulated)
        trains = [t for t in weak_reset(die, parameters) if t.outcome == "complete"]
        cells = np.array([train.cell for train in trains])
        own = simulated.weak_pulses[cells]
        now = simulated.conductance(cells, 0.2)

    assert own == pytest.approx(200 * float(reference_pulses(-0.6, 2e-7)), rel=0.7)
    assert [train.conductance[-1] for train in trains] == pytest.approx(now, rel=0.05)
    rises = [np.log(train.conductance[0] / train.conductance[-1]) for train in trains]
    assert np.median(rises) > 0.1


def test_cells_without_two_states_are_left_alone(die_of):
    """Shorts, opens and stuck cells get no SET and no train, and are told apart in the records."""
    parameters = WeakResetParameters(**SMALL | {"sample": 200}, trains=1)
    with die_of(technology="hfox", defect_scale=3.0) as (die, simulated):
        form(simulated)
        trains = list(weak_reset(die, parameters))
        classes = simulated.classes

    fixed = [CellClass.SHORT, CellClass.OPEN, CellClass.STUCK_LOW, CellClass.STUCK_HIGH]
    bad = [train for train in trains if classes[train.cell] in fixed]
    assert len(bad) >= 5
    assert {train.outcome for train in bad} == {"no window"}
    assert {train.pulses.sum() for train in bad} == {0}


def test_a_resumed_run_measures_what_is_missing(die_of):
    """Keys that are stored are neither yielded nor pulsed again."""
    parameters = WeakResetParameters(**SMALL, trains=1)
    with die_of(technology="hfox", defect_scale=0.0) as (die, simulated):
        form(simulated)
        every = {train.key for train in weak_reset(die, parameters)}
        before = simulated.pulses_given.copy()
        assert list(weak_reset(die, parameters, frozenset(every))) == []
        assert np.array_equal(simulated.pulses_given, before)
        some = frozenset(key for key in every if key[2] == 0)
        assert {t.key for t in weak_reset(die, parameters, some)} == every - some


def test_a_cell_that_turns_high_is_left_alone(die_of):
    """RESET pulses that are not weak at all: the train ends where the cell conducts too little."""
    parameters = WeakResetParameters(
        **SMALL | {"amplitudes": (2.0,)}, trains=1, min_conductance=30e-6
    )
    with die_of(technology="hfox", defect_scale=0.0) as (die, simulated):
        form(simulated)
        trains = list(weak_reset(die, parameters))

    turned = [train for train in trains if train.outcome == "turned high"]
    assert turned
    assert all(train.conductance[-1] < 30e-6 for train in turned)
    assert all(len(train.pulses) <= 4 for train in turned)


def test_nothing_is_sent_beyond_the_limits_or_to_a_fresh_die(die_of):
    """The last amplitude is checked before the first pulse; a fresh die is told to be formed."""
    with die_of(technology="hfox") as (die, simulated):
        with pytest.raises(LimitError, match="max_amplitude"):
            next(weak_reset(die, WeakResetParameters(amplitudes=(0.5, 9.0))))
        with pytest.raises(ConfigurationError, match="lab run forming"):
            next(weak_reset(die, WeakResetParameters()))
        assert not simulated.pulses_given.any()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"amplitudes": ()}, "at least one of amplitudes"),
        ({"amplitudes": (-0.5,)}, "positive magnitudes"),
        ({"trains": 0}, "at least 1"),
        ({"pulses": 10, "read_every": 20}, "never read"),
    ],
)
def test_impossible_parameters_are_refused(wrong, told):
    """The message names what is wrong."""
    with pytest.raises(ConfigurationError, match=told):
        WeakResetParameters(**wrong)
