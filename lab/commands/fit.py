"""`lab fit`: what a run's records say, with intervals, and what they contradict."""

import math
from typing import TYPE_CHECKING, Annotated

import typer

from lab.options import DATABASE, Database, Json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from crossbar.estimate import Estimate
    from crossbar.geometry import DieAddress
    from db.rows import Check, FitRow
    from lab.output import Output

    Unit = Callable[[str], str]
    """From the name of a parameter to its SI symbol."""


def fit(
    run: Annotated[int, typer.Argument(help="Number of the run; `lab status` lists them.")],
    extrapolate: Annotated[
        list[str] | None,
        typer.Option("--extrapolate", help="Write error rate to find the amplitude for, as 1e-9."),
    ] = None,
    width: Annotated[
        str | None, typer.Option("--width", help="Only at this pulse width, as '10 ns'.")
    ] = None,
    database: Database = DATABASE,
    json: Json = False,
) -> None:
    """Fit the records of a run, measured or imported; store and show the fits."""
    from crossbar.errors import DataError
    from crossbar.units import parse_quantity
    from db.store import Store
    from lab.extrapolation import Wanted, extrapolations
    from lab.findings import store_fits, technology_of
    from lab.fits import recipe_of
    from lab.fits_in_words import for_programs
    from lab.output import Output

    output = Output(as_json=json)
    at = None if width is None else parse_quantity(width, "s")
    wanted = [Wanted(wer=parse_quantity(rate, ""), width=at) for rate in extrapolate or []]
    with Store.open(database, create=False) as store:
        fits = {die: list(found) for die, found in store_fits(store, run).items()}
        if not any(fits.values()):
            raise DataError(
                f"Run {run} holds nothing that can be fitted: what it measured does not suffice, "
                "or is of another kind than its fits take. `lab status` lists the runs."
            )
        row = store.run(run)
        recipe = recipe_of(row, technology_of(store, row.wafer_id))
        assert recipe is not None  # or there would be no fits
        _tell(output, recipe.unit, fits)
        for one in wanted:
            found = extrapolations(store, run, one)
            _tell(output, lambda _: "V", found)
            for die, rows in found.items():
                fits.setdefault(die, []).extend(rows)
    output.result({"run": run, "fits": for_programs(fits)})


def _tell(output: "Output", unit: "Unit", fits: "Mapping[DieAddress, Sequence[FitRow]]") -> None:
    """A table a fit: a line a parameter; then what the checks said."""
    from lab.fits_in_words import MAX_LINES

    every = [(die, row) for die, rows in fits.items() for row in rows]
    for die, row in every[:MAX_LINES]:
        _tell_one(output, unit, die, row)
    if len(every) > MAX_LINES:
        output.say(f"and {len(every) - MAX_LINES} more, in the database")


def _tell_one(output: "Output", unit: "Unit", die: "DieAddress", row: "FitRow") -> None:
    where = "all cells" if row.cell is None else f"cell {row.cell}"
    aim = "" if row.target is None else f" to {row.target.value}"
    quality = "" if row.converged else ", no sound fit"
    names = [*row.parameters, *(name for name in row.checks if name not in row.parameters)]
    lines = []
    for name in names:
        found, check = row.parameters.get(name), row.checks.get(name)
        symbol = unit(name)
        lines.append(
            [
                name.replace("_", " "),
                *_numbers(found, symbol),
                *_verdict(check),
            ]
        )
    output.table(
        f"{row.kind}: die {die}, {where}{aim}{quality}",
        ["", "estimate", "95 % from", "to", "p", ""],
        lines,
    )
    if row.assumptions:
        supposed = (f"{name.replace('_', ' ')} {_plain(v)}" for name, v in row.assumptions.items())
        output.say("supposing " + ", ".join(supposed))


def _numbers(found: "Estimate | None", symbol: str) -> tuple[str, str, str]:
    """Estimate and ends; empty where there is none, and where no interval belongs to it."""
    from crossbar.units import format_quantity
    from lab.fits_in_words import end_of_interval

    if found is None:
        return "", "", ""
    estimate = "" if math.isnan(found.estimate) else format_quantity(found.estimate, symbol)
    if math.isnan(found.low) and math.isnan(found.high):
        return estimate, "", ""
    return estimate, end_of_interval(found.low, symbol), end_of_interval(found.high, symbol)


def _verdict(check: "Check | None") -> tuple[str, str]:
    """The p-value, and in a word what it says."""
    if check is None:
        return "", ""
    if math.isnan(check.p_value):
        return "", "not tested"
    return f"{check.p_value:.2g}", "contradicted" if check.flagged else "holds"


def _plain(value: float | str) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
