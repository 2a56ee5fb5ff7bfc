"""Levels as reached, counted by hand."""

import numpy as np
import pytest
from scipy.stats import binomtest

from analysis.intervals import clopper_pearson
from analysis.level_statistics import (
    REMEMBERS,
    deviation_of_cells,
    level_statistics,
    outlasts,
)
from crossbar.errors import DataError
from crossbar.records import ProgrammedBlock


def block(first=0, **changes):
    """Six cells of two levels: one missed, one that left its window when looked at again."""
    fields = {
        "cells": np.arange(first, first + 6),
        "target_low": np.array([False, False, False, True, True, True]),
        "conductance": np.array([1.0, 1.1, 9.0, 5.0, 5.2, 5.7]),
        "verified": np.array([True, True, False, True, True, True]),
        "pulses": np.array([1, 3, 9, 2, 2, 5]),
        "threshold": 3.0,
        "level": np.array([0, 0, 0, 1, 1, 1]),
        "window_low": np.array([0.8, 0.8, 0.8, 4.5, 4.5, 4.5]),
        "window_high": np.array([1.2, 1.2, 1.2, 5.5, 5.5, 5.5]),
    }
    return ProgrammedBlock(**(fields | changes))


def test_one_line_a_level():
    """Fractions with intervals, mean and spread of what the verified cells read afterwards."""
    lower, upper = level_statistics([block()])

    assert (lower.level, lower.cells, lower.verified, lower.stayed) == (0, 3, 2, 2)
    assert (upper.level, upper.cells, upper.verified, upper.stayed) == (1, 3, 3, 2)
    assert (lower.low, lower.high) == pytest.approx(clopper_pearson(2, 3))
    assert (upper.stayed_low, upper.stayed_high) == pytest.approx(clopper_pearson(2, 3))
    assert np.isnan(lower.noise)
    assert lower.mean.estimate == pytest.approx(1.05)
    assert lower.pulses == pytest.approx(2.0)
    assert lower.most_pulses == 9
    assert upper.deviation.estimate == pytest.approx(np.std([5.0, 5.2, 5.7], ddof=1))
    # Student's t of two degrees of freedom: 4.3027.
    assert upper.mean.high - upper.mean.estimate == pytest.approx(
        4.3027 * upper.deviation.estimate / np.sqrt(3), 1e-4
    )


def test_blocks_of_a_die_count_together():
    """Two halves make the same as one whole."""
    (line,) = level_statistics([block(level=np.zeros(6, int)), block(6, level=np.zeros(6, int))])

    assert (line.cells, line.verified) == (12, 10)


def test_a_level_that_nobody_reached_has_no_mean():
    """No number is better than a made-up one."""
    lower, _ = level_statistics([block(verified=np.array([False] * 3 + [True] * 3))])

    assert lower.verified == 0
    assert np.isnan([lower.mean.estimate, lower.deviation.estimate, lower.pulses]).all()


def test_weights_have_no_levels():
    """Blocks of `lab program` are told apart."""
    with pytest.raises(DataError, match="states"):
        level_statistics([block(level=None, window_low=None, window_high=None)])


def test_several_final_reads_count_by_their_mean():
    """One of three reads beyond the window does not put a cell out of it; blocks of earlier
    versions, beside new ones, are taken as they were.
    """
    final = np.array([5.7, 5.0, 5.5])[None] + np.zeros((6, 1))
    read = {"conductance": final.mean(axis=1), "level": np.ones(6, int), "final": final}
    windows = {"window_low": np.full(6, 4.5), "window_high": np.full(6, 5.5)}

    (line,) = level_statistics([block(**read, **windows)])
    (mixed,) = level_statistics([block(**read, **windows), block(6, level=np.ones(6, int))])

    assert line.stayed == line.verified == 5
    assert line.noise == pytest.approx(np.std([5.7, 5.0, 5.5], ddof=1))
    assert line.deviation.estimate == 0
    assert np.isnan(mixed.noise)
    assert mixed.cells == 12


@pytest.mark.parametrize("noise", [0.1, 1.0, 3.0])
def test_noise_of_the_reads_is_taken_out_of_the_spread(noise):
    """400 levels of 100 cells, uniform with a deviation of 1: on average the truth, whatever the
    noise, and 95 % intervals that hold it in 92 % or more (seed 3).
    """
    generator = np.random.default_rng(3)
    found = []
    for _ in range(400):
        cells = np.sqrt(12) * generator.random((100, 1))
        found.append(deviation_of_cells(cells + noise * generator.standard_normal((100, 8))))

    assert np.sqrt(np.mean([each.estimate**2 for each in found])) == pytest.approx(1, abs=0.03)
    assert 0.92 <= np.mean([each.low <= 1 <= each.high for each in found]) <= 0.98


def test_noise_that_outlasts_the_reads_opens_the_spread():
    """White noise, of another size in each cell, is called lasting no more often than stated; with
    a walk from read to read, half as large as it, the high end is open. (500 lots of 100 cells.)
    """
    generator = np.random.default_rng(4)
    size = np.exp(generator.standard_normal((100, 1)))
    white = [size * generator.standard_normal((100, 8)) for _ in range(500)]
    walk = 0.5 * size * np.cumsum(generator.standard_normal((100, 8)), axis=1)

    called = sum(outlasts(lot) for lot in white)

    assert binomtest(called, 500, REMEMBERS, alternative="greater").pvalue > 0.01
    assert deviation_of_cells(white[0] + walk).high == np.inf
    assert not outlasts(walk[:, :3])  # too few to tell
    assert not outlasts(np.ones((100, 8)))
