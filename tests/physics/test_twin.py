import numpy as np
import pytest

from crossbar.defect_map import CellClass
from crossbar.errors import ConfigurationError, DataError
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.pulses import Pulse, State
from physics.twin import MEASURED_HIGH, MEASURED_LOW, classify, twin_die
from physics.wafer import SimulatedWafer

HERE = DieAddress(0, 0)
SMALL = DieGeometry(subarrays=2, rows=10, columns=10)


def kernels(number=2):
    """Kernels of 5 x 5 cells, programmed three times: a short, an open column, a cell seen ON."""
    generator = np.random.default_rng(1)
    made = {}
    for index in range(number):
        maps = 137e-6 * (1 + 0.05 * generator.standard_normal((3, 5, 5)))
        maps[:, 0, 0] = 900e-6
        maps[:, :, 3] = np.array([-12e-6, 3e-6, 15e-6])[:, None]
        maps[1, 2, 2] = 240e-6
        made[f"kernel-{index}"] = maps
    return made


def test_a_twin_conducts_as_measured():
    """HIGH cells read the median of their OFF readings at 0.1 V; shorts and opens theirs."""
    maps = kernels(1)["kernel-0"]
    geometry = DieGeometry(subarrays=1, rows=5, columns=5)
    truth = twin_die({"only": maps}, geometry=geometry, seed=1, address=HERE)
    assert np.bincount(truth.classes).tolist() == [19, 1, 5]
    fixed = truth.fixed[~np.isnan(truth.fixed)]
    assert sorted(fixed) == pytest.approx([3e-6] * 5 + [900e-6])
    healthy = truth.classes == CellClass.HEALTHY
    high = truth.cells.high_conductance(0.1)[healthy]
    low = truth.cells.low_conductance()[healthy]
    off = [np.median(x[x < 188e-6]) for x in maps.reshape(3, 25).T if 100e-6 < x.min() < 188e-6]
    assert sorted(high) == pytest.approx(sorted(off), rel=1e-9)
    assert np.isclose(low, 240e-6, rtol=1e-9, atol=0).sum() == 1
    assert np.median(low / high) == pytest.approx(MEASURED_LOW / MEASURED_HIGH, rel=0.05)


def test_columns_stay_columns():
    """Whatever the flips, an open column of a kernel lies along a column of the die."""
    truth = twin_die(kernels(), geometry=SMALL, seed=3, address=HERE)
    opens = (truth.classes == CellClass.OPEN).reshape(SMALL.shape)
    per_column = opens.reshape(2, 2, 5, 10).sum(axis=2)
    assert set(np.unique(per_column)) == {0, 5}
    assert (per_column == 5).sum() == 8


def test_twins_differ_by_address_and_seed_but_not_by_chance():
    """The tiling and the switching parameters are a function of seed and address."""
    make = [
        twin_die(kernels(3), geometry=SMALL, seed=seed, address=DieAddress(x, 0))
        for seed, x in ((1, 0), (1, 0), (1, 1), (2, 0))
    ]
    assert (make[0].cells.delta == make[1].cells.delta).all()
    assert (make[0].classes == make[1].classes).all()
    for other in make[2:]:
        assert (make[0].cells.delta != other.cells.delta).all()


def test_kernels_that_do_not_fit_are_refused():
    """Other shapes, none at all, or a geometry of broken kernels."""
    geometry = DieGeometry(subarrays=1, rows=12, columns=10)
    with pytest.raises(ConfigurationError, match="do not tile"):
        twin_die(kernels(), geometry=geometry, seed=1, address=HERE)
    with pytest.raises(DataError, match="cannot make a die"):
        twin_die({}, geometry=SMALL, seed=1, address=HERE)
    with pytest.raises(DataError, match="cannot make a die"):
        twin_die(kernels() | {"odd": np.zeros((3, 4, 5))}, geometry=SMALL, seed=1, address=HERE)


def test_a_wafer_of_twins_can_be_written_and_read():
    """Its dies are simulated dies like any other."""
    die = SimulatedWafer(addresses=[HERE], geometry=SMALL, seed=1, twin=kernels()).die(HERE)
    cells = np.arange(SMALL.cells)
    die.pulse(cells, Pulse.writing(State.HIGH, 0.9, 50e-9))
    high = die.conduct(cells, 0.1)
    die.pulse(cells, Pulse.writing(State.LOW, 0.9, 50e-9))
    low = die.conduct(cells, 0.1)
    healthy = die.truth.classes == CellClass.HEALTHY
    assert (low[healthy] > 1.2 * high[healthy]).all()


def test_real_maps_give_real_defect_rates(data_dir):
    """Eight published kernels: 2.8 % shorts, and 6.5 % opens in whole columns of the kernels."""
    folders = sorted((data_dir / "measured-dies").glob("programming-*"))
    real = {
        path.stem: np.stack([np.loadtxt(folder / path.name) for folder in folders])
        for path in sorted(folders[0].glob("kernel-*.txt"))
    }
    truth = twin_die(real, geometry=DieGeometry(), seed=1, address=HERE)
    shares = np.bincount(truth.classes, minlength=3) / len(truth.classes)
    assert shares[CellClass.SHORT] == pytest.approx(0.0282, abs=1e-4)
    assert shares[CellClass.OPEN] == pytest.approx(0.0654, abs=1e-4)
    opens = (truth.classes == CellClass.OPEN).reshape(4, 4, 25, 50)
    assert np.isin(opens.sum(axis=2), (24, 25, 0, 1, 2)).all()
    flat = np.concatenate([maps.reshape(3, -1) for maps in real.values()], axis=1)
    assert (classify(flat) == CellClass.HEALTHY).mean() == pytest.approx(0.9064, abs=1e-4)
