import pytest

from analysis.mean_interval import MeanInterval
from lab.reproduce.verdicts import above, at_least, at_most, below


def interval(low: float, high: float) -> MeanInterval:
    return MeanInterval(mean=(low + high) / 2, low=low, high=high, count=5)


@pytest.mark.parametrize(
    ("found", "verdicts"),
    [
        (interval(0.2, 0.8), (True, False, True, False)),
        (interval(1.2, 1.8), (False, True, False, True)),
        (interval(0.8, 1.2), (None, None, None, None)),
        (interval(1.0, 1.0), (True, True, None, None)),
    ],
    ids=["below", "above", "across", "on the limit"],
)
def test_a_verdict_needs_the_whole_interval_on_one_side(found, verdicts):
    """An interval across the limit decides nothing; one on it is at most and at least the limit."""
    assert tuple(ask(found, 1.0) for ask in (at_most, at_least, below, above)) == verdicts
