"""What some junctions do beside the macrospin's switching; off unless a population asks for it.

Both add a probability p to fail: WER_total = 1 - (1 - WER)(1 - p), and concern cells that are to
switch; a cell that is in the target state already stays there.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from crossbar.errors import ConfigurationError
from crossbar.pulses import Pulse
from crossbar.units import Ratio, Seconds, Volts

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class MtjAnomalies:
    """How many cells of a population have an anomaly, and how strong it is in them.

    *Back-hopping*: at high voltage the reference layer flips, and the cell ends in the state that
    it came from; p is a sigmoid of the voltage and takes some time (JAP 2008; arXiv 2006.05108).
    *Ballooning*: the write error rate rises again around one current at one short width, where
    reversal goes by a bubble instead of as a whole (arXiv 2511.10437). The shapes are after the
    abstracts of those papers, the numbers ours.
    """

    back_hopping: Ratio = 0.0
    """Fraction of the cells that hop back."""
    back_hopping_voltage: Volts = 0.95
    """Median voltage at which half of the long pulses that write LOW (AP to P) fail."""
    back_hopping_spread: Ratio = 0.03
    """Standard deviation of its logarithm, cell to cell."""
    back_hopping_high: Ratio = 1.15
    """Factor on that voltage for pulses that write HIGH: they hop back less."""
    back_hopping_steepness: Volts = 0.02
    """Within which p grows e-fold below that voltage."""
    back_hopping_time: Seconds = 10e-9
    """That hopping takes: shorter pulses have proportionally less of it."""
    ballooning: Ratio = 0.0
    """Fraction of the cells that balloon."""
    ballooning_voltage: Volts = 0.7
    """Where p is largest."""
    ballooning_voltage_width: Volts = 0.06
    """Standard deviation of p over the voltage."""
    ballooning_width: Seconds = 10e-9
    """Pulse width where p is largest; it falls to 60 % at twice and at half that width."""
    ballooning_height: Ratio = 3e-3
    """The largest p."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            fraction = field.name in ("back_hopping", "ballooning", "ballooning_height")
            if not (0 <= value <= (1 if fraction else np.inf) and value < np.inf) or not (
                value > 0 or fraction or field.name == "back_hopping_spread"
            ):
                raise ConfigurationError(
                    f"MtjAnomalies.{field.name} is {value!r}; it must be "
                    f"{'a fraction from 0 to 1' if fraction else 'positive and finite'}. Correct "
                    "it where the population is configured."
                )

    def sample(self, count: int, generator: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """(count,) back-hopping voltages, infinite for cells that do not hop, and (count,) largest
        ballooning probabilities, 0 for cells that do not balloon. Draws nothing if all is off.
        """
        hopping, height = np.full(count, np.inf), np.zeros(count)
        if self.back_hopping:
            chosen = generator.random(count) < self.back_hopping
            spread = np.exp(self.back_hopping_spread * generator.standard_normal(count))
            hopping[chosen] = (self.back_hopping_voltage * spread)[chosen]
        if self.ballooning:
            height[generator.random(count) < self.ballooning] = self.ballooning_height
        return hopping, height

    def spoils(self, pulse: Pulse, hopping: FloatArray, height: FloatArray) -> FloatArray:
        """(n,) probability that a pulse, which would switch a cell, leaves it where it was."""
        volts = abs(pulse.amplitude)
        onset = hopping * (1.0 if pulse.amplitude > 0 else self.back_hopping_high)
        hops = expit((volts - onset) / self.back_hopping_steepness)
        hops *= -np.expm1(-pulse.width / self.back_hopping_time)
        away = (volts - self.ballooning_voltage) / self.ballooning_voltage_width
        octaves = np.log2(pulse.width / self.ballooning_width)
        balloons = height * np.exp(-(away**2 + octaves**2) / 2)
        return 1 - (1 - hops) * (1 - balloons)
