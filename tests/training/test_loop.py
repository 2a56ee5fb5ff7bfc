from dataclasses import replace

import pytest
import torch

from crossbar.errors import ConfigurationError
from crossbar.geometry import DieGeometry
from physics.defects import SISTER_CHIP
from training.defect_aware_store import DefectAwareStore
from training.hardware import conductances_of, grade_in_software
from training.ideal_store import IdealStore
from training.loop import train
from training.placement import Placement
from training.recipe import RECIPES, Schedule
from training.statistics_aware_store import StatisticsAwareStore

SHORT = Schedule(epochs=2, batch=64, latent_rate=0.02, digital_rate=0.01)


def accuracy(solution, defect_map, digits, calibration):
    cells = conductances_of(solution, defect_map.low, defect_map.high)
    return grade_in_software(
        cells, solution, digits.test_images, digits.test_labels, calibration
    ).accuracy


def test_the_same_seed_gives_the_same_bits(digits, placement):
    """Training twice ends in the same checksum, another seed in another."""

    def checksum(seed):
        store = IdealStore(window=0.5)
        return train(
            digits, store, placement, SHORT, bound=1.3, trained="ideal", seed=seed
        ).checksum

    assert checksum(4) == checksum(4) != checksum(5)


def test_the_loss_falls_and_every_epoch_is_reported(digits, placement):
    """One report an epoch, the last loss well below the first."""
    reports = []
    store = IdealStore(window=0.5)
    train(
        digits, store, placement, SHORT, bound=1.3, trained="ideal", seed=1, report=reports.append
    )

    assert [report.epoch for report in reports] == [1, 2]
    assert reports[-1].loss < 0.7 * reports[0].loss


def test_defect_aware_beats_ideal_weights_on_its_own_die(
    digits, placement, schedule, defect_map, calibration, ideal
):
    """Training around the measured defects wins back most of what they cost."""
    perfect = replace(
        defect_map,
        low=0 * defect_map.low + calibration.median_low,
        high=0 * defect_map.high + calibration.median_high,
    )
    aware = train(
        digits,
        DefectAwareStore.of(defect_map),
        placement,
        schedule,
        bound=ideal.bound,
        trained="defect-aware",
        seed=1,
        start=ideal,
    )
    without_defects = accuracy(ideal, perfect, digits, calibration)
    before = accuracy(ideal, defect_map, digits, calibration)
    after = accuracy(aware, defect_map, digits, calibration)

    assert without_defects > 0.9
    assert before < without_defects - 0.05
    assert after > (before + without_defects) / 2


def test_images_that_do_not_fit_the_die_are_refused(digits):
    """A die of 50 rows takes no image of 100 pixels."""
    place = Placement(geometry=DieGeometry(rows=50), hidden=10, rows_at_once=10)

    with pytest.raises(ConfigurationError, match="50 pixels"):
        train(digits, IdealStore(window=0.5), place, SHORT, bound=1.3, trained="ideal", seed=1)


def test_a_start_of_another_shape_is_refused(digits, ideal):
    """Weights of 50 hidden units are no start for 40."""
    place = replace(ideal.placement, hidden=40)

    with pytest.raises(ConfigurationError, match="same recipe"):
        train(
            digits,
            IdealStore(window=0.5),
            place,
            SHORT,
            bound=1.3,
            trained="ideal",
            seed=1,
            start=ideal,
        )


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_fits_the_die(name):
    """The default die takes the network of each data set."""
    place = RECIPES[name].placement(DieGeometry())

    assert place.groups * place.rows_at_once == DieGeometry().rows


def test_dies_must_share_a_batch_evenly():
    """Three dies cannot share 64 images."""
    with pytest.raises(ConfigurationError, match="divide"):
        Schedule(epochs=1, batch=64, latent_rate=0.01, digital_rate=0.01, dies=3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("aware", [False, True])
def test_an_accelerator_trains_as_well(digits, placement, schedule, defect_map, calibration, aware):
    """The same training on CUDA ends within two points of that on the CPU."""
    found = []
    for name in ("cpu", "cuda"):
        population = StatisticsAwareStore(
            population=SISTER_CHIP,
            geometry=placement.geometry,
            generator=torch.Generator().manual_seed(2),
            dies=4,
        )
        store = population if aware else DefectAwareStore.of(defect_map)
        solution = train(
            digits, store, placement, schedule, bound=1.3, trained="any", seed=1,
            torch_device=torch.device(name),
        )  # fmt: skip
        found.append(accuracy(solution, defect_map, digits, calibration))

    assert found[0] == pytest.approx(found[1], abs=0.02)
