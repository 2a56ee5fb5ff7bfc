"""One channel of an emulated B2900 while it measures: the average over the aperture.

A measurement that begins before a pulse or ends after it averages peak and base, as at the bench.
"""

from crossbar.units import Seconds
from simulated_instruments.scpi_smu import Reading, ScpiSmuChannel


class MeteredChannel(ScpiSmuChannel):
    """A channel that can be changed while it measures."""

    _parts: list[tuple[Seconds, Reading]] | None = None
    _part_began: Seconds = 0.0

    def begin(self) -> None:
        """The aperture opens."""
        self.settle()
        self._parts, self._part_began = [], self.clock.now

    def end(self) -> Reading:
        """The aperture closes: the average since `begin`."""
        self._close_part()
        parts, self._parts = self._parts or [(1.0, self._operate())], None
        total = sum(lasted for lasted, _ in parts)
        longest = max(parts, key=lambda part: part[0])[1]
        self.last = Reading(
            voltage=sum(lasted * part.voltage for lasted, part in parts) / total,
            current=sum(lasted * part.current for lasted, part in parts) / total,
            in_compliance=any(part.in_compliance for _, part in parts),
            time=self.clock.now,
            sourced=longest.sourced,
        )
        return self.last

    def set(self, **values: float | bool) -> None:
        """Change attributes; what was there until now counts for the cell and the measurement."""
        self._close_part()
        super().set(**values)

    def _close_part(self) -> None:
        if self._parts is None:
            return
        lasted = self.clock.now - self._part_began
        if lasted > 0:
            self.settle()
            self._parts.append((lasted, self._operate()))
            self._part_began = self.clock.now
