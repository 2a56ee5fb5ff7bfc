import numpy as np
import pytest
from scipy.special import log_softmax

from training.column_sums import currents_of_cells
from training.hardware import conductances_of, scores
from training.loss_landscape import loss_along


def test_the_line_begins_on_perfect_cells_and_passes_the_die(
    ideal, defect_map, digits, calibration
):
    """At 0 the loss without defects, at 1 that of the die, and more beyond."""
    images, labels = digits.test_images[:100], digits.test_labels[:100]
    die = conductances_of(ideal, defect_map.low, defect_map.high)
    perfect = np.where(ideal.target_low, calibration.median_low, calibration.median_high)

    losses = loss_along(ideal, die, [0.0, 1.0, 2.0], images, labels, calibration)

    for loss, cells in zip(losses[:2], (perfect, die), strict=True):
        found = scores(currents_of_cells(cells, ideal), ideal, images, calibration)
        wanted = -log_softmax(found, axis=1)[np.arange(100), labels].mean()
        assert loss == pytest.approx(wanted)
    assert losses[0] < losses[1]
    assert np.isfinite(losses).all()
