"""A simulated die of HfOx cells: the states they are in, and what pulses do to them.

One of the dies behind the emulators of a bench (`physics.simulated_die`). Its cells are fresh until
they are formed. What a cell is, and the equations, stand in `physics.hfox`.
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from crossbar.attempts import AttemptCounts, AttemptPlan
from crossbar.geometry import CellIndices, DieGeometry
from crossbar.pulses import Pulse, State
from crossbar.units import Amperes, Volts
from physics.breakdown import broken_conductance
from physics.draws import Keys, UseCounter, content, keys, normals, uniforms
from physics.hfox import (
    LOW_AGEING,
    MEASURED_CYCLES,
    age_of,
    conduction,
    conduction_series,
    uniform_matrix,
)
from physics.hfox_attempts import CLEARLY, attempt_in_stretches, judged
from physics.hfox_time import HfOxTime
from physics.hfox_truth import HfOxTruth
from physics.operations import (
    cells_of,
    check_plan,
    distinct,
    multiplied,
    name_of,
    readings_apart,
    with_noise,
)
from physics.simulated_die import Clock, no_time
from physics.weak_reset import (
    PulseNoise,
    WeakResetCells,
    WeakResetState,
    advance,
    log_resistance,
    reference_pulses,
)

FloatArray = NDArray[np.float64]
Counts = NDArray[np.int64]
SERIES_TERMS = 6
"""Of sinh, in a dot product: exact to 1e-9 up to 0.5 V."""


class HfOxDie:
    """Cells with a state; made by `physics.wafer.SimulatedWafer`. The port `SimulatedDie`."""

    def __init__(
        self,
        *,
        geometry: DieGeometry,
        truth: HfOxTruth,
        seed: np.uint64,
        current_limit: Callable[[], Amperes],
        clock: Clock = no_time,
        noise: PulseNoise | None = None,
    ) -> None:
        """``current_limit`` tells what the access transistors let through in FORMING and SET, as
        the bench drives their gates at the time; ``noise`` is that of weak RESET.
        """
        self.geometry = geometry
        self.truth = truth
        self.seed = seed
        self.clock = clock
        self.current_limit = current_limit
        self.noise = noise or PulseNoise()
        count = geometry.cells
        self.formed: NDArray[np.bool_] = np.zeros(count, dtype=bool)
        """(cells,) False while fresh."""
        self.low: NDArray[np.bool_] = np.zeros(count, dtype=bool)
        """(cells,) True from FORMING or SET to the next RESET."""
        self.log_high: FloatArray = np.zeros(count)
        """(cells,) ln Ohm; counts where formed and not LOW."""
        self.r0: FloatArray = np.ones(count)
        """(cells,) Ohm after the last SET, as `physics.weak_reset` has it; counts where LOW."""
        self.weak_pulses: FloatArray = np.zeros(count)
        """(cells,) Reference pulses of weak RESET since the last SET."""
        self.telegraph_high: NDArray[np.bool_] = np.zeros(count, dtype=bool)
        self.telegraph_level: FloatArray = np.zeros(count)
        self.samples: FloatArray = np.zeros((count, self.noise.poles * self.noise.pink))
        self.cycles: NDArray[np.int64] = np.zeros(count, dtype=np.int64)
        """(cells,) SETs out of HIGH."""
        self.dead: NDArray[np.bool_] = np.zeros(count, dtype=bool)
        """(cells,) True where the oxide broke down: a short for ever."""
        self.pulses_given: NDArray[np.int64] = np.zeros(count, dtype=np.int64)
        """(cells,) Write and restore pulses."""
        self.writings: NDArray[np.int64] = np.zeros(count, dtype=np.int64)
        """(cells,) FORMING, SETs and RESETs that changed the cell."""
        self.written_at: FloatArray = np.full(count, clock())
        """(cells,) Seconds on the die's clock, of the last of them."""
        self.time = HfOxTime.draw(seed, count, truth.population.time)
        self._uses = UseCounter(seed, count)
        self.fixed: FloatArray = truth.fixed.copy()
        """(cells,) Siemens of what no pulse moves; NaN elsewhere."""

    @property
    def classes(self) -> NDArray[np.int8]:
        """(cells,) `CellClass` values."""
        return self.truth.classes

    @property
    def stress(self) -> FloatArray:
        """(cells,) Cycles, as a share of the million that were followed; 1 where broken."""
        return np.where(self.dead, 1.0, self.cycles / MEASURED_CYCLES)

    @property
    def touched(self) -> bool:
        """Whether anything was ever done to this die."""
        return not self._uses.unused

    def resistance(self, cells: CellIndices) -> FloatArray:
        """(n,) Ohm of formed cells at 0.2 V as they were written, as if none were short or open."""
        high = np.exp(self.log_high[cells])
        here = np.flatnonzero(self.low[cells])
        if len(here):
            chosen = cells[here]
            logs = log_resistance(self._weak(chosen), self._state(chosen), self.noise)
            high[here] = np.exp(logs.numpy())
        return high

    def conductance(self, cells: CellIndices, voltage: Volts | FloatArray) -> FloatArray:
        """(n,) Siemens without noise, in the present states, at this voltage (scalar or (n,))."""
        self.geometry.check(cells)
        formed, low, fixed = self.formed[cells], self.low[cells], self.fixed[cells]
        age = np.maximum(self.clock() - self.written_at[cells], 0.0)
        written = self.time.drifted(cells, low, self.writings[cells], age) / self.resistance(cells)
        zero_bias = np.where(formed, written, self.truth.cells.fresh[cells])
        return np.where(np.isnan(fixed), zero_bias * np.where(low, 1.0, conduction(voltage)), fixed)

    def conductance_in(self, cells: CellIndices, state: State, voltage: Volts) -> FloatArray:
        """(n,) Siemens, in the middle of a formed cell's cycles; what does not move, as it is."""
        typical = self.truth.conductance_in(cells, state, voltage, self.current_limit())
        return np.where(self._noisy(cells), typical, self.conductance(cells, voltage))

    def conduct(self, cells: CellIndices, voltage: Volts | FloatArray) -> FloatArray:
        """(n,) Amperes: one reading of each cell, with noise; states stay as they are."""
        current = voltage * self.conductance(cells, voltage)
        for level, here in readings_apart(cells, voltage):
            white = normals(self._uses.keys(cells[here], "read", level))
            current[here] *= 1 + self._white(cells[here]) * white + self._slow(cells[here])
        return current

    def pulse(self, cells: CellIndices, pulse: Pulse) -> None:
        """Give each of the (n,) cells one pulse. It may form, SET, RESET or break it."""
        for part in distinct(self.geometry.check(cells)):
            here = cells[part]
            self._apply(here, pulse, self._uses.keys(here, "pulse", *self._name(pulse)))

    def form_all(self) -> None:
        """Form every cell that is fresh and can be, each as by a pulse of its forming voltage."""
        cells = np.flatnonzero(~self.formed & np.isnan(self.fixed))
        population, here = self.truth.population, self.truth.cells[cells]
        resistance = population.formed_resistance(here, 0.0, self.current_limit())
        self.formed[cells] = True
        self._become_low(cells, resistance / np.exp(self.truth.weak.c1.numpy()[cells]))

    def attempt(self, cells: CellIndices, plan: AttemptPlan) -> AttemptCounts:
        """As the port has it: from LOW in stretches, otherwise attempt by attempt, with the same
        draws and the same counts.
        """
        check_plan(self.geometry.check(cells), plan)
        draws = self._uses.keys(
            cells, "attempt", *self._name(plan.restore), *self._name(plan.write),
            round(plan.read_amplitude * 1e3), plan.initial.value,
        )  # fmt: skip
        if plan.initial is State.LOW and not plan.keep_readings:
            return attempt_in_stretches(self, cells, plan, draws)
        rejected, errors = np.zeros((2, len(cells)), dtype=np.int64)
        readings = np.zeros((len(cells), plan.attempts, 2)) if plan.keep_readings else None
        for number in range(plan.attempts):
            before, after = self.attempt_once(cells, plan, plan.threshold, keys(draws, number))
            first, wrong = judged(before, after, plan.threshold, plan.initial)
            rejected += first
            errors += wrong
            if readings is not None:
                readings[:, number, 0], readings[:, number, 1] = before, after
        return AttemptCounts(
            attempts=plan.attempts, rejected=rejected, errors=errors, readings=readings
        )

    def dot_product(self, subarray: int, row_voltages: FloatArray) -> FloatArray:
        """As the port has it; every product uses the conductance at its own voltage. Raises
        ConfigurationError if the sub-array does not exist or the voltages have another shape.
        """
        cells = cells_of(self.geometry, subarray, row_voltages)
        at_zero = self.conductance(cells, 0.0) * (1 + self._slow(cells))
        bends = ~self.low[cells] & np.isnan(self.fixed[cells])
        terms = conduction_series(SERIES_TERMS) / conduction(0.0)
        series = [at_zero, *(np.where(bends, at_zero * term, 0.0) for term in terms[1:])]
        current = multiplied(series, row_voltages, self.geometry.columns)
        at = self._uses.keys(cells[:1], "dot product", subarray, row_voltages)
        return with_noise(current, self.truth.population.read_noise, at)

    def snapshot(self) -> dict[str, NDArray]:
        """The state, as arrays for a file; the truth is not part of it."""
        noisy = np.flatnonzero(self.samples.any(axis=1))
        return {
            **{name: getattr(self, name) for name in STATE},
            "noisy": noisy, "samples": self.samples[noisy], **self._uses.snapshot(),
        }  # fmt: skip

    def restore(self, snapshot: Mapping[str, NDArray]) -> None:
        """Take over a state that `snapshot` returned, of a die with the same truth."""
        for name in STATE:
            setattr(self, name, np.array(snapshot[name], dtype=getattr(self, name).dtype))
        self.samples[:] = 0
        self.samples[snapshot["noisy"]] = snapshot["samples"]
        self.fixed = self.truth.fixed.copy()
        self._break(np.flatnonzero(self.dead))
        self._uses.restore(snapshot)

    def attempt_once(
        self, cells: CellIndices, plan: AttemptPlan, threshold: FloatArray, at: Keys
    ) -> tuple[FloatArray, FloatArray]:
        """(n,) Siemens read before and after the write; NaN after a restore that failed."""
        after = np.full(len(cells), np.nan)
        self._apply(cells, plan.restore, keys(at, 0))
        before = self._sense(cells, plan.read_amplitude, keys(at, 1))
        valid = (before >= threshold) == (plan.initial is State.LOW)
        self._apply(cells[valid], plan.write, keys(at[valid], 2))
        after[valid] = self._sense(cells[valid], plan.read_amplitude, keys(at[valid], 3))
        return before, after

    def _name(self, pulse: Pulse) -> tuple[object, ...]:
        """What a pulse is known by: a SET with another current limit is another operation."""
        limit = f"{self.current_limit():.3g}" if pulse.amplitude > 0 else ""
        return (*name_of(pulse), limit)

    def _weak(self, cells: CellIndices) -> WeakResetCells:
        return self.truth.weak[torch.from_numpy(cells)]

    def _state(self, cells: CellIndices) -> WeakResetState:
        """What weak RESET has done to these cells so far."""
        return WeakResetState(
            r0=torch.from_numpy(self.r0[cells]),
            pulses=torch.from_numpy(self.weak_pulses[cells]),
            high=torch.from_numpy(self.telegraph_high[cells]),
            level=torch.from_numpy(self.telegraph_level[cells]),
            samples=torch.from_numpy(self.samples[cells]),
        )

    def _sense(self, cells: CellIndices, voltage: Volts, at: Keys) -> FloatArray:
        """(n,) Siemens as read once, right after the cells were written."""
        noise = self.truth.population.read_noise * normals(at)
        noisy = self._noisy(cells)
        chosen = cells[noisy]
        noise[noisy] = self.time.right_after_writing(chosen, self.low[chosen], at[noisy])
        return self.conductance(cells, voltage) * (1 + noise)

    def _noisy(self, cells: CellIndices) -> NDArray[np.bool_]:
        """(n,) whether traps in a filament make a cell's noise; the others have the meter's."""
        return self.formed[cells] & np.isnan(self.fixed[cells])

    def _white(self, cells: CellIndices) -> FloatArray:
        """(n,) relative standard deviation of what differs from one reading to the next."""
        white = self.time.white(cells, self.low[cells])
        return np.where(self._noisy(cells), white, self.truth.population.read_noise)

    def _slow(self, cells: CellIndices) -> FloatArray:
        """(n,) relative deviations by 1/f and telegraph noise, now."""
        slow, noisy = np.zeros(len(cells)), self._noisy(cells)
        here = cells[noisy]
        slow[noisy] = self.time.slow_noise(here, self.low[here], self.writings[here], self.clock())
        return slow

    def _apply(self, cells: CellIndices, pulse: Pulse, at: Keys) -> None:
        """Let one pulse act on distinct cells; everything random comes of the keys ``at`` (n,)."""
        self.pulses_given[cells] += 1
        able = np.isnan(self.fixed[cells])
        cells, at = cells[able], at[able]
        formed = self.formed[cells]
        if pulse.amplitude > 0:
            self._form(cells[~formed], pulse)
            self._set(cells[formed], pulse, at[formed])
        elif pulse.amplitude < 0:
            self._reset(cells[formed], pulse, at[formed])

    def _form(self, cells: CellIndices, pulse: Pulse) -> None:
        """Form the fresh cells whose forming voltage this reaches."""
        population = self.truth.population
        amplitude = population.effective_amplitude(pulse)
        forms = cells[amplitude >= self.truth.cells.forming_voltage[cells]]
        here = self.truth.cells[forms]
        resistance = population.formed_resistance(here, amplitude, self.current_limit())
        self.formed[forms] = True
        self._become_low(forms, resistance / np.exp(self.truth.weak.c1.numpy()[forms]))

    def _set(self, cells: CellIndices, pulse: Pulse, at: Keys) -> None:
        """SET, LOW or HIGH before. Cells that already conduct clearly more than this current limit
        can do stay as they are.
        """
        population, here = self.truth.population, self.truth.cells[cells]
        sets = population.sets(here, population.effective_amplitude(pulse), normals(keys(at, 0)))
        cells, at = cells[sets], at[sets]
        low, least = self.set_resistance(cells, self.cycles[cells], keys(at, 1))
        acts = self.resistance(cells) >= CLEARLY * least
        self.cycles[cells[acts & ~self.low[cells]]] += 1
        self._become_low(cells[acts], low[acts] / np.exp(self._weak(cells[acts]).c1.numpy()))

    def set_resistance(
        self, cells: CellIndices, cycles: Counts, at: Keys
    ) -> tuple[FloatArray, FloatArray]:
        """(n,) Ohm that a SET with the present current limit leaves, and the least it could."""
        weak, own = self.truth.weak_population, self._weak(cells)
        ageing = np.exp(LOW_AGEING * age_of(cycles)) * np.exp(own.c1.numpy())
        scale = self.truth.low_scale(self.current_limit()) * self.truth.cells.low[cells] * ageing
        drawn = weak.r0_after_set(own, torch.from_numpy(uniforms(at))).numpy()
        return scale * drawn, scale * weak.r0.low

    def _become_low(self, cells: CellIndices, r0: FloatArray) -> None:
        self._count_writing(cells)
        self.low[cells] = True
        self.r0[cells] = r0
        self.weak_pulses[cells] = 0
        self.telegraph_high[cells] = False
        self.telegraph_level[cells] = 0
        self.samples[cells] = 0

    def _reset(self, cells: CellIndices, pulse: Pulse, at: Keys) -> None:
        """RESET as far as the amplitude goes; below its threshold, weak RESET of LOW cells."""
        population = self.truth.population
        amplitude = population.effective_amplitude(pulse)
        breaks = amplitude >= self.truth.cells.breakdown_voltage[cells]
        self._break(cells[breaks])
        cells, at = cells[~breaks], at[~breaks]
        before, low = self.resistance(cells), self.low[cells]
        share, aim = self.reset_aim(cells, pulse, before, self.cycles[cells], at)
        moves = share > 0
        weak = low & ~moves
        volts = population.at_filament(-pulse.amplitude, before[weak])
        self._weaken(cells[weak], reference_pulses(-volts, pulse.width), at[weak])
        after = (1 - share) * np.log(before) + share * aim
        after = np.where(low, after, np.maximum(after, np.log(before)))
        self._count_writing(cells[moves])
        self.log_high[cells[moves]] = after[moves]
        self.low[cells[moves]] = False

    def reset_aim(
        self, cells: CellIndices, pulse: Pulse, before: FloatArray, cycles: Counts, at: Keys
    ) -> tuple[FloatArray, FloatArray]:
        """(n,) share of the way that a RESET goes from these resistances, and ln R at its end."""
        population, here = self.truth.population, self.truth.cells[cells]
        amplitude = population.effective_amplitude(pulse)
        share = population.reset_share(here, amplitude, before, normals(keys(at, 0)))
        aim = population.log_high(here, normals(keys(at, 1)), uniforms(keys(at, 2)), age_of(cycles))
        return share, aim

    def _count_writing(self, cells: CellIndices) -> None:
        """Drift begins anew, with other traps."""
        self.writings[cells] += 1
        self.written_at[cells] = self.clock()

    def _weaken(self, cells: CellIndices, strength: FloatArray, at: Keys) -> None:
        """Weak RESET of LOW cells by one pulse, worth so many reference pulses on each of them
        (`physics.weak_reset`).
        """
        if not len(cells):
            return
        state = advance(
            self._weak(cells),
            self._state(cells),
            torch.ones(len(cells), dtype=torch.float64),
            torch.from_numpy(uniform_matrix(at, 3, self.noise.draws)),
            self.noise,
            torch.from_numpy(strength),
        )
        self.weak_pulses[cells] = state.pulses.numpy()
        self.telegraph_high[cells] = state.high.numpy()
        self.telegraph_level[cells] = state.level.numpy()
        self.samples[cells] = state.samples.numpy()

    def _break(self, cells: CellIndices) -> None:
        """Turn cells into shorts, for ever."""
        self.dead[cells] = True
        draws = uniforms(keys(self.seed, content("broken"), cells))
        self.fixed[cells] = broken_conductance(draws) * self.truth.population.median_low


STATE = (
    "formed", "low", "log_high", "r0", "weak_pulses", "telegraph_high", "telegraph_level",
    "cycles", "dead", "pulses_given", "writings", "written_at",
)  # fmt: skip
"""Arrays that `HfOxDie.snapshot` keeps as they are."""
