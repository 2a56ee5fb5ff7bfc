"""White noise and 1/f noise of a cell that was read again and again, from its spectrum.

The density S(f) = 2 white^2 dt + flicker / (f / 1 Hz)^slope, one-sided and relative to the square
of the mean conductance, is fitted to the periodogram by Whittle's likelihood (Ark. Mat. 2, 423,
1953): ordinates are independent and exponential with mean S. Readings average over the meter's
aperture and are made at intervals: noise faster than that folds into the spectrum, and the model
folds likewise, so ``white`` and ``flicker`` are the cell's own. Free of torch.

The trace is tapered at its ends (Tukey, `TAPER`), or steep noise would leak over all frequencies;
what the taper takes off the likelihood's weight is reckoned with. So is noise that is not Gaussian:
intervals are as wide as its scatter asks for (`analysis.spectrum_dispersion`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import get_window

from analysis.likelihood_profile import Loss, most_likely, profile_interval
from analysis.spectrum_dispersion import dispersion, student
from crossbar.errors import DataError
from crossbar.units import Ratio, Seconds

FloatArray = NDArray[np.float64]

PARAMETERS = ("white", "flicker", "slope")
"""Order of the columns; white as a standard deviation, flicker as a density at 1 Hz, relative."""
TAPER = 0.2
"""Part of the trace that is tapered, both ends together."""
SHORTEST = 64
"""Readings below which no spectrum is fitted."""
LOWEST = 3
"""First ordinate that is used: noise slower than the trace leaks into those before."""
BIN = 1.06
"""From one bin of frequencies to the next: ordinates are pooled where the model hardly moves."""
FOLDS = 30
"""Images on either side that are folded one by one; what lies above is folded as a whole."""
NOTHING = 0.01
"""Part of the density at the highest frequency, or the lowest one, below which white noise, or 1/f
noise, counts as none: no trace could tell, and a search would not find its way back."""
SLOPES = (0.5, 2.5)
"""Where the slope is looked for."""


@dataclass(frozen=True, kw_only=True)
class SpectrumFit:
    """The noise of one cell; arrays have shape (3,), in the order of `PARAMETERS`."""

    estimate: FloatArray
    low: FloatArray
    """Low ends of the profile-likelihood intervals; 0 where there may be none at all."""
    high: FloatArray
    confidence: Ratio
    log_likelihood: float
    mean: float
    """Of the readings, what everything is relative to."""
    interval: Seconds
    aperture: Seconds


@dataclass(frozen=True, kw_only=True)
class Spectrum:
    """A periodogram, pooled in bins of frequency; every array has shape (bins,)."""

    frequency: FloatArray
    density: FloatArray
    """Mean of the bin's ordinates, relative, per hertz."""
    ordinates: NDArray[np.int64]


def relative(trace: FloatArray) -> FloatArray:
    """(n,) by how much each reading deviates from the mean, as a part of it.

    Raises DataError for a trace that is too short, not finite, does not conduct, or stands still:
    all readings of it fell into one step of the converter.
    """
    mean = float(np.mean(trace))
    if trace.ndim != 1 or len(trace) < SHORTEST or not np.isfinite(trace).all() or mean == 0:
        raise DataError(
            f"A trace of shape {trace.shape} with mean {mean:g} has no noise spectrum: at least "
            f"{SHORTEST} finite readings in a row are needed, of a cell that conducts. Read longer."
        )
    if trace.min() == trace.max():
        raise DataError(
            f"All {len(trace)} readings of a trace are {mean:g} S: its noise is less than a step "
            "of the converter. Read at a higher voltage, or in a smaller range."
        )
    return trace / mean - 1


def spectrum(
    trace: FloatArray, interval: Seconds, pooled: float = BIN, first: int = LOWEST
) -> Spectrum:
    """The periodogram of one trace (n,) of readings, relative to their mean, pooled in bins of
    frequency that are a factor ``pooled`` wide, from its ordinate number ``first`` on.

    Raises DataError for a trace that says nothing (`relative`).
    """
    frequency, waves = _waves(trace, interval, first)
    density = np.abs(waves) ** 2
    place = np.floor(np.log(frequency / frequency[0]) / np.log(pooled))
    _, bins, ordinates = np.unique(place, return_inverse=True, return_counts=True)
    return Spectrum(
        frequency=np.bincount(bins, frequency) / ordinates,
        density=np.bincount(bins, density) / ordinates,
        ordinates=ordinates,
    )


def _waves(
    trace: FloatArray, interval: Seconds, first: int
) -> tuple[FloatArray, NDArray[np.complex128]]:
    """(m,) frequencies, and the Fourier coefficients whose squares are the periodogram, (m,)."""
    taper = _taper(len(trace))
    waves = np.fft.rfft(taper * relative(trace)) * np.sqrt(2 * interval / np.sum(taper**2))
    used = slice(first, (len(trace) + 1) // 2)  # Nyquist's own is another kind
    frequency = np.asarray(np.fft.rfftfreq(len(trace), interval), dtype=np.float64)
    return frequency[used], waves[used]


def _taper(count: int) -> FloatArray:
    return np.asarray(get_window(("tukey", TAPER), count))


def fit_spectrum(
    trace: FloatArray,
    interval: Seconds,
    aperture: Seconds | None = None,
    confidence: Ratio = 0.95,
    *,
    gaussian: bool = False,
) -> SpectrumFit:
    """Fit white and 1/f noise to a trace (n,) of conductances read every ``interval``.

    ``aperture`` is what the meter averages over for one reading; by default all of the interval.
    Intervals allow for noise that is not Gaussian, unless it is known to be ``gaussian``.
    Raises DataError for a trace that says nothing (`relative`).
    """
    found = spectrum(trace, interval)
    aperture = interval if aperture is None else aperture
    loss = _loss(found, Folding.of(found.frequency, interval, aperture), len(trace))
    start, bounds = _search(found)
    summit, least = most_likely(loss, start, bounds)
    wider = np.ones(3)
    if not gaussian:
        wider = student(confidence) * _dispersion(trace, interval, aperture, summit)
    ends = [
        profile_interval(loss, summit, axis, bounds, confidence, dispersion=float(wider[axis]))
        for axis in range(3)
    ]
    low, high = (np.array([pair[side] for pair in ends]) for side in (0, 1))
    return SpectrumFit(
        estimate=_physical(summit, interval),
        low=_physical(low, interval),
        high=_physical(high, interval),
        confidence=confidence,
        log_likelihood=-least,
        mean=float(np.mean(trace)),
        interval=interval,
        aperture=aperture,
    )


@dataclass(frozen=True, kw_only=True)
class Folding:
    """Which true frequencies appear at each of m observed ones, and with what weight."""

    log_frequency: FloatArray
    """(m, images) natural logarithm of hertz."""
    weight: FloatArray
    """(m, images)"""

    @classmethod
    def of(cls, frequency: FloatArray, interval: Seconds, aperture: Seconds) -> "Folding":
        """Readings every ``interval`` show f + k / interval as f, for every k, each weakened by the
        average over the aperture: sinc(f aperture)^2.

        Above the first `FOLDS` images the sum is an integral that ends at 0.4 / aperture, where a
        sharp end lets as much of 1/f noise pass as the average does.
        """
        images = np.abs(frequency[:, None] + np.arange(-FOLDS, FOLDS + 1) / interval)
        first, last = np.log((FOLDS + 0.5) / interval), np.log(0.4 / aperture)
        nodes, weights = np.polynomial.legendre.leggauss(8)
        half = max(last - first, 0.0) / 2
        tail = first + half * (1 + nodes)
        return cls(
            log_frequency=np.hstack([np.log(images), np.broadcast_to(tail, (len(images), 8))]),
            weight=np.hstack(
                [
                    np.sinc(images * aperture) ** 2,
                    # both signs of k; the integral runs over the logarithm
                    np.broadcast_to(2 * half * weights * np.exp(tail) * interval, (len(images), 8)),
                ]
            ),
        )

    def power(self, slope: float) -> tuple[FloatArray, FloatArray]:
        """(m,) what 1 / f^slope looks like, and its derivative by the slope."""
        terms = self.weight * np.exp(-slope * self.log_frequency)
        return terms.sum(axis=1), -(terms * self.log_frequency).sum(axis=1)


def _loss(found: Spectrum, folding: Folding, count: int) -> Loss:
    """Minus Whittle's log-likelihood of (ln white density, ln flicker, slope), less that of the
    pooled periodogram itself; and its gradient.
    """
    taper = _taper(count)
    independent = np.sum(taper**2) ** 2 / (count * np.sum(taper**4))
    weight = found.ordinates * independent

    def loss(point: FloatArray) -> tuple[float, FloatArray]:
        shape, by_slope = folding.power(float(point[2]))
        white, flicker = np.exp(point[0]), np.exp(point[1])
        density = white + flicker * shape
        ratio = found.density / density
        value = float(np.sum(weight * (ratio - 1 - np.log(ratio))))
        by_density = weight * (1 - ratio) / density
        parts = (np.full_like(shape, white), flicker * shape, flicker * by_slope)
        return value, np.array([np.sum(by_density * part) for part in parts])

    return loss


def _dispersion(
    trace: FloatArray, interval: Seconds, aperture: Seconds, point: FloatArray
) -> FloatArray:
    """(3,) how much more the parameters vary than in Gaussian noise."""
    frequency, waves = _waves(trace, interval, LOWEST)
    shape, by_slope = Folding.of(frequency, interval, aperture).power(float(point[2]))
    white, flicker = np.exp(point[0]), np.exp(point[1])
    density = white + flicker * shape
    parts = np.array([np.full_like(shape, white), flicker * shape, flicker * by_slope])
    return dispersion(waves / np.sqrt(density), parts / density, _taper(len(trace)))


def _search(found: Spectrum) -> tuple[FloatArray, FloatArray]:
    """Where the search starts, (3,), and its bounds, (3, 2)."""
    floor = np.log(np.mean(found.density[-8:]))
    level = np.log(np.median(found.density[:16] * found.frequency[:16]))
    steepest = 2.5 * np.max(np.abs(np.log(found.frequency)))
    least = np.log(NOTHING)
    bounds = [
        (floor + least, floor + 3),
        (floor + np.log(found.frequency[0]) + least, level + steepest + 3),
        SLOPES,
    ]
    start = np.clip([floor, level, 1.0], *np.transpose(bounds))
    return start, np.array(bounds)


def _physical(point: FloatArray, interval: Seconds) -> FloatArray:
    """(3,) `PARAMETERS`; 0 and infinity where the search met no end."""
    white_density, flicker = np.exp(point[:2])
    return np.array([np.sqrt(white_density / (2 * interval)), flicker, point[2]])
