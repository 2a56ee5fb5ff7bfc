import itertools

import numpy as np
import pytest

from analysis.telegraph_chain import Chain, pooled_chain, smooth


def followed(chain, gaps, trains, seed):
    """(trains, n) bool: states of simulated telegraphs that begin low."""
    generator = np.random.default_rng(seed)
    high = np.zeros(trains, dtype=bool)
    states = []
    for step in chain.over(gaps):
        high = generator.random(trains) < np.where(high, step[1, 1], step[0, 1])
        states.append(high)
    return np.stack(states, -1)


def test_a_power_of_the_matrix_is_many_single_steps():
    """T to the 7th, and rows that sum to 1."""
    chain = Chain(rise=0.03, fall=0.1)
    one, seven = chain.over(np.array([1.0, 7.0]))
    assert np.linalg.matrix_power(one, 7) == pytest.approx(seven)
    assert seven.sum(1) == pytest.approx([1, 1])


def test_smoothing_is_the_sum_over_all_paths():
    """Likelihood and probabilities of five readings, against every sequence of states by itself."""
    generator = np.random.default_rng(4)
    density = generator.normal(size=(5, 2))
    steps = Chain(rise=0.2, fall=0.3).over(np.array([1.0, 2.0, 1.0, 4.0, 1.0]))
    total, high = 0.0, np.zeros(5)
    for path in itertools.product((0, 1), repeat=5):
        before = (0, *path[:-1])
        weight = np.exp(sum(density[i, state] for i, state in enumerate(path)))
        weight *= np.prod([steps[i, before[i], state] for i, state in enumerate(path)])
        total += weight
        high += weight * np.array(path)
    found = smooth(density, steps)
    assert found.log_likelihood == pytest.approx(np.log(total))
    assert found.high == pytest.approx(high / total)


def test_the_chain_is_found_again():
    """Rise and fall of 400 well-seen telegraphs within a few standard errors."""
    truth, gaps = Chain(rise=0.004, fall=0.01), np.full(100, 10.0)
    states = followed(truth, gaps, 400, seed=2)
    density = np.where(np.stack([~states, states], -1), 0.0, -20.0)
    chain = Chain()
    for _ in range(20):
        chain = pooled_chain(density, gaps, chain)
    assert chain.rise == pytest.approx(truth.rise, rel=0.1)
    assert chain.fall == pytest.approx(truth.fall, rel=0.1)
