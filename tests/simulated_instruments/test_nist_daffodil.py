import numpy as np
import pytest

from crossbar.geometry import DieAddress, DieGeometry
from physics.wafer import SimulatedWafer
from simulated_instruments.nist_daffodil import EmulatedNistDaffodil
from simulated_instruments.probe_station import ProbeStation


@pytest.fixture
def station():
    wafer = SimulatedWafer(addresses=[DieAddress(0, 0)], geometry=DieGeometry(), seed=1)
    return ProbeStation(wafer=wafer, die_under_needles=DieAddress(0, 0), in_contact=True)


@pytest.fixture
def board(station):
    """One cell of kernel 0 selected, everything at the die's ground."""
    board = EmulatedNistDaffodil(station)
    board.set_dpot_D(board.invert_dpot_rout(1500.0))
    ground = board.dac_invertvout(1.7)
    board.setrefopamp(ground)
    board.setrowdacs([ground] * 25)
    board.setcoldacs([ground] * 25)
    board.setgatedacs([board.dac_invertvout(4.8)] + [ground] * 24)
    for line in range(1, 25):
        board.ROW_EN_tobe[line] = board.COL_EN_tobe[line] = 0
    return board


def test_the_zero_of_a_cell_is_at_1_7_volts(board, station):
    """The current is what lies between the converter and the reference, not ground."""
    board.config_forward_pass()
    board.setcoldacs([board.dac_invertvout(2.0)])
    board.event()
    sensed = board.adc_predict_voltage(board.retrievecurrents()[0])
    current = (sensed - board.curr_vref) / board.pots[0]

    truth = float(station.die.conductance(np.array([0]), -0.3)[0])
    assert sensed < 1.7
    assert current == pytest.approx(0.3 * truth, rel=0.1)


def test_a_line_that_is_not_enabled_or_gated_carries_nothing(board):
    """The converter then shows the reference."""
    board.config_forward_pass()
    board.setcoldacs([board.dac_invertvout(2.0)])
    board.ROW_EN_tobe[0] = 0
    board.event()
    assert board.retrievecurrent_channel(0) == board.dac_invertvout(1.7)

    board.ROW_EN_tobe[0] = 1
    board.setgatedacs([board.dac_invertvout(1.7)])
    board.event()
    assert board.retrievecurrent_channel(0) == board.dac_invertvout(1.7)


def test_a_misspelt_attribute_switches_nothing(board):
    """The trap of this package."""
    board.config_outerproduct()
    board.write_mode_Row = 1

    assert board.write_mode_R == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda b: b.setrefopamp(b.dac_invertvout(1.0)), "vref is best"),
        (lambda b: b.setcoldacs([b.dac_invertvout(1.5)]), "Column Bias"),
        (lambda b: b.setcoldacs([4096]), "x1 can only"),
        (lambda b: b.setgatedacs([b.dac_invertvout(1.5)]), "Gate Bias"),
        (lambda b: b.set_compliance_control(2), "compliance"),
    ],
)
def test_what_the_package_refuses_is_refused(board, call, message):
    """With its own words."""
    board.config_forward_pass()
    with pytest.raises(ValueError, match=message):
        call(board)


def test_lines_before_the_reference_fail_as_in_the_package(station):
    """It computes with a reference of None."""
    with pytest.raises(TypeError, match="NoneType"):
        EmulatedNistDaffodil(station).setgatedacs([2000])


def test_an_event_lasts_its_clock_cycles(board, station):
    """At the clock that we assume."""
    board.config_outerproduct()
    board.event_timevariant(200, True)
    assert station.clock.now == pytest.approx(2e-6)
