"""By how much more what is fitted to a spectrum scatters than it would in Gaussian noise.

Whittle's likelihood takes the ordinates of a periodogram for independent, which those of Gaussian
noise are. Noise that a few events make is stronger now and weaker then, at all frequencies
together, and estimates scatter more (by its fourth cumulant: Dahlhaus, Stoch. Process. Appl. 19,
135, 1985). The same shows in a single trace: what is modulated slowly has neighbouring Fourier
coefficients that are correlated, alike over all frequencies.

An estimate is, nearly, the sum of |wave|^2 times its influence over frequencies. The variance of
that sum is that of the sums of wave times a near neighbour's conjugate, whose means are known. So
their mean square, over lags, is the variance as it is: this is the periodogram near zero of the
trace's contributions to the estimate over time, averaged (Lazarus, Lewis, Stock and Watson, J. Bus.
Econ. Stat. 36, 541, 2018). Free of torch.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, t

from crossbar.units import Ratio

FloatArray = NDArray[np.float64]

LAGS = 4
"""Neighbours on one side whose correlation is looked at. More would see less of slow modulation,
fewer know less; ours, chosen on simulated traces (docs/experiments.md)."""


def dispersion(
    waves: NDArray[np.complex128], sensitivity: FloatArray, taper: FloatArray
) -> FloatArray:
    """(k,) variance of k fitted parameters, as a multiple of that in Gaussian noise; 1 at least.

    ``waves`` (m,) are successive Fourier coefficients of a trace over the root of the fitted
    density; ``sensitivity`` (k, m) the derivative of the logarithm of that density; ``taper`` (n,)
    what the trace was multiplied by. Gaussian noise looks up to twice as dispersed by chance:
    `student` allows for that.
    """
    influence = np.linalg.pinv(sensitivity @ sensitivity.T) @ sensitivity
    mean = np.fft.rfft(taper**2)[: LAGS + 1] / np.sum(taper**2)
    repeated = len(taper) * np.sum(taper**4) / np.sum(taper**2) ** 2
    seen, gaussian = np.zeros(len(influence)), np.zeros(len(influence))
    for lag in range(1, LAGS + 1):
        of_pair = (influence[:, lag:] + influence[:, :-lag]) / 2
        product = waves[lag:] * waves[:-lag].conj() - mean[lag]
        seen += np.abs(of_pair @ product) ** 2
        gaussian += np.sum(of_pair**2, axis=1) * repeated
    return np.maximum(seen / gaussian, 1.0)


def student(confidence: Ratio) -> float:
    """Factor on the variance because the dispersion is itself known from 2 `LAGS` numbers only:
    Student's t instead of the normal distribution.
    """
    return float(t.ppf((1 + confidence) / 2, 2 * LAGS) ** 2 / chi2.ppf(confidence, 1))
