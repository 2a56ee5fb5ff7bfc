"""The Fokker-Planck equation of a spin-torque-driven macrospin, and the table made from it.

Reduced units throughout: ``current`` i = V / V_c0, ``duration`` t = width / tau_d, ``delta`` the
thermal stability factor. The perpendicular magnetization z = cos(theta) starts in thermal
equilibrium around z = +1, the current pushes it to z = -1, and the write error rate is the mass
that is still at z > 0 when the pulse ends:

    d rho/dt = d/dz[ (i - z)(1 - z^2) rho ] + d/dz[ (1 - z^2)/(2 delta) d rho/dz ]

Solved by expansion into Legendre polynomials (Tzoufras, AIP Advances 8, 056002, 2018). Double
precision ends near a write error rate of 1e-12; below 1e-10 the solution is one exponential, whose
rate is the slowest eigenvalue of the equation.

``python -m physics.fokker_planck`` writes the table that `physics.switching` interpolates in; it
takes one or two minutes.
"""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.linalg import eigh_tridiagonal, expm
from scipy.special import dawsn, eval_legendre

TICK = 2.0**-10
"""Durations are multiples of this, so that a few matrix squarings reach all of them."""
SMALLEST_WER = 1e-10
"""Below it the exponential takes over from the Legendre solution's rounding noise."""
SMALLEST_SWITCHED = 3e-8
"""The same for the mass that has switched, per unit of time: rounding adds up with the steps."""

KNEE = 0.5
"""Currents are spaced evenly in asinh((i - 1) / KNEE): finest around the critical current."""
LARGEST_CURRENT = 8.0
TABLE_PATH = Path(__file__).with_name("switching_table.npz")

Array = NDArray[np.float64]


def warp(current: Array) -> Array:
    """The coordinate in which the table's currents are evenly spaced."""
    return np.arcsinh((np.asarray(current, dtype=float) - 1) / KNEE)


def terms_needed(current: float, delta: float) -> int:
    """Legendre terms that resolve the switched density, exp(-2 delta (1 + i) (1 + z)), to 1e-14."""
    return max(100, math.ceil(math.sqrt(128 * delta * (1 + current))))


def generator_matrix(current: float, delta: float, terms: int) -> Array:
    """(terms, terms) matrix A of d r/dt = A r for the Legendre coefficients r of the density."""
    n = np.arange(terms, dtype=float)
    matrix = np.diag(-n * (n + 1) * (1 / (2 * delta) - 1 / ((2 * n + 3) * (2 * n - 1))))
    m = n[1:]
    matrix += np.diag(current * m * (m - 1) / (2 * m + 1), 1)
    m = n[2:]
    matrix += np.diag(-m * (m - 1) * (m - 2) / ((2 * m + 1) * (2 * m - 1)), 2)
    m = n[:-1]
    matrix += np.diag(-current * (m + 1) * (m + 2) / (2 * m + 1), -1)
    m = n[:-2]
    matrix += np.diag((m + 1) * (m + 2) * (m + 3) / ((2 * m + 1) * (2 * m + 3)), -2)
    return matrix


def initial_coefficients(delta: float, terms: int) -> Array:
    """(terms,) coefficients of thermal equilibrium in the upper hemisphere."""
    nodes, weights = np.polynomial.legendre.leggauss(400)
    z, weights = (nodes + 1) / 2, weights / 2
    density = np.exp(-delta * (1 - z**2))
    density /= weights @ density
    n = np.arange(terms)
    return (2 * n + 1) / 2 * (eval_legendre(n[:, None], z) @ (weights * density))


def upper_hemisphere(terms: int) -> Array:
    """(terms,) integrals of the Legendre polynomials over 0 < z < 1."""
    n = np.arange(terms)
    at_zero = eval_legendre(np.arange(-1, terms + 1).clip(0), 0.0)
    integrals = (at_zero[:-2] - at_zero[2:]) / (2 * n + 1)
    integrals[0] = 1.0
    integrals[2::2] = 0.0
    return integrals


def write_error_rates(current: float, durations: Array, delta: float) -> Array:
    """Write error rate after each of the (n,) ascending durations, multiples of `TICK`.

    Absolute error about 1e-13; what has fallen below `SMALLEST_WER` is left at zero.
    """
    ticks = np.rint(np.asarray(durations) / TICK).astype(int)
    terms = terms_needed(current, delta)
    step = expm(generator_matrix(current, delta, terms) * TICK)
    powers: list[Array] = [step]
    density, observe = initial_coefficients(delta, terms), upper_hemisphere(terms)
    rates = np.zeros(len(ticks))
    reached = 0
    for index, tick in enumerate(ticks):
        rest, bit = tick - reached, 0
        while rest >> bit:
            if len(powers) <= bit:
                powers.append(powers[-1] @ powers[-1])
            if rest >> bit & 1:
                density = powers[bit] @ density
            bit += 1
        reached = tick
        rates[index] = observe @ density
        if rates[index] < SMALLEST_WER / 10:
            rates[index] = 0.0
            break
    return rates


def slowest_rate(current: float, delta: float, points: int = 2000) -> float:
    """The smallest non-zero decay rate of the equation, per unit of reduced time.

    Scharfetter-Gummel finite volumes, evenly spaced in theta, whose matrix is symmetrizable; two
    grids, extrapolated. Absolute accuracy about 1e-11, relative about 1e-5.
    """

    def on_grid(cells: int) -> float:
        faces = np.cos(np.linspace(0, np.pi, cells + 1))
        volumes = faces[:-1] - faces[1:]
        centres = np.cos((np.arange(cells) + 0.5) * np.pi / cells)
        drop = -delta * np.diff((centres - current) ** 2)  # of the potential, cell to cell
        coupling = (1 - faces[1:-1] ** 2) / (2 * delta) / (centres[:-1] - centres[1:])
        forward, backward = coupling * bernoulli(drop), coupling * bernoulli(-drop)
        diagonal = np.zeros(cells)
        diagonal[:-1] += forward / volumes[:-1]
        diagonal[1:] += backward / volumes[1:]
        beside = -np.sqrt(forward * backward / (volumes[:-1] * volumes[1:]))
        return float(
            eigh_tridiagonal(diagonal, beside, eigvals_only=True, select="i", select_range=(1, 1))[
                0
            ]
        )

    coarse, fine = on_grid(points), on_grid(2 * points)
    return fine + (fine - coarse) / 3


def bernoulli(x: Array) -> Array:
    """x / (exp(x) - 1), continued through zero."""
    safe = np.where(np.abs(x) < 1e-8, 1.0, x)
    return np.where(np.abs(x) < 1e-8, 1 - x / 2, safe / np.expm1(safe))


def mean_first_passage(current: float, delta: float, absorbing: float = -0.5) -> float:
    """Mean time from z = +1 to z = ``absorbing``, by quadrature; exact at any current below 8.

    Below the critical current its inverse is the rate of thermally activated switching.
    """
    root = math.sqrt(delta)

    def integrand(z: float) -> float:
        # exp(-delta (z - i)^2) times the integral of exp(+delta (z' - i)^2) from z to 1, in
        # Dawson functions: no large exponential is ever formed without its counterpart.
        a, b = root * (z - current), root * (1 - current)
        lifted = dawsn(b) * math.exp(b * b - a * a) - dawsn(a)
        return 2 * root * lifted / (1 - z * z)

    # The integrand peaks on the barrier z = i and is finite, but 0/0, at the pole.
    inner = sorted({absorbing, min(max(current, absorbing), 1 - 1e-9), 1 - 1e-9})
    pieces = [
        quad(integrand, low, high, limit=500, epsabs=0, epsrel=1e-9)[0]
        for low, high in pairwise(inner)
    ]
    return float(sum(pieces))


def long_time_rate(current: float, delta: float) -> float:
    """The rate at which the logarithm of the write error rate falls, once it falls steadily."""
    rate = slowest_rate(current, delta)
    # A rate this small drowns in the eigenvalue's rounding; the passage time then is exact.
    return rate if rate > 1e-5 else 1 / mean_first_passage(current, delta)


def log_hazards(currents: Array, durations: Array, delta: float) -> Array:
    """(currents, durations) ln(-ln WER), for ascending currents and durations."""
    table = np.empty((len(currents), len(durations)))
    above: Array | None = None  # ln of hazard / (rate x duration), at the next larger current
    for index in reversed(range(len(currents))):
        rate = long_time_rate(currents[index], delta)
        hazard = hazard_of(write_error_rates(currents[index], durations, delta), durations, rate)
        with np.errstate(divide="ignore"):
            relative = np.log(hazard) - np.log(rate * durations)
        unknown = np.isneginf(relative)
        if above is None:
            relative[unknown] = continued(durations, relative)[unknown]
        else:
            relative[unknown] = above[unknown]
        above = relative
        table[index] = relative + np.log(rate * durations)
    # What was filled in meets the solution within rounding; the laws hold exactly.
    table = np.maximum.accumulate(table, axis=0)
    return np.maximum.accumulate(table, axis=1)


def hazard_of(rates: Array, durations: Array, rate: float) -> Array:
    """-ln WER from the Legendre solution; zero where too little has switched to be told."""
    hazard = np.zeros(len(rates))
    trusted = (rates > SMALLEST_WER) & (1 - rates > SMALLEST_SWITCHED * np.maximum(durations, 1))
    hazard[trusted] = -np.log(rates[trusted])
    faded = rates <= SMALLEST_WER
    if faded.any():
        last = int(np.flatnonzero(~faded)[-1])
        hazard[faded] = -np.log(rates[last]) + rate * (durations[faded] - durations[last])
    return hazard


def continued(durations: Array, relative: Array) -> Array:
    """Straight line in ln(duration), through the two shortest durations that are known."""
    first = int(np.flatnonzero(np.isfinite(relative))[0])
    x = np.log(durations)
    slope = (relative[first + 1] - relative[first]) / (x[first + 1] - x[first])
    return relative[first] + slope * (x - x[first])


def build_table(path: Path = TABLE_PATH) -> None:
    """Solve on the whole grid and write the table, in float32: about 0.6 MB."""
    axis = np.linspace(warp(np.array(0.0)), warp(np.array(LARGEST_CURRENT)), 81)
    currents = 1 + KNEE * np.sinh(axis)
    currents[0] = 0.0
    durations = np.rint(0.1 * 2 ** np.arange(0, 16.7, 1 / 6) / TICK) * TICK
    deltas = np.linspace(20, 120, 21)
    table = np.stack([log_hazards(currents, durations, delta) for delta in deltas], axis=-1)
    np.savez_compressed(
        path,
        currents=currents,
        durations=durations,
        deltas=deltas,
        log_hazard=table.astype(np.float32),
    )


if __name__ == "__main__":
    build_table()
