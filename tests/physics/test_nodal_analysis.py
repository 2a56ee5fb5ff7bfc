import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from physics.line_resistance import Wires
from physics.nodal_analysis import BiasScheme, line_voltages, solve

REFERENCE = Path(__file__).parent.parent / "reference" / "line_resistance.csv"
WIRES = Wires(word_segment=2.0, bit_segment=3.0, source=50.0, sense=10.0)


def random_crossbar(shape, seed=1):
    """Cells of 5 to 20 kOhm."""
    return 1 / np.random.default_rng(seed).uniform(5e3, 20e3, shape)


def test_two_by_two_by_hand():
    """Four cells, eight nodes: the dense equations, written out node by node."""
    g = np.array([[1e-4, 2e-4], [3e-4, 0.0]])
    w, b, s, m = 1 / 2.0, 1 / 3.0, 1 / 52.0, 1 / 13.0
    # w00, w01, w10, w11, b00, b01, b10, b11
    matrix = np.array(
        [
            [s + w + 1e-4, -w, 0, 0, -1e-4, 0, 0, 0],
            [-w, w + 2e-4, 0, 0, 0, -2e-4, 0, 0],
            [0, 0, s + w + 3e-4, -w, 0, 0, -3e-4, 0],
            [0, 0, -w, w, 0, 0, 0, 0],
            [-1e-4, 0, 0, 0, b + 1e-4, 0, -b, 0],
            [0, -2e-4, 0, 0, 0, b + 2e-4, 0, -b],
            [0, 0, -3e-4, 0, -b, 0, b + m + 3e-4, 0],
            [0, 0, 0, 0, 0, -b, 0, b + m],
        ]
    )
    drive = np.array([0.3 * s, 0, 0.1 * s, 0, 0, 0, 0, 0.05 * m])
    by_hand = np.linalg.solve(matrix, drive)

    solution = solve(g, WIRES, np.array([0.3, 0.1]), np.array([0.0, 0.05]))

    np.testing.assert_allclose(solution.rows.ravel(), by_hand[:4], rtol=1e-12)
    np.testing.assert_allclose(solution.columns.ravel(), by_hand[4:], rtol=1e-12)


def test_the_reference_agrees():
    """Another program's cell voltages, a near short among the cells, to all its digits."""
    lines = [line for line in REFERENCE.read_text().splitlines() if not line.startswith("#")]
    table = list(csv.DictReader(lines))
    volts = np.array([float(row["volts"]) for row in table])
    ohms, expected = (
        np.array([[float(row[f"{name}_{j}"]) for j in range(3)] for row in table])
        for name in ("ohms", "volts")
    )
    solution = solve(1 / ohms, Wires(word_segment=2.0, bit_segment=5.0), volts, np.zeros(3))

    np.testing.assert_allclose(solution.cell_voltage, expected, rtol=1e-12)


@given(
    st.tuples(st.integers(2, 5), st.integers(2, 5)), st.sampled_from(BiasScheme), st.booleans(),
    st.integers(0, 10**6),
)  # fmt: skip
def test_current_is_conserved_at_every_node(shape, scheme, both, seed):
    """Kirchhoff: what flows along a line into a crosspoint flows on, or through the cell."""
    wires = Wires(word_segment=2.0, bit_segment=3.0, source=50.0, driven_at_both_ends=both)
    rows, columns = line_voltages(scheme, shape, 0, 1, 0.3)
    solution = solve(random_crossbar(shape, seed), wires, rows, columns)

    left = np.where(np.isnan(rows), 0, rows - solution.rows[:, 0]) / 52.0
    right = np.where(np.isnan(rows), 0, solution.rows[:, -1] - rows) / 52.0 * both
    if both:  # the two drivers of a floating row are joined outside the crossbar
        floating = np.isnan(rows)
        across = (solution.rows[:, -1] - solution.rows[:, 0]) / 104.0
        left, right = np.where(floating, across, left), np.where(floating, across, right)
    along = np.c_[left, -np.diff(solution.rows, axis=1) / 2.0, right]
    np.testing.assert_allclose(-np.diff(along, axis=1), solution.cell_current, atol=1e-13)

    end = np.where(np.isnan(columns), 0, solution.columns[-1] - columns) / 3.0
    down = np.r_[np.zeros((1, shape[1])), -np.diff(solution.columns, axis=0) / 3.0, end[None]]
    np.testing.assert_allclose(np.diff(down, axis=0), solution.cell_current, atol=1e-13)


@pytest.mark.parametrize("scheme", list(BiasScheme))
def test_power_in_is_power_out(scheme):
    """Tellegen: drivers deliver what cells and wires take, and nothing is taken twice."""
    shape = (5, 4)
    g = random_crossbar(shape)
    rows, columns = line_voltages(scheme, shape, 2, 1, 0.3)
    solution = solve(g, Wires(), rows, columns)

    delivered = np.nansum(rows * solution.row_current) - np.nansum(
        columns * solution.column_current
    )
    assert delivered == pytest.approx(np.sum(g * solution.cell_voltage**2), rel=1e-10)


def test_half_selected_cells_see_half():
    """V / 2 on the selected lines, nothing elsewhere; V / 3 everywhere in the other scheme."""
    g = random_crossbar((4, 3))
    half = solve(g, Wires(), *line_voltages(BiasScheme.HALF, g.shape, 1, 2, 0.6)).cell_voltage
    third = solve(g, Wires(), *line_voltages(BiasScheme.THIRD, g.shape, 1, 2, 0.6)).cell_voltage

    expected = np.zeros(g.shape)
    expected[1], expected[:, 2], expected[1, 2] = 0.3, 0.3, 0.6
    np.testing.assert_allclose(half, expected, atol=1e-15)
    assert third[1, 2] == pytest.approx(0.6)
    others = np.delete(third.ravel(), 1 * 3 + 2)
    np.testing.assert_allclose(np.abs(others), 0.2, rtol=1e-12)


def test_sneak_paths_of_floating_lines_by_hand():
    """Equal cells, 2 x 2: the way round is three cells in series, a third of the cell's current."""
    g = np.full((2, 2), 1e-4)
    solution = solve(g, Wires(), *line_voltages(BiasScheme.FLOATING, g.shape, 0, 0, 0.3))

    assert solution.column_current[0] == pytest.approx(0.3e-4 * 4 / 3, rel=1e-12)
    assert solution.sneak_current(0, 0) == pytest.approx(0.3e-4 / 3, rel=1e-12)
    assert abs(solution.row_current[1]) < 1e-18


def test_an_open_cell_looks_closed_where_lines_float():
    """The classic failure of a passive array: a HIGH cell reads LOW through its neighbours, and
    grounding the other lines cures it."""
    g = np.full((20, 20), 1e-4)
    g[3, 4] = 0.0

    def read(scheme):
        return solve(g, Wires(), *line_voltages(scheme, g.shape, 3, 4, 0.3)).column_current[4]

    assert read(BiasScheme.FLOATING) > 9 * 0.3e-4
    assert abs(read(BiasScheme.GROUNDED)) < 1e-15


def test_a_short_couples_its_row_and_its_column():
    """Its neighbours read less through resistive wires: no map of single cells shows that."""
    g = random_crossbar((8, 8))
    shorted = g.copy()
    shorted[4, 4] = 1.0
    rows = np.full(8, 0.3)
    before, after = (solve(cells, WIRES, rows, np.zeros(8)) for cells in (g, shorted))

    lost = 1 - after.cell_current / before.cell_current
    assert (np.delete(lost[4], 4) > 0.3).all()
    assert (np.delete(lost[:, 4], 4) > 0.05).all()
    assert np.abs(np.delete(np.delete(lost, 4, 0), 4, 1)).max() < 0.05


def test_lines_that_nothing_drives_have_no_potential():
    """A floating row of open cells: NaN volts, no current; the rest is as if it were not there."""
    g = random_crossbar((3, 3))
    g[1] = 0.0
    wires = Wires(word_segment=2.0, sense=10.0)
    solution = solve(g, wires, np.array([0.3, np.nan, 0.1]), np.zeros(3))
    shorter = solve(g[[0, 2]], wires, np.array([0.3, 0.1]), np.zeros(3))

    assert np.isnan(solution.rows[1]).all()
    assert np.array_equal(solution.cell_current[1], np.zeros(3))
    np.testing.assert_allclose(solution.column_current, shorter.column_current, rtol=1e-12)


def test_all_floating_is_no_error():
    """No driver at all: no potential, no current."""
    solution = solve(np.ones((2, 2)), WIRES, np.full(2, np.nan), np.full(2, np.nan))

    assert np.isnan(solution.rows).all()
    assert np.array_equal(solution.column_current, np.zeros(2))
