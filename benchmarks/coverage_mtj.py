"""Known truth, real protocol and bytes, stored records, fitted intervals: the MTJ protocols.

Each function measures simulated cells of known truth by one of `lab`'s protocols through drivers
and bytes, fits the stored records, and counts how often the intervals hold what the cells are.
`benchmarks.closed_loop_coverage` runs them by name.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.array_statistics import state_statistics
from analysis.breakdown_distribution import breakdown_fit
from analysis.defect_population import POINT_CLASSES, point_counts
from analysis.defect_rates import defect_rate, dispersion_interval
from analysis.disturb_rate import disturb_rate
from analysis.line_defects import on_lines
from analysis.phase_boundary import boundary_line
from benchmarks.coverage_table import Tallies
from crossbar.defect_map import CellClass
from crossbar.geometry import DieAddress
from crossbar.pulses import Pulse, State
from crossbar.records import PulseTrain, WerPoint
from crossbar.units import parse_quantity
from db.store import Store
from lab.cell_fits import checkpoint_fits
from lab.chosen_bench import chosen_bench
from lab.findings import store_fits
from lab.runs import start_run
from lab.session import session
from physics.breakdown import stress
from physics.defects import SISTER_CHIP
from physics.mtj import MtjPopulation
from physics.mtj_laws import MtjLaws
from physics.switching import log_wer
from physics.wafer import SimulatedWafer
from protocols.array_map import ArrayMapParameters
from protocols.breakdown_ramp import BreakdownRampParameters, ramp_amplitudes
from protocols.iv_sweep import IvSweepParameters
from protocols.read_disturb import ReadDisturbParameters
from protocols.set_reset_cycling import SetResetCyclingParameters
from protocols.switching_phase_diagram import SwitchingPhaseDiagramParameters
from protocols.write_error_rate import WriteErrorRateParameters

DIE = DieAddress(0, 0)
GROUP = 40
"""Cells whose median, or breakdown, is one experiment."""
FRAGILE = MtjPopulation(breakdown_voltage=1.0, breakdown_spread=0.05)
"""Cells that a bench with the usual limits can break."""
WEARING = MtjPopulation(breakdown_voltage=1.2, breakdown_spread=0.06)
"""Cells of which one in nine breaks within 10,000 cycles."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A run that is over, and the truth behind it."""

    store: Store
    run: int
    wafer: SimulatedWafer


@contextmanager
def measured(
    protocol: str,
    parameters: Any,
    seed: int,
    folder: Path,
    dies: Sequence[DieAddress] = (DIE,),
    **simulation: Any,
) -> Iterator[Measured]:
    """Run a protocol on the built-in bench, with these fields of its [simulation] table."""
    chosen = chosen_bench(None, True, seed)
    described = chosen.configuration
    table = described.simulation.model_copy(update=simulation)
    wafer = described.wafer.model_copy(update={"dies": tuple((die.x, die.y) for die in dies)})
    configuration = described.model_copy(update={"simulation": table, "wafer": wafer})
    with session(
        replace(chosen, configuration=configuration), str(folder / f"{protocol}-{seed}.sqlite")
    ) as opened:
        summary = start_run(opened.store, opened.bench, protocol, parameters, list(dies))
        yield Measured(
            store=opened.store, run=summary.run, wafer=opened.bench.simulation.station.wafer
        )


def write_error_rate(cells: int, seed: int, folder: Path) -> Tallies:
    """Delta, V_c0 and tau_D of every cell, both directions."""
    tallies = Tallies("write-error-rate")
    with measured("write-error-rate", WriteErrorRateParameters(sample=cells), seed, folder) as run:
        truth = run.wafer.die(DIE).truth.cells
        for fit in store_fits(run.store, run.run)[DIE]:
            if fit.converged:
                real = {"delta": truth.delta, "vc0": critical(truth, fit.target)}
                for name, values in (real | {"tau_d": truth.tau_d}).items():
                    tallies.see(name, fit.parameters[name], values[fit.cell])
    return tallies


def switching_phase_diagram(cells: int, seed: int, folder: Path) -> Tallies:
    """V_50 at every width, and the boundary through the true ones."""
    tallies = Tallies("switching-phase-diagram")
    parameters = SwitchingPhaseDiagramParameters(sample=cells)
    with measured("switching-phase-diagram", parameters, seed, folder) as run:
        truth = run.wafer.die(DIE).truth.cells
        for fit in store_fits(run.store, run.run)[DIE]:
            found = {
                parse_quantity(name.removeprefix("v50 at "), "s"): estimate
                for name, estimate in fit.parameters.items()
                if name.startswith("v50")
            }
            widths = np.array(list(found))
            half = half_voltages(truth[np.array([fit.cell])], fit.target, widths)
            for estimate, volts in zip(found.values(), half, strict=True):
                tallies.see("V_50", estimate, volts)
            if fit.converged:
                (vc0, slope), _ = boundary_line(widths, half)
                tallies.see("boundary V_c0", fit.parameters["vc0"], vc0)
                tallies.see("boundary t_0", fit.parameters["t0"], slope / vc0)
    return tallies


def read_disturb(cells: int, seed: int, folder: Path) -> Tallies:
    """The rate at every voltage, against the constant rate that is closest to the cell's error
    rates at these reads, and delta and V_c0 where they are told.
    """
    tallies = Tallies("read-disturb")
    parameters = ReadDisturbParameters(sample=cells)
    with measured("read-disturb", parameters, seed, folder) as run:
        truth = run.wafer.die(DIE).truth.cells
        points = run.store.records(run.run, DIE, WerPoint)
        for fit in store_fits(run.store, run.run)[DIE]:
            cell = truth[np.array([fit.cell])]
            for name, estimate in fit.parameters.items():
                if name.startswith("rate"):
                    voltage = parse_quantity(name.removeprefix("rate at "), "V")
                    made = [p for p in points if (p.cell, p.target) == (fit.cell, fit.target)]
                    there = [p for p in made if np.isclose(abs(p.amplitude), voltage)]
                    tallies.see("rate", estimate, disturb_rate(expected(there, cell)).estimate)
                else:
                    real = {"delta": cell.delta, "vc0": critical(cell, fit.target)}
                    tallies.see(name, estimate, real[name][0])
    return tallies


def expected(points: Sequence[WerPoint], cell: Any) -> list[WerPoint]:
    """The points with as many errors as are expected of the cell, to a millionth of an error."""
    return [
        replace(point, errors=point.attempts * float(np.exp(log_error[0])))
        for point in points
        for log_error in [
            failing(cell, point.target, np.array([abs(point.amplitude)]), point.width)
        ]
    ]


def iv_sweep(cells: int, seed: int, folder: Path) -> Tallies:
    """r_p, TMR and v_half of every cell."""
    tallies = Tallies("iv-sweep")
    with measured("iv-sweep", IvSweepParameters(sample=cells), seed, folder) as run:
        truth = run.wafer.die(DIE).truth
        for fit in store_fits(run.store, run.run)[DIE]:
            if fit.converged and truth.switches[fit.cell]:
                for name in ("r_p", "tmr", "v_half"):
                    tallies.see(name, fit.parameters[name], getattr(truth.cells, name)[fit.cell])
    return tallies


def set_reset_cycling(cells: int, seed: int, folder: Path) -> Tallies:
    """Medians and closed windows of groups of cells, against all cells of the die."""
    tallies = Tallies("set-reset-cycling")
    parameters = SetResetCyclingParameters(sample=cells)
    with measured("set-reset-cycling", parameters, seed, folder, mtj=WEARING) as run:
        truth = run.wafer.die(DIE).truth
        trains, row = run.store.records(run.run, DIE, PulseTrain), run.store.run(run.run)
    each = sum(
        stress(Pulse.writing(state, 0.9, parameters.width), truth.cells.breakdown_voltage)
        for state in State
    )
    cycles = np.cumsum([1, 9, 90, 900, 9000])
    for group in groups(trains, seed):
        for count, fit in zip(cycles, checkpoint_fits(group, row), strict=True):
            is_open = truth.switches & (count * each < 1)
            found = fit.parameters
            tallies.see("closed windows", found["closed_windows"], np.mean(~is_open))
            states = truth.cells[np.flatnonzero(is_open)]
            low, high = states.low_conductance(), states.high_conductance(0.1)
            tallies.see("median LOW", found["low_median"], 1 / np.median(low))
            tallies.see("median HIGH", found["high_median"], 1 / np.median(high))
    return tallies


def breakdown_ramp(cells: int, seed: int, folder: Path) -> Tallies:
    """Median and spread of groups of cells, for either distribution of the barriers."""
    tallies = Tallies("breakdown-ramp")
    parameters = BreakdownRampParameters(
        sample=cells // 2, start=0.7, stop=1.19, step=0.035, restore_amplitude=0.6
    )
    for number, distribution in enumerate(("log-normal", "Weibull")):
        population = replace(FRAGILE, laws=MtjLaws(breakdown_distribution=distribution))
        place = folder / distribution
        place.mkdir(exist_ok=True)
        with measured(
            "breakdown-ramp", parameters, seed + number, place, mtj=population, defect_scale=0.0
        ) as run:
            trains = run.store.records(run.run, DIE, PulseTrain)
        median, slope = ramp_median(parameters, population)
        for group in groups(trains, seed):
            found = breakdown_fit(group, distribution)
            tallies.see(f"median, {distribution}", found.median, median)
            spread = population.breakdown_spread * slope
            tallies.see(f"spread, {distribution}", found.spread, spread)
    return tallies


def array_map(wafers: int, seed: int, folder: Path) -> Tallies:
    """Medians, spreads and defect rates over 18 dies a wafer, against the population's."""
    tallies = Tallies("array-map")
    population = MtjPopulation()
    excess = population.tmr / (1 + (0.1 / population.v_half) ** 2)
    medians = {"low": 1 / population.r_p, "high": 1 / population.r_p / (1 + excess)}
    noise = population.r_p_spread**2 + population.read_noise**2
    share = population.tmr_spread * excess / (1 + excess)
    spreads = {"low": noise**0.5, "high": (noise + share**2) ** 0.5}
    dies = [DieAddress(x, y) for y in range(3) for x in range(6)]
    for wafer in range(wafers):
        with measured("array-map", ArrayMapParameters(), 1000 * seed + wafer, folder, dies) as run:
            maps = list(run.store.defect_maps(run.store.run(run.run).wafer_id).values())
        for state in ("low", "high"):
            found = state_statistics(maps, state)
            tallies.see(f"median {state.upper()}", found.median, medians[state])
            tallies.see("cell to cell", found.cell_to_cell, spreads[state])
            tallies.see("die to die", found.die_to_die, population.r_p_die_to_die)
        counts, cells = point_counts(maps, [on_lines(m.classes.shape, m.lines) for m in maps])
        shorts = defect_rate(counts[:, POINT_CLASSES.index(CellClass.SHORT)], cells)
        tallies.see("rate of shorts", shorts.rate, SISTER_CHIP.point_rates[CellClass.SHORT])
        shape = dispersion_interval(counts, cells)
        tallies.see("over-dispersion of defects", shape, SISTER_CHIP.dispersion)
    return tallies


def groups(trains: Sequence[PulseTrain], seed: int) -> Iterator[list[PulseTrain]]:
    """The trains of `GROUP` cells each, chosen by chance."""
    cells = np.unique([train.cell for train in trains])
    order = np.random.default_rng(seed).permutation(cells)
    for start in range(0, len(order) - GROUP + 1, GROUP):
        chosen = set(order[start : start + GROUP].tolist())
        yield [train for train in trains if train.cell in chosen]


def critical(cells: Any, target: State) -> NDArray[np.float64]:
    """(n,) critical voltages for writing this state."""
    return cells.vc0_low if target is State.LOW else cells.vc0_high


def failing(
    cell: Any, target: State, volts: NDArray[np.float64], width: float | NDArray[np.float64]
) -> NDArray[np.float64]:
    """ln WER of one cell at pulses (n,)."""
    return log_wer(
        torch.from_numpy(volts / critical(cell, target)),
        torch.as_tensor(width / cell.tau_d),
        torch.from_numpy(cell.delta),
    ).numpy()


def half_voltages(cell: Any, target: State, widths: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) Volts at which half of one cell's pulses of these widths switch, by bisection."""
    low, high = np.full(len(widths), 1e-3), np.full(len(widths), 5.0)
    for _ in range(50):
        middle = (low + high) / 2
        fails = failing(cell, target, middle, widths) > np.log(0.5)
        low, high = np.where(fails, middle, low), np.where(fails, high, middle)
    return (low + high) / 2


def ramp_median(
    parameters: BreakdownRampParameters, population: MtjPopulation
) -> tuple[float, float]:
    """Amplitude at which half of the cells are broken, and the slope of its logarithm over that of
    the breakdown voltage: stress of all steps adds up.
    """
    ramp = ramp_amplitudes(parameters)
    one = np.array([1.0])
    used = [stress(Pulse(amplitude=-volts, width=parameters.width), one)[0] for volts in ramp]
    broken = np.log(np.cumsum(used)) / 60  # ln of the breakdown voltage that this step reaches
    middle = float(np.interp(np.log(population.breakdown_voltage), broken, np.log(ramp)))
    slope = np.interp(middle, np.log(ramp)[1:], np.diff(np.log(ramp)) / np.diff(broken))
    return float(np.exp(middle)), float(slope)
