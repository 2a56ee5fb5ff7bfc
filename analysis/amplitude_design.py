"""Which pulse to give next, and how often, to learn an amplitude in the fewest attempts.

The next block of attempts is planned as an optimal design: over all pulses that may be given, the
shares that make the variance of ln V smallest (c-optimality) together with what is known already,
by the multiplicative algorithm (Silvey, Titterington, Torsney, Commun. Stat. A7, 1379, 1978), for
the most likely parameters and others that are plausible: a design for wrong parameters may never
give the pulse that would tell. The pulse with the largest share gets the block; then one looks
again.

What comes next is a function of the counts alone, so a measurement that was broken off goes on as
if nothing had happened.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d
from scipy.stats import norm

from analysis.amplitude_climb import summit_of
from analysis.amplitude_density import (
    AmplitudeForWer,
    Density,
    Expectation,
    Observed,
    information_of,
    search_range,
    weighted_squares,
)
from analysis.amplitude_interval import fit_amplitudes
from crossbar.units import Ratio, Seconds, Volts

FloatArray = NDArray[np.float64]

CANDIDATES = np.geomspace(0.2, 1.6, 56)
"""Amplitudes considered at each width, in units of the most likely V: steps of 3.9 %."""
NEIGHBOURS = 6
"""Candidates to each side that count as the same pulse, less and less."""
IMPROVEMENTS = 60
"""Of the shares; later ones move them between neighbouring pulses."""
MARGIN = 1.05
"""A last block is so much larger than it would have to be by the normal approximation."""
SMALLEST_SHARE = 0.1
"""Of the attempts so far: smaller blocks would take many rounds near the end."""
DOUBT = 0.01
"""Share of the expectation's precision that a plan counts on. The expectation says where to begin;
what it claims to know is measured all the same, since the interval will not take its word."""
REACH = 1.5
"""How far out plausible parameters are sought, in standard deviations along the longest axis..."""
LONGEST = 0.4
"""... and at most, in logarithms of the parameters."""


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """What to do next with n (cell, target) pairs."""

    amplitude: FloatArray
    """(n,) Volts, magnitudes."""
    width: FloatArray
    """(n,) Seconds."""
    attempts: NDArray[np.int64]
    """(n,) 0 where nothing is left to do."""

    def rows(self, index: NDArray) -> "Blocks":
        """Those of some pairs, by mask or indices."""
        return Blocks(
            amplitude=self.amplitude[index],
            width=self.width[index],
            attempts=self.attempts[index],
        )


@dataclass(frozen=True, kw_only=True)
class AmplitudeDesign:
    """What is wanted of each pair, and the means."""

    quantity: AmplitudeForWer
    expectation: Expectation
    widths: tuple[Seconds, ...]
    """That pulses may have."""
    largest: Volts
    """Amplitude that pulses may have, at any of the widths."""
    relative_width: Ratio
    """A pair is finished when ln(high / low) of its interval is no more than this."""
    confidence: Ratio
    max_attempts: int
    """Of each pair, rejected ones included."""
    first_block: int
    growth: Ratio
    """A block has at most this share of the attempts made before."""

    def next_blocks(self, seen: Observed, spent: NDArray[np.int64]) -> Blocks:
        """Plan the next block of each of n pairs, of which (n,) attempts have been ``spent``."""
        if not len(spent):
            return Blocks(amplitude=np.zeros(0), width=np.zeros(0), attempts=np.zeros(0, np.int64))
        likelihood = Density(quantity=self.quantity)
        at = self._plausible(seen)
        precision = DOUBT * self.expectation.precision() + np.stack(
            [likelihood.score_and_information(each, seen)[1] for each in at]
        )
        attempts = self._block_sizes(seen, spent, self._log_widths(seen, precision[0]))
        amplitude, width = self._pulses(likelihood, at, precision, attempts)
        return Blocks(amplitude=amplitude, width=width, attempts=attempts)

    def _plausible(self, seen: Observed) -> FloatArray:
        """(3, n, 3) parameters: the most likely, and far out on both sides of them."""
        density = Density(quantity=self.quantity, expectation=self.expectation)
        at = summit_of(density, seen).at
        _, precision = density.score_and_information(at, seen)
        values, vectors = np.linalg.eigh(precision)
        longest = vectors[:, :, 0] * np.minimum(REACH / np.sqrt(values[:, :1]), LONGEST)
        return np.clip(np.stack([at, at + longest, at - longest]), *search_range())

    def _log_widths(self, seen: Observed, precision: FloatArray) -> FloatArray:
        """(n,) ln(high / low), the real one where the normal approximation is narrow enough."""
        error = np.sqrt(np.linalg.inv(precision)[:, 0, 0])
        widths = 2 * float(norm.ppf(0.5 + self.confidence / 2)) * error
        near = np.flatnonzero(widths <= self.relative_width)
        if len(near):
            fits = fit_amplitudes(seen.rows(near), self.quantity, self.confidence)
            widths[near] = np.where(fits.converged, fits.log_width, np.inf)
        return widths

    def _block_sizes(
        self, seen: Observed, spent: NDArray[np.int64], log_widths: FloatArray
    ) -> NDArray[np.int64]:
        """(n,) attempts: what is missing, but no more than the growth and the budget allow."""
        before = seen.attempts.sum(axis=-1)
        missing = before * ((log_widths / self.relative_width) ** 2 * MARGIN - 1)
        block = np.clip(missing, SMALLEST_SHARE * before, self.growth * before)
        block = np.ceil(np.maximum(block, self.first_block)).astype(np.int64)
        left = np.maximum(self.max_attempts - spent, 0)
        return np.where(log_widths <= self.relative_width, 0, np.minimum(block, left))

    def _pulses(
        self, density: Density, at: FloatArray, precision: FloatArray, attempts: NDArray[np.int64]
    ) -> tuple[FloatArray, FloatArray]:
        """(n,) amplitudes and widths: the largest share of the best design of each block."""
        volts = np.minimum(np.exp(at[0, :, :1]) * CANDIDATES, self.largest)
        amplitude = np.repeat(volts, len(self.widths), axis=1)
        width = np.tile(self.widths, (len(volts), len(CANDIDATES)))
        linear = [density.linearized(each, amplitude, width) for each in at]
        each = np.stack([information_of(value) for value, _ in linear])
        weights = attempts.astype(np.float64)[:, None] * each
        shares = optimal_shares(precision, weights, np.stack([slopes for _, slopes in linear]))
        best = np.argmax(neighbourhoods(shares, len(self.widths)), axis=1)[:, None]
        return (
            np.take_along_axis(amplitude, best, axis=1)[:, 0],
            np.take_along_axis(width, best, axis=1)[:, 0],
        )


def optimal_shares(
    precision: FloatArray,
    weights: FloatArray,
    slopes: FloatArray,
    improvements: int = IMPROVEMENTS,
) -> FloatArray:
    """(n, k) shares of k pulses that make the variance of the first parameter smallest.

    The variance is the mean over p plausible parameters. ``precision`` (p, n, 3, 3) is known
    before; all attempts at one pulse would add to it ``weights`` (p, n, k) times the square of
    ``slopes`` (p, n, k, 3).
    """
    shares = np.full(weights.shape[1:], 1 / weights.shape[-1])
    first = np.zeros((*precision.shape[:-1], 1))
    first[..., 0, :] = 1.0
    for _ in range(improvements):
        information = precision + weighted_squares(weights * shares, slopes)
        felt = (slopes @ np.linalg.solve(information, first))[..., 0]
        # The square root of each pulse's derivative of the variance: the algorithm's exponent 1/2.
        shares = shares * np.sqrt(np.sum(weights * felt**2, axis=0))
        shares /= np.maximum(shares.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    return shares


def neighbourhoods(shares: FloatArray, widths: int) -> FloatArray:
    """(n, k) the sum of each pulse's share and those of its neighbours in amplitude.

    The best design is a few pulses, but which of some neighbours they are hardly matters, and the
    shares are spread over them: a mark for the middle of each heap.
    """
    table = shares.reshape(len(shares), -1, widths)
    kernel = NEIGHBOURS + 1 - np.abs(np.arange(-NEIGHBOURS, NEIGHBOURS + 1))
    return convolve1d(table, kernel / (NEIGHBOURS + 1), axis=1, mode="constant").reshape(
        shares.shape
    )
