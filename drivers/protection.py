"""A limit that an instrument itself enforces."""

from dataclasses import dataclass

from crossbar.units import format_quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """One limit of an instrument, as read back from it."""

    name: str
    """"current limit", "highest level", "contact height"."""
    value: float
    """In SI units."""
    unit: str
    in_force: bool = True
    """False where the instrument has the limit, but it is switched off."""

    def __str__(self) -> str:
        state = "" if self.in_force else " (not in force)"
        return f"{self.name} {format_quantity(self.value, self.unit)}{state}"
