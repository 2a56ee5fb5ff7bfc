"""Cells reached one at a time: a selector connects them to the bench's pulse source and meter."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from crossbar.geometry import CellIndices, DieGeometry
from crossbar.ports import CellSelector, CurrentMeter, PulseSource, Readings, Terminal
from crossbar.pulses import Pulse
from crossbar.units import Ohms, Volts


@dataclass(frozen=True, kw_only=True)
class GeneratorWiring:
    """What lies between the pulse generator's connector and a cell: the one place where volts at
    the cell become volts at the generator.
    """

    source_impedance: Ohms
    path_resistance: Ohms
    """Switches, needles and access transistor."""
    cell_resistance: Ohms
    """A typical cell under a write pulse."""

    def generator_pulse(self, pulse: Pulse) -> Pulse:
        """The open-circuit pulse that arrives at a typical cell as the one asked for."""
        series = self.source_impedance + self.path_resistance
        return Pulse(
            amplitude=pulse.amplitude * (1 + series / self.cell_resistance), width=pulse.width
        )


@dataclass(frozen=True, kw_only=True)
class RoutedAccess:
    """`CellAccess` through a selector, a pulse source and a meter, cell after cell."""

    selector: CellSelector
    pulse_source: PulseSource
    meter: CurrentMeter
    geometry: DieGeometry
    generator_pulse: Callable[[Pulse], Pulse]
    """From volts at the cell to volts at the generator (`GeneratorWiring`)."""

    @property
    def cells_at_once(self) -> int:
        """One."""
        return 1

    def read(self, cells: CellIndices, amplitude: Volts) -> Readings:
        """Read each of the (n,) cells once."""
        current = np.empty(len(cells))
        in_compliance = np.empty(len(cells), np.bool_)
        for place, cell in enumerate(cells):
            self.selector.select(self.geometry.address(int(cell)), Terminal.METER)
            current[place], in_compliance[place] = self.meter.measure(amplitude)
        return Readings(voltage=amplitude, current=current, in_compliance=in_compliance)

    def write(self, cells: CellIndices, pulse: Pulse) -> None:
        """Give each of the (n,) cells one pulse."""
        at_generator = self.generator_pulse(pulse)
        for cell in cells:
            self.selector.select(self.geometry.address(int(cell)), Terminal.PULSE_SOURCE)
            self.pulse_source.apply(at_generator)
