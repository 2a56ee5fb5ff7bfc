"""From this project's die addresses to a prober's own columns and rows, and back."""

from dataclasses import dataclass

from crossbar.errors import ConfigurationError
from crossbar.geometry import DieAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class DieFrame:
    """How a prober's wafer map lies relative to SEMI E142 (origin lower left, x right, y up).

    ``column = origin_column + x_sign * x`` and ``row = origin_row + y_sign * y``. A map whose rows
    count downwards from the top of a wafer of six rows has ``origin_row=5, y_sign=-1``.
    """

    origin_column: int = 0
    """The prober's column of die (0, 0)."""
    origin_row: int = 0
    """The prober's row of die (0, 0)."""
    x_sign: int = 1
    """+1 if the prober's columns count to the right, -1 if to the left."""
    y_sign: int = 1
    """+1 if the prober's rows count upwards, -1 if downwards."""

    def __post_init__(self) -> None:
        for name, sign in (("x_sign", self.x_sign), ("y_sign", self.y_sign)):
            if sign not in (-1, 1):
                raise ConfigurationError(
                    f"{name} = {sign} of the prober's die frame refused: it must be 1 or -1. "
                    "Correct it in bench.toml."
                )

    def to_prober(self, die: DieAddress) -> tuple[int, int]:
        """The prober's (column, row) of a die."""
        return (
            self.origin_column + self.x_sign * die.x,
            self.origin_row + self.y_sign * die.y,
        )

    def from_prober(self, column: int, row: int) -> DieAddress:
        """The die at the prober's (column, row)."""
        return DieAddress(
            self.x_sign * (column - self.origin_column), self.y_sign * (row - self.origin_row)
        )
