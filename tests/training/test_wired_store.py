"""Wires in the loop of training, held to the circuit solved node by node."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from crossbar.defect_map import CellClass
from crossbar.errors import ConfigurationError, DataError
from physics.line_resistance import Wires, own_path
from physics.nodal_analysis import solve
from training.binarize import binarize
from training.calibration import Calibration
from training.column_sums import currents_of_cells, currents_of_die, hidden_sums
from training.wired_store import WiredStore, known_medians, through_wires, without_wires

LOW = 200e-6
KNOWN_LOW = 180e-6
HALF = 0.25
"""From the latent of a healthy cell to its relative conductance."""
SHORT, OPEN = (0, 2, 3), (1, 4, 1)
WIRES = Wires(word_segment=20.0, bit_segment=30.0, source=15.0, sense=5.0)


@dataclass(frozen=True)
class SmallDie:
    """Two sub-arrays of 6 x 5 cells, one of them short, one open."""

    window: float = 0.5

    def realize(self, latents):
        half = torch.full((2, 6, 5), HALF, dtype=latents.dtype)
        middle = 3 * half
        half[SHORT] = half[OPEN] = middle[OPEN] = 0.0
        middle[SHORT] = 6.0
        return (middle + half * binarize(latents)).unsqueeze(0)


def wired(solve_every=1):
    return WiredStore(
        cells=SmallDie(), cell_low=LOW, known_low=KNOWN_LOW, known_high=LOW / 2, wires=WIRES,
        solve_every=solve_every,
    )  # fmt: skip


def bare(latents):
    """(subarrays, rows, columns) siemens of the cells alone."""
    return SmallDie().realize(latents).detach().numpy()[0] * LOW


def node_by_node(cells):
    """(subarrays, rows, columns) relative column currents for 1 V on one row after the other."""
    rows = [[solve(each, WIRES, volts, np.zeros(5)) for volts in np.eye(6)] for each in cells]
    return np.array([[found.column_current for found in each] for each in rows]) / KNOWN_LOW


@pytest.fixture
def latents():
    drawn = torch.rand((2, 6, 5), generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    return (2 * drawn - 1).requires_grad_()


def test_every_weight_is_what_the_nodes_say(latents):
    """Short and open cell included, relative to the median that the digital side knows."""
    seen = wired().realize(latents).detach().numpy()[0]

    np.testing.assert_allclose(seen, node_by_node(bare(latents)), rtol=1e-9)
    assert wired().window == LOW / 2 / KNOWN_LOW


def test_a_short_takes_from_its_row_and_column(latents):
    """From others than itself, which no stuck value of the cell could show."""
    seen = wired().realize(latents).detach().numpy()[0, 0]
    healed = bare(latents)
    healed[SHORT] = LOW
    without = node_by_node(healed)[0]

    assert (seen[2, :3] < 0.98 * without[2, :3]).all()
    assert (seen[:2, 3] < 0.99 * without[:2, 3]).all()


def test_the_gradient_is_that_of_the_nodes(latents):
    """Of any sum of weights: each cell changed a little, and the circuit solved again."""
    share = np.random.default_rng(1).normal(size=(2, 6, 5))
    (wired().realize(latents)[0] * torch.from_numpy(share)).sum().backward()
    step = 1e-5
    for place in [(0, 0, 0), (0, 2, 1), (0, 5, 3), (1, 0, 4), (1, 4, 0)]:
        more, less = bare(latents), bare(latents)
        more[place] += step * HALF * LOW
        less[place] -= step * HALF * LOW
        slope = ((node_by_node(more) - node_by_node(less)) * share).sum() / (2 * step)
        assert float(latents.grad[place]) == pytest.approx(slope, rel=1e-4, abs=1e-7)

    assert latents.grad[SHORT] == latents.grad[OPEN] == 0


def test_in_single_precision_too(latents):
    """What the trainings compute with: weights to a part in a hundred thousand."""
    exact = wired().realize(latents)
    single = wired().realize(latents.detach().float())

    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), exact, rtol=1e-5, atol=1e-6)


def test_between_two_solutions_a_cell_keeps_its_share(latents):
    """Exact where no cell changed; the second of two steps estimates, the third solves."""
    store = wired(solve_every=2)
    first, again = store.realize(latents), store.realize(latents)
    flipped = latents.detach().clone()
    flipped[0, 0, 0] *= -1
    exact = wired().realize(flipped)
    store.realize(latents)
    estimate = store.realize(flipped)

    torch.testing.assert_close(again, first, rtol=1e-12, atol=0)
    assert not torch.equal(estimate, exact)
    torch.testing.assert_close(estimate, exact, rtol=0.1, atol=0)
    assert torch.equal(store.realize(flipped), exact)


def test_no_solution_at_all_is_refused():
    """Every zeroth step never comes."""
    with pytest.raises(ConfigurationError, match="every 0 steps"):
        wired(solve_every=0)


def test_a_map_loses_its_wires(defect_map):
    """Cells seen through their own paths come back; medians are those of the bare cells."""
    _, rows, columns = defect_map.classes.shape
    wires = Wires(word_segment=1.0, bit_segment=1.0)
    path = own_path(rows, columns, wires).numpy()
    seen = replace(
        defect_map,
        low=defect_map.low / (1 + path * defect_map.low),
        high=defect_map.high / (1 + path * defect_map.high),
    )
    found = without_wires(seen, wires)

    np.testing.assert_allclose(found.low, defect_map.low, rtol=1e-12)
    np.testing.assert_allclose(found.high, defect_map.high, rtol=1e-12)
    healthy = defect_map.low[defect_map.classes == CellClass.HEALTHY]
    assert known_medians([found])[0] == pytest.approx(np.median(healthy))


def test_wires_that_leave_nothing_for_a_cell_are_refused(defect_map):
    """A short that reads less than its wires alone would: the ohms are wrong."""
    with pytest.raises(DataError, match=r"its wires alone are .* Ohm. Give the wires less"):
        without_wires(defect_map, Wires(word_segment=50.0, bit_segment=50.0))


def test_a_die_behind_wires_adds_up_as_its_emulation(die_of, ideal, digits):
    """Through instruments and bytes, on a defective die with lines of 1 Ohm a segment."""
    images = digits.test_images[:20]
    with die_of(line_resistance=1.0) as (die, truth):
        cells = np.arange(die.geometry.cells)
        placement = replace(ideal.placement, geometry=die.geometry)
        target = np.zeros(die.geometry.shape, dtype=bool)
        target[:2] = ideal.target_low
        # A part near the bound may be left out in one and not in the other.
        solution = replace(ideal, placement=placement, target_low=target, bound=100.0)
        truth.low[:] = target.ravel()
        known = Calibration(median_low=LOW, median_high=LOW / 2, read_amplitude=0.1)
        measured = hidden_sums(currents_of_die(die, solution), solution, images, known)
        conductances = truth.conductance(cells, 0.1).reshape(die.geometry.shape)
    wires = Wires(word_segment=1.0, bit_segment=1.0)
    seen = through_wires(conductances, wires)
    emulated = hidden_sums(currents_of_cells(seen, solution), solution, images, known)
    unwired = hidden_sums(currents_of_cells(conductances, solution), solution, images, known)

    scatter = np.std(measured - emulated) / np.std(emulated)
    assert scatter < 0.04
    assert np.std(measured - unwired) / np.std(unwired) > 0.4
