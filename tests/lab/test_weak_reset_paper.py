"""The weak RESET paper, done again: cells from sweeps, losses, and a quick run end to end."""

import math

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from lab.cli import app
from lab.reproduce.verdicts import above
from lab.reproduce.weak_reset.cells import Empirical, swept_cells, swept_population
from lab.reproduce.weak_reset.outcomes import ahead, losses, welch
from lab.reproduce.weak_reset.points import EVERYTHING, setup_for
from physics.weak_reset import PARAMETER_DRAWS

FOUND = {
    "none": [0.96, 0.97, 0.965],
    "cell to cell": [0.95, 0.958, 0.956],
    "pink": [0.957, 0.968, 0.96],
    "telegraph": [0.96, 0.969, 0.966],
    "all": [0.94, 0.95, 0.945],
}


def test_losses_are_paired_by_seed_and_ranked():
    """The largest first; the spread of the seeds themselves is not in the intervals."""
    rows = losses(FOUND)
    assert [row.condition for row in rows] == ["all", "cell to cell", "pink", "telegraph"]
    assert rows[0].loss.mean == pytest.approx(0.02)
    assert rows[0].loss.high - rows[0].loss.low < 1e-9
    second, difference = ahead(FOUND, ("telegraph", "pink", "cell to cell"))
    assert second == "pink"
    assert difference.mean == pytest.approx(np.mean([0.007, 0.01, 0.004]))
    assert above(difference, 0.0) is None
    assert above(rows[1].loss, 0.0) is True


def test_independent_seeds_are_compared_by_welch():
    """A difference that is there is found; a single seed decides nothing."""
    found = welch([0.9, 0.91, 0.92], [0.8, 0.82, 0.81])
    assert found.low > 0.05
    assert found.mean == pytest.approx(0.1)
    assert welch([0.9], [0.8]).high == math.inf


def test_each_imperfection_has_its_switch():
    """None of them on, or one, or all."""

    def switches(names):
        setup = setup_for(names, False, "published")
        return (
            setup.population.cell_to_cell, setup.population.cycle_to_cycle, setup.noise.telegraph,
            setup.noise.pink, setup.read_noise > 0,
        )  # fmt: skip

    assert switches(()) == (False,) * 5
    assert switches(EVERYTHING) == (True,) * 5
    for place, name in enumerate(EVERYTHING):
        assert switches((name,)) == tuple(number == place for number in range(5))


def test_empirical_cells_are_the_values_themselves():
    """Each as often as any other."""
    values = (3.0, 1.0, 2.0)
    drawn = Empirical(values).quantile(torch.tensor([0.0, 0.2, 0.4, 0.7, 1.0]))
    assert drawn.tolist() == [1.0, 1.0, 2.0, 3.0, 3.0]


def test_cells_from_real_sweeps(data_dir):
    """500 sweeps of 50 cells: m1 of the published size, its spread, and the resistance before."""
    cells = swept_cells(data_dir)
    assert len(cells.m1) == 500
    assert len(np.unique(cells.cell)) == 50
    assert 6e-4 < cells.m1.mean() < 1.1e-3
    assert 0.4 < cells.between(cells.m1) / cells.m1.mean() < 1.0
    population = swept_population(cells)
    uniforms = torch.rand(
        (20_000, PARAMETER_DRAWS),
        generator=torch.Generator().manual_seed(1),
        dtype=torch.float64,
    )
    drawn = population.cells(uniforms)
    assert float(drawn.m1.mean()) == pytest.approx(np.maximum(cells.m1, 0).mean(), rel=0.05)
    assert float(drawn.m1.min()) >= 0
    assert float(drawn.r0.log().mean()) == pytest.approx(cells.log_r0.mean(), abs=0.002)


def test_a_quick_reproduction_ends_with_a_page(tmp_path):
    """Through the command: small networks on digits, one simulated die a seed."""
    page = tmp_path / "papers.md"
    ended = CliRunner().invoke(
        app,
        [
            "reproduce", "weak-reset", "--quick", "--database", str(tmp_path / "lab.sqlite"),
            "--page", str(page),
        ],
    )  # fmt: skip

    assert ended.exit_code == 0, ended.output
    text = page.read_text()
    for part in (
        "digits, no SETs: of the paper's imperfections, cell-to-cell variability harms most",
        "digits, trained in place: dies less model",
        "### Each imperfection alone, none, and all",
        "| read noise |",
        "### What each cell's own pulse counts recover",
        "pictures/paper-weak-reset-1.png",
    ):
        assert part in text, part
