"""Write errors that rise with the amplitude: back-hopping and other non-monotonic cells. No torch.

A macrospin never fails more often under a larger pulse. At each width every pair of amplitudes is
asked whether the larger one fails more often, by Fisher's exact test, which is conservative for any
two rates of which the larger pulse's is not the larger one; the smallest p-value is multiplied by
the number of pairs of the cell (Bonferroni). So a sound cell is flagged at most at the stated
false-alarm rate, however few or many errors it has. `benchmarks.anomaly_false_alarms` holds it to
that, with the stopping rule of the write-error protocol.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import hypergeom

from analysis.intervals import check_confidence
from analysis.switching_counts import SwitchingCounts

FALSE_ALARM_RATE = 0.01
"""Of one sound cell and direction, all looks at it together. Ours."""

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class RisingErrors:
    """What the counts of n (cell, target) pairs say about rising error rates.

    P-values are multiplied by the number of looks; 1 where there was nothing to compare.
    """

    back_hopping: Values
    """(n,) that the largest amplitude of some width fails no more often than a smaller one."""
    non_monotonic: Values
    """(n,) the same for the other amplitudes, at widths whose largest one is not significant: the
    error rate rises and falls again."""
    false_alarm_rate: float
    """Below which they count as flagged."""

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """(n,) True where either is below the false-alarm rate."""
        return np.minimum(self.back_hopping, self.non_monotonic) < self.false_alarm_rate


def rising_errors(
    counts: SwitchingCounts, false_alarm_rate: float = FALSE_ALARM_RATE
) -> RisingErrors:
    """Test every row of counts. Raises ConfigurationError for a rate outside 0 to 1."""
    check_confidence(1 - false_alarm_rate)
    rows = range(len(counts.cells))
    found = np.array([_row(counts, row, false_alarm_rate) for row in rows]).reshape(-1, 2)
    return RisingErrors(
        back_hopping=found[:, 0], non_monotonic=found[:, 1], false_alarm_rate=false_alarm_rate
    )


def _row(counts: SwitchingCounts, row: int, false_alarm_rate: float) -> tuple[float, float]:
    """Both p-values of one row."""
    tried = counts.attempts[row] > 0
    amplitude, width = counts.amplitude[row][tried], counts.width[row][tried]
    errors, attempts = counts.errors[row][tried], counts.attempts[row][tried]
    pairs, tops = [], []
    for here in np.unique(width):
        places = np.flatnonzero(width == here)
        places = places[np.argsort(amplitude[places], kind="stable")]
        pairs += [pair for pair in combinations(places, 2) if len(set(amplitude[list(pair)])) == 2]
        tops += [places[-1]]
    if not pairs:
        return 1.0, 1.0
    smaller, larger = np.array(pairs).T
    p_values = len(pairs) * rises(
        errors[smaller], attempts[smaller], errors[larger], attempts[larger]
    )
    at_top = np.isin(larger, tops)
    hopping = set(width[larger[at_top & (p_values < false_alarm_rate)]])
    between = ~at_top & ~np.isin(width[larger], list(hopping))
    return (
        float(min(1.0, p_values[at_top].min(initial=1.0))),
        float(min(1.0, p_values[between].min(initial=1.0))),
    )


def rises(
    errors: NDArray[np.int64],
    attempts: NDArray[np.int64],
    later_errors: NDArray[np.int64],
    later_attempts: NDArray[np.int64],
) -> Values:
    """(n,) one-sided p-values of Fisher's exact test that the later rate is the larger one."""
    together = errors + later_errors
    return np.asarray(
        hypergeom.sf(later_errors - 1, attempts + later_attempts, together, later_attempts)
    )
