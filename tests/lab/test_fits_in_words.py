import math

import pytest

from crossbar.estimate import Estimate
from crossbar.pulses import State
from db.rows import Check, FitRow
from lab.fits_in_words import flags_of, with_interval


@pytest.mark.parametrize(
    ("estimate", "unit", "shown"),
    [
        ((0.3577, 0.3568, 0.3586), "V", "357.7 (356.8 to 358.6) mV"),
        ((-2e-9, -3e-9, 1e-9), "s", "-2 (-3 to 1) ns"),
        ((60.1, 0.0, math.inf), "", "60.1 (0 to open)"),
        ((0.0121, -math.inf, 0.013), "V", "12.1 (open to 13) mV"),
        ((1.2, -math.inf, math.inf), "Hz", "1.2 (open) Hz"),
        ((0.0, 0.0, 0.01), "", "0 (0 to 0.01)"),
        ((math.nan, math.nan, 0.5), "V", "- (open to 0.5) V"),
        ((0.02, math.nan, math.nan), "", "0.02"),
    ],
)
def test_an_interval_has_one_unit(estimate, unit, shown):
    """Estimate and ends share a prefix; open ends are called that."""
    value, low, high = estimate
    assert with_interval(Estimate(estimate=value, low=low, high=high), unit) == shown


def test_flags_name_what_failed():
    """A fit that did not converge comes first, then the checks that failed."""
    fit = FitRow(
        cell=3,
        target=State.LOW,
        parameters={},
        log_likelihood=-1.0,
        converged=False,
        checks={
            "back-hopping": Check(p_value=1e-5, flagged=True),
            "goodness of fit": Check(p_value=0.5, flagged=False),
        },
    )
    assert flags_of(fit) == "no fit, back-hopping"
