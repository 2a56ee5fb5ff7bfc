import subprocess
import sys

import numpy as np
import pytest
import torch

from physics.switching import log_wer
from physics.switching_table import log_current_for, log_hazard

RNG = np.random.default_rng(3)
CURRENT, DURATION, DELTA = (
    RNG.uniform(0.02, 12, 2000), np.exp(RNG.uniform(-4, 12, 2000)), RNG.uniform(20, 120, 2000),
)  # fmt: skip


def test_numpy_and_torch_agree():
    """Inside the table and outside of it, to the rounding of the table."""
    expected = log_wer(*map(torch.from_numpy, (CURRENT, DURATION, DELTA))).numpy()

    found = -np.exp(log_hazard(CURRENT, DURATION, DELTA))

    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("exponent", [1.0, 1.5, 2.0])
def test_numpy_and_torch_agree_on_other_barriers(exponent):
    """And the inverse goes with them, below the critical current and above it."""
    expected = log_wer(*map(torch.from_numpy, (CURRENT, DURATION, DELTA)), exponent).numpy()

    np.testing.assert_allclose(
        -np.exp(log_hazard(CURRENT, DURATION, DELTA, exponent)), expected, rtol=1e-5
    )
    duration, delta = np.exp(RNG.uniform(0, 6, 300)), DELTA[:300]
    for wer in (0.5, 1e-6):
        wanted = float(np.log(-np.log(wer)))
        current = np.exp(log_current_for(wanted, duration, delta, exponent))
        found = log_hazard(current, duration, delta, exponent)
        # For exponents below 2 the rate is steep just below the critical current.
        near = np.abs(current - 1) < 0.05
        np.testing.assert_allclose(found[~near], wanted, atol=4e-2)


def test_the_inverse_gives_the_current_of_a_rate():
    """Pulses of that current fail as often as wanted, far below any rate that can be counted."""
    duration = np.exp(RNG.uniform(0, 6, 500))
    for wer in (0.5, 1e-3, 1e-6, 1e-12):
        wanted = float(np.log(-np.log(wer)))

        current = np.exp(log_current_for(wanted, duration, DELTA[:500]))

        np.testing.assert_allclose(log_hazard(current, duration, DELTA[:500]), wanted, atol=3e-2)


def test_very_short_pulses_need_currents_beyond_the_table():
    """There the inverse goes on as the hazard does."""
    wanted = float(np.log(-np.log(1e-9)))

    current = np.exp(log_current_for(wanted, np.array([1.0, 2.0]), np.array([60.0, 60.0])))

    assert np.all(current > 5)
    np.testing.assert_allclose(
        log_hazard(current, np.array([1.0, 2.0]), np.array([60.0, 60.0])), wanted, atol=5e-2
    )


def test_it_comes_without_torch():
    """A bench computer measures without waiting for torch."""
    code = "import sys, physics.switching_table; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
