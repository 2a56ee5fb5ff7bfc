"""What the protocols measured on a wafer: the newest run of each, one die of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from crossbar.geometry import DieAddress
from crossbar.records import (
    DotProductBlock,
    ProgrammedBlock,
    PulseTrain,
    ReadTrace,
    RetentionReading,
    VoltageSweep,
    WerPoint,
)
from db.rows import FitRow
from db.store import Store
from lab.findings import latest_run, technology_of
from lab.fits import FitRecipe, recipe_of
from lab.report import protocol_figures


@dataclass(frozen=True, kw_only=True)
class Chart:
    """How the records of a protocol are shown."""

    title: str
    text: str
    record: type[Any]
    draw: Callable[[Sequence[Any], Mapping[str, Any]], Figure]
    """(a die's records, the run's parameters) -> picture."""
    shows: Callable[[Any], bool] = lambda record: True
    """Whether a record has what the picture shows."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The newest run of one protocol."""

    protocol: str
    chart: Chart
    run: int
    die: DieAddress
    """The first one with records."""
    records: Sequence[Any]
    parameters: Mapping[str, Any]
    fits: Sequence[FitRow]
    """Those of this die, as stored when the run ended."""
    recipe: FitRecipe | None
    """How they were made."""


def measured(store: Store, wafer_id: int) -> list[Measured]:
    """The newest run of every protocol of `CHARTS` that was ever run, in their order."""
    found = []
    for protocol, chart in CHARTS.items():
        number = latest_run(store, wafer_id, protocol)
        if number is None:
            continue
        row = store.run(number)
        for die in row.dies:
            records = [r for r in store.records(number, die, chart.record) if chart.shows(r)]
            if records:
                found.append(
                    Measured(
                        protocol=protocol,
                        chart=chart,
                        run=number,
                        die=die,
                        records=records,
                        parameters=row.parameters,
                        fits=store.fits(wafer_id, die, run_id=number, kind=None),
                        recipe=recipe_of(row, technology_of(store, wafer_id)),
                    )
                )
                break
    return found


CHARTS: dict[str, Chart] = {
    "forming": Chart(
        title="Forming",
        text="Rising pulses until each cell conducts for the first time.",
        record=ProgrammedBlock,
        draw=protocol_figures.forming,
    ),
    "switching-phase-diagram": Chart(
        title="Switching phase diagram",
        text="The probability that a pulse switches a cell, refined around 50 %.",
        record=WerPoint,
        draw=lambda records, _: protocol_figures.switching_probability(records),
    ),
    "adaptive-write-error-rate": Chart(
        title="Adaptive write error rate",
        text="Pulses were chosen cell by cell to learn the amplitude for one error rate in the "
        "fewest attempts.",
        record=WerPoint,
        draw=lambda records, _: protocol_figures.amplitudes_wanted(records),
    ),
    "read-disturb": Chart(
        title="Read disturb",
        text="How often a read, held for long, switches the cell that it reads.",
        record=WerPoint,
        draw=lambda records, _: protocol_figures.disturbed_fraction(records),
    ),
    "iv-sweep": Chart(
        title="Current over voltage",
        text="In both states, within the read limit.",
        record=VoltageSweep,
        draw=lambda records, _: protocol_figures.sweeps(records),
    ),
    "weak-reset": Chart(
        title="Weak RESET",
        text="Trains of pulses that raise the resistance little by little after a SET.",
        record=PulseTrain,
        draw=lambda records, _: protocol_figures.trains_of_pulses(records),
    ),
    "set-reset-cycling": Chart(
        title="Endurance",
        text="Cells cycled between their states and read at checkpoints.",
        record=PulseTrain,
        draw=lambda records, _: protocol_figures.endurance(records),
    ),
    "read-noise": Chart(
        title="Read noise",
        text="Cells read again and again, without writing.",
        record=ReadTrace,
        draw=lambda records, _: protocol_figures.noise(records),
    ),
    "retention": Chart(
        title="Retention",
        text="Cells written once and read at growing intervals.",
        record=RetentionReading,
        draw=lambda records, _: protocol_figures.retention(records),
    ),
    "program-and-verify": Chart(
        title="Program and verify",
        text="Cells brought into two-sided windows.",
        record=ProgrammedBlock,
        draw=lambda records, _: protocol_figures.levels(records),
        shows=lambda block: block.level is not None,  # weights are written by this protocol, too
    ),
    "dot-product-check": Chart(
        title="Dot products",
        text="The die's analog dot product beside that of its cells, read one by one.",
        record=DotProductBlock,
        draw=lambda records, _: protocol_figures.dot_products(records),
    ),
    "breakdown-ramp": Chart(
        title="Breakdown",
        text="Rising pulses until the cells broke; these cells are spent.",
        record=PulseTrain,
        draw=lambda records, _: protocol_figures.breakdown(records),
    ),
}
"""By protocol, in the order of the page."""
