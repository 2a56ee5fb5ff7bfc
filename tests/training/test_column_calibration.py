from dataclasses import replace

import numpy as np
import pytest

from crossbar.errors import ConfigurationError
from training.column_calibration import PERFECT, calibrated, straight_line
from training.column_sums import currents_of_cells
from training.hardware import conductances_of, grade_in_software


@pytest.fixture
def shown(digits):
    return digits.train_images[:200]


def test_a_perfect_die_needs_no_calibration(ideal, digits, shown):
    """Gains and offsets stay what training made them."""
    cells = np.where(ideal.target_low, PERFECT.median_low, PERFECT.median_high)
    found = calibrated(currents_of_cells(cells, ideal), ideal, shown, PERFECT)

    for name in ("hidden_gain", "hidden_offset", "output_gain", "output_offset"):
        assert getattr(found, name) == pytest.approx(getattr(ideal, name), rel=1e-4, abs=1e-5)


def test_gains_and_offsets_of_columns_are_taken_out(ideal, digits, shown):
    """A column read 30 % too high, another with a constant current on top: as if they were not."""
    cells = np.where(ideal.target_low, PERFECT.median_low, PERFECT.median_high)
    clean = currents_of_cells(cells, ideal)
    tolerant = replace(ideal, bound=100.0)

    def skewed(subarray, volts):
        amperes = clean(subarray, volts).copy()
        amperes[..., 3] += 0.4
        # Signed sums are offset by their midpoint, so a gain on the current is both.
        amperes[..., 5] *= 1.3
        return amperes

    found = calibrated(skewed, tolerant, shown, PERFECT)

    assert found.hidden_gain[3] == pytest.approx(ideal.hidden_gain[3], rel=1e-3)
    assert found.hidden_offset[3] != pytest.approx(ideal.hidden_offset[3], abs=0.1)
    assert found.hidden_gain[5] != pytest.approx(ideal.hidden_gain[5], rel=0.05)


def test_a_dead_column_answers_with_the_mean_of_its_unit(ideal, digits, shown):
    """Its gain vanishes, and the offset is what the unit's sum is on average."""
    cells = np.where(ideal.target_low, PERFECT.median_low, PERFECT.median_high)
    sums = shown @ np.where(ideal.target_low[0, :, 8], 1.0, -1.0)
    cells[0, :, 8] = 0.0

    found = calibrated(currents_of_cells(cells, ideal), ideal, shown, PERFECT)

    mean = ideal.hidden_gain[8] * sums.mean() + ideal.hidden_offset[8]
    assert abs(found.hidden_gain[8]) < 1e-6 * abs(ideal.hidden_gain[8])
    assert found.hidden_offset[8] == pytest.approx(mean, rel=1e-3)


def test_a_defective_die_gains_accuracy_without_a_label(
    ideal, defect_map, digits, shown, calibration
):
    """Of what the defects cost, at least a third comes back."""
    cells = conductances_of(ideal, defect_map.low, defect_map.high)

    def accuracy(solution):
        return grade_in_software(
            cells, solution, digits.test_images, digits.test_labels, calibration
        ).accuracy

    found = calibrated(currents_of_cells(cells, ideal), ideal, shown, calibration)

    assert np.array_equal(found.target_low, ideal.target_low)
    assert accuracy(found) > accuracy(ideal) + (0.9 - accuracy(ideal)) / 3


def test_the_gain_shrinks_with_noise():
    """Half of the variance noise: half the gain."""
    generator = np.random.default_rng(0)
    wanted = generator.standard_normal(100_000)

    gain, offset = straight_line(wanted + generator.standard_normal(100_000) + 3, wanted)

    assert gain == pytest.approx(0.5, abs=0.01)
    assert offset == pytest.approx(-1.5, abs=0.05)


def test_too_few_images_are_refused(ideal, digits, defect_map, calibration):
    """Nineteen images determine no gains."""
    cells = conductances_of(ideal, defect_map.low, defect_map.high)

    with pytest.raises(ConfigurationError, match="19 images"):
        calibrated(currents_of_cells(cells, ideal), ideal, digits.train_images[:19], calibration)
