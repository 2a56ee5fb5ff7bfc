"""What follows from stored records, and is stored beside them: defect maps and fits."""

import logging

from analysis.classification import THRESHOLDS, classify
from crossbar.defect_map import DefectMap
from crossbar.errors import DataError
from crossbar.geometry import DieAddress
from crossbar.records import WerPoint
from db.import_tables import IMPORTED
from db.rows import FitRow, RunRow
from db.store import Store
from lab.fits import HFOX_RECIPES, IMPORTED_RECIPES, RECIPES, recipe_of, switching_fits

logger = logging.getLogger(__name__)


def store_defect_map(store: Store, run: int, die: DieAddress) -> DefectMap | None:
    """Classify a die that a run of array-map has read; None, and a warning, if it shows no window.

    A die that is dead or was clamped everywhere must not end the run of its neighbours.
    """
    wafer = store.run(run).wafer_id
    technology = technology_of(store, wafer)
    measured = store.array_map(wafer, die, run)
    try:
        found = classify(
            measured.low, measured.high, THRESHOLDS[technology], measured.in_compliance
        )
    except DataError as error:
        logger.warning("Die %s is not classified: %s", die, error)
        return None
    store.save_defect_map(wafer, die, found, run_id=run)
    return found


def store_fits(store: Store, run: int) -> dict[DieAddress, list[FitRow]]:
    """Fit the records of every die that a run measured, as `lab.fits` has it for its protocol, and
    store the fits. A die whose records do not suffice has none, and a warning. Most fits import
    torch. Raises DataError if the protocol is not fitted at all.
    """
    row = store.run(run)
    technology = technology_of(store, row.wafer_id)
    recipe = recipe_of(row, technology)
    if recipe is None:
        every = [*RECIPES.items(), *HFOX_RECIPES.items()]
        fitted = ", ".join(f"{name} ({r.technology or 'any'})" for name, r in every)
        raise DataError(
            f"Run {run} ({row.protocol}{_of_format(row)}) on a wafer of {technology} cells is not "
            f"fitted; fitted are {fitted}, and imported {', '.join(IMPORTED_RECIPES)}."
        )
    fits: dict[DieAddress, list[FitRow]] = {}
    for die in row.dies:
        records = store.records(run, die, recipe.record)
        if not records:
            continue
        try:
            fits[die] = recipe.fit(records, row)
        except DataError as error:
            logger.warning("Die %s is not fitted: %s", die, error)
            continue
        store.save_fits(run, die, fits[die])
    return fits


def _of_format(row: RunRow) -> str:
    return f" {row.parameters['format']}" if "format" in row.parameters else ""


def technology_of(store: Store, wafer: int) -> str:
    """What a wafer's cells are: "mtj", "hfox"."""
    return next(row.technology for row in store.wafers() if row.id == wafer)


def latest_run(store: Store, wafer: int, protocol: str) -> int | None:
    """Number of the newest run of a protocol on a wafer that stored anything, or None."""
    for row in store.runs(wafer):
        if row.protocol == protocol and (store.done_dies(row.id) or row.status != "done"):
            return row.id
    return None


def latest_counts(store: Store, wafer: int) -> int | None:
    """The newest run of write errors, measured or imported, that counted any, of cells that the
    switching model is for.
    """
    technology = technology_of(store, wafer)
    for row in store.runs(wafer):
        recipe = recipe_of(row, technology)
        counts = recipe is not None and recipe.fit is switching_fits
        if (
            counts
            and row.protocol in ("write-error-rate", IMPORTED)
            and points_of_run(store, row.id)
        ):
            return row.id
    return None


def points_of_run(store: Store, run: int) -> dict[DieAddress, list[WerPoint]]:
    """The write error rates of a run by die; dies without a point are left out."""
    row = store.run(run)
    found = {die: store.wer_points(row.wafer_id, die, run_id=run) for die in row.dies}
    return {die: points for die, points in found.items() if points}
