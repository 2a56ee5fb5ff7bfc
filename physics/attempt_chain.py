"""Many write attempts at once, exact in distribution: a two-state Markov chain, skipped through.

An attempt restores the initial state, verifies, writes and reads again. A restore that works
forgets the past, so all attempts between two failing restores are independent and alike: their
rejected ones and their errors are binomial. The chain is followed one attempt at a time only where
a restore fails, which for a sound restore pulse is never. The number of rounds is about
attempts x P(restore fails).
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from physics.draws import Keys, keys, uniforms

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class AttemptOdds:
    """The probabilities of one attempt, for each of n cells."""

    restore_fails: FloatArray
    """That the restore pulse leaves a cell in the target state where it was."""
    write_fails: FloatArray
    """That the write pulse leaves a cell in the initial state where it was."""
    misread_initial: FloatArray
    """That a cell in the initial state reads as in the target state."""
    misread_target: FloatArray
    """That a cell in the target state reads as in the initial state."""

    def __getitem__(self, cells: NDArray) -> "AttemptOdds":
        """The odds of the cells at these indices."""
        return AttemptOdds(**{f.name: getattr(self, f.name)[cells] for f in fields(self)})

    @property
    def error(self) -> FloatArray:
        """That a valid attempt from the initial state ends in an error, as read."""
        return (
            self.write_fails * (1 - self.misread_initial)
            + (1 - self.write_fails) * self.misread_target
        )


@dataclass(frozen=True, kw_only=True)
class ChainResult:
    """What came of the attempts, for each of n cells."""

    rejected: NDArray[np.int64]
    errors: NDArray[np.int64]
    in_target: BoolArray
    """The state after the last attempt."""


def run_chain(
    odds: AttemptOdds, attempts: NDArray[np.int64], in_target: BoolArray, at: Keys
) -> ChainResult:
    """Give each of n cells its number of attempts, starting from its state ``in_target``.

    All arrays have shape (n,); the outcome is a function of the keys ``at``.
    """
    rejected = np.zeros(len(at), dtype=np.int64)
    errors = np.zeros(len(at), dtype=np.int64)
    in_target = in_target.copy()
    left = attempts.astype(np.int64)
    active = np.flatnonzero(left > 0)
    turn = 0
    while len(active):
        here, draws = odds[active], keys(at[active], turn)
        remaining = left[active]
        sound = np.minimum(_sound_restores(here, keys(draws, 0)), remaining)
        # All but the last of them are counted, the last is followed: it leaves the state behind.
        counted = np.maximum(sound - 1, 0)
        lost = _binomial(counted, here.misread_initial, keys(draws, 1))
        wrong = _binomial(counted - lost, here.error, keys(draws, 2))
        state = in_target[active]
        # A failing restore leaves whatever state the attempt before it left.
        for stream, (taken, restored) in enumerate(((sound > 0, True), (remaining > sound, False))):
            start = np.zeros_like(state) if restored else state
            refused, wrongly, after = _one_attempt(here, start, keys(draws, 3 + stream))
            lost += taken & refused
            wrong += taken & wrongly
            state = np.where(taken, after, state)
        rejected[active] += lost
        errors[active] += wrong
        in_target[active] = state
        left[active] = remaining - np.minimum(sound + 1, remaining)
        active = active[left[active] > 0]
        turn += 1
    return ChainResult(rejected=rejected, errors=errors, in_target=in_target)


def _sound_restores(odds: AttemptOdds, at: Keys) -> NDArray[np.int64]:
    """How many attempts pass before the first whose restore fails: geometric."""
    with np.errstate(divide="ignore", over="ignore"):
        number = np.log(uniforms(at)) / np.log1p(-odds.restore_fails)
    number[odds.restore_fails == 0] = np.inf
    return np.minimum(number, 2.0**62).astype(np.int64)


def _binomial(trials: NDArray[np.int64], probability: FloatArray, at: Keys) -> NDArray[np.int64]:
    """Binomial counts by inversion of one uniform number each; 0 and 1 need no inversion."""
    counts = np.where(probability >= 1, trials, 0)
    drawn = (trials > 0) & (probability > 0) & (probability < 1)
    if drawn.any():
        counts[drawn] = binom.ppf(uniforms(at[drawn]), trials[drawn], probability[drawn])
    return counts


def _one_attempt(
    odds: AttemptOdds, in_target: BoolArray, at: Keys
) -> tuple[BoolArray, BoolArray, BoolArray]:
    """One attempt after its restore pulse: (rejected, error, state afterwards), each (n,)."""
    verify, write, read = (uniforms(keys(at, step)) for step in range(3))
    rejected = np.where(in_target, verify >= odds.misread_target, verify < odds.misread_initial)
    after = in_target | (~rejected & (write >= odds.write_fails))
    misread = read < np.where(after, odds.misread_target, odds.misread_initial)
    return rejected, ~rejected & (after == misread), after
