"""What every instrument of a role must do, whatever its make: the ports, as contracts."""

import numpy as np
import pytest

from crossbar.errors import LimitError
from crossbar.geometry import CellAddress, DieAddress
from crossbar.pulses import Pulse, State

CELL = CellAddress(1, 20, 30)


@pytest.fixture
def touched(bench_of):
    """A bench whose needles touch die (0, 0), without defects: (instruments, simulated die)."""
    with bench_of(defect_scale=0) as bench, bench.contacted(DieAddress(0, 0)) as die:
        simulated = bench.simulation.station.wafer.die(DieAddress(0, 0))
        yield bench.instruments, simulated, die.geometry.index(CELL)


class CellSelectorContract:
    """Connects one cell and no other."""

    @pytest.fixture
    def selector(self, touched):
        pytest.fail("give the contract a selector")

    def test_a_selected_cell_conducts_and_a_released_one_does_not(self, selector, touched):
        """Through whatever meter the bench has."""
        meter = touched[0]["smu"]
        selector.select(CELL)
        assert abs(meter.measure(0.1)[0]) > 1e-6
        selector.release()
        assert abs(meter.measure(0.1)[0]) < 1e-9


class CurrentMeterContract:
    """Forces a voltage, measures the current."""

    @pytest.fixture
    def meter(self, touched):
        pytest.fail("give the contract a meter")

    def test_it_measures_the_cell_at_both_polarities(self, meter, touched):
        """Ohm's law, sign included."""
        instruments, simulated, index = touched
        instruments["die_board"].select(CELL)
        conductance = simulated.conductance(np.array([index]), 0.1)[0]
        for voltage in (0.1, -0.1):
            current, in_compliance = meter.measure(voltage)
            assert current == pytest.approx(voltage * conductance, rel=0.05)
            assert not in_compliance

    def test_it_is_off_after_off(self, meter, touched):
        """No voltage is left on the cell."""
        touched[0]["die_board"].select(CELL)
        meter.measure(0.1)
        meter.off()
        assert "0" in meter.ask("print(smua.source.output)").split(".")[0]


class PulseSourceContract:
    """One call, one pulse; off when it is off."""

    @pytest.fixture
    def source(self, touched):
        pytest.fail("give the contract a pulse source")

    def test_one_apply_is_one_pulse(self, source, touched):
        """Neither none nor two, and it writes."""
        instruments, simulated, index = touched
        instruments["die_board"].select(CELL)
        for count, state in enumerate((State.LOW, State.HIGH, State.LOW), 1):
            source.apply(Pulse.writing(state, 1.0, 100e-9))
            assert simulated.pulses_given[index] == count
            assert simulated.low[index] == (state is State.LOW)

    def test_no_other_cell_is_pulsed(self, source, touched):
        """Only the selected one."""
        instruments, simulated, index = touched
        instruments["die_board"].select(CELL)
        source.apply(Pulse(amplitude=1.0, width=100e-9))
        assert np.flatnonzero(simulated.pulses_given).tolist() == [index]

    def test_what_it_cannot_do_is_refused_and_not_sent(self, source, touched):
        """Strictly, not clipped."""
        instruments, simulated, _ = touched
        instruments["die_board"].select(CELL)
        for pulse in (
            Pulse(amplitude=1.0, width=1e-12),
            Pulse(amplitude=100.0, width=1e-7),
        ):
            with pytest.raises(LimitError):
                source.apply(pulse)
        assert not simulated.pulses_given.any()


class TestDieBoardAsSelector(CellSelectorContract):
    @pytest.fixture
    def selector(self, touched):
        return touched[0]["die_board"]


class TestKeithley2600BAsMeter(CurrentMeterContract):
    @pytest.fixture
    def meter(self, touched):
        return touched[0]["smu"]


class TestKeysight81160AAsPulseSource(PulseSourceContract):
    @pytest.fixture
    def source(self, touched):
        return touched[0]["pulse_generator"]
