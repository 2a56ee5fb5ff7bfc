import numpy as np

from analysis.distribution_free_intervals import median_interval, spread_interval


def test_the_medians_interval_is_that_of_order_statistics():
    """Of ten values the 2nd and the 9th: 97.9 % (tables); of five none, so it is infinite."""
    found = median_interval(np.arange(1.0, 11.0), 0.95)
    assert (found.low, found.estimate, found.high) == (2.0, 5.5, 9.0)
    assert median_interval(np.arange(5.0), 0.95).high == np.inf


def test_both_intervals_hold_at_their_rate():
    """Of 500 samples of a skewed distribution, about 95 % cover."""
    generator = np.random.default_rng(2)
    samples = generator.gumbel(size=(500, 100))
    spreads = [spread_interval(sample, 0.95) for sample in samples]
    medians = [median_interval(sample, 0.95) for sample in samples]
    covered = np.mean([each.low <= np.pi / 6**0.5 <= each.high for each in spreads])
    middle = np.mean([each.low <= -np.log(np.log(2)) <= each.high for each in medians])
    assert 0.90 < covered < 0.98
    assert middle > 0.94
