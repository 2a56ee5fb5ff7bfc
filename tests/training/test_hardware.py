from dataclasses import dataclass, replace

import numpy as np
import pytest

from crossbar.errors import ConfigurationError, LimitError
from crossbar.geometry import DieAddress
from crossbar.limits import Limits
from crossbar.memory_die import MemoryDie
from crossbar.ports import CellAccess
from training.column_sums import currents_of_cells
from training.hardware import conductances_of, grade, grade_in_software, scores

LIMITS = Limits(
    max_amplitude=1.2,
    min_width=1e-9,
    max_width=1e-3,
    max_read_amplitude=0.3,
    max_current=1e-3,
    source="this test",
)


class NoAccess(CellAccess):
    """Grading reads and writes no single cell."""


@dataclass
class ExactMultiplier:
    """Ohm's and Kirchhoff's laws, without noise."""

    conductances: np.ndarray
    vectors: int = 0

    def dot_product(self, subarray, row_voltages):
        self.vectors += len(row_voltages)
        return row_voltages @ self.conductances[subarray]


@pytest.fixture
def conductances(ideal, defect_map):
    return conductances_of(ideal, defect_map.low, defect_map.high)


@pytest.fixture
def die(placement, conductances):
    return MemoryDie(
        address=DieAddress(0, 0),
        geometry=placement.geometry,
        limits=LIMITS,
        access=NoAccess(),
        multiplier=ExactMultiplier(conductances),
    )


def test_a_die_is_graded_as_its_emulation(die, conductances, ideal, digits, calibration):
    """Through the die's dot product and in software the predictions are the same."""
    images, labels = digits.test_images[:300], digits.test_labels[:300]
    measured = grade(die, ideal, images, labels, calibration)
    emulated = grade_in_software(conductances, ideal, images, labels, calibration)

    assert np.array_equal(measured.predictions, emulated.predictions)
    assert measured.total == 300
    assert measured.correct == np.sum(measured.predictions == labels)
    assert measured.accuracy == measured.correct / 300


def test_each_image_takes_a_vector_a_part_and_wiring(die, ideal, digits, calibration):
    """Five parts of 20 rows, through one sub-array of hidden columns and one wiring of outputs."""
    grade(die, ideal, digits.test_images[:10], digits.test_labels[:10], calibration)

    assert die.multiplier.vectors == 10 * 5 * 2


def test_the_read_voltage_drops_out(conductances, ideal, digits, calibration):
    """A lower read amplitude scales currents, not predictions."""
    images, labels = digits.test_images[:100], digits.test_labels[:100]
    gentle = replace(calibration, read_amplitude=0.02)

    assert np.array_equal(
        grade_in_software(conductances, ideal, images, labels, gentle).predictions,
        grade_in_software(conductances, ideal, images, labels, calibration).predictions,
    )


def test_a_read_amplitude_above_the_limit_sends_nothing(die, ideal, digits, calibration):
    """The die's limits hold for grading too."""
    loud = replace(calibration, read_amplitude=0.5)
    images = np.ones_like(digits.test_images[:2])

    with pytest.raises(LimitError, match=r"0\.5 V"):
        grade(die, ideal, images, digits.test_labels[:2], loud)
    assert die.multiplier.vectors == 0


def test_hardware_without_a_dot_product_is_refused(die, ideal, digits, calibration):
    """The message names what to do instead."""
    bare = replace(die, multiplier=None)

    with pytest.raises(ConfigurationError, match="in software"):
        grade(bare, ideal, digits.test_images[:2], digits.test_labels[:2], calibration)


def test_another_kind_of_die_is_refused(ideal, digits, calibration):
    """A solution fits one geometry."""
    with pytest.raises(ConfigurationError, match="geometry"):
        grade_in_software(
            np.ones((4, 100, 50)), ideal, digits.test_images, digits.test_labels, calibration
        )


def test_grading_nothing_is_refused(conductances, ideal, digits, calibration):
    """No images have no accuracy."""
    with pytest.raises(ConfigurationError, match="0 images"):
        grade_in_software(
            conductances, ideal, digits.test_images[:0], digits.test_labels[:0], calibration
        )


@pytest.mark.parametrize(
    "change", [{"median_high": 3e-4}, {"median_high": 0.0}, {"read_amplitude": 0.0}]
)
def test_a_calibration_without_meaning_is_refused(calibration, change):
    """LOW must be above HIGH, and the read amplitude positive."""
    with pytest.raises(ConfigurationError):
        replace(calibration, **change)


def test_a_batch_is_graded_as_a_loop_over_its_images(conductances, ideal, digits, calibration):
    """The fast path beside one that anybody can check: image by image, part by part."""
    images = digits.test_images[:4]
    currents = currents_of_cells(conductances, ideal)
    found = scores(currents, ideal, images, calibration)

    expected = [slow_scores(conductances, ideal, image, calibration) for image in images]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def slow_scores(conductances, solution, image, known):
    place = solution.placement
    hidden = np.empty(place.hidden)
    for unit, column in enumerate(place.column_of_hidden):
        subarray, own = divmod(int(column), place.signed_columns)
        cells = conductances[subarray, :, own]
        total = slow_sum(cells, image.astype(float), solution, known)
        hidden[unit] = np.tanh(solution.hidden_gain[unit] * total + solution.hidden_offset[unit])
    outputs = np.array(solution.output_offset, dtype=float)
    for copy in range(place.copies):
        driven = [hidden[unit] * solution.drive[unit] for unit in place.hidden_of_row[copy]]
        for output in range(place.outputs):
            own = place.column_of_output[copy * place.outputs + output]
            total = slow_sum(conductances[-1, :, own], driven, solution, known)
            outputs[output] += solution.output_gain[copy, output] * total
    return outputs


def slow_sum(cells, drive, solution, known):
    """Over the parts of a column; one beyond its bound is left out."""
    middle, half = (1 + known.window) / 2, (1 - known.window) / 2
    total, together = 0.0, solution.placement.rows_at_once
    for start in range(0, len(cells), together):
        part = range(start, start + together)
        summed = sum(drive[row] * (cells[row] / known.median_low - middle) / half for row in part)
        if abs(summed) <= solution.bound * sum(abs(drive[row]) for row in part):
            total += summed
    return total
