"""What `lab run` says when a run is over: how it went, and what was found.

A protocol whose records are fitted (`lab.fits`) is told by `lab.fits_in_words`; `TELLERS` holds
those that show something else.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from crossbar.defect_map import CellClass
from crossbar.estimate import Estimate
from crossbar.units import format_quantity
from db.rows import RunRow
from db.store import Store
from lab.findings import store_fits, technology_of
from lab.fits import recipe_of
from lab.fits_in_words import for_programs, tell_fits, with_interval
from lab.runs import IN_THE_LOOP
from lab.time_left import in_words

if TYPE_CHECKING:
    from lab.output import Output, Step
    from lab.planning import Plan
    from lab.runs import Listener, RunSummary
    from lab.time_left import TimeLeft


def listener(step: "Step", protocol: str, left: "TimeLeft | None" = None) -> "Listener":
    """Advance a progress bar as a run tells of its dies, and say how long it will take."""

    def listen(event: str, die: object, records: int) -> None:
        units = 1 if event in ("done", "no contact") else 0
        if left is not None and units:
            left.die_done(records)
        remaining = "" if left is None else left.text(records)
        step(units, f"{protocol}: die {die}, {records} records{remaining}")

    return listen


def tell_plan(output: "Output", plan: "Plan", within: float) -> None:
    """What a run will cost, and how sure that is."""
    cost, least = plan.cost, "at least " if plan.at_least else ""
    output.table(
        f"{plan.protocol} on {plan.dies} dies, rehearsed on {plan.cells}",
        ["what", "how much"],
        [
            ["duration on the real bench", f"{least}{in_words(cost.duration)}"],
            ["records", f"{least}{cost.records:,}"],
            ["pulses", f"{least}{cost.pulses:,}"],
            ["reads", f"{least}{cost.reads:,}"],
            ["energy of the pulses", f"{least}{format_quantity(cost.energy, 'J')}"],
            ["of it in typical cells", f"{least}{format_quantity(cost.typical_energy, 'J')}"],
            ["most pulses on one cell", f"{least}{cost.most_pulses:,}"],
            ["most of one cell's life", f"{least}{cost.life_used:.2g}"],
            ["messages to instruments", f"{least}{cost.messages:,}"],
            ["bytes on the bus", f"{least}{cost.bytes_moved:,}"],
        ],
    )
    if plan.at_least:
        output.say(
            f"The rehearsal was broken off after {in_words(within)} within its first die: all that "
            "is sure is that the run takes more. Rehearse longer: --within.",
            style="yellow",
        )
    elif plan.rehearsed < 1:
        output.say(
            f"{100 * plan.rehearsed:.2g} % was rehearsed within {in_words(within)}, the rest "
            "reckoned in proportion. Rehearse longer: --within."
        )


def tell_run(output: "Output", summary: "RunSummary", database: str, *, fit: bool = True) -> None:
    """How the run ended, then what it found; without ``fit`` only what needs no fitting."""
    output.say(
        f"Run {summary.run} ({summary.protocol}) is {summary.status}: {summary.dies} dies, "
        f"{summary.records} records stored in {database}."
    )
    for die in summary.without_contact:
        output.say(f"No contact on die {die}; it was left out.", style="yellow")
    output.say(f"The instruments were sent {summary.messages:,} messages.")
    if summary.bench_time:
        output.say(f"The real bench would have taken {format_quantity(summary.bench_time, 's')}.")
    output.result(
        {
            "run": summary.run,
            "protocol": summary.protocol,
            "status": summary.status,
            "dies": summary.dies,
            "records": summary.records,
            "without_contact": [[die.x, die.y] for die in summary.without_contact],
            "bench_time": summary.bench_time,
            "messages": summary.messages,
            "database": database,
        }
        | _findings(output, summary, database, fit)
    )


def _findings(output: "Output", summary: "RunSummary", database: str, fit: bool) -> dict[str, Any]:
    """Show what was found; returns it for programs."""
    with Store.open(database) as store:
        row = store.run(summary.run)
        for tellers in (TELLERS, POPULATION_TELLERS if fit else {}):
            if row.protocol in tellers:
                tellers[row.protocol](output, store, row)
        recipe = recipe_of(row, technology_of(store, row.wafer_id))
        if recipe is None:
            return {}
        if not fit:
            output.say(f"Not fitted: lab fit {row.id} --database {database}")
            return {}
        fits = store_fits(store, row.id)
    tell_fits(output, recipe, fits)
    return {"fits": for_programs(fits)}


def _tell_dot_products(output: "Output", store: Store, row: RunRow) -> None:
    from analysis.dot_product import dot_product_quality
    from crossbar.records import DotProductBlock

    found = [
        (die, block.subarray, dot_product_quality(block))
        for die in row.dies
        for block in store.records(row.id, die, DotProductBlock)
    ]
    output.table(
        "Dot products, measured over expected from the cells read one by one",
        ["die", "sub-array", "gain, 95 %", "bend (%)", "offset (A)", "correlation", "residual (%)"],
        [
            [
                str(die),
                subarray,
                f"{line.gain.low:.4f} to {line.gain.high:.4f}",
                f"{100 * line.nonlinearity.estimate:.2g}",
                f"{line.offset.estimate:.2g}",
                f"{line.correlation:.4f}",
                100 * line.residual,
            ]
            for die, subarray, line in found
        ],
    )


def _tell_defects(output: "Output", store: Store, row: RunRow) -> None:
    maps = {d: m for d, m in store.defect_maps(row.wafer_id).items() if d in row.dies}
    kinds = [kind for kind in CellClass if kind is not CellClass.HEALTHY]
    output.table(
        "Cells that are not healthy (%)",
        ["die", *(kind.name.replace("_", " ").lower() for kind in kinds), "lines"],
        [
            [str(die), *(100 * found.fraction(kind) for kind in kinds), len(found.lines)]
            for die, found in maps.items()
        ],
    )


def _tell_levels(output: "Output", store: Store, row: RunRow) -> None:
    if row.training_run_id is not None:
        return  # weights were written, which have no levels
    from analysis.level_statistics import level_statistics
    from crossbar.records import ProgrammedBlock

    found = [
        (die, line)
        for die in row.dies
        if (blocks := store.records(row.id, die, ProgrammedBlock))
        for line in level_statistics(blocks)
    ]
    wanted = row.parameters["levels"]
    output.table(
        "Cells verified, still inside when read again, and what those verified conduct (95 %)",
        ["die", "level", "verified", "inside (%)", "mean", "cell to cell", "noise", "pulses"],
        [
            [
                str(die),
                format_quantity(wanted[line.level], "S"),
                f"{line.verified}/{line.cells}",
                f"{100 * line.stayed_low:.1f}..{100 * line.stayed_high:.1f}",
                with_interval(line.mean, "S"),
                with_interval(line.deviation, "S"),
                format_quantity(line.noise, "S") if line.noise >= 0 else "-",
                f"{line.pulses:.2f}" if line.verified else "-",
            ]
            for die, line in found
        ],
    )


def _tell_population(output: "Output", store: Store, row: RunRow) -> None:
    """What the dies have in common and how they differ; says something from two dies on."""
    from analysis.array_statistics import state_statistics
    from analysis.defect_population import POINT_CLASSES, point_counts
    from analysis.defect_rates import defect_rate
    from analysis.line_defects import on_lines

    maps = {d: m for d, m in store.defect_maps(row.wafer_id).items() if d in row.dies}
    if len(maps) < 2:
        return
    rows = []
    for state in ("low", "high"):
        found = state_statistics(list(maps.values()), state)
        rows.append([f"median {state}", with_interval(found.median, "S")])
        rows.append([f"{state}, cell to cell (of ln G)", with_interval(found.cell_to_cell)])
        if found.die_to_die is not None:
            rows.append([f"{state}, die to die (of ln G)", with_interval(found.die_to_die)])
    lines = [on_lines(found.classes.shape, found.lines) for found in maps.values()]
    counts, cells = point_counts(list(maps.values()), lines)
    for column, kind in enumerate(POINT_CLASSES):
        failing = defect_rate(counts[:, column], cells)
        rate, relative = failing.rate, failing.die_to_die
        percent = Estimate.of(*(100 * x for x in (rate.estimate, rate.low, rate.high)))
        name = kind.name.replace("_", " ").lower()
        rows.append([f"{name}, single cells (%)", with_interval(percent)])
        if not math.isnan(relative.estimate):  # as it is where no cell failed
            rows.append([f"{name}, die to die (relative)", with_interval(relative)])
    output.table("Over the dies, with 95 % intervals", ["quantity", "estimate"], rows)


def _tell_training(output: "Output", store: Store, row: RunRow) -> None:
    """What a training with a die in the loop learned, and what it cost the cells."""
    if row.training_run_id is None:
        output.say("Nothing was learned: the needles do not touch the die.", style="yellow")
        return
    trained = store.training_run(row.training_run_id)
    recipe = trained.recipe
    (die,) = row.dies
    output.say(
        f"Training run {trained.id} ({trained.strategy}, {trained.dataset}): "
        f"{100 * trained.software_accuracy:.2f} % of the test images in software, by the "
        f"conductances as read. The die itself is graded by: lab evaluate --dies {die.x},{die.y}"
    )
    output.say(f"{recipe['pulses']:,} pulses, at most {recipe['most_pulses']} on a cell.")
    if recipe["worn_out"]:
        output.say(
            f"{recipe['worn_out']} cells may get no further write, by pulses_per_cell "
            f"{recipe['pulses_per_cell']} or max_pulses_per_cell of the limits. They kept their "
            "states, and what is digital went on learning.",
            style="yellow",
        )


Teller = Callable[["Output", Store, RunRow], None]
TELLERS: dict[str, Teller] = {
    "array-map": _tell_defects,
    "dot-product-check": _tell_dot_products,
    "program-and-verify": _tell_levels,
    IN_THE_LOOP: _tell_training,
}
POPULATION_TELLERS: dict[str, Teller] = {"array-map": _tell_population}
"""Left out with the fits: these import torch."""
