"""What the report of one wafer shows, gathered from the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from crossbar.defect_map import CellClass, DefectMap
from crossbar.errors import DataError
from crossbar.geometry import DieAddress
from crossbar.pulses import State
from crossbar.records import WerPoint
from db.result_tables import STRATEGIES
from db.rows import FitRow, RunRow, UsedInstrument
from db.store import Store
from lab.findings import latest_counts, points_of_run, store_fits
from lab.report.figures import Curve
from lab.report.measured import Measured, measured

MAX_PANELS = 8
"""Cells and directions drawn with their write error rates."""


@dataclass(frozen=True, kw_only=True)
class TrainedNetwork:
    """One strategy, and how its networks did on the dies."""

    label: str
    software_accuracy: float
    """Mean over the training runs of this strategy."""
    hardware: Mapping[DieAddress, float]
    """Accuracy by die, the newest evaluation of each."""


@dataclass(frozen=True, kw_only=True)
class ReportContent:
    """Everything on the page."""

    wafer: str
    subtitle: str
    footer: str
    maps: Mapping[DieAddress, DefectMap]
    points_die: DieAddress | None
    points: Sequence[WerPoint]
    curves: Mapping[tuple[int, State, float], Curve]
    fits: Sequence[FitRow]
    measured: Sequence[Measured]
    networks: Sequence[TrainedNetwork]
    baseline: float | None
    """Software accuracy of the ideal weights."""
    runs: Sequence[RunRow]
    instruments: Sequence[UsedInstrument]

    @property
    def example_die(self) -> DieAddress:
        """The die with the yield closest to the median: typical, neither best nor worst."""
        yields = {die: found.fraction(CellClass.HEALTHY) for die, found in self.maps.items()}
        middle = float(np.median(list(yields.values())))
        return min(yields, key=lambda die: (abs(yields[die] - middle), die))


def gather(store: Store, wafer_id: int) -> ReportContent:
    """Read one wafer's part of the database; fits that are missing are made and stored.

    Raises DataError if nothing was measured on it.
    """
    runs = store.runs(wafer_id)
    wafer = next(row for row in store.wafers() if row.id == wafer_id)
    if not runs:
        raise DataError(f"Nothing was measured on wafer {wafer.name!r} yet: lab run array-map.")
    die, points, fits, curves = _write_errors(store, wafer_id)
    networks, baseline = _networks(store, wafer_id)
    return ReportContent(
        wafer=wafer.name,
        subtitle=f"{len(store.dies(wafer_id))} dies of {wafer.geometry.cells:,} cells, "
        f"{wafer.technology.upper()}",
        footer=f"crossbar-lab, from {store.name}",
        maps=store.defect_maps(wafer_id),
        points_die=die,
        points=points,
        curves=curves,
        fits=fits,
        measured=measured(store, wafer_id),
        networks=networks,
        baseline=baseline,
        runs=runs,
        instruments=store.instruments(runs[0].id),
    )


def _write_errors(
    store: Store, wafer_id: int
) -> tuple[DieAddress | None, list[WerPoint], list[FitRow], dict[tuple[int, State, float], Curve]]:
    """The newest write error rates: one die, the first few cells, with curves of their fits."""
    run = latest_counts(store, wafer_id)
    by_die = {} if run is None else points_of_run(store, run)
    if run is None or not by_die:
        return None, [], [], {}
    die = min(by_die)
    measured = [point for point in by_die[die] if point.attempts]
    pairs = sorted({(point.cell, point.target.value) for point in measured})[:MAX_PANELS]
    points = [point for point in measured if (point.cell, point.target.value) in pairs]
    if not points:
        return None, [], [], {}
    fits = store.fits(wafer_id, die, run_id=run) or store_fits(store, run).get(die, [])
    shown = [
        fit
        for fit in fits
        if fit.cell is not None and fit.target is not None and (fit.cell, fit.target.value) in pairs
    ]
    return die, points, shown, _curves(points)


def _curves(points: Sequence[WerPoint]) -> dict[tuple[int, State, float], Curve]:
    from analysis.switching_counts import gather_counts
    from analysis.switching_fit import fit_switching, wer_band

    found = fit_switching(gather_counts(points))
    magnitudes = [abs(point.amplitude) for point in points]
    amplitudes = np.linspace(0.95 * min(magnitudes), 1.02 * max(magnitudes), 120)
    curves = {}
    for width in sorted({point.width for point in points}):
        band = wer_band(found, amplitudes, width)
        for place, cell in enumerate(found.cells):
            if found.converged[place]:
                curves[(int(cell), found.targets[place], width)] = (
                    amplitudes,
                    np.exp(band.log_wer[place]),
                    np.exp(band.low[place]),
                    np.exp(band.high[place]),
                )
    return curves


def _networks(store: Store, wafer_id: int) -> tuple[list[TrainedNetwork], float | None]:
    """Evaluations in hardware by strategy, in the order of `db.result_tables.STRATEGIES`."""
    by_strategy: dict[tuple[str, str], dict[DieAddress, float]] = {}
    software: dict[tuple[str, str], dict[int, float]] = {}
    trained = {}
    for evaluation in store.evaluations(wafer_id=wafer_id):
        if evaluation.where != "hardware" or evaluation.die is None:
            continue
        number = evaluation.training_run_id
        if number not in trained:
            trained[number] = store.training_run(number)
        training = trained[number]
        name = (training.weights, training.dataset)
        by_strategy.setdefault(name, {})[evaluation.die] = evaluation.accuracy
        software.setdefault(name, {})[number] = training.software_accuracy
    several = len({dataset for _, dataset in by_strategy}) > 1
    order = [f"{how}{then}" for how in STRATEGIES for then in ("", ", calibrated")]
    networks = [
        TrainedNetwork(
            label=f"{strategy} ({dataset})" if several else strategy,
            software_accuracy=float(np.mean(list(software[strategy, dataset].values()))),
            hardware=by_strategy[strategy, dataset],
        )
        for strategy, dataset in sorted(by_strategy, key=lambda name: order.index(name[0]))
    ]
    ideal = (n.software_accuracy for n in networks if n.label.split(" (")[0] == "ideal")
    return networks, next(ideal, None)
