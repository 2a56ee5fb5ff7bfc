"""What the digital periphery knows of a die: two median conductances and the read voltage."""

from dataclasses import dataclass

from crossbar.defect_map import DefectMap
from crossbar.errors import ConfigurationError
from crossbar.units import Ratio, Siemens, Volts


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Turns column currents into sums of weights, and activations into row voltages."""

    median_low: Siemens
    """Median LOW conductance of the die's healthy cells."""
    median_high: Siemens
    """Median HIGH conductance of the die's healthy cells."""
    read_amplitude: Volts
    """Row voltage of an activation of one."""

    def __post_init__(self) -> None:
        if not 0 < self.median_high < self.median_low < float("inf"):
            raise ConfigurationError(
                f"Median conductances of {self.median_low:g} S LOW and {self.median_high:g} S HIGH "
                "leave no window: LOW must be above HIGH, both positive. Map the die again."
            )
        if not 0 < self.read_amplitude < float("inf"):
            raise ConfigurationError(
                f"A read amplitude of {self.read_amplitude!r} V scales nothing; give positive "
                "volts, within the read limit."
            )

    @classmethod
    def of(cls, defect_map: DefectMap, read_amplitude: Volts) -> "Calibration":
        """The calibration of a mapped die."""
        return cls(
            median_low=float(defect_map.median_low),
            median_high=float(defect_map.median_high),
            read_amplitude=read_amplitude,
        )

    @property
    def window(self) -> Ratio:
        """Median HIGH over median LOW conductance."""
        return self.median_high / self.median_low
