from dataclasses import replace

import pytest
import torch

from crossbar.errors import ConfigurationError
from physics.mtj import MtjPopulation
from physics.write_pulses import WritePulse
from training.classifier import FitPlan
from training.fixed_point import FixedPoint
from training.image_sets import load_image_set
from training.written_training import WritePlan, WriteStage, WrittenTraining, train_written

SURE = WritePulse.of_one_amplitude(1.2, 100e-9)
ROUGH = WritePulse(low=0.5, high=0.55, width=10e-9)
"""Fails in every fifth write or so."""


def trained(
    *stages: tuple[float, WritePulse], bits: int = 8, code: str = "gray", seed: int = 1, **others
) -> WrittenTraining:
    format = FixedPoint(bits=bits, code=code)
    plan = WritePlan(
        format=format,
        stages=tuple(
            WriteStage(until=until, layers=((pulse,) * bits,) * 2) for until, pulse in stages
        ),
        **others,
    )
    fit_plan = FitPlan(epochs=4, batch=64, rate=1.0, optimizer="sgd")
    population = replace(MtjPopulation(), vc0_spread=0.05)
    return train_written(load_image_set("digits"), (32,), fit_plan, plan, population, seed)


def test_weights_that_are_only_in_cells_learn_the_digits():
    """Ten classes by chance are 10 %."""
    found = trained((1.0, SURE))

    assert found.accuracy > 0.9
    assert all(each.failed == 0 and each.writes == 4 * (1437 // 64) for each in found.ledgers)


def test_failed_writes_cost_more_in_binary_than_in_gray():
    """A half written step may be half of the whole range in binary, in Gray code it is no step."""
    gray, binary = (trained((1.0, ROUGH), code=code) for code in ("gray", "binary"))

    assert gray.accuracy > binary.accuracy + 0.03
    assert gray.ledgers[0].failed > 0


def test_the_same_seed_trains_the_same_bits():
    one, same, other = trained((1.0, ROUGH)), trained((1.0, ROUGH)), trained((1.0, ROUGH), seed=2)

    assert one == same
    assert one.ledgers != other.ledgers


def test_each_stage_writes_with_its_own_pulse():
    """Rough until the end fails more often than rough for half of the steps; sure never."""
    failed = [
        sum(each.failed for each in trained(*stages).ledgers)
        for stages in (((1.0, ROUGH),), ((0.5, ROUGH), (1.0, SURE)), ((1.0, SURE),))
    ]
    assert failed[0] > failed[1] > failed[2] == 0


def test_one_bit_needs_the_copy_of_the_latents():
    with pytest.raises(ConfigurationError, match="keep a copy"):
        trained((1.0, SURE), bits=1)
    assert trained((1.0, SURE), bits=1, keeps_copy=True).accuracy > 0.7


def test_stages_that_do_not_end_are_refused():
    with pytest.raises(ConfigurationError, match="rise from above 0 to 1"):
        trained((0.5, SURE))
    one_layer = (WriteStage(until=1.0, layers=((SURE,) * 8,)),)
    plan = WritePlan(format=FixedPoint(bits=8), stages=one_layer)
    images = load_image_set("digits")
    with pytest.raises(ConfigurationError, match="pulses for 2 layers"):
        train_written(images, (8,), FitPlan(epochs=1), plan, MtjPopulation(), seed=1)


def test_latents_that_are_kept_are_not_overwritten():
    """With a copy, steps far smaller than the last bit add up; plain rounding is enough."""
    found = trained((1.0, SURE), bits=4, keeps_copy=True)
    assert found.accuracy > 0.85
    assert torch.isfinite(torch.tensor(found.ledgers[0].changed_before))
