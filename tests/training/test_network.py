from dataclasses import replace

import numpy as np
import pytest
import torch

from crossbar.geometry import DieGeometry
from physics.defects import SISTER_CHIP
from training.calibration import Calibration
from training.encoding import Encoding
from training.hardware import scores
from training.network import CrossbarNetwork, gated_sums
from training.placement import Placement
from training.statistics_aware_store import StatisticsAwareStore


@pytest.mark.parametrize(
    "place",
    [
        Placement(hidden=150, rows_at_once=5),
        Placement(hidden=40, rows_at_once=100, geometry=DieGeometry(subarrays=2)),
        Placement(hidden=60, rows_at_once=10, encoding=Encoding.DIFFERENTIAL),
    ],
    ids=["full die", "small", "differential"],
)
def test_training_and_hardware_do_the_same_arithmetic(place):
    """On two defective dies the network's scores are those of the graded currents."""
    generator = torch.Generator().manual_seed(11)
    network = CrossbarNetwork(place, 1.3, generator)
    store = StatisticsAwareStore(
        population=SISTER_CHIP, geometry=place.geometry, generator=generator, dies=2
    )
    with torch.no_grad():
        conductances = store.realize(network.latents)
        images = torch.rand((2, 7, 100), generator=generator)
        trained = network(images, conductances, store.window).numpy()
    solution = network.solution("test")
    calibration = Calibration(median_low=1e-4, median_high=1e-4 * store.window, read_amplitude=0.05)

    for die in range(2):
        cells = conductances[die].numpy().astype(np.float64) * 1e-4

        def currents(subarray, volts, cells=cells):
            parts = cells[subarray].reshape(place.groups, place.rows_at_once, -1)
            return np.einsum("bgr,grc->bgc", volts, parts)

        graded = scores(currents, solution, images[die].numpy(), calibration)
        assert trained[die] == pytest.approx(graded, abs=1e-4)


def test_a_part_beyond_its_bound_is_left_out_and_gets_no_gradient():
    """The sum is that of the parts within the bound, here the first and last of three."""
    weights = torch.tensor([0.5, 0.0, -4.0, 0.0, 2.5, -0.5]).reshape(1, 6, 1).requires_grad_()
    drive = torch.ones((1, 1, 6)).requires_grad_()

    total = gated_sums(drive, weights, 1.5, together=2)
    total.backward()

    assert total.item() == 2.5
    assert weights.grad.flatten().tolist() == [1, 1, 0, 0, 1, 1]
    assert drive.grad.flatten().tolist() == [0.5, 0, 0, 0, 2.5, -0.5]


def sums_of_every_part(drive, weights, bound, together):
    """As `gated_sums`, part by part and column by column."""
    found = torch.zeros((*drive.shape[:2], weights.shape[2]), dtype=drive.dtype)
    for die, column in np.ndindex(len(weights), weights.shape[2]):
        for start in range(0, weights.shape[1], together):
            rows = slice(start, start + together)
            part = drive[die, :, rows] @ weights[die, rows, column]
            within = part.detach().abs() <= bound * drive[die, :, rows].detach().abs().sum(-1)
            found[die, :, column] += torch.where(within, part, torch.zeros_like(part))
    return found


@pytest.mark.parametrize("beyond", [0.0, 0.05, 0.9])
def test_sums_that_look_at_suspects_only_are_those_of_looking_at_every_part(beyond):
    """Values and both gradients, with no weight, some or nearly all beyond the bound."""
    generator = torch.Generator().manual_seed(6)
    drive = torch.randn((3, 4, 12), generator=generator, dtype=torch.float64)
    weights = torch.rand((3, 12, 5), generator=generator, dtype=torch.float64) * 2 - 1
    defective = torch.rand(weights.shape, generator=generator) < beyond
    weights = torch.where(defective, weights * 6, weights)
    ahead = torch.randn((3, 4, 5), generator=generator, dtype=torch.float64)
    found = []
    for sums in (gated_sums, sums_of_every_part):
        given = [each.clone().requires_grad_() for each in (drive, weights)]
        total = sums(*given, 1.2, together=4)
        found.append((total, *torch.autograd.grad(total, given, ahead)))

    for fast, slow in zip(*found, strict=True):
        torch.testing.assert_close(fast, slow)
    left_out = (found[0][0] - drive @ weights).abs() > 1e-9
    assert bool(left_out.any()) == (beyond > 0)


def test_columns_of_any_order_give_the_same_scores():
    """Units that sit in other columns, with spare ones between, compute the same."""
    plain = Placement(hidden=90, rows_at_once=5)
    moved = replace(
        plain,
        hidden_columns=tuple(149 - unit for unit in range(90)),
        output_columns=tuple(np.random.default_rng(1).permutation(50).tolist()),
    )
    generator = torch.Generator().manual_seed(3)
    network = CrossbarNetwork(plain, 1.3, generator)
    other = CrossbarNetwork(moved, 1.3, generator)
    other.load_state_dict(
        {
            name: value
            for name, value in network.state_dict().items()
            if name not in ("latents", "column_of_hidden", "column_of_output")
        },
        strict=False,
    )
    conductances = torch.rand((2, *plain.geometry.shape), generator=generator)
    there = torch.rand(conductances.shape, generator=generator)
    hidden = there[:, :3].transpose(1, 2).reshape(2, 100, 150)
    first = conductances[:, :3].transpose(1, 2).reshape(2, 100, 150)
    hidden[..., moved.column_of_hidden] = first[..., plain.column_of_hidden]
    there[:, :3] = hidden.reshape(2, 100, 3, 50).transpose(1, 2)
    there[:, 3][..., moved.column_of_output] = conductances[:, 3]
    images = torch.rand((2, 5, 100), generator=generator)

    assert torch.allclose(other(images, there, 0.5), network(images, conductances, 0.5), atol=1e-5)


def test_a_network_continues_where_a_solution_ended(ideal):
    """Taking over a solution and giving it back changes nothing."""
    network = CrossbarNetwork(ideal.placement, ideal.bound, torch.Generator())
    network.start_from(ideal)

    assert network.solution("ideal").checksum == ideal.checksum
