import numpy as np
import pytest

from analysis.saving_at_loss import saving_at_loss
from crossbar.errors import DataError

SAVINGS = np.array([[0.5], [0.6], [0.7], [0.8]])
LOSSES = np.array([[0.0], [0.002], [0.008], [0.02]])


def over_seeds(values: np.ndarray, shifts: list[float]) -> np.ndarray:
    return values + np.array([shifts])


def test_a_curve_is_read_between_its_points():
    """A loss of 0.5 % lies halfway from 0.2 % to 0.8 %."""
    found = saving_at_loss(LOSSES, SAVINGS, 0.005)

    assert found.value == pytest.approx(0.65)
    assert (found.low, found.high, found.is_last) == (-np.inf, np.inf, False)


def test_losses_are_made_to_rise():
    """A harsher setting that loses less, by chance, shares its neighbour's loss."""
    losses = np.array([[0.0], [0.004], [0.002], [0.02]])
    found = saving_at_loss(losses, SAVINGS, 0.003 + 0.017 / 2)

    assert found.value == pytest.approx(0.75)


def test_a_setting_that_saves_less_than_a_gentler_one_is_left_out():
    losses = np.array([[0.0], [0.002], [0.5], [0.02]])
    savings = np.array([[0.5], [0.6], [0.55], [0.8]])

    assert saving_at_loss(losses, savings, 0.011).value == pytest.approx(0.7)


def test_what_was_not_reached_is_said():
    found = saving_at_loss(LOSSES, SAVINGS, 0.1)
    assert (found.value, found.is_last, found.is_below) == (0.8, True, False)


def test_what_lies_before_the_gentlest_setting_is_said():
    """Half of its loss: somewhere between nothing and what it saves."""
    found = saving_at_loss(LOSSES[1:], SAVINGS[1:], 0.001)
    assert (found.first, found.is_last, found.is_below) == (0.6, False, True)
    assert not saving_at_loss(LOSSES, SAVINGS, 0.001).is_below


def test_the_interval_is_student_s_where_the_curve_is_straight():
    """Savings that differ from seed to seed by a shift: the mean's own interval, by hand."""
    shifts = [-0.01, 0.0, 0.01]
    losses, savings = over_seeds(LOSSES, [0, 0, 0]), over_seeds(SAVINGS, shifts)
    found = saving_at_loss(losses, savings, 0.005)

    assert found.value == pytest.approx(0.65)
    assert found.high - found.value == pytest.approx(4.3027 * 0.01 / 3**0.5, rel=1e-4)


def test_the_interval_covers_the_truth():
    """400 sets of five noisy seeds around a straight curve: about 95 % cover 0.6."""
    generator = np.random.default_rng(1)
    savings = np.linspace(0.2, 1, 5)[:, None].repeat(5, 1)
    covered = 0
    for _ in range(400):
        losses = 0.05 * savings + generator.normal(0, 0.004, savings.shape)
        found = saving_at_loss(losses, savings, 0.03)
        covered += found.low <= 0.6 <= found.high
    assert 0.9 < covered / 400 <= 0.99


def test_other_shapes_are_refused():
    with pytest.raises(DataError, match="make no curve"):
        saving_at_loss(LOSSES, SAVINGS[:2], 0.01)
