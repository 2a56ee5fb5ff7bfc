from dataclasses import replace

import numpy as np
import pytest

from crossbar.errors import ConfigurationError
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.pulses import Pulse, State
from physics.mtj import MtjPopulation
from physics.mtj_anomalies import MtjAnomalies
from physics.pulse_choice import cheapest_pulse, with_amplitude_for, with_width_for
from physics.wafer import SimulatedWafer
from physics.write_pulses import (
    WritePulse,
    bit_error_rate,
    error_rate_of,
    flip_energy,
    write_energy,
    write_error_rates,
)

POPULATION = MtjPopulation()


@pytest.mark.parametrize("target", list(State))
def test_a_die_fails_as_often_as_its_cells_should(target: State):
    """The simulated die, which has its own way to the same physics, is written 40 times."""
    wafer = SimulatedWafer(geometry=DieGeometry(subarrays=1, rows=100, columns=50), seed=3)
    die = wafer.die(DieAddress(0, 0))
    cells = np.arange(5000)
    failed = np.zeros(len(cells))
    pulse = WritePulse(low=0.5, high=0.57, width=12e-9)
    for _ in range(40):
        die.pulse(cells, Pulse.writing(target.other, 1.0, 200e-9))
        die.pulse(cells, Pulse.writing(target, pulse.magnitude(target), pulse.width))
        failed += die.low != (target is State.LOW)
    healthy = die.truth.switches
    expected = write_error_rates(die.truth.cells, pulse, target)[healthy]

    sd = np.sqrt((expected * (1 - expected)).sum() / 40)
    assert abs(failed[healthy].sum() / 40 - expected.sum()) < 4 * sd
    assert np.corrcoef(failed[healthy], expected)[0, 1] > 0.5


@pytest.mark.parametrize("target", list(State))
def test_the_quadrature_is_the_mean_of_many_cells(target: State):
    pulse = WritePulse(low=0.55, high=0.62, width=12e-9)
    cells = POPULATION.sample(400_000, np.random.default_rng(1))
    rates = write_error_rates(cells, pulse, target)

    sd = rates.std() / len(rates) ** 0.5
    assert error_rate_of(POPULATION, pulse, target) == pytest.approx(rates.mean(), abs=5 * sd)


def test_without_spread_every_cell_is_the_median_one():
    alike = replace(POPULATION, delta_spread=0, vc0_spread=0, tau_d_spread=0)
    pulse = WritePulse.of_one_amplitude(0.8, 10e-9)
    cells = alike.sample(2, np.random.default_rng(1))
    mean = np.mean([write_error_rates(cells, pulse, target) for target in State])

    assert bit_error_rate(alike, pulse) == pytest.approx(mean, rel=1e-12)


def test_energy_is_power_times_width():
    """By hand: 0.5 V across 5 kOhm, and across 5 kOhm (1 + 1 / 2) at v_half, for 10 ns."""
    cells = MtjPopulation(r_p_spread=0, r_p_die_to_die=0, tmr_spread=0).sample(
        3, np.random.default_rng(1)
    )
    pulse = WritePulse.of_one_amplitude(0.5, 10e-9)

    assert write_energy(cells, pulse, State.HIGH, State.LOW) == pytest.approx(0.5e-12)
    assert write_energy(cells, pulse, State.LOW, State.HIGH) == pytest.approx(0.5e-12 / 1.5)
    assert flip_energy(POPULATION, pulse) == pytest.approx((0.5e-12 + 0.5e-12 / 1.5) / 2)


def test_anomalies_spoil_writes():
    """Ballooning adds its height where it is highest."""
    balloons = MtjAnomalies(ballooning=1.0, ballooning_height=0.1)
    cells = replace(POPULATION, anomalies=balloons).sample(100, np.random.default_rng(1))
    pulse = WritePulse.of_one_amplitude(balloons.ballooning_voltage, balloons.ballooning_width)
    plain = write_error_rates(replace(cells, ballooning_height=np.zeros(100)), pulse, State.LOW)
    spoilt = write_error_rates(cells, pulse, State.LOW, anomalies=balloons)

    assert spoilt == pytest.approx(plain + 0.1 * (1 - plain))


@pytest.mark.parametrize("rate", [1e-8, 1e-3, 0.1])
def test_both_knobs_reach_the_rate(rate: float):
    pulse = WritePulse(low=0.7, high=0.8, width=20e-9)
    louder, longer = (
        find(POPULATION, pulse, rate) for find in (with_amplitude_for, with_width_for)
    )

    assert bit_error_rate(POPULATION, louder) == pytest.approx(rate, rel=1e-3)
    assert bit_error_rate(POPULATION, longer) == pytest.approx(rate, rel=1e-3)
    assert (louder.width, longer.low, longer.high) == (20e-9, 0.7, 0.8)


def test_no_neighbour_of_the_cheapest_pulse_is_cheaper():
    """Other widths, and other ratios of the amplitudes, at the same rate."""
    best = cheapest_pulse(POPULATION, 1e-2, max_amplitude=1.2)
    neighbours = [
        WritePulse(low=best.low * ratio, high=best.high, width=best.width * width)
        for ratio, width in ((1, 1.3), (1, 1 / 1.3), (1.1, 1), (1 / 1.1, 1))
    ]
    costs = [
        flip_energy(POPULATION, with_amplitude_for(POPULATION, each, 1e-2)) for each in neighbours
    ]

    assert bit_error_rate(POPULATION, best) == pytest.approx(1e-2, rel=1e-3)
    assert flip_energy(POPULATION, best) < min(costs)


def test_what_no_pulse_does_is_refused():
    with pytest.raises(ConfigurationError, match="No pulse of at most"):
        cheapest_pulse(POPULATION, 1e-9, max_amplitude=0.3, widths=(1e-9, 20e-9))
    with pytest.raises(ConfigurationError, match="out of reach"):
        with_width_for(POPULATION, WritePulse.of_one_amplitude(0.1, 1e-8), 1e-8)
    with pytest.raises(ConfigurationError, match="positive and finite"):
        WritePulse(low=0.5, high=-0.5, width=1e-8)
