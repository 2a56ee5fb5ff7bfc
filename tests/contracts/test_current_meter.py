"""What every instrument that measures must do; a new one in the catalog is covered by itself."""

import numpy as np
import pytest

from crossbar.errors import LimitError

MAX_CURRENT = 1e-3
ROLES = ("smu", "pulse_measure_unit")


def prepare(rig, max_current=MAX_CURRENT):
    """Ready to measure."""
    if rig.role == "pulse_measure_unit":
        rig.driver.prepare(1.5, max_current)
    else:
        rig.driver.prepare(max_current)


def test_it_measures_the_cell_at_both_polarities(rig):
    """Ohm's law, sign included."""
    prepare(rig)
    conductance = rig.die.conductance(np.array([rig.cell]), 0.1)[0]
    for voltage in (0.1, -0.1):
        current, in_compliance = rig.driver.measure(voltage)
        assert current == pytest.approx(voltage * conductance, rel=0.05)
        assert in_compliance is False


def test_an_open_circuit_carries_nothing(rig):
    prepare(rig)
    rig.bench.station.route(None)
    current, in_compliance = rig.driver.measure(0.1)
    assert abs(current) < 1e-9
    assert not in_compliance


def test_compliance_is_told(rig):
    """A reading at the limit is not a resistance, and says so."""
    prepare(rig, 2e-6)
    current, in_compliance = rig.driver.measure(0.3)
    assert in_compliance is True
    assert abs(current) <= 2.2e-6


def test_the_current_limit_is_read_back(rig):
    prepare(rig, 0.5e-3)
    limits = [p for p in rig.driver.protections() if p.unit == "A"]
    if not limits:
        pytest.skip(f"{rig.name} has no question for its current limit")
    assert all(p.in_force for p in limits)
    assert max(p.value for p in limits) == pytest.approx(0.5e-3, rel=0.01)


def test_more_volts_than_prepared_are_refused(rig):
    """Before anything is sent: the cell sees nothing, and the meter goes on working."""
    if rig.role == "pulse_measure_unit":
        rig.driver.prepare(0.5, MAX_CURRENT)
    else:
        rig.driver.prepare(MAX_CURRENT, max_voltage=0.5)
    before = rig.driver.adapter.messages
    for voltage in (0.51, -0.51, float("nan")):
        with pytest.raises(LimitError):
            rig.driver.measure(voltage)
    assert rig.driver.adapter.messages == before
    current, _ = rig.driver.measure(0.1)
    assert current > 0


def test_reading_does_not_write(rig):
    """Nor does switching on and off."""
    prepare(rig)
    before = rig.die.low.copy()
    for _ in range(5):
        rig.driver.measure(0.1)
    rig.driver.off()
    assert np.array_equal(rig.die.low, before)
    rig.driver.check_errors()
