"""Twins of measured wafers: from what a database knows of dies to simulated ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.switching_both_ways import SwitchingBothWays, fit_both_ways
from crossbar.defect_map import DefectMap
from crossbar.errors import ConfigurationError, DataError
from crossbar.geometry import DieAddress
from crossbar.records import WerPoint
from crossbar.units import Volts
from db.rows import WaferRow
from db.store import Store
from lab.configuration import BenchConfiguration, SimulationTable
from physics.die_truth import READ_VOLTAGE, DieTruth
from physics.measured_die import MeasuredDie, arrays_of, measured_truth, truth_from
from physics.mtj import MtjPopulation

NO_WRITES = ("read-disturb",)
"""Protocols whose points are no attempts to write: the switching is not fitted to them."""


@dataclass(frozen=True, kw_only=True)
class Twin:
    """The twin of a wafer: of each of its dies that has a defect map."""

    wafer: WaferRow
    truths: dict[DieAddress, DieTruth]
    fitted_cells: int
    """Cells whose switching was fitted; that of the others is drawn."""
    population: dict[str, float]
    """The fitted medians and spreads that the others are drawn from; empty where too few cells were
    measured for that: then they are of the built-in population."""


def twin_of(store: Store, wafer: WaferRow, seed: int) -> Twin:
    """Make the twin of a measured wafer; the same database and seed give the same twin.

    Raises DataError if none of its dies has a defect map, ConfigurationError for cells that are no
    MTJs.
    """
    if wafer.technology != "mtj":
        raise ConfigurationError(
            f"Wafer {wafer.name} is of {wafer.technology} cells, and twins of measured dies are "
            "made of MTJs only. A bench file with a [simulation] table simulates drawn cells."
        )
    maps = store.defect_maps(wafer.id)
    if not maps:
        raise DataError(
            f"No die of wafer {wafer.name!r} has a defect map, so there is nothing to make a twin "
            "of. Measure it with: lab run array-map."
        )
    points = written_points(store, wafer, list(maps))
    switching = fit_both_ways(points) if points else None
    fitted: dict[str, Any] = switching.population if switching is not None else {}
    population = replace(MtjPopulation(), **fitted)
    truths = {
        die: measured_truth(
            _measured(store, wafer, die, found, place, switching),
            seed=seed,
            address=die,
            population=population,
        )
        for place, (die, found) in enumerate(maps.items())
    }
    return Twin(
        wafer=wafer,
        truths=truths,
        fitted_cells=0 if switching is None else len(switching.cells),
        population=fitted,
    )


def written_points(store: Store, wafer: WaferRow, dies: Sequence[DieAddress]) -> list[WerPoint]:
    """Every count of writes on these dies; cells are numbered on from die to die."""
    runs = [row for row in store.runs(wafer.id) if row.protocol not in NO_WRITES]
    return [
        replace(point, cell=place * wafer.geometry.cells + point.cell)
        for place, die in enumerate(dies)
        for row in reversed(runs)
        if die in row.dies
        for point in store.wer_points(wafer.id, die, run_id=row.id)
        if point.attempts
    ]


def _measured(
    store: Store,
    wafer: WaferRow,
    die: DieAddress,
    found: DefectMap,
    place: int,
    switching: SwitchingBothWays | None,
) -> MeasuredDie:
    """One die, with the fits of its own cells."""
    voltage = _read_amplitude(store, wafer, die)
    if switching is None:
        return MeasuredDie(found=found, read_amplitude=voltage)
    here = np.flatnonzero(switching.cells // wafer.geometry.cells == place)
    return MeasuredDie(
        found=found,
        read_amplitude=voltage,
        fitted=switching.cells[here] % wafer.geometry.cells,
        parameters={name: values[here] for name, values in switching.parameters.items()},
    )


def _read_amplitude(store: Store, wafer: WaferRow, die: DieAddress) -> Volts:
    """At which the die was mapped; the usual one where the map was not measured here."""
    try:
        return store.array_map(wafer.id, die).read_amplitude or READ_VOLTAGE
    except DataError:
        return READ_VOLTAGE


def keep(store: Store, twin: Twin, name: str) -> None:
    """Store a twin, so that benches can name it. Raises StorageError if there is one already."""
    store.save_twin(
        name,
        twin.wafer.id,
        {die: arrays_of(truth) for die, truth in twin.truths.items()},
        description={
            "wafer": twin.wafer.name,
            "fitted_cells": twin.fitted_cells,
            "population": twin.population,
        },
    )


def kept_truths(store: Store, name: str) -> dict[DieAddress, DieTruth]:
    """The dies of a stored twin. Raises DataError if there is none of that name."""
    return {die: truth_from(arrays) for die, arrays in store.twin(name).items()}


def bench_of_twin(
    configuration: BenchConfiguration, twin: Twin, name: str, seed: int
) -> BenchConfiguration:
    """The same instruments around the twin: its dies, its geometry, its name.

    Raises ConfigurationError for a bench whose limits are not for such cells.
    """
    if getattr(configuration.limits, twin.wafer.technology) is None:
        raise ConfigurationError(
            f"Wafer {twin.wafer.name} is of {twin.wafer.technology} cells, and the bench that the "
            f"twin is put on has no table [limits.{twin.wafer.technology}]. Give another --bench."
        )
    geometry = twin.wafer.geometry
    simulation = configuration.simulation or SimulationTable()
    table = configuration.wafer.model_copy(
        update={
            "name": name,
            "technology": twin.wafer.technology,
            "dies": tuple((die.x, die.y) for die in sorted(twin.truths, key=_row_by_row)),
            "subarrays": geometry.subarrays,
            "word_lines": geometry.rows,
            "bit_lines": geometry.columns,
        }
    )
    return configuration.model_copy(
        update={
            "wafer": table,
            "simulation": simulation.model_copy(
                update={"kernels": None, "twin": name, "seed": seed}
            ),
        }
    )


def _row_by_row(die: DieAddress) -> tuple[int, int]:
    return die.y, die.x
