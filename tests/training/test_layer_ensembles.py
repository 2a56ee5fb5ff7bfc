from dataclasses import replace

import numpy as np
import pytest

from crossbar.errors import ConfigurationError
from training.column_sums import currents_of_cells
from training.hardware import conductances_of, scores
from training.layer_ensembles import ensemble_scores, layer_ensemble
from training.solution import Solution


@pytest.fixture
def small(ideal) -> Solution:
    """The first 20 of the 50 hidden units: two copies fit."""
    return replace(
        ideal,
        placement=replace(ideal.placement, hidden=20),
        hidden_gain=ideal.hidden_gain[:20],
        hidden_offset=ideal.hidden_offset[:20],
        drive=ideal.drive[:20],
    )


def test_copies_of_a_perfect_die_average_to_the_network(small, defect_map, digits, calibration):
    """Nothing is lost by averaging what is all the same."""
    images = digits.test_images[:50]
    ensemble = layer_ensemble(small, defect_map, 2)
    cells = np.where(ensemble.target_low, calibration.median_low, calibration.median_high)
    alone = np.where(small.target_low, calibration.median_low, calibration.median_high)

    found = ensemble_scores(currents_of_cells(cells, small), ensemble, images, calibration)

    assert found == pytest.approx(
        scores(currents_of_cells(alone, small), small, images, calibration)
    )


def test_the_better_copy_of_a_unit_is_chosen(small, defect_map, digits, calibration):
    """Where the first copy of unit 4 is dead, one of one means the second."""
    low, high = (np.full_like(defect_map.low, value) for value in
                 (calibration.median_low, calibration.median_high))  # fmt: skip
    low[0, :, 4] = high[0, :, 4] = 0.0
    die = replace(defect_map, low=low, high=high)

    ensemble = layer_ensemble(small, die, 1)
    images = digits.test_images[:50]
    cells = conductances_of(ensemble.members[0], low, high)
    perfect = np.where(ensemble.target_low, calibration.median_low, calibration.median_high)

    assert ensemble.chosen[:, 4].tolist() == [False, True]
    assert ensemble_scores(
        currents_of_cells(cells, small), ensemble, images, calibration
    ) == pytest.approx(
        ensemble_scores(currents_of_cells(perfect, small), ensemble, images, calibration)
    )


def test_more_copies_than_fit_are_refused(small, defect_map):
    """The message says how many there are."""
    with pytest.raises(ConfigurationError, match="Choose 1 to 2"):
        layer_ensemble(small, defect_map, 3)
