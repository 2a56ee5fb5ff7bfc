from dataclasses import replace

import numpy as np
import pytest

from crossbar.defect_map import CellClass
from crossbar.errors import ConfigurationError, LimitError
from crossbar.records import PulseTrain
from protocols.iv_sweep import IvSweepParameters, iv_sweep


@pytest.mark.parametrize("execution", ["board", "software"])
def test_a_sweep_gives_the_conductance_of_each_state(die_of, execution):
    """Both polarities, up and down: the slope is the cell's conductance in LOW and in HIGH."""
    parameters = IvSweepParameters(sample=3, steps=4, polarities=(1, -1))
    with die_of(execution=execution) as (die, simulated):
        sweeps = list(iv_sweep(die, parameters))

    truth = simulated.truth
    healthy = [s for s in sweeps if truth.classes.ravel()[s.cell] == CellClass.HEALTHY]
    assert len(sweeps) == 6
    assert healthy
    for sweep in healthy:
        expected = truth.cells.low_conductance() if sweep.part == 0 else None
        if expected is None:
            expected = truth.cells.high_conductance(0.1)
        assert len(sweep.voltage) == 14
        assert np.median(sweep.current / sweep.voltage) == pytest.approx(
            expected[sweep.cell], rel=0.08
        )


def test_a_sweep_above_the_read_limit_is_refused_before_the_first_pulse(die_of):
    """Nothing is written when the turning point lies beyond the limit."""
    with die_of() as (die, _):
        before = die.read(np.arange(8), 0.1).conductance
        with pytest.raises(LimitError, match="max_read_amplitude"):
            next(iv_sweep(die, IvSweepParameters(sample=8, max_voltage=2.0)))
        after = die.read(np.arange(8), 0.1).conductance

    assert after == pytest.approx(before, rel=0.1)


def test_a_resumed_run_leaves_out_what_is_stored(die_of):
    """Only the sweeps that are missing are made."""
    parameters = IvSweepParameters(cells=("0:0:1", "0:0:2"), steps=2)
    with die_of() as (die, _):
        first, *rest = iv_sweep(die, parameters)
    with die_of() as (die, _):
        again = list(iv_sweep(die, parameters, frozenset({first.key})))

    assert [sweep.key for sweep in again] == [sweep.key for sweep in rest]


def test_a_polarity_is_one_or_minus_one():
    """0 and 2 are none."""
    with pytest.raises(ConfigurationError, match="polarities"):
        IvSweepParameters(polarities=(0,))


SWITCHING = IvSweepParameters(
    cells=("0:3:1", "0:3:2"), max_voltage=0.2, steps=1, write_amplitude=2.0, write_width=1e-6,
    switching_start=0.5, switching_stop=1.5, switching_step=0.25,
)  # fmt: skip


def test_rising_pulses_follow_the_sweeps(die_of):
    """Towards LOW, then towards HIGH, from the other state; a reading before and after each."""
    with die_of(technology="hfox", defect_scale=0) as (die, simulated):
        simulated.form_all()
        records = list(iv_sweep(die, SWITCHING))

    trains = [record for record in records if isinstance(record, PulseTrain)]
    assert len(records) == 8
    assert [(train.part, len(train.conductance)) for train in trains] == [(0, 6)] * 2 + [(1, 6)] * 2
    for train in trains:
        sign = 1 if train.part == 0 else -1
        np.testing.assert_allclose(train.amplitude[1:], sign * np.arange(0.5, 1.51, 0.25))
        assert train.pulses.tolist() == [0, 1, 1, 1, 1, 1]
        assert sign * (train.conductance[-1] - train.conductance[0]) > 0


def test_trains_that_are_stored_are_left_out(die_of):
    """A resumed run makes the others."""
    with die_of(technology="hfox", defect_scale=0) as (die, simulated):
        simulated.form_all()
        records = list(iv_sweep(die, SWITCHING, frozenset({("train", 0, 0)})))
        done = frozenset(record.key for record in records[:-1])
        rest = list(iv_sweep(die, SWITCHING, done))

    assert [record.key for record in rest] == [records[-1].key]


def test_rising_pulses_above_the_limit_are_refused_before_anything(die_of):
    """And so is a die that was not formed."""
    with die_of(technology="hfox") as (die, simulated):
        with pytest.raises(LimitError, match="max_amplitude"):
            next(iv_sweep(die, replace(SWITCHING, switching_stop=5.0)))
        with pytest.raises(ConfigurationError, match="not formed"):
            next(iv_sweep(die, replace(SWITCHING, formed_above=2e-7)))
        assert not simulated.pulses_given.any()
