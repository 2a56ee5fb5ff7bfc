"""Many attempts on HfOx cells at once, with the very draws of the attempts one by one.

An attempt from LOW is *plain* if its SET acts, its first reading finds LOW, and its RESET acts.
What a plain attempt leaves behind does not depend on what was there before, but for the number of
cycles, so a whole stretch of attempts is worked out together as if all of them were plain. Those up
to the first that is not are kept; that one is done by itself, and so on. Sound pulses make nearly
all attempts plain. Attempts from HIGH are done one by one: their RESET fails too often.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crossbar.attempts import AttemptCounts, AttemptPlan
from crossbar.geometry import CellIndices
from crossbar.pulses import State
from physics.draws import Keys, keys, normals
from physics.hfox import conduction

if TYPE_CHECKING:
    from physics.hfox_die import HfOxDie

FloatArray = NDArray[np.float64]
Counts = tuple[NDArray[np.int64], NDArray[np.int64]]
"""(n,) rejected attempts and (n,) errors."""
CLEARLY = 0.8
"""A SET leaves alone what conducts clearly more than its current limit can do; ours."""
SHORTEST = 16
"""Attempts worked out together at first; twice as many after a stretch without exception."""
MOST = 200_000
"""Attempts times cells worked out together."""


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Attempts on n cells, worked out as if all were plain; arrays are (n, attempts)."""

    plain: NDArray[np.bool_]
    error: NDArray[np.bool_]
    """Whether the second reading found LOW."""
    log_high: FloatArray
    """ln Ohm that the RESET left."""


Worker = Callable[[NDArray[np.intp], NDArray[np.int64], int], Stretch]
"""(positions, attempts made before, how many more) to what they come to."""
OneByOne = Callable[[NDArray[np.intp], NDArray[np.int64]], Counts]
"""(positions, attempts made before) to the counts of one attempt each, done."""
TakeOver = Callable[[NDArray[np.intp], Stretch, NDArray[np.int64]], None]
"""(positions, stretch, how many of it count): the cells are as after those."""


def run_in_stretches(
    count: int, attempts: int, work_out: Worker, take_over: TakeOver, one: OneByOne
) -> Counts:
    """Give each of n cells its attempts."""
    rejected, errors, done = np.zeros((3, count), dtype=np.int64)
    length = SHORTEST
    while len(active := np.flatnonzero(done < attempts)):
        length = max(1, min(length, MOST // len(active)))
        left = attempts - done[active]
        found = work_out(active, done[active], length)
        within = np.arange(length) < left[:, None]
        kept = np.logical_and.accumulate(found.plain & within, axis=1)
        number = kept.sum(axis=1)
        errors[active] += np.sum(found.error & kept, axis=1)
        take_over(active, found, number)
        done[active] += number
        odd = active[number < np.minimum(length, left)]
        if len(odd):
            first, wrong = one(odd, done[odd])
            rejected[odd] += first
            errors[odd] += wrong
            done[odd] += 1
        length = length * 2 if 2 * len(odd) < len(active) else max(SHORTEST, length // 2)
    return rejected, errors


def judged(before: FloatArray, after: FloatArray, threshold: FloatArray, initial: State) -> Counts:
    """Whether each of n attempts was rejected, and whether it was an error, from its readings."""
    starts_low = initial is State.LOW
    rejected = (before >= threshold) != starts_low
    errors = ~rejected & ((after >= threshold) == starts_low)
    return rejected.astype(np.int64), errors.astype(np.int64)


def part_of(plan: AttemptPlan, places: NDArray[np.intp]) -> AttemptPlan:
    """The same plan for some of its cells."""
    return replace(plan, threshold=plan.threshold[places])


def attempt_keys(draws: Keys, done: NDArray[np.int64], length: int) -> Keys:
    """(n * length,) keys of the next attempts of n cells, cell by cell."""
    numbers = done[:, None] + np.arange(length)
    return keys(np.repeat(draws, length), numbers.reshape(-1))


def fixed_attempts(
    conductance: FloatArray, noise: FloatArray, plan: AttemptPlan, draws: Keys
) -> Counts:
    """Attempts on n cells that no pulse moves: only their readings differ."""
    from_low = plan.initial is State.LOW
    rejected, errors = np.zeros((2, len(conductance)), dtype=np.int64)
    step = max(1, MOST // max(1, len(conductance)))
    for start in range(0, plan.attempts, step):
        length = min(step, plan.attempts - start)
        now = attempt_keys(draws, np.full(len(conductance), start), length)
        initial = []
        for part in (1, 3):
            deviation = noise[:, None] * normals(keys(now, part)).reshape(-1, length)
            reading = conductance[:, None] * (1 + deviation)
            initial.append((reading >= plan.threshold[:, None]) == from_low)
        rejected += np.sum(~initial[0], axis=1)
        errors += np.sum(initial[0] & initial[1], axis=1)
    return rejected, errors


def attempt_in_stretches(
    die: "HfOxDie", cells: CellIndices, plan: AttemptPlan, draws: Keys
) -> AttemptCounts:
    """Run a plan from LOW on each of the (n,) distinct cells, without keeping readings."""
    rejected, errors = np.zeros((2, len(cells)), dtype=np.int64)
    amplitude = die.truth.population.effective_amplitude(plan.restore)
    fresh = ~die.formed[cells] & (die.truth.cells.forming_voltage[cells] > amplitude)
    rigid = ~np.isnan(die.fixed[cells]) | fresh
    for moves in (False, True):
        part = np.flatnonzero(rigid != moves)
        here, at, own = cells[part], draws[part], part_of(plan, part)
        if moves:
            counts = run_in_stretches(len(part), plan.attempts, *_workers(die, here, own, at))
        else:
            noise = np.full(len(here), die.truth.population.read_noise)
            still = die.conductance(here, plan.read_amplitude)
            counts = fixed_attempts(still, noise, own, at)
            die.pulses_given[here] += 2 * plan.attempts - counts[0]
        rejected[part], errors[part] = counts
    return AttemptCounts(attempts=plan.attempts, rejected=rejected, errors=errors)


def _workers(
    die: "HfOxDie", cells: CellIndices, plan: AttemptPlan, draws: Keys
) -> tuple[Worker, TakeOver, OneByOne]:
    """What `run_in_stretches` needs of these cells; positions are among them."""

    def work_out(places: NDArray[np.intp], done: NDArray[np.int64], length: int) -> Stretch:
        at = attempt_keys(draws[places], done, length)
        return _work_out(die, cells[places], plan, plan.threshold[places], at, length)

    def take_over(places: NDArray[np.intp], found: Stretch, number: NDArray[np.int64]) -> None:
        made = number > 0
        here, last = cells[places[made]], number[made] - 1
        die.cycles[here] += number[made] - die.low[here]
        die.writings[here] += 2 * number[made]
        die.pulses_given[here] += 2 * number[made]
        die.written_at[here] = die.clock()
        die.low[here] = False
        die.log_high[here] = found.log_high[made, last]

    def one(places: NDArray[np.intp], done: NDArray[np.int64]) -> Counts:
        threshold = plan.threshold[places]
        at = keys(draws[places], done)
        before, after = die.attempt_once(cells[places], plan, threshold, at)
        return judged(before, after, threshold, plan.initial)

    return work_out, take_over, one


def _work_out(
    die: "HfOxDie",
    cells: CellIndices,
    plan: AttemptPlan,
    threshold: FloatArray,
    at: Keys,
    length: int,
) -> Stretch:
    """The next attempts of n cells as if all were plain (`physics.hfox_attempts`), from keys
    (n * length,).
    """
    population, shape = die.truth.population, (len(cells), length)
    each, numbers = np.repeat(cells, length), np.arange(length)
    here = die.truth.cells[each]
    after_set = die.cycles[cells] + ~die.low[cells]
    cycles = (after_set[:, None] + numbers).reshape(-1)
    before_set = (np.where(numbers, after_set[:, None] + numbers - 1,
                           die.cycles[cells][:, None])).reshape(-1)  # fmt: skip
    low, least = die.set_resistance(each, before_set, keys(keys(at, 0), 1))
    share, aim = die.reset_aim(each, plan.write, low, cycles, keys(at, 2))
    log_high = (1 - share) * np.log(low) + share * aim
    found = np.c_[die.resistance(cells), np.exp(log_high).reshape(shape)[:, :-1]]
    sets = population.sets(
        here, population.effective_amplitude(plan.restore), normals(keys(keys(at, 0), 0))
    )
    acts = sets & (found.reshape(-1) >= CLEARLY * least)
    sound = population.effective_amplitude(plan.write) < here.breakdown_voltage
    readings = []
    for is_low, bare, part in ((True, 1 / low, 1), (False, np.exp(-log_high), 3)):
        noise = die.time.right_after_writing(each, np.full(len(each), is_low), keys(at, part))
        bent = 1.0 if is_low else conduction(plan.read_amplitude)
        readings.append(bare * bent * (1 + noise) >= np.repeat(threshold, length))
    plain = acts & sound & (share > 0) & readings[0] & die.formed[each]
    return Stretch(
        plain=plain.reshape(shape),
        error=readings[1].reshape(shape),
        log_high=log_high.reshape(shape),
    )
