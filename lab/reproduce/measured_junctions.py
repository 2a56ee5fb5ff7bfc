"""Junctions as the bench measures them: the population that pulses are chosen for, and a check of
what a chosen pulse does on dies that had no part in it.

Runs are stored like any other; one that was done before with the same parameters is not repeated.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.defect_population import robust_spread
from analysis.mean_interval import MeanInterval, mean_interval
from analysis.switching_both_ways import fit_both_ways
from crossbar.errors import DataError
from crossbar.geometry import DieAddress
from crossbar.pulses import State
from crossbar.records import WerPoint
from db.store import Store
from lab.findings import store_fits
from lab.parameters import as_json
from lab.reproduce.reproducing import Reproduction
from lab.runs import start_run
from lab.session import session
from physics.write_pulses import WritePulse
from protocols.iv_sweep import IvSweepParameters
from protocols.write_error_rate import WriteErrorRateParameters

LARGEST_READ = 0.3
"""Volts; the sweep must see the TMR fall, and stay below what disturbs. Ours."""


@dataclass(frozen=True, kw_only=True)
class MeasuredJunctions:
    """What was measured of a wafer's cells."""

    population: dict[str, float]
    """Fields of `physics.mtj.MtjPopulation`; the others have its defaults."""
    cells: int
    """Cells whose switching was counted and fitted, both ways."""
    dies: int


def measure_junctions(
    reproduction: Reproduction, dies: Sequence[DieAddress], sample: int
) -> MeasuredJunctions:
    """Write error rates and current over voltage of some cells of each die, and their population.

    Raises DataError where nothing could be fitted.
    """
    store = reproduction.store
    _, sweeps = _run(
        reproduction, "iv-sweep", IvSweepParameters(sample=sample, max_voltage=LARGEST_READ), dies
    )
    junctions = store_fits(store, sweeps)
    wafer, counted = _run(
        reproduction, "write-error-rate", WriteErrorRateParameters(sample=sample), dies
    )
    store_fits(store, counted)
    switching = fit_both_ways(_numbered_on(store, wafer, counted, dies))
    fits = [fit for row in junctions.values() for fit in row if fit.converged]
    if not switching.population:
        raise DataError(
            f"Only {len(switching.cells)} of the chosen cells could be fitted, too few for a "
            "population. Run it on a wafer with more cells that switch."
        )
    logarithms = {
        name: np.log([fit.parameters[name].estimate for fit in fits])
        for name in ("r_p", "tmr", "v_half")
    }
    seen = {name: values[np.isfinite(values)] for name, values in logarithms.items()}
    resistances = {name: float(np.exp(np.median(values))) for name, values in seen.items()}
    # Robust, because a damaged cell is no junction whose spread would matter.
    spreads = {f"{name}_spread": robust_spread(seen[name]) for name in ("r_p", "tmr")}
    return MeasuredJunctions(
        population=_rounded({**switching.population, **resistances, **spreads}),
        cells=len(switching.cells),
        dies=len(dies),
    )


def check_pulse(
    reproduction: Reproduction, pulse: WritePulse, dies: Sequence[DieAddress], sample: int
) -> MeanInterval:
    """The bit error rate of a pulse, counted on cells of these dies: the mean over cells of both
    ways together, with Student's interval over the cells.
    """
    rates: dict[tuple[DieAddress, int], list[float]] = {}
    for target in State:
        parameters = WriteErrorRateParameters(
            sample=sample,
            amplitudes=(pulse.magnitude(target),),
            widths=(pulse.width,),
            targets=(target,),
        )
        wafer, run = _run(reproduction, "write-error-rate", parameters, dies)
        for die in dies:
            for point in reproduction.store.wer_points(wafer, die, run_id=run):
                if point.attempts:
                    rate = point.errors / point.attempts
                    rates.setdefault((die, point.cell), []).append(rate)
    return mean_interval([float(np.mean(both)) for both in rates.values() if len(both) == 2])


def _run(
    reproduction: Reproduction, protocol: str, parameters: Any, dies: Sequence[DieAddress]
) -> tuple[int, int]:
    """(wafer, run) of a protocol with these parameters on these dies, done now if not before."""
    store, wafer = reproduction.store, reproduction.bench.configuration.wafer
    wafer_id = store.wafer(wafer.name, wafer.geometry, wafer.technology)
    wanted = as_json(parameters)
    for row in store.runs(wafer_id):
        same = row.protocol == protocol and row.parameters == wanted and row.dies == tuple(dies)
        if same and row.status == "done":
            return wafer_id, row.id
    with session(reproduction.bench, reproduction.database) as opened:
        summary = start_run(opened.store, opened.bench, protocol, parameters, dies)
    return wafer_id, summary.run


def _numbered_on(store: Store, wafer: int, run: int, dies: Sequence[DieAddress]) -> list[WerPoint]:
    """The counts of a run; cells are numbered on from die to die."""
    points = [store.wer_points(wafer, die, run_id=run) for die in dies]
    first = 1 + max((point.cell for row in points for point in row), default=0)
    return [
        replace(point, cell=place * first + point.cell)
        for place, row in enumerate(points)
        for point in row
        if point.attempts
    ]


def _rounded(population: dict[str, float]) -> dict[str, float]:
    """Six digits: far below any interval, and the same on every kind of machine."""
    return {name: float(f"{value:.6g}") for name, value in population.items()}
