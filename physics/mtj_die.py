"""A simulated die of magnetic tunnel junctions: the states its cells are in, and what pulses do.

One of the dies behind the emulators of a bench (`physics.simulated_die`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from crossbar.attempts import AttemptCounts, AttemptPlan
from crossbar.defect_map import CellClass
from crossbar.geometry import CellIndices, DieGeometry
from crossbar.pulses import Pulse, State
from crossbar.units import Volts
from physics.attempt_chain import AttemptOdds, run_chain
from physics.breakdown import broken_conductance, stress
from physics.die_truth import DieTruth
from physics.draws import Keys, UseCounter, content, keys, normals, uniforms
from physics.operations import (
    cells_of,
    check_plan,
    distinct,
    multiplied,
    name_of,
    readings_apart,
    reads_as,
    with_noise,
)
from physics.retention import flip_time, flipped
from physics.simulated_die import Clock, no_time
from physics.switching import log_wer

FloatArray = NDArray[np.float64]


UNLIKELY = 1e-6
"""A flip by heat that is less likely than this waits, with the time that passed, for the next look:
so runs of some hours on stable cells draw nothing, and are the same however often interrupted."""
MAX_EFFECTS = 10_000
"""Effects of single pulses on single cells that are remembered."""


@dataclass(frozen=True, kw_only=True)
class PulseEffect:
    """What one pulse does to each of n cells."""

    writes_low: bool
    fails: FloatArray
    """(n,) Probability that a cell in the other state stays there, if it is not stuck."""
    stress: FloatArray
    """(n,) Share of the cell's life."""

    def __getitem__(self, cells: NDArray) -> "PulseEffect":
        """The effect on the cells at these positions."""
        return PulseEffect(
            writes_low=self.writes_low, fails=self.fails[cells], stress=self.stress[cells]
        )


class MtjDie:
    """Cells with a state; made by `physics.wafer.SimulatedWafer`. The port `SimulatedDie`."""

    def __init__(
        self, *, geometry: DieGeometry, truth: DieTruth, seed: np.uint64, clock: Clock = no_time
    ) -> None:
        self.geometry = geometry
        self.clock = clock
        self.truth = truth
        self.seed = seed
        everything = np.arange(geometry.cells)
        fresh = uniforms(keys(seed, content("fresh"), everything)) < 0.5
        fresh[truth.classes == CellClass.STUCK_LOW] = True
        fresh[truth.classes == CellClass.STUCK_HIGH] = False
        self.low: NDArray[np.bool_] = fresh
        """(cells,) True in the LOW state; a coin toss on a die that was never written."""
        self.stress: FloatArray = np.zeros(geometry.cells)
        """(cells,) Share of the barrier's life that is used up."""
        self.dead: NDArray[np.bool_] = np.zeros(geometry.cells, dtype=bool)
        """(cells,) True where the barrier broke down: a short for ever."""
        self.pulses_given: NDArray[np.int64] = np.zeros(geometry.cells, dtype=np.int64)
        """(cells,) Write and restore pulses."""
        self.looked_at: FloatArray = np.full(geometry.cells, clock())
        """(cells,) Seconds on the die's clock, up to which flips by heat are reckoned with."""
        self._flip_times = flip_time(truth.cells.delta, truth.cells.tau_d)
        self._effects: dict[tuple[int, float, float], PulseEffect] = {}
        self._uses = UseCounter(seed, geometry.cells)
        self._fixed = truth.fixed.copy()
        self._switches = truth.switches.copy()

    @property
    def classes(self) -> NDArray[np.int8]:
        """(cells,) `CellClass` values."""
        return self.truth.classes

    @property
    def touched(self) -> bool:
        """Whether anything was ever done to this die."""
        return not self._uses.unused

    def conductance(self, cells: CellIndices, voltage: Volts | FloatArray) -> FloatArray:
        """(n,) Siemens without noise, in the present states, at this voltage (scalar or (n,))."""
        self._flip_by_heat(self.geometry.check(cells))
        return self._conductance_in(cells, self.low[cells], voltage)

    def conductance_in(self, cells: CellIndices, state: State, voltage: Volts) -> FloatArray:
        """(n,) Siemens that the cells have in this state; defects as they are."""
        return self._conductance_in(cells, np.full(len(cells), state is State.LOW), voltage)

    def conduct(self, cells: CellIndices, voltage: Volts | FloatArray) -> FloatArray:
        """(n,) Amperes: one reading of each cell, with noise; states stay as they are."""
        current = voltage * self.conductance(cells, voltage)
        for level, here in readings_apart(cells, voltage):
            noise = normals(self._uses.keys(cells[here], "read", level))
            current[here] *= 1 + self.truth.read_noise * noise
        return current

    def pulse(self, cells: CellIndices, pulse: Pulse) -> None:
        """Give each of the (n,) cells one pulse: it may switch them, and it wears them."""
        self._flip_by_heat(self.geometry.check(cells))
        for part in distinct(cells):
            here = cells[part]
            draws = uniforms(self._uses.keys(here, "pulse", *name_of(pulse)))
            self._apply(here, self._effect(here, pulse), draws)

    def attempt(self, cells: CellIndices, plan: AttemptPlan) -> AttemptCounts:
        """Run the plan on each of the (n,) distinct cells.

        Counts are exact in distribution, however many attempts; with ``keep_readings`` every
        attempt is followed one by one. Raises ConfigurationError if the polarity of a pulse does
        not fit the plan, or the thresholds do not fit the cells.
        """
        check_plan(self.geometry.check(cells), plan)
        self._flip_by_heat(cells)
        draws = self._uses.keys(
            cells, "attempt", *name_of(plan.restore), *name_of(plan.write),
            round(plan.read_amplitude * 1e3), plan.initial.value,
        )  # fmt: skip
        if plan.keep_readings:
            return self._attempt_one_by_one(cells, plan, draws)
        return self._attempt_by_chain(cells, plan, draws)

    def dot_product(self, subarray: int, row_voltages: FloatArray) -> FloatArray:
        """(batch, rows) volts in, (batch, columns) amperes out of grounded columns, with noise.

        Every product uses the conductance at its own voltage. Raises ConfigurationError if the
        sub-array does not exist or the voltages have another shape.
        """
        cells = cells_of(self.geometry, subarray, row_voltages)
        self._flip_by_heat(cells)
        series = self._conductance_series(cells, float(np.max(np.abs(row_voltages))))
        current = multiplied(series, row_voltages, self.geometry.columns)
        at = self._uses.keys(cells[:1], "dot product", subarray, row_voltages)
        return with_noise(current, self.truth.read_noise, at)

    def snapshot(self) -> dict[str, NDArray]:
        """The state, as arrays for a file; the truth is not part of it."""
        return {
            "low": self.low, "stress": self.stress, "dead": self.dead,
            "pulses_given": self.pulses_given, "looked_at": self.looked_at, **self._uses.snapshot(),
        }  # fmt: skip

    def restore(self, snapshot: Mapping[str, NDArray]) -> None:
        """Take over a state that `snapshot` returned, of a die with the same truth."""
        self.low = np.array(snapshot["low"], dtype=bool)
        self.stress = np.array(snapshot["stress"], dtype=np.float64)
        self.pulses_given = np.array(snapshot["pulses_given"], dtype=np.int64)
        now = np.full(self.geometry.cells, self.clock())
        self.looked_at = np.array(snapshot.get("looked_at", now), dtype=np.float64)
        self.dead[:] = False
        self._fixed = self.truth.fixed.copy()
        self._switches = self.truth.switches.copy()
        self._break(np.flatnonzero(snapshot["dead"]))
        self._uses.restore(snapshot)

    def _flip_by_heat(self, cells: CellIndices) -> None:
        """Let the time act that has passed since these cells were last looked at: a Markov chain,
        exact whenever it is looked at.
        """
        now = self.clock()
        flips = flipped(np.maximum(now - self.looked_at[cells], 0.0), self._flip_times[cells])
        if flips.max(initial=0.0) < UNLIKELY:
            return
        here, first = np.unique(cells[flips >= UNLIKELY], return_index=True)
        chance = flips[flips >= UNLIKELY][first]
        turned = here[self._switches[here] & (uniforms(self._uses.keys(here, "heat")) < chance)]
        self.low[turned] = ~self.low[turned]
        self.looked_at[here] = now

    def _conductance_in(
        self, cells: CellIndices, low: NDArray[np.bool_], voltage: Volts | FloatArray
    ) -> FloatArray:
        """(n,) Siemens the cells have if they are in these states."""
        here, fixed = self.truth.cells[cells], self._fixed[cells]
        switching = np.where(low, here.low_conductance(), here.high_conductance(voltage))
        return np.where(np.isnan(fixed), switching, fixed)

    def _conductance_series(self, cells: CellIndices, largest: Volts) -> list[FloatArray]:
        """Coefficients, (n,) each, of the present conductances in even powers of the voltage."""
        here, fixed = self.truth.cells[cells], self._fixed[cells]
        series = here.high_conductance_series(largest)
        constant = np.where(self.low[cells], here.low_conductance(), series[0])
        series[0] = np.where(np.isnan(fixed), constant, fixed)
        bias_dependent = ~self.low[cells] & np.isnan(fixed)
        return [series[0], *(np.where(bias_dependent, term, 0.0) for term in series[1:])]

    def _sense(self, cells: CellIndices, voltage: Volts, at: Keys) -> FloatArray:
        """(n,) Siemens as read once."""
        return self.conductance(cells, voltage) * (1 + self.truth.read_noise * normals(at))

    def _effect(self, cells: CellIndices, pulse: Pulse) -> PulseEffect:
        """What a pulse does to these cells. Remembered for single cells: instruments that reach one
        cell at a time send the same few pulses thousands of times.
        """
        if len(cells) != 1:
            return self._work_out_effect(cells, pulse)
        name = (int(cells[0]), pulse.amplitude, pulse.width)
        if name not in self._effects:
            if len(self._effects) >= MAX_EFFECTS:
                self._effects.clear()
            self._effects[name] = self._work_out_effect(cells, pulse)
        return self._effects[name]

    def _work_out_effect(self, cells: CellIndices, pulse: Pulse) -> PulseEffect:
        here = self.truth.cells[cells]
        writes_low = pulse.amplitude > 0
        critical = here.vc0_low if writes_low else here.vc0_high
        log_fails = log_wer(
            torch.from_numpy(abs(pulse.amplitude) / critical),
            torch.from_numpy(pulse.width / here.tau_d),
            torch.from_numpy(here.delta),
            self.truth.laws.barrier_exponent,
        ).numpy()
        spoilt = self.truth.anomalies.spoils(
            pulse, here.back_hopping_voltage, here.ballooning_height
        )
        return PulseEffect(
            writes_low=writes_low,
            fails=np.exp(log_fails) + spoilt * -np.expm1(log_fails),
            stress=stress(pulse, here.breakdown_voltage, self.truth.laws.breakdown_acceleration),
        )

    def _apply(self, cells: CellIndices, effect: PulseEffect, draws: FloatArray) -> None:
        """Let one pulse act on distinct cells; ``draws`` (n,) uniform numbers decide."""
        switched = self._switches[cells] & (draws >= effect.fails)
        self.low[cells[switched]] = effect.writes_low
        self._wear(cells, effect.stress)
        self.pulses_given[cells] += 1

    def _wear(self, cells: CellIndices, share: FloatArray) -> None:
        """Use up a share of each cell's life; barriers at their end break down."""
        whole = np.isnan(self._fixed[cells])
        self.stress[cells] += np.where(whole, share, 0.0)
        self._break(cells[whole & (self.stress[cells] >= 1)])

    def _break(self, cells: CellIndices) -> None:
        """Turn cells into shorts, for ever."""
        self.dead[cells] = True
        self._switches[cells] = False
        draws = uniforms(keys(self.seed, content("broken"), cells))
        self._fixed[cells] = broken_conductance(draws) * self.truth.median_low

    def _attempt_one_by_one(
        self, cells: CellIndices, plan: AttemptPlan, draws: Keys
    ) -> AttemptCounts:
        """The reference: every pulse and every reading by itself, over all cells at once."""
        restore, write = self._effect(cells, plan.restore), self._effect(cells, plan.write)
        readings = np.full((len(cells), plan.attempts, 2), np.nan)
        starts_low = plan.initial is State.LOW
        for number in range(plan.attempts):
            now = keys(draws, number)
            self._apply(cells, restore, uniforms(keys(now, 0)))
            before = self._sense(cells, plan.read_amplitude, keys(now, 1))
            readings[:, number, 0] = before
            valid = np.flatnonzero((before >= plan.threshold) == starts_low)
            self._apply(cells[valid], write[valid], uniforms(keys(now[valid], 2)))
            readings[valid, number, 1] = self._sense(
                cells[valid], plan.read_amplitude, keys(now[valid], 3)
            )
        initial = (readings >= plan.threshold[:, None, None]) == starts_low
        return AttemptCounts(
            attempts=plan.attempts,
            rejected=np.sum(~initial[:, :, 0], axis=1),
            errors=np.sum(initial[:, :, 0] & initial[:, :, 1], axis=1),
            readings=readings,
        )

    def _attempt_by_chain(
        self, cells: CellIndices, plan: AttemptPlan, draws: Keys
    ) -> AttemptCounts:
        """The same, counted: a cell whose barrier gives out is a short for the rest."""
        restore, write = self._effect(cells, plan.restore), self._effect(cells, plan.write)
        odds = self._odds(cells, plan, restore, write)
        each = restore.stress + (1 - odds.misread_initial) * write.stress
        with np.errstate(divide="ignore", over="ignore"):
            lasting = np.ceil((1 - self.stress[cells]) / each) - 1
        lasting[~np.isnan(self._fixed[cells])] = np.inf
        whole = np.minimum(lasting, plan.attempts).astype(np.int64)
        rejected, errors = self._run(cells, plan, odds, whole, keys(draws, 0))
        breaking = whole < plan.attempts
        used = whole * restore.stress + (whole - rejected) * write.stress
        self._wear(cells, used + 1.0 * breaking)
        if breaking.any():
            odds = self._odds(cells, plan, restore, write)
            after = self._run(cells, plan, odds, plan.attempts - whole, keys(draws, 1))
            rejected, errors = rejected + after[0], errors + after[1]
        self.pulses_given[cells] += 2 * plan.attempts - rejected
        return AttemptCounts(attempts=plan.attempts, rejected=rejected, errors=errors)

    def _odds(
        self, cells: CellIndices, plan: AttemptPlan, restore: PulseEffect, write: PulseEffect
    ) -> AttemptOdds:
        """A cell that cannot move is in one state throughout, as if every restore reached it."""
        to_low = plan.target is State.LOW
        moves = self._switches[cells]
        initial_low = np.where(moves, not to_low, self.low[cells])
        initial = self._conductance_in(cells, initial_low, plan.read_amplitude)
        target = self._conductance_in(cells, np.full(len(cells), to_low), plan.read_amplitude)
        return AttemptOdds(
            restore_fails=np.where(moves, restore.fails, 0.0),
            write_fails=np.where(moves, write.fails, 1.0),
            misread_initial=reads_as(to_low, initial, plan.threshold, self.truth.read_noise),
            misread_target=reads_as(not to_low, target, plan.threshold, self.truth.read_noise),
        )

    def _run(
        self,
        cells: CellIndices,
        plan: AttemptPlan,
        odds: AttemptOdds,
        attempts: NDArray[np.int64],
        at: Keys,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(n,) rejected attempts and (n,) errors; sets the cells' states."""
        to_low = plan.target is State.LOW
        moves, low = self._switches[cells], self.low[cells]
        result = run_chain(odds, attempts, moves & (low == to_low), at)
        self.low[cells] = np.where(moves, result.in_target == to_low, low)
        return result.rejected, result.errors
