"""Noise of reading: how far each reading of an untouched cell is from what the cell conducts.

Relative to the conductance. What is slow is a function of the cell's key and the time
(`physics.draws`): a cell looked at again at the same time, in another process or in another order,
is found the same. Three parts:

- white: independent from reading to reading, whenever they are made;
- flicker: one-sided spectrum ``flicker / f``, the sum of processes with exponential memory whose
  time constants are a factor `SPACING` apart, each of variance ``flicker ln(SPACING)``; ripple
  0.3 % (McWhorter's superposition, 1957). Below 1 / (2 pi `SLOWEST`) it is flat;
- telegraph: two states with exponential dwell times; the captured one conducts less.

A reading averages over its aperture. What flicker noise is left of the faster processes is reckoned
with; the telegraph is caught in one state, which is true while dwell times exceed the aperture.

Memory without history: a process is renewed at the events of a Poisson process, whose events within
any bin of time are drawn from the bin's number (`latest_event`). A normal number drawn at each
event is a process with the correlation exp(-dt / time constant), that is, a Lorentzian spectrum; a
state drawn at each event is the Markov chain of the telegraph.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from crossbar.errors import ConfigurationError
from crossbar.units import Seconds
from physics.draws import Keys, content, keys, normals, uniforms

FloatArray = NDArray[np.float64]

SLOWEST: Seconds = 1e4
"""Longest time constant of flicker noise; ours."""
SPACING = 4.0
"""From one time constant of flicker noise to the next."""
TOGETHER = 100_000
"""Events that are looked for in one go: enough to be fast, few enough to fit into memory."""
FLICKER, TELEGRAPH, DISTANCE = (
    content("read noise", part) for part in ("1/f", "telegraph", "distance")
)


@dataclass(frozen=True, kw_only=True)
class ReadNoise:
    """The noise of n cells; every array has shape (n,)."""

    white: FloatArray
    """Standard deviation of one reading, relative."""
    flicker: FloatArray
    """One-sided spectral density at 1 Hz, relative to the square of the conductance."""
    captured: FloatArray
    """Fraction of what the cell conducts that the telegraph takes away when captured; 0 without."""
    share: FloatArray
    """Fraction of the time that the telegraph is captured."""
    period: FloatArray
    """Seconds, the mean dwell time in the captured state plus that in the other."""

    def __getitem__(self, cells: NDArray) -> "ReadNoise":
        """The noise of the cells at these indices."""
        return ReadNoise(**{f.name: getattr(self, f.name)[cells] for f in fields(self)})

    def at(
        self, cells: Keys, time: FloatArray, readings: Keys, aperture: Seconds = 1e-3
    ) -> FloatArray:
        """(n, m) relative deviations of readings: the white part of each, drawn at its key among
        ``readings`` (n, m), and what `slow` finds.
        """
        return self.white[:, None] * normals(readings) + self.slow(cells, time, aperture)

    def slow(self, cells: Keys, time: FloatArray, aperture: Seconds = 1e-3) -> FloatArray:
        """(n, m) relative deviations of n cells at their times (n, m) in seconds, without the white
        part.

        ``cells`` (n,) are the cells' keys, made of whatever shall change the noise: seed, die and
        cell, and how often a cell was written, too, if its traps are to be others then.
        """
        if time.ndim != 2 or len(time) != len(cells) or not np.all(np.isfinite(time)):
            raise ConfigurationError(
                f"Read noise of {len(cells)} cells at times of shape {time.shape} refused: it "
                "takes finite seconds of shape (cells, times). Give each cell a row of times."
            )
        own = cells[:, None]
        deviation = np.zeros(time.shape)
        memories = np.array(flicker_memories(aperture) if np.any(self.flicker) else [])
        size = np.sqrt(self.flicker * np.log(SPACING))[:, None, None]
        at_once = max(1, TOGETHER // max(time.size, 1))
        for first in range(0, len(memories), at_once):
            steps = np.arange(first, min(first + at_once, len(memories)))
            names, tau = keys(own[:, :, None], FLICKER, steps), memories[steps]
            events = latest_event(names, time[:, :, None], tau)
            left = np.array([left_by_averaging(memory, aperture) for memory in tau])
            deviation += np.sum(size * np.sqrt(left) * normals(events), axis=2)
        chosen = np.flatnonzero(self.captured > 0)
        if len(chosen):
            captured = self[chosen].is_captured(cells[chosen], time[chosen])
            deviation[chosen] -= (1 + deviation[chosen]) * self.captured[chosen, None] * captured
        return deviation

    def at_random(self, at: Keys, aperture: Seconds = 1e-3) -> FloatArray:
        """(n,) relative deviations of readings at moments far apart, one at each key (n,): those
        whose distribution is `below`.
        """
        sd = np.sqrt(self.flicker_variance(aperture))
        slow = 1 + sd * normals(keys(at, FLICKER))
        slow *= 1 - self.captured * (uniforms(keys(at, TELEGRAPH)) < self.share)
        return slow - 1 + self.white * normals(at)

    def below(self, deviation: FloatArray, aperture: Seconds = 1e-3) -> FloatArray:
        """(n,) probability that a reading at a random moment deviates by less than this (n,).

        This is what many readings obey if the cell's key changes in between, or time enough passes.
        """
        flicker = self.flicker_variance(aperture)
        free = np.sqrt(self.white**2 + flicker)
        captured = np.sqrt(self.white**2 + (1 - self.captured) ** 2 * flicker)
        return self.share * _step(deviation + self.captured, captured) + (1 - self.share) * _step(
            deviation, free
        )

    def flicker_variance(self, aperture: Seconds = 1e-3) -> FloatArray:
        """(n,) variance of flicker noise in readings of this aperture, over all times."""
        left = sum(left_by_averaging(tau, aperture) for tau in flicker_memories(aperture))
        return self.flicker * np.log(SPACING) * left

    def is_captured(self, cells: Keys, time: FloatArray) -> NDArray[np.bool_]:
        """(n, m) whether each cell's telegraph is in its captured state at these times (n, m).

        Redrawn at events of rate 1 / tau, the state leaves either side at the rate of the other
        side's probability: dwell times tau / (1 - share) captured and tau / share free.
        """
        tau = (self.period * self.share * (1 - self.share))[:, None]
        event = latest_event(keys(cells[:, None], TELEGRAPH), time, tau)
        return uniforms(event) < self.share[:, None]


def flicker_memories(aperture: Seconds) -> list[Seconds]:
    """Time constants of flicker noise, from `SLOWEST` to where averaging leaves next to nothing."""
    if not 0 < aperture < SLOWEST:
        raise ConfigurationError(
            f"An aperture of {aperture!r} s refused: flicker noise is modelled for readings of up "
            f"to {SLOWEST:g} s, and none is instantaneous. Give the reading's integration time."
        )
    steps = int(np.log(SLOWEST / aperture) / np.log(SPACING)) + 4
    return [SLOWEST / SPACING**step for step in range(steps)]


def left_by_averaging(tau: Seconds, aperture: Seconds) -> float:
    """Part of the variance of a process with memory tau that is left in an average over aperture.

    2 x (1 - x (1 - exp(-1 / x))) with x = tau / aperture.
    """
    x = tau / aperture
    # The formula loses its digits where nearly everything is left: 1 - 1 / (3 x) there.
    return float(2 * x * (1 + x * np.expm1(-1 / x))) if x < 1e4 else 1 - 1 / (3 * x)


def latest_event(at: Keys, time: FloatArray, tau: FloatArray) -> Keys:
    """Keys of the last event at or before each time, of Poisson processes of rate 1 / tau.

    ``at`` names the processes, ``time`` and ``tau`` are seconds; they broadcast. Time is cut into
    bins of length tau. A bin's events come at distances drawn from the bin's number; if none
    has come yet, the last one of an earlier bin is looked for, 1.6 bins back on average.
    """
    place = time / tau
    number = np.floor(place)
    upto = place - number
    names = np.broadcast_to(at, np.broadcast_shapes(at.shape, place.shape))
    number, upto = (np.broadcast_to(x, names.shape).copy() for x in (number, upto))
    found = np.zeros(names.shape, dtype=np.uint64)
    waiting = np.ones(names.shape, dtype=np.bool_)
    while waiting.any():
        bins = keys(names[waiting], number[waiting].astype(np.int64))
        count = _events(bins, upto[waiting])
        found[waiting] = keys(bins, count)
        number[waiting] -= 1
        upto[waiting] = 1.0
        waiting[waiting] = count == 0
    return found


def _step(deviation: FloatArray, sd: FloatArray) -> FloatArray:
    """(n,) normal probability of less than this; a sharp step, 1/2 on its edge, where sd is 0."""
    scaled = np.divide(deviation, sd, out=np.zeros_like(deviation), where=sd > 0)
    return np.where(sd > 0, ndtr(scaled), np.heaviside(deviation, 0.5))


def _events(bins: Keys, upto: FloatArray) -> NDArray[np.int64]:
    """(k,) events of these bins in their first part, given as a fraction: exponential steps."""
    count = np.zeros(len(bins), dtype=np.int64)
    position = np.zeros(len(bins))
    going = np.arange(len(bins))
    step = 0
    while len(going):
        step += 1
        position[going] -= np.log(uniforms(keys(bins[going], DISTANCE, step)))
        going = going[position[going] <= upto[going]]
        count[going] = step
    return count
