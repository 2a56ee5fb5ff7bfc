"""Likelihood of ln R after weak RESET pulses: two straight lines, a telegraph, normal noise.

For one knee at a time the lines are linear in their parameters, and so is the telegraph in its
largest level; what is not known is when it was high and which level it had. Expectation and
maximization (Dempster, Laird and Rubin, J. R. Stat. Soc. B 39, 1, 1977) finds them, for all rows
(a cell with a knee) at once. Readings must lie farther apart than the noise remembers. Free of
torch.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.telegraph_chain import Chain, Smoothed, smooth
from analysis.telegraph_levels import LevelsSeen, levels_seen

Values = NDArray[np.float64]
SMALLEST_NOISE = 1e-5
"""Standard deviation of ln R that no bench gets below. Ours."""
LEVEL_RANGE = (1e-3, 2.0)
"""Largest levels that are tried. Ours."""
DIFFERENCE = 0.1
"""Step of numeric derivatives, in standard deviations of the noise. Ours."""
LEVEL_SPREAD = 0.2
"""Of the largest levels of cells: somewhat more than in the published model."""
MOST_MISSING = 0.9
"""Ours."""
SETTLED = 1e-3
"""Gain in log-likelihood by a round below which a row counts as found."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Readings of m rows, k trains each, at n numbers of pulses."""

    log_r: Values
    """(m, k, n); NaN where nothing was read."""
    pulses: Values
    """(n,) since the SET, in units of ``scale``."""
    gaps: Values
    """(n,) pulses that lead to each reading, the first from the SET on."""
    knee: Values
    """(m,) in units of ``scale``; infinite for one line without a knee."""

    @property
    def lines(self) -> Values:
        """(m, n, 2) what the rises before and after the knee are multiplied by."""
        early = np.minimum(self.pulses, self.knee[:, None])
        return np.stack([early, self.pulses - early], -1)

    def chosen(self, rows: NDArray) -> "Rows":
        """Some of the rows."""
        return replace(self, log_r=self.log_r[rows], knee=self.knee[rows])


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Parameters of m rows."""

    start: Values
    """(m, k) ln R at which each train's line begins."""
    slopes: Values
    """(m, 2) rises of ln R, before and after the knee, by ``scale`` pulses."""
    level: Values
    """(m,) largest level of the telegraph."""
    noise: Values
    """(m,) standard deviation of the rest."""

    def chosen(self, rows: NDArray) -> "Curves":
        """Some of the rows."""
        return Curves(**{name: value[rows] for name, value in vars(self).items()})

    def joined(self, rows: NDArray, new: "Curves") -> "Curves":
        """Some of the rows replaced."""
        merged = {name: value.copy() for name, value in vars(self).items()}
        for name, value in vars(new).items():
            merged[name][rows] = value
        return Curves(**merged)


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What readings say of the telegraph under given parameters, (m, k, n) each."""

    residual: Values
    """Reading less line; 0 where nothing was read."""
    read: NDArray[np.bool_]
    levels: LevelsSeen
    states: Smoothed
    log_density: Values
    """(m, k, n, 2) low, high."""

    @property
    def log_likelihood(self) -> Values:
        """(m,)"""
        return np.asarray(self.states.log_likelihood.sum(-1))


def expected(rows: Rows, curves: Curves, chain: Chain) -> Expected:
    """The telegraph's states and levels, given the readings."""
    read = np.isfinite(rows.log_r)
    line = curves.start[..., None] + (rows.lines @ curves.slopes[..., None])[:, None, :, 0]
    residual = np.where(read, rows.log_r - line, 0.0)
    noise = curves.noise[:, None, None]
    seen = levels_seen(residual / noise, curves.level[:, None, None] / noise)
    low = -0.5 * (residual / noise) ** 2 - 0.5 * np.log(2 * np.pi)
    density = np.where(read[..., None], np.stack([low, seen.log_density], -1), 0.0)
    density = density - np.where(read, np.log(noise), 0.0)[..., None]
    return Expected(
        residual=residual,
        read=read,
        levels=seen,
        states=smooth(density, chain.over(rows.gaps)),
        log_density=density,
    )


def maximize(rows: Rows, start: Curves, chain: Chain, rounds: int) -> tuple[Curves, Values]:
    """The most likely curves of every row, and (m,) their log-likelihoods."""
    curves = start
    active = np.arange(len(rows.knee))
    likelihood = np.full(len(active), -np.inf)
    for _ in range(rounds):
        part, now = rows.chosen(active), curves.chosen(active)
        found = expected(part, now, chain)
        gained = found.log_likelihood - likelihood[active]
        likelihood[active] = found.log_likelihood
        moving = gained > SETTLED
        curves = curves.joined(active, maximized(part, now, found))
        active = active[moving]
        if not len(active):
            break
    return curves, likelihood


def maximized(rows: Rows, curves: Curves, found: Expected) -> Curves:
    """The maximization: a least-squares fit of lines and largest level together."""
    trains = rows.log_r.shape[1]
    high = np.where(found.read, found.states.high, 0.0)
    first, second = high * found.levels.mean, high * found.levels.square
    normal, moment = normal_equations(rows, found.read, first, second)
    solution = np.linalg.solve(normal, moment[..., None])[..., 0]
    level = np.clip(solution[:, -1], *LEVEL_RANGE)
    # With the level held at an end of its range the lines follow it.
    lines = np.linalg.solve(
        normal[:, :-1, :-1], (moment[:, :-1] - normal[:, :-1, -1] * level[:, None])[..., None]
    )[..., 0]
    start, slopes = lines[:, :trains], lines[:, trains:]
    line = start[..., None] + (rows.lines @ slopes[..., None])[:, None, :, 0]
    rest = np.where(found.read, rows.log_r - line, 0.0)
    size = level[:, None, None]
    spent = (rest**2 - 2 * rest * first * size + second * size**2).sum((1, 2))
    noise = np.sqrt(np.maximum(spent / found.read.sum((1, 2)), SMALLEST_NOISE**2))
    return Curves(start=start, slopes=slopes, level=level, noise=noise)


def normal_equations(
    rows: Rows, read: NDArray[np.bool_], first: Values, second: Values
) -> tuple[Values, Values]:
    """(m, k + 3, k + 3) and (m, k + 3) of starts, two slopes and the largest level.

    ``first`` and ``second`` are the expected level over the largest one, and its square. A column
    of zeros, such as the second line of a row without a knee, gets a 1 on the diagonal.
    """
    lines = rows.lines
    log_r = np.where(read, rows.log_r, 0.0)
    trains = log_r.shape[1]
    normal = np.zeros((len(log_r), trains + 3, trains + 3))
    each = np.arange(trains)
    slopes = slice(trains, trains + 2)
    weight = read.astype(np.float64)
    normal[:, each, each] = weight.sum(-1)
    normal[:, :trains, slopes] = weight @ lines
    normal[:, slopes, slopes] = np.einsum("mn,mni,mnj->mij", weight.sum(1), lines, lines)
    normal[:, :trains, -1] = first.sum(-1)
    normal[:, slopes, -1] = np.einsum("mkn,mni->mi", first, lines)
    normal[:, -1, -1] = second.sum((1, 2)) + 1e-9
    lower = np.tril_indices(trains + 3, -1)
    normal[:, lower[0], lower[1]] = normal[:, lower[1], lower[0]]
    diagonal = np.einsum("mii->mi", normal)
    diagonal[diagonal == 0] = 1.0
    moment = np.concatenate(
        [
            log_r.sum(-1),
            np.einsum("mkn,mni->mi", log_r, lines),
            np.einsum("mkn,mkn->m", first, log_r)[:, None],
        ],
        axis=1,
    )
    return normal, moment


def score(rows: Rows, curves: Curves, chain: Chain) -> Values:
    """(m, k + 3) slopes of the log-likelihood along starts, slopes and largest level.

    That of the complete data, expected (Fisher's identity).
    """
    found = expected(rows, curves, chain)
    high = np.where(found.read, found.states.high, 0.0)
    first, second = high * found.levels.mean, high * found.levels.square
    level = curves.level[:, None, None]
    rest = found.residual - level * first
    along = [
        rest.sum(-1),
        np.einsum("mkn,mni->mi", rest, rows.lines),
        (first * found.residual - level * second).sum((1, 2))[:, None],
    ]
    return np.concatenate(along, axis=1) / curves.noise[:, None] ** 2


def information(rows: Rows, curves: Curves, chain: Chain) -> Values:
    """(m, k + 3, k + 3) observed information of starts, slopes and largest level, knee held: by
    differences of the score.

    No more than `MOST_MISSING` of what would be known with the telegraph in sight counts as
    missing, and largest levels as spread by `LEVEL_SPREAD` even if never seen: next to a second
    maximum the observed curvature can be anything.
    """
    trains = curves.start.shape[1]
    step = DIFFERENCE * curves.noise
    columns = []
    for axis in range(trains + 3):
        ends = []
        for sign in (1.0, -1.0):
            move = np.zeros((len(step), trains + 3))
            move[:, axis] = sign * step
            moved = replace(
                curves,
                start=curves.start + move[:, :trains],
                slopes=curves.slopes + move[:, trains:-1],
                level=curves.level + move[:, -1],
            )
            ends.append(score(rows, moved, chain))
        columns.append((ends[1] - ends[0]) / (2 * step[:, None]))
    observed = np.stack(columns, -1)
    observed = (observed + np.swapaxes(observed, 1, 2)) / 2
    observed[:, -1, -1] += LEVEL_SPREAD**-2
    return _not_too_little(observed, complete_information(rows, curves, chain))


def complete_information(rows: Rows, curves: Curves, chain: Chain) -> Values:
    """The same if the telegraph's states and levels were known as they are expected."""
    found = expected(rows, curves, chain)
    high = np.where(found.read, found.states.high, 0.0)
    normal, _ = normal_equations(
        rows, found.read, high * found.levels.mean, high * found.levels.square
    )
    normal = normal / curves.noise[:, None, None] ** 2
    normal[:, -1, -1] += LEVEL_SPREAD**-2
    return np.asarray(normal)


def _not_too_little(observed: Values, complete: Values) -> Values:
    root = np.linalg.cholesky(complete)
    inner = np.linalg.solve(root, np.swapaxes(np.linalg.solve(root, observed), 1, 2))
    share, vectors = np.linalg.eigh((inner + np.swapaxes(inner, 1, 2)) / 2)
    share = np.clip(share, 1 - MOST_MISSING, 1.0)
    outer = root @ vectors
    return np.asarray((outer * share[:, None, :]) @ np.swapaxes(outer, 1, 2))
