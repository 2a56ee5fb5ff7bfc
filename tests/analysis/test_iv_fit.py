from dataclasses import replace

import numpy as np
import pytest

from analysis.iv_fit import fit_junction, step_of
from crossbar.errors import DataError
from crossbar.records import VoltageSweep

TRUTH = {"r_p": 5e3, "tmr": 1.1, "v_half": 0.5}
STEP = 1e-3 / 32767
"""Amperes, of a 16-bit converter in its 1 mA range."""


def sweeps(largest=0.3, seed=1, noise=0.005, tmr=1.1, step=0.0):
    """A cell's sweeps in LOW and HIGH, up and down again, with relative noise, in single precision
    and whole steps where there is one.
    """
    up = largest * np.arange(1, 11) / 10
    voltage = np.concatenate([up, up[-2::-1]])
    generator = np.random.default_rng(seed)
    r_p = 5e3 * np.exp(0.05 * generator.standard_normal()) if step else 5e3
    low = voltage / r_p
    high = voltage / (r_p * (1 + tmr / (1 + (voltage / 0.5) ** 2)))

    def read(current):
        noisy = current * (1 + noise * generator.standard_normal(len(voltage)))
        return (np.rint(noisy / step) * step).astype(np.float32).astype(float) if step else noisy

    return [
        VoltageSweep(
            cell=7,
            part=part,
            voltage=voltage,
            current=read(current),
            in_compliance=np.zeros(len(voltage), dtype=bool),
        )
        for part, current in enumerate((low, high))
    ]


@pytest.mark.parametrize("largest", [0.1, 0.3])
def test_intervals_hold_the_truth_as_often_as_stated(largest):
    """300 cells: each 95 % interval holds in 91 to 98 %, open ends included."""
    found = [fit_junction(*sweeps(largest, seed)) for seed in range(300)]

    for name, truth in TRUTH.items():
        ends = np.array([(getattr(fit, name).low, getattr(fit, name).high) for fit in found])
        assert 0.91 <= np.mean((ends[:, 0] <= truth) & (truth <= ends[:, 1])) <= 0.98, name
    assert np.median([fit.noise for fit in found]) == pytest.approx(0.005, rel=0.05)


def test_steps_of_the_converter_do_not_shorten_the_intervals():
    """At 10 mV a step is 3 % of the current of a HIGH cell, and readings of one voltage are rounded
    alike. 300 cells: the TMR's intervals hold in 92 to 98.5 %, the step is found in every one.
    """
    found = [fit_junction(*sweeps(0.1, seed, step=STEP)) for seed in range(300)]

    for name in ("tmr", "v_half"):
        ends = np.array([(getattr(fit, name).low, getattr(fit, name).high) for fit in found])
        held = (ends[:, 0] <= TRUTH[name]) & (TRUTH[name] <= ends[:, 1])
        assert 0.92 <= np.mean(held) <= 0.985, name
    assert [fit.step for fit in found] == pytest.approx([STEP] * 300, rel=1e-5)


def test_a_quiet_cell_has_no_noise_beside_the_steps():
    """All that its readings scatter by is rounding: told as such, with intervals from the step."""
    found = fit_junction(*sweeps(0.1, noise=0.0, step=STEP))

    assert found.noise < 1e-3
    assert found.tmr.low < 1.1 < found.tmr.high < 1.2


@pytest.mark.filterwarnings("error")
def test_a_cell_that_breaks_down_in_high_has_an_open_tmr():
    """It conducts next to nothing up to 70 mV and as LOW above: no law of a junction, whose TMR
    nothing bounds from above. R_P is bounded still.
    """
    low, high = sweeps(0.1)
    broken = np.where(high.voltage > 0.07, 0.98 * low.current, 1e-9)
    found = fit_junction(low, replace(high, current=broken))

    assert found.tmr.high == np.inf
    assert found.r_p.low < 5e3 < found.r_p.high < np.inf


def test_step_of_readings():
    """Their greatest common divisor, or none."""
    generator = np.random.default_rng(2)
    codes = np.append(generator.integers(1, 3_000, 20), -7)

    assert step_of((STEP * codes).astype(np.float32).astype(float)) == pytest.approx(STEP, rel=1e-6)
    assert step_of(1e-6 * generator.random(40)) == 0
    assert step_of(np.full(5, 1e-6)) == 0
    assert step_of(np.array([])) == 0


def test_a_short_sweep_leaves_v_half_open():
    """Up to 20 mV the TMR does not fall visibly: v_half may be anything above its low end."""
    found = fit_junction(*sweeps(0.02))

    assert found.v_half.high == np.inf
    assert 0 < found.v_half.low < 1


def test_readings_in_compliance_are_left_out():
    """A clamped reading changes nothing."""
    low, high = sweeps()
    high.current[9] *= 3
    high.in_compliance[9] = True

    assert fit_junction(low, high).tmr.estimate == pytest.approx(1.1, rel=0.02)


def test_a_cell_without_a_window_is_refused():
    """The message says what it conducts."""
    with pytest.raises(DataError, match="no window"):
        fit_junction(*sweeps(tmr=-0.2))
