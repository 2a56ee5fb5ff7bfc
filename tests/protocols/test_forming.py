import numpy as np
import pytest

from crossbar.defect_map import CellClass
from crossbar.errors import ConfigurationError, LimitError
from protocols.array_map import ArrayMapParameters, array_map
from protocols.forming import FormingParameters, forming
from protocols.program_levels import ProgramLevelsParameters, program_levels
from protocols.read_disturb import ReadDisturbParameters, read_disturb
from protocols.read_noise import ReadNoiseParameters, read_noise
from protocols.retention import RetentionParameters, retention
from protocols.set_reset_cycling import SetResetCyclingParameters, set_reset_cycling
from protocols.switching_phase_diagram import (
    SwitchingPhaseDiagramParameters,
    switching_phase_diagram,
)
from protocols.write_error_rate import WriteErrorRateParameters, write_error_rate


def test_a_whole_die_is_formed_cell_by_cell_and_no_pulse_too_many(die_of):
    """Each healthy cell forms at the first pulse that reaches its voltage; 30 to 120 uS remain."""
    parameters = FormingParameters()
    with die_of(technology="hfox") as (die, simulated):
        (block,) = forming(die, parameters)
    truth = simulated.truth
    healthy = truth.classes == CellClass.HEALTHY
    amplitudes = np.array([pulse.amplitude for pulse in parameters.ramp.pulses])
    expected = 1 + np.searchsorted(amplitudes, truth.cells.forming_voltage)
    able = healthy & (expected <= len(amplitudes))

    assert (block.pulses[able] == expected[able]).all()
    assert (block.verified == simulated.formed)[healthy].all()
    assert block.verified[healthy].mean() > 0.99
    low, high = np.percentile(block.conductance[able], [1, 99])
    assert 25e-6 < low < 35e-6
    assert 105e-6 < high < 140e-6
    shorts = truth.classes == CellClass.SHORT
    assert block.verified[shorts].all()
    assert (block.pulses[shorts] == 0).all()


def test_formed_cells_get_no_further_pulse(die_of):
    """Forming again, as after a broken-off run, leaves what is formed alone."""
    with die_of(technology="hfox", defect_scale=0.0) as (die, simulated):
        (first,) = forming(die, FormingParameters())
        given = simulated.pulses_given.copy()
        (again,) = forming(die, FormingParameters())
        (*none,) = forming(die, FormingParameters(), frozenset([first.key]))

    assert (again.pulses[first.verified] == 0).all()
    assert (simulated.pulses_given[first.verified] == given[first.verified]).all()
    assert none == []


@pytest.mark.parametrize("execution", ["board", "software"])
def test_named_cells_only(die_of, execution):
    """Others stay fresh; one by one through the instruments the outcome is the same."""
    parameters = FormingParameters(cells=("0:0:0", "0:1:3", "2:0:7"))
    with die_of(technology="hfox", defect_scale=0.0, execution=execution) as (die, simulated):
        records = list(forming(die, parameters))

    assert sorted(np.concatenate([block.cells for block in records])) == [0, 53, 10_007]
    assert np.flatnonzero(simulated.formed).tolist() == [0, 53, 10_007]


def test_a_ramp_beyond_the_limit_sends_nothing(die_of):
    """The last pulse is checked before the first is sent."""
    with die_of(technology="hfox") as (die, simulated):
        with pytest.raises(LimitError, match=r"3\.35 V refused.*3\.3 V"):
            next(forming(die, FormingParameters(stop=3.4)))
        assert not simulated.touched


@pytest.mark.parametrize("wrong", [{"step": 0.0}, {"formed_above": 0.0}])
def test_a_ramp_must_rise_and_a_threshold_decide(wrong):
    """One message says which parameter."""
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        FormingParameters(**wrong)


@pytest.mark.parametrize(
    ("protocol", "parameters"),
    [
        (array_map, ArrayMapParameters(write_amplitude=2.0, write_width=1e-6, formed_above=2e-7)),
        (set_reset_cycling, SetResetCyclingParameters(
            low_amplitude=2.0, high_amplitude=2.0, width=1e-6, formed_above=2e-7)),
        *((run, of(restore_amplitude=2.0, restore_width=1e-6, formed_above=2e-7, **more))
          for run, of, more in (
              (write_error_rate, WriteErrorRateParameters, {
                  "amplitudes": (2.0,), "widths": (1e-6,), "sample": 2,
                  "first_chunk": 50, "max_attempts": 50}),
              (switching_phase_diagram, SwitchingPhaseDiagramParameters, {
                  "stop": 2.0, "widths": (1e-6,), "attempts": 20}),
              (read_disturb, ReadDisturbParameters, {"attempts": 20}),
          )),
        *((run, of(low_amplitude=2.0, high_amplitude=2.0, width=1e-6, formed_above=2e-7, **more))
          for run, of, more in (
              (read_noise, ReadNoiseParameters, {"readings": 2}),
              (retention, RetentionParameters, {}),
          )),
        (program_levels, ProgramLevelsParameters(
            low_start=2.0, low_stop=2.0, high_start=2.0, high_stop=2.0, low_width=1e-6,
            high_width=1e-6, formed_above=2e-7)),
    ],
)  # fmt: skip
def test_what_writes_states_refuses_a_fresh_die(die_of, protocol, parameters):
    """The message says what to do; no cell gets a pulse. After FORMING it runs."""
    with die_of(technology="hfox") as (die, simulated):
        with pytest.raises(ConfigurationError, match=r"not formed.*lab run forming"):
            next(protocol(die, parameters))
        assert simulated.pulses_given.sum() == 0
        list(forming(die, FormingParameters()))
        assert next(protocol(die, parameters)) is not None
