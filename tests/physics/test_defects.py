from dataclasses import replace

import numpy as np
import pytest
import torch

from crossbar.defect_map import CellClass
from crossbar.errors import ConfigurationError
from crossbar.geometry import DieGeometry
from physics.defects import SISTER_CHIP

SAMPLED = SISTER_CHIP.sample(DieGeometry(), torch.Generator().manual_seed(1), dies=200)
NO_POINTS = replace(SISTER_CHIP, point_rates={})


def fraction(cell_class):
    return (SAMPLED.classes == int(cell_class)).float().mean().item()


def test_sister_chip_has_the_published_defect_rates():
    """2.46 % shorts, 2.13 % opens; each within the scatter of 200 dies."""
    assert fraction(CellClass.SHORT) == pytest.approx(0.0246, rel=0.12)
    assert fraction(CellClass.OPEN) == pytest.approx(0.0213, rel=0.08)
    for cell_class in (CellClass.STUCK_LOW, CellClass.STUCK_HIGH, CellClass.WEAK):
        assert fraction(cell_class) == pytest.approx(0.001, rel=0.2)


def test_shorts_scatter_from_kernel_to_kernel_as_published():
    """Over 25 x 25 kernels of all dies, the sd of the short fraction is near 1.56 %."""
    shorts = (SAMPLED.classes == int(CellClass.SHORT)).float()
    kernels = shorts.view(200, 4, 4, 25, 2, 25).mean(dim=(3, 5))
    assert kernels.std().item() == pytest.approx(0.0156, rel=0.15)


def test_opens_come_in_columns():
    """Nearly all open cells sit in columns of which a third or more is open."""
    opens = SAMPLED.classes == int(CellClass.OPEN)
    bad_columns = opens.float().mean(dim=2, keepdim=True) > 0.3
    assert (opens & bad_columns).sum().item() / opens.sum().item() > 0.85
    assert bad_columns.float().mean().item() == pytest.approx(0.04, rel=0.1)


def test_rows_fail_along_rows():
    """A defective row fills a row, not a column, to ``line_fill``."""
    population = replace(NO_POINTS, column_rate={}, row_rate={CellClass.OPEN: 0.1}, line_fill=0.8)
    opens = population.sample(DieGeometry(), torch.Generator().manual_seed(2), 20).classes != 0
    filled = opens.float().mean(dim=3)
    assert (filled > 0).float().mean().item() == pytest.approx(0.1, rel=0.1)
    assert filled[filled > 0].mean().item() == pytest.approx(0.8, rel=0.02)
    assert opens.float().mean(dim=2).max().item() < 0.3


def test_conductances_are_relative_to_the_median_low_conductance():
    """Healthy cells: medians 1 and ``window``, with the spreads and the correlation asked for."""
    healthy = SAMPLED.classes == 0
    low, high = SAMPLED.low[healthy].log().double(), SAMPLED.high[healthy].log().double()
    assert low.median().item() == pytest.approx(0.0, abs=1e-3)
    assert high.median().exp().item() == pytest.approx(SISTER_CHIP.window, rel=1e-3)
    assert low.std().item() == pytest.approx(SISTER_CHIP.healthy_low_spread, rel=0.01)
    assert high.std().item() == pytest.approx(SISTER_CHIP.healthy_high_spread, rel=0.01)
    correlation = torch.corrcoef(torch.stack([low, high]))[0, 1].item()
    assert correlation == pytest.approx(SISTER_CHIP.healthy_correlation, rel=0.01)


def test_cells_that_do_not_switch_have_one_conductance():
    """Shorts, opens and stuck cells conduct the same in both states; weak ones nearly."""
    for cell_class in (
        CellClass.SHORT, CellClass.OPEN, CellClass.STUCK_LOW, CellClass.STUCK_HIGH,
    ):  # fmt: skip
        cells = SAMPLED.classes == int(cell_class)
        assert (SAMPLED.low[cells] == SAMPLED.high[cells]).all()
    weak = SAMPLED.classes == int(CellClass.WEAK)
    window = 1 - SAMPLED.high[weak] / SAMPLED.low[weak]
    assert 0.24 * 0.49 < window.min() < window.max() < 0.46 * 0.49


def test_shorts_follow_their_quantiles():
    """The drawn conductances have the quantiles they were drawn from."""
    shorts = SAMPLED.low[SAMPLED.classes == int(CellClass.SHORT)].numpy()
    expected = SISTER_CHIP.short_conductance
    found = np.quantile(shorts, np.linspace(0, 1, len(expected)))
    np.testing.assert_allclose(found[1:-1], expected[1:-1], rtol=0.01)
    assert expected[0] <= shorts.min() <= shorts.max() <= expected[-1]


def test_dispersion_widens_the_spread_between_dies():
    """Point rates vary from die to die with the sd of Gamma(k, 1/k)."""
    population = replace(SISTER_CHIP, column_rate={}, dispersion=2.0)
    dies = population.sample(DieGeometry(), torch.Generator().manual_seed(3), 400).classes
    rates = (dies == int(CellClass.SHORT)).float().mean(dim=(1, 2, 3))
    assert (rates.std() / rates.mean()).item() == pytest.approx(2.0**-0.5, rel=0.12)


def test_same_generator_same_dies():
    """Randomness comes from the generator alone."""
    again = SISTER_CHIP.sample(DieGeometry(), torch.Generator().manual_seed(1), dies=200)
    assert torch.equal(SAMPLED.classes, again.classes)
    assert torch.equal(SAMPLED.high, again.high)


@pytest.mark.parametrize(
    "change",
    [
        {"line_fill": 1.1},
        {"dispersion": 0.0},
        {"point_rates": {CellClass.SHORT: -0.1}},
        {"column_rate": {CellClass.WEAK: 0.1}},
        {"short_conductance": (5.0, 4.0)},
        {"healthy_correlation": float("nan")},
    ],
)
def test_impossible_populations_are_refused(change):
    """The error names the parameter."""
    with pytest.raises(ConfigurationError, match=next(iter(change))):
        replace(SISTER_CHIP, **change)
