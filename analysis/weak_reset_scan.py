"""The likelihood of weak RESET trains, scanned over the knee. Free of torch."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.telegraph_chain import Chain, pooled_chain
from analysis.weak_reset_likelihood import (
    Curves,
    Expected,
    Rows,
    expected,
    information,
    maximize,
    normal_equations,
)
from analysis.weak_reset_trains import WeakResetTrains

Values = NDArray[np.float64]
ENDS = 3
"""Readings that there are at least before and after a knee that is looked for. Ours."""
FEWEST_READINGS = 3 * ENDS
COARSE, FINE = 20, 14
"""Knees that are tried: over the whole train, then twice more around the best. Ours."""
FINER = (1.0, 0.5)
"""Where the finer knees begin, in steps from the neighbour: no knee is tried twice."""
REACH = 12.0
"""Drop in log-likelihood that the finer knees spread over: beyond all usual intervals."""
FIRST_LEVEL, FIRST_NOISE = 0.1, 0.012
"""Where the search begins: about the medians of the published model."""
CHAIN_ROUNDS = 3
FIRST_ROUNDS, ROUNDS = 25, 80
"""Of expectation and maximization at most, while knees are sought and at the end."""


@dataclass(frozen=True, kw_only=True)
class KneeScan:
    """What n cells' readings say, one knee after the other; g knees each, rising.

    The last is infinite: one line, no knee before the end of the train.
    """

    knee: Values
    """(n, g) pulses."""
    log_likelihood: Values
    """(n, g) maximized over everything else."""
    slopes: Values
    """(n, g, 2) most likely m1 and m2 given the knee, rises of ln R by a pulse."""
    covariance: Values
    """(n, g, 2, 2) of their errors; that of m2 is infinite where there is no knee."""

    def widened(self, slopes: Values, knee: Values) -> "KneeScan":
        """With the variances of slopes and knee times factors, (n, 2) and (n,)."""
        root = np.sqrt(slopes)[:, None, :]
        summit = self.log_likelihood.max(1, keepdims=True)
        return replace(
            self,
            covariance=self.covariance * root[..., :, None] * root[..., None, :],
            log_likelihood=summit + (self.log_likelihood - summit) / knee[:, None],
        )


@dataclass(frozen=True, kw_only=True)
class Scanned:
    """A scan, and the best of it for each of n cells."""

    scan: KneeScan
    knee: Values
    """(n,) pulses; infinite for none."""
    slopes: Values
    """(n, 2) by a pulse."""
    curves: Curves
    """With slopes in units of the whole train."""
    start_error: Values
    """(n, k)"""
    readings: Expected
    chain: Chain


@dataclass(frozen=True, kw_only=True)
class _Tried:
    """Knees that were tried, g for each of n cells, and how well they fit."""

    knee: Values
    """(n, g) in units of the train; rising."""
    curves: Curves
    """Of n * g rows."""
    log_likelihood: Values
    """(n, g)"""

    @property
    def best_rows(self) -> NDArray[np.intp]:
        """(n,) the row of each cell's best knee."""
        return _row(self.knee, self.log_likelihood.argmax(1))


def scan_knees(trains: WeakResetTrains) -> Scanned:
    """Maximize the likelihood at knees all over the train, then more finely around the best."""
    whole = _Readings.of(trains)
    chain = Chain()
    coarse = np.tile(np.r_[_coarse(whole.pulses), np.inf], (len(trains.cells), 1))
    tried = _fit(whole, coarse, None, chain)
    for shift in FINER:
        chain = _pooled(whole, tried, chain)
        tried = _joined(tried, _fit(whole, _finer(tried, shift), tried, chain))
    tried = _fit(whole, tried.knee, tried, chain, ROUNDS)  # those found with an earlier chain, too
    return _summed_up(whole, tried, chain)


@dataclass(frozen=True, kw_only=True)
class _Readings:
    """Trains as the likelihood takes them."""

    log_r: Values
    pulses: Values
    """In units of ``scale``."""
    gaps: Values
    scale: float

    @staticmethod
    def of(trains: WeakResetTrains) -> "_Readings":
        scale = float(trains.pulses[-1])
        return _Readings(
            log_r=trains.log_r,
            pulses=trains.pulses / scale,
            gaps=np.diff(trains.pulses, prepend=0).astype(np.float64),
            scale=scale,
        )

    def rows(self, knee: Values) -> Rows:
        """A row for each of the (n, g) knees."""
        return Rows(
            log_r=np.repeat(self.log_r, knee.shape[1], axis=0),
            pulses=self.pulses,
            gaps=self.gaps,
            knee=knee.ravel(),
        )


def _row(knee: Values, column: NDArray[np.intp]) -> NDArray[np.intp]:
    """The rows of these columns (n, ...) of the knees (n, g)."""
    cells = np.arange(len(knee)).reshape(-1, *[1] * (column.ndim - 1))
    return np.asarray(cells * knee.shape[1] + column)


def _coarse(pulses: Values) -> Values:
    """Knees over the whole train, evenly in their logarithms."""
    return np.geomspace(pulses[ENDS - 1], pulses[-ENDS], COARSE)


def _finer(tried: _Tried, shift: float) -> Values:
    """(n, FINE) knees between the neighbours of those that are not excluded by far.

    Where one line is best, they are the last ones before the end.
    """
    finite, likelihood = tried.knee[:, :-1], tried.log_likelihood[:, :-1]
    possible = likelihood > likelihood.max(1)[:, None] - REACH
    last = finite.shape[1] - 1
    first = np.maximum(possible.argmax(1) - 1, 0)
    end = np.minimum(last - possible[:, ::-1].argmax(1) + 1, last)
    cells = np.arange(len(finite))
    low, high = np.log(finite[cells, first]), np.log(finite[cells, end])
    share = (np.arange(FINE) + shift) / (FINE - 1 + 2 * shift)
    return np.exp(low[:, None] + (high - low)[:, None] * share)


def _fit(
    whole: _Readings, knee: Values, near: _Tried | None, chain: Chain, rounds: int = FIRST_ROUNDS
) -> _Tried:
    """Maximize at these (n, g) knees, from what was found at the nearest ones."""
    rows = whole.rows(knee)
    if near is None:
        start = _least_squares(rows)
    else:
        far = np.abs(_position(near.knee)[:, None, :] - _position(knee)[:, :, None])
        start = near.curves.chosen(_row(near.knee, far.argmin(2)).ravel())
    curves, likelihood = maximize(rows, start, chain, rounds)
    return _Tried(knee=knee, curves=curves, log_likelihood=likelihood.reshape(knee.shape))


def _position(knee: Values) -> Values:
    """Logarithms, with a place far behind all others for no knee at all."""
    return np.log(np.minimum(knee, 1e6))


def _least_squares(rows: Rows) -> Curves:
    """Lines as if there were no telegraph."""
    read = np.isfinite(rows.log_r)
    nothing = np.zeros(rows.log_r.shape)
    normal, moment = normal_equations(rows, read, nothing, nothing)
    solution = np.asarray(np.linalg.solve(normal, moment[..., None])[..., 0], np.float64)
    trains = rows.log_r.shape[1]
    count = len(rows.knee)
    return Curves(
        start=solution[:, :trains],
        slopes=solution[:, trains:-1],
        level=np.full(count, FIRST_LEVEL),
        noise=np.full(count, FIRST_NOISE),
    )


def _joined(first: _Tried, second: _Tried) -> _Tried:
    """Both, knees rising; of knees that were tried twice the second counts."""
    knee = np.concatenate([first.knee, second.knee], 1)
    order = np.argsort(knee, axis=1, kind="stable")
    likelihood = np.concatenate([first.log_likelihood, second.log_likelihood], 1)
    cells = np.arange(len(knee))[:, None]
    columns: dict[str, Values] = {}
    for name in ("start", "slopes", "level", "noise"):
        parts = (
            getattr(tried.curves, name).reshape(*tried.knee.shape, -1) for tried in (first, second)
        )
        merged = np.concatenate(list(parts), 1)[cells, order]
        columns[name] = merged.reshape(-1, *getattr(first.curves, name).shape[1:])
    return _Tried(
        knee=knee[cells, order], curves=Curves(**columns), log_likelihood=likelihood[cells, order]
    )


def _pooled(whole: _Readings, tried: _Tried, chain: Chain) -> Chain:
    """The chain of all cells at their best knees."""
    best = tried.best_rows
    rows, curves = whole.rows(tried.knee).chosen(best), tried.curves.chosen(best)
    for _ in range(CHAIN_ROUNDS):
        chain = pooled_chain(expected(rows, curves, chain).log_density, whole.gaps, chain)
    return chain


def _summed_up(whole: _Readings, tried: _Tried, chain: Chain) -> Scanned:
    """Covariances at every knee, and the best knee of each cell."""
    rows = whole.rows(tried.knee)
    trains = whole.log_r.shape[1]
    covariance = np.asarray(np.linalg.inv(information(rows, tried.curves, chain)), np.float64)
    shape = tried.knee.shape
    slopes = slice(trains, trains + 2)
    of_slopes = covariance[:, slopes, slopes].reshape(*shape, 2, 2) / whole.scale**2
    of_slopes[:, -1, 1, :] = of_slopes[:, -1, :, 1] = 0.0
    of_slopes[:, -1, 1, 1] = np.inf
    best = tried.best_rows
    curves = tried.curves.chosen(best)
    starts = tried.curves.start.reshape(*shape, trains)
    variances = np.diagonal(covariance, axis1=1, axis2=2)[:, :trains].reshape(starts.shape)
    scan = KneeScan(
        knee=tried.knee * whole.scale,
        log_likelihood=tried.log_likelihood,
        slopes=tried.curves.slopes.reshape(*shape, 2) / whole.scale,
        covariance=of_slopes,
    )
    return Scanned(
        scan=scan,
        knee=_summit(tried) * whole.scale,
        slopes=curves.slopes / whole.scale,
        curves=curves,
        start_error=over_knees(scan, starts, variances)[1],
        readings=expected(rows.chosen(best), curves, chain),
        chain=chain,
    )


def over_knees(scan: KneeScan, estimate: Values, variance: Values) -> tuple[Values, Values]:
    """(n, k) means and standard errors of what has estimates and variances (n, g, k) at every
    knee, knees weighed by their likelihood.
    """
    likelihood = np.exp(scan.log_likelihood - scan.log_likelihood.max(1, keepdims=True))
    # Knees count by the stretch they stand for; one line without a knee like the last of them.
    stretch = np.gradient(np.log(scan.knee[:, :-1]), axis=1)
    weight = likelihood * np.concatenate([stretch, stretch[:, -1:]], 1)
    weight = (weight / weight.sum(1, keepdims=True))[..., None]
    mean = (weight * estimate).sum(1, keepdims=True)
    error = np.sqrt((weight * (variance + (estimate - mean) ** 2)).sum(1))
    return mean[:, 0], np.asarray(error)


def _summit(tried: _Tried) -> Values:
    """(n,) the best knee, by a parabola through it and its neighbours."""
    found = np.empty(len(tried.knee))
    for cell, (knee, likelihood) in enumerate(zip(tried.knee, tried.log_likelihood, strict=True)):
        top = int(likelihood.argmax())
        found[cell] = knee[top]
        if 0 < top < len(knee) - 2:
            left, _, right = np.log(knee[top - 1 : top + 2] / knee[top])
            fall, _, rise = likelihood[top - 1 : top + 2] - likelihood[top]
            if not (left < 0 < right and fall + rise < 0):
                continue
            curve = (fall / left - rise / right) / (left - right)
            slope = fall / left - curve * left
            if curve < 0:
                found[cell] = knee[top] * np.exp(np.clip(-slope / (2 * curve), left, right))
    return found
