from dataclasses import replace

import numpy as np
import pytest

from crossbar.attempts import AttemptPlan
from crossbar.errors import ConfigurationError
from crossbar.pulses import Pulse, State
from physics.mtj import MtjPopulation
from physics.mtj_anomalies import MtjAnomalies

BOTH = MtjAnomalies(back_hopping=0.25, ballooning=0.5)


def spoilt(volts, width, hopping=0.9, height=0.0):
    pulse = Pulse(amplitude=volts, width=width)
    return BOTH.spoils(pulse, np.array([hopping]), np.array([height]))[0]


def test_sound_populations_draw_nothing_for_anomalies():
    """A population without anomalies leaves the generator where it was: old seeds stay."""
    generator = np.random.default_rng(3)
    hopping, height = MtjAnomalies().sample(10, generator)
    assert np.isinf(hopping).all()
    assert not height.any()
    assert generator.random() == np.random.default_rng(3).random()


def test_as_many_cells_as_asked_are_anomalous():
    """A quarter hops back, half balloons, within chance."""
    cells = replace(MtjPopulation(), anomalies=BOTH).sample(4000, np.random.default_rng(4))
    assert np.isfinite(cells.back_hopping_voltage).mean() == pytest.approx(0.25, abs=0.03)
    assert (cells.ballooning_height > 0).mean() == pytest.approx(0.5, abs=0.03)


def test_back_hopping_grows_with_voltage_and_time_and_is_weaker_towards_high():
    """A sigmoid of the voltage that short pulses do not live to see."""
    assert spoilt(0.9, 1e-6) == pytest.approx(0.5)
    assert spoilt(0.8, 1e-6) < 0.01 < 0.99 < spoilt(1.0, 1e-6)
    assert spoilt(0.9, 1e-9) < 0.06
    assert spoilt(-0.9, 1e-6) < 0.01
    assert spoilt(1.2, 1e-6, hopping=np.inf) == 0


def test_ballooning_has_its_voltage_and_width():
    """Largest at one short width, gone at long ones and at other voltages."""
    at = spoilt(0.7, 10e-9, np.inf, 3e-3)
    assert at == pytest.approx(3e-3)
    assert spoilt(0.7, 100e-9, np.inf, 3e-3) < at / 100
    assert spoilt(1.0, 10e-9, np.inf, 3e-3) < at / 1000


def test_impossible_anomalies_are_refused():
    """The message names the field."""
    with pytest.raises(ConfigurationError, match=r"MtjAnomalies\.back_hopping is 1\.5"):
        MtjAnomalies(back_hopping=1.5)


def test_a_die_shows_its_anomalies(uniform_die):
    """Writes of a hopping cell fail as often as the sigmoid says, those of others never."""
    die = uniform_die(anomalies=BOTH)
    die.truth.cells.back_hopping_voltage[7] = 0.9
    plan = AttemptPlan(
        initial=State.HIGH,
        restore=Pulse(amplitude=-0.9, width=200e-9),
        write=Pulse(amplitude=0.9, width=1e-6),
        read_amplitude=0.1,
        threshold=np.full(2, 140e-6),
        attempts=10_000,
    )
    counts = die.attempt(np.array([7, 8]), plan)
    assert counts.errors[0] == pytest.approx(5000, abs=300)
    assert counts.errors[1] == 0
