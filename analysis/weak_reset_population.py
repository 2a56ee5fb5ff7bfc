"""How cells differ under weak RESET, and what of ln R is progress, noise, cell and cycle.

From the fits of many cells under one amplitude and width (`analysis.weak_reset_fit`): the families
of the model with their parameters, and the parts that the spread of ln R is made of. Free of torch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from analysis.cell_families import Exponential, FamilyFit, Normal, fit_family
from analysis.distribution_free_intervals import median_interval
from analysis.intervals import check_confidence
from analysis.mean_interval import mean_interval
from analysis.nested_spread import NestedSpread, nested_spread
from analysis.weak_reset_fit import WeakResetFits
from analysis.weak_reset_scan import over_knees
from crossbar.errors import DataError
from crossbar.estimate import Estimate

Values = NDArray[np.float64]
WORST_ERROR = 0.3
"""Standard error of ln m1 above which a cell takes no part in `pulse_scaling`. Ours."""


@dataclass(frozen=True, kw_only=True)
class WeakResetPopulation:
    """The cells' parameters as distributions; names are those of the model."""

    m1: FamilyFit
    """Exponential, of the rise of ln R by a pulse."""
    log_t_star: FamilyFit
    """Normal, of ln pulses: of cells whose knee lies within the train, as such."""
    m2: FamilyFit
    """Exponential from 0; of the same cells."""
    start: NestedSpread
    """Of the ln R that the lines begin with. Cell to cell it spreads as c1 does, cycle to cycle as
    ln R0; their means cannot be told apart."""


@dataclass(frozen=True, kw_only=True)
class WeakResetParts:
    """What ln R is made of after ``pulses`` of one train; all in units of ln R."""

    pulses: float
    progress: Estimate
    """Median rise over the cells: the progressive part."""
    cell_to_cell: Estimate
    """Standard deviation of the rise over the cells."""
    start_cell_to_cell: Estimate
    """Of the start, over the cells."""
    cycle_to_cycle: Estimate
    """Of the start, from one SET of a cell to its next."""
    noise: Estimate
    """Of a reading around its line: telegraph, pink and reading noise together."""


@dataclass(frozen=True, kw_only=True)
class PulseScaling:
    """How m1 grows with the pulse, within cells; NaN where the run did not vary it."""

    e_fold: Estimate
    """Volts of amplitude by which m1 grows e-fold."""
    width_exponent: Estimate
    """m1 goes with this power of the width."""
    cells: int


def fit_population(fits: WeakResetFits, confidence: float = 0.95) -> WeakResetPopulation:
    """The distributions behind the fits of one amplitude and width.

    The errors of the cells are taken into account. Raises DataError for too few cells (see
    `analysis.cell_families`), and ConfigurationError for a confidence outside 0 to 1.
    """
    m1, m1_error = _slope(fits, 0)
    m2, m2_error = _slope(fits, 1)
    knees = np.log(fits.t_star)
    knee_error = _knee_error(fits)
    first, last = np.log(fits.scan.knee[0, [0, -2]])
    shown = np.isfinite(fits.t_star_interval).all(1) & (fits.t_star_interval[:, 0] > 0)
    shown &= (knees > first) & (knees < last)
    return WeakResetPopulation(
        m1=fit_family(Exponential(), m1, m1_error, confidence),
        log_t_star=fit_family(
            Normal(low=first, high=last), knees[shown], knee_error[shown], confidence
        ),
        m2=fit_family(Exponential(located=False), m2[shown], m2_error[shown], confidence),
        start=nested_spread(fits.start, fits.start_error, confidence),
    )


def separate_parts(
    fits: WeakResetFits, pulses: float | None = None, confidence: float = 0.95
) -> WeakResetParts:
    """The parts after so many pulses, by default at the end of the train.

    The median has an interval of order statistics; variances have one of the jackknife over cells,
    on their logarithms. Raises DataError for pulses beyond the train or fewer than three cells.
    """
    check_confidence(confidence)
    last = float(fits.trains.pulses[-1])
    pulses = last if pulses is None else pulses
    if not 0 < pulses <= last:
        raise DataError(f"The parts after {pulses:g} pulses cannot be told: trains have {last:g}.")
    rise, error = rise_after(fits, pulses)
    start = nested_spread(fits.start, fits.start_error, confidence)
    return WeakResetParts(
        pulses=pulses,
        progress=median_interval(rise, confidence),
        cell_to_cell=spread_beyond_error(rise, error, confidence),
        start_cell_to_cell=start.between,
        cycle_to_cycle=start.within,
        noise=root_mean_square(fits.total_noise, confidence),
    )


def pulse_scaling(conditions: Sequence[WeakResetFits], confidence: float = 0.95) -> PulseScaling:
    """A straight line through ln m1 over the volts and the logarithm of the width, cell by cell.

    The mean over cells has a Student interval: by how much the cells' fits err shows in the spread
    between cells. Only cells whose m1 is known well under all conditions take part. Raises
    ConfigurationError for a confidence outside 0 to 1.
    """
    check_confidence(confidence)
    common = sorted(set.intersection(*(set(map(int, fits.trains.cells)) for fits in conditions)))
    volts = np.array([abs(fits.trains.amplitude) for fits in conditions])
    widths = np.log([fits.trains.width for fits in conditions])
    columns = [c - c.mean() for c in (volts, widths) if np.ptp(c) > 0]
    m1, error = np.empty((2, len(conditions), len(common)))
    for row, fits in enumerate(conditions):
        places = np.searchsorted(fits.trains.cells, common)
        m1[row], error[row] = (x[places] for x in _slope(fits, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        known = np.all((m1 > 0) & (error < WORST_ERROR * m1), axis=0)
    nothing = Estimate.alone(np.nan)
    if not columns or np.count_nonzero(known) < 3:
        return PulseScaling(e_fold=nothing, width_exponent=nothing, cells=int(known.sum()))
    logs = np.log(m1[:, known])
    slopes = np.linalg.lstsq(np.stack(columns, 1), logs - logs.mean(0), rcond=None)[0]
    found = iter([_mean(slope, confidence) for slope in slopes])
    by_volt = next(found) if np.ptp(volts) > 0 else nothing
    return PulseScaling(
        e_fold=Estimate.of(1 / by_volt.estimate, 1 / by_volt.high, 1 / by_volt.low),
        width_exponent=next(found) if np.ptp(widths) > 0 else nothing,
        cells=int(known.sum()),
    )


def rise_after(fits: WeakResetFits, pulses: float) -> tuple[Values, Values]:
    """(n,) rise of ln R over so many pulses without noise, and its standard errors."""
    scan = fits.scan
    early = np.minimum(scan.knee, pulses)
    weights = np.stack([early, pulses - early], -1)  # (n, g, 2)
    covariance = np.where(np.isfinite(scan.covariance), scan.covariance, 0.0)
    estimate = (weights * scan.slopes).sum(-1)
    variance = np.einsum("ngi,ngij,ngj->ng", weights, covariance, weights)
    mean, error = over_knees(scan, estimate[..., None], variance[..., None])
    return mean[:, 0], error[:, 0]


def _slope(fits: WeakResetFits, axis: int) -> tuple[Values, Values]:
    """m1 or m2 of every cell with its standard error, knees weighed by their likelihood."""
    estimate = fits.scan.slopes[..., axis, None]
    variance = fits.scan.covariance[..., axis, axis, None]
    known = np.where(np.isfinite(variance), variance, 0.0)
    mean, error = over_knees(fits.scan, estimate, known)
    return mean[:, 0], error[:, 0]


def _knee_error(fits: WeakResetFits) -> Values:
    """(n,) of ln t_star."""
    finite = np.where(np.isfinite(fits.scan.knee), np.log(fits.scan.knee), 0.0)[..., None]
    return over_knees(fits.scan, finite, np.zeros_like(finite))[1][:, 0]


def _mean(values: Values, confidence: float) -> Estimate:
    found = mean_interval(values, confidence)
    return Estimate(estimate=found.mean, low=found.low, high=found.high)


def spread_beyond_error(values: Values, errors: Values, confidence: float) -> Estimate:
    """Standard deviation of values, less what their errors add."""

    def variance(x: Values, e: Values) -> float:
        return max(float(np.var(x, ddof=1) - np.mean(e**2)), 1e-3 * float(np.var(x, ddof=1)))

    return _jackknife(variance, (values, errors), confidence)


def root_mean_square(values: Values, confidence: float) -> Estimate:
    """Over cells."""
    return _jackknife(lambda x: float(np.mean(x**2)), (values,), confidence)


def _jackknife(
    variance: Callable[..., float], columns: tuple[Values, ...], confidence: float
) -> Estimate:
    """The root of a variance; its interval is that of the variance's logarithm (Tukey, Ann. Math.
    Stat. 29, 614, 1958).
    """
    count = len(columns[0])
    if count < 3:
        raise DataError(f"{count} cells cannot show a spread between cells; measure more cells.")
    whole = np.log(variance(*columns))
    kept = ~np.eye(count, dtype=bool)
    without = np.array([np.log(variance(*(c[rows] for c in columns))) for rows in kept])
    error = np.sqrt((count - 1) / count * np.sum((without - without.mean()) ** 2))
    half = student.ppf(0.5 + confidence / 2, count - 1) * error
    return Estimate.of(*(np.exp(x / 2) for x in (whole, whole - half, whole + half)))
