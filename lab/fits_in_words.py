"""Fits as people read them, with their intervals and flags, and as programs do."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crossbar.estimate import Estimate
from crossbar.geometry import DieAddress
from crossbar.units import format_quantity
from db.rows import FitRow
from lab.fits import FitRecipe

if TYPE_CHECKING:
    from lab.output import Output

MAX_LINES = 24
"""Shown; the others are in the database."""
MAX_COLUMNS = 4
"""Parameters side by side."""
OPEN = "open"
"""What an end of an interval is called that the measurement does not set."""


def tell_fits(
    output: "Output", recipe: FitRecipe, fits: Mapping[DieAddress, Sequence[FitRow]]
) -> None:
    """One table of parameters with their intervals, without empty columns."""
    every = [(die, fit) for die, found in fits.items() for fit in found]
    lines = [(die, fit) for die, fit in every if recipe.tells_cells or fit.cell is None]
    if len(lines) < len(every):
        output.say(f"Fitted: {len(every) - len(lines)} single cells, in the database.")
    names = list(dict.fromkeys(name for _, fit in lines for name in fit.parameters))
    places = [_place(die, fit) for die, fit in lines]
    if len(names) <= MAX_COLUMNS:
        columns = ["die", "fit", "cell", "to", *names, "flags"]
        rows = [
            [*place, *(_shown(fit, name, recipe.unit(name)) for name in names), flags_of(fit)]
            for place, (_, fit) in zip(places, lines, strict=True)
        ]
    else:  # too wide for a screen: a line a quantity
        columns = ["die", "fit", "cell", "to", "quantity", "estimate", "flags"]
        rows = [
            [*place, name, _shown(fit, name, recipe.unit(name)), flags_of(fit)]
            for place, (_, fit) in zip(places, lines, strict=True)
            for name in fit.parameters
        ]
    told = [place for place in range(len(columns)) if any(row[place] != "" for row in rows)]
    most = MAX_LINES if recipe.tells_cells else len(rows)
    output.table(
        f"Fitted, with {100 * recipe.confidence:g} % intervals",
        [columns[place] for place in told],
        [[row[place] for place in told] for row in rows[:most]],
    )
    if len(rows) > most:
        output.say(f"and {len(rows) - most} more lines, in the database")
    flagged = sum(any(check.flagged for check in fit.checks.values()) for _, fit in lines)
    if flagged:
        output.say(f"{flagged} of {len(lines)} are flagged", style="yellow")


def _place(die: DieAddress, fit: FitRow) -> list[Any]:
    """What a fit is of: die, kind, cell and direction."""
    return [
        str(die),
        fit.kind,
        "" if fit.cell is None else fit.cell,
        "" if fit.target is None else fit.target.value,
    ]


def flags_of(fit: FitRow) -> str:
    """The checks that a fit's cell failed, and whether the fit itself did, for people; and whether
    it rests on the model beyond what was counted.
    """
    failed = [] if fit.converged else ["no fit"]
    failed += [name for name, check in fit.checks.items() if check.flagged]
    return ", ".join([*failed, *(["extrapolated"] if fit.assumptions.get("extrapolated") else [])])


def _shown(fit: FitRow, name: str, unit: str) -> str:
    found = fit.parameters.get(name)
    return "" if found is None else with_interval(found, unit)


def with_interval(found: Estimate, unit: str = "") -> str:
    """ "357.7 (356.8 to 358.6) mV": all three in the unit that suits the estimate; "1.2 (1.1 to
    open)" where an interval has no end, "1.2 (open)" where it has none at all.
    """
    number, _, symbol = format_quantity(found.estimate, unit).partition(" ")
    if math.isnan(found.estimate):
        number = "-"
    if math.isnan(found.low) and math.isnan(found.high):
        return f"{number} {symbol}".rstrip()
    usable = found.estimate != 0 and math.isfinite(found.estimate)
    scale = 10.0 ** round(math.log10(float(number) / found.estimate)) if usable else 1.0
    ends = [end_of_interval(end * scale) for end in (found.low, found.high)]
    told = OPEN if ends == [OPEN, OPEN] else " to ".join(ends)
    return f"{number} ({told}) {symbol}".rstrip()


def end_of_interval(end: float, unit: str = "") -> str:
    """An end for people: "open" where it is infinite or nobody knows it."""
    return format_quantity(end, unit) if math.isfinite(end) else OPEN


def for_programs(fits: Mapping[DieAddress, Sequence[FitRow]]) -> list[dict[str, Any]]:
    """All fits, as the JSON of a command has them."""
    return [_for_programs(die, fit) for die, found in fits.items() for fit in found]


def _for_programs(die: DieAddress, fit: FitRow) -> dict[str, Any]:
    return {
        "die": [die.x, die.y],
        "kind": fit.kind,
        "cell": fit.cell,
        "target": None if fit.target is None else fit.target.value,
        "converged": fit.converged,
        "assumptions": dict(fit.assumptions),
        "parameters": {
            name: [found.estimate, found.low, found.high] for name, found in fit.parameters.items()
        },
        "p_values": {name: check.p_value for name, check in fit.checks.items()},
        "flags": [name for name, check in fit.checks.items() if check.flagged],
    }
