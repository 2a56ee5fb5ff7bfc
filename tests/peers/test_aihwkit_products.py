"""Dot products of the emulated board beside aihwkit's analog layers with the same converters.

aihwkit computes in float32: a current near half a code may become the neighbouring one.
"""

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp

from drivers.die_access.on_board import ranges_from
from physics.mtj import MtjPopulation
from physics.product_front_end import ProductFrontEnd
from simulated_instruments.die_board_converters import (
    PRODUCT_CODES,
    ROW_FULL_SCALE,
    apply_row_voltages,
    convert_currents,
)
from training.calibration import Calibration
from training.column_sums import currents_of_die, hidden_sums
from training.network import CrossbarNetwork
from training.placement import Placement

pytest.importorskip("aihwkit")
from tests.peers.aihwkit_tiles import amperes, codes, layer_of

QUIET = MtjPopulation(read_noise=0.0, v_half=1e6)
"""Cells without noise whose conductance does not depend on the voltage, as aihwkit's have none."""
TIES = 1e-3
"""Share of the codes that may differ, by one."""


def agree(ours, theirs):
    """Codes are equal but for ties."""
    different = np.abs(ours - theirs)
    assert different.max() <= 1
    assert different.mean() <= TIES


def vectors(count, rows=100, largest=0.25, seed=1):
    return np.random.default_rng(seed).uniform(-largest, largest, (count, rows))


def conductances(truth, subarray=0):
    """(rows, columns) siemens of a simulated die."""
    rows, columns = truth.geometry.rows, truth.geometry.columns
    cells = np.arange(subarray * rows * columns, (subarray + 1) * rows * columns)
    return truth.conductance(cells, 0.1).reshape(rows, columns)


def full_scale_for(volts):
    """Amperes: the range that the board's driver begins with."""
    return ranges_from(float(np.abs(volts).sum(axis=1).max()) * 2e-4)[0]


def test_converters_round_and_clip_alike():
    """Row voltages in 12 bits, currents in 12 bits, a third of them at full scale."""
    conductance = np.random.default_rng(2).uniform(1e-4, 2e-4, (100, 50))
    volts, full_scale = vectors(400, largest=0.3), 2e-4
    layer, unit = layer_of(conductance, full_scale)

    current = apply_row_voltages(volts, ROW_FULL_SCALE) @ conductance
    found, clipped = convert_currents(current, full_scale, PRODUCT_CODES)

    assert clipped
    assert 0.2 < np.mean(np.abs(found) == full_scale) < 0.8
    agree(codes(found, full_scale), codes(amperes(layer, unit, volts), full_scale))


def test_a_dies_products_are_a_tiles(die_of):
    """By driver and emulator, message by message; a die with shorts and opens."""
    volts = vectors(200)
    with die_of(mtj=QUIET, execution="board") as (die, truth):
        cells = conductances(truth)
        found = die.dot_product(0, volts)
    full_scale = full_scale_for(volts)
    layer, unit = layer_of(cells, full_scale)

    assert cells.max() > 4 * np.median(cells)
    agree(codes(found, full_scale), codes(amperes(layer, unit, volts), full_scale))


def test_noise_before_the_converter_has_the_same_distribution(die_of):
    """One vector 2,000 times: of every column the mean, and of all the distribution about it."""
    noise, count = 8e-6, 2000
    volts = np.repeat(vectors(1), count, axis=0)
    with die_of(mtj=QUIET, front_end=ProductFrontEnd(noise=noise)) as (die, truth):
        cells = conductances(truth)
        found = die.dot_product(0, volts)
    full_scale = full_scale_for(volts)
    layer, unit = layer_of(cells, full_scale, noise=noise)

    ours, theirs = (codes(each, full_scale) for each in (found, amperes(layer, unit, volts)))
    sd = noise * PRODUCT_CODES / full_scale
    assert sd > 2  # or the converter would hide it
    np.testing.assert_allclose(ours.mean(0), theirs.mean(0), atol=5 * sd * (2 / count) ** 0.5)
    near = np.rint(theirs.mean(0))  # whole, so that codes of both stay on one grid
    ours, theirs = (ours - near).ravel(), (theirs - near).ravel()
    assert ks_2samp(ours, theirs).pvalue > 1e-6
    assert ours.std() == pytest.approx(theirs.std(), rel=5 * (1 / ours.size) ** 0.5)


def test_sums_in_parts_are_those_of_a_layer_in_tiles(die_of):
    """Grading's signed sums of layer 1: parts of 20 rows, each converted, added digitally."""
    place, batch = Placement(hidden=150, rows_at_once=20), 9
    # No part is beyond its bound: aihwkit has none.
    solution = CrossbarNetwork(place, 1e9, torch.Generator().manual_seed(4)).solution("untrained")
    calibration = Calibration(median_low=2e-4, median_high=1.2e-4, read_amplitude=0.1)
    images = np.random.default_rng(3).uniform(0, 1, (batch, place.geometry.rows))
    images = images.astype(np.float32)
    with die_of(mtj=QUIET, execution="board") as (die, truth):
        cells = [conductances(truth, subarray) for subarray in range(place.hidden_subarrays)]
        found = hidden_sums(currents_of_die(die, solution), solution, images, calibration)
    volts = images.astype(float) * calibration.read_amplitude
    split = volts.reshape(batch, place.groups, place.rows_at_once)
    full_scale = full_scale_for(split.reshape(-1, place.rows_at_once))

    middle, half = (1 + calibration.window) / 2, (1 - calibration.window) / 2
    expected = []
    for each in cells:
        layer, unit = layer_of(each, full_scale, rows_at_once=place.rows_at_once)
        relative = amperes(layer, unit, volts) / (
            calibration.median_low * calibration.read_amplitude
        )
        expected.append((relative - middle * images.sum(1, keepdims=True)) / half)

    code = full_scale / PRODUCT_CODES / calibration.median_low / calibration.read_amplitude / half
    wrong = np.abs(found - np.concatenate(expected, axis=1)[:, place.column_of_hidden]) / code
    assert wrong.max() < 1.01
    assert np.mean(wrong > 0.01) <= place.groups * TIES
