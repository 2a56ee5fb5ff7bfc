"""One training of the approximate write: what a sweep's point says, and what comes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import reduce
from typing import Any

from crossbar.units import Ratio
from lab.data_sets import image_set
from lab.sweep import Outcome, Plain
from physics.write_pulses import WritePulse
from training.classifier import FitPlan
from training.fixed_point import FixedPoint
from training.written_training import WritePlan, WriteStage, train_written
from training.written_words import WriteLedger

Stages = Sequence[tuple[Ratio, Sequence[Sequence[WritePulse]]]]
"""(share of the steps at which it ends, pulses of each layer: one, or one a bit)."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """What is trained, and how; every number of it is ours."""

    images: str = "mnist"
    hidden: int = 64
    epochs: int = 1
    batch: int = 256
    rate: float = 1.0
    optimizer: str = "sgd"
    bits: int = 8
    code: str = "binary"
    keeps_copy: bool = False
    torch_device: str = "cpu"

    def point(self, population: Mapping[str, float], stages: Stages) -> dict[str, Plain]:
        """A point of a sweep, but for its seed. Pulses are rounded to what a generator can be set
        to: 0.1 mV and 10 ps. ``population`` has fields of `physics.mtj.MtjPopulation`.
        """
        return asdict(self) | {
            "population": dict(population),
            "stages": [
                [until, [[_numbers(pulse) for pulse in layer] for layer in layers]]
                for until, layers in stages
            ],
        }

    def uniform(self, population: Mapping[str, float], pulse: WritePulse) -> dict[str, Plain]:
        """The point with one pulse for everything."""
        return self.point(population, [(1.0, [[pulse], [pulse]])])


def settable(pulse: WritePulse) -> WritePulse:
    """The nearest pulse that a generator can be set to."""
    low, high, width = _numbers(pulse)
    return WritePulse(low=low, high=high, width=width)


def written_point(
    *, seed: int, population: dict[str, Any], stages: list[list[Any]], **network: Any
) -> Outcome:
    """Train once. Accuracy, the ledgers of both layers together, and the failures of each."""
    from physics.mtj import MtjPopulation

    chosen = Network(**network)
    plan = WritePlan(
        format=FixedPoint(bits=chosen.bits, code=chosen.code),  # type: ignore[arg-type]
        stages=tuple(
            WriteStage(until=until, layers=tuple(_word(layer, chosen.bits) for layer in layers))
            for until, layers in stages
        ),
        keeps_copy=chosen.keeps_copy,
    )
    fit_plan = FitPlan(
        epochs=chosen.epochs,
        batch=chosen.batch,
        rate=chosen.rate,
        optimizer=chosen.optimizer,  # type: ignore[arg-type]
    )
    found = train_written(
        image_set(chosen.images), (chosen.hidden,), fit_plan, plan,
        replace(MtjPopulation(), **population), seed, chosen.torch_device,
    )  # fmt: skip
    together = reduce(WriteLedger.plus, found.ledgers)
    failed = [each.failed / max(each.changing, 1) for each in found.ledgers]
    return {"accuracy": found.accuracy, "failed_of_layer": failed} | asdict(together)


def _word(layer: list[list[float]], bits: int) -> tuple[WritePulse, ...]:
    pulses = tuple(WritePulse(low=low, high=high, width=width) for low, high, width in layer)
    return pulses * bits if len(pulses) == 1 else pulses


def _numbers(pulse: WritePulse) -> list[float]:
    return [round(pulse.low, 4), round(pulse.high, 4), round(pulse.width, 11)]
