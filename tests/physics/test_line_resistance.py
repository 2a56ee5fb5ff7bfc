import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crossbar.errors import ConfigurationError
from physics.line_resistance import Wires, effective_matrix, word_line_resistances
from physics.nodal_analysis import solve

OHMS = st.sampled_from([0.0, 1e-3, 0.5, 2.0, 300.0])


@st.composite
def wires(draw):
    """Any wires, of no resistance or of much."""
    names = ("word_segment", "bit_segment", "source", "sense")
    return Wires(driven_at_both_ends=draw(st.booleans()), **{name: draw(OHMS) for name in names})


@st.composite
def crossbars(draw):
    """(rows, columns) siemens: cells of 5 to 20 kOhm, shorts and opens among them."""
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    conductance = 1 / random.uniform(5e3, 20e3, shape)
    defects = random.uniform(size=shape)
    conductance[defects < 0.1] = 1e-2
    conductance[defects > 0.9] = 0.0
    return conductance


def matrix_of(conductance, wires):
    return effective_matrix(torch.from_numpy(conductance), wires).numpy()


@given(crossbars(), wires())
def test_the_effective_matrix_is_what_the_nodes_say(conductance, wires):
    """Row by row, 1 V on one row and 0 V on the others gives that row's currents."""
    matrix = matrix_of(conductance, wires)
    for row, expected in enumerate(np.eye(len(conductance))):
        solution = solve(conductance, wires, expected, np.zeros(conductance.shape[1]))
        np.testing.assert_allclose(
            matrix[row], solution.column_current, rtol=1e-8, atol=1e-10 * conductance.max()
        )


@given(crossbars(), wires())
def test_wires_only_take(conductance, wires):
    """Currents are not negative, and no column gets more than it would without wires."""
    matrix = matrix_of(conductance, wires)

    assert (matrix >= -1e-18).all()
    assert (matrix.sum(axis=0) <= conductance.sum(axis=0) * (1 + 1e-9)).all()


@given(crossbars(), wires(), st.integers(0, 10**6))
def test_more_conductance_never_means_less_power(conductance, wires, seed):
    """Rayleigh: raising one cell raises the current that all rows at 1 V deliver together."""
    random = np.random.default_rng(seed)
    raised = conductance.copy()
    raised[tuple(random.integers(conductance.shape))] += 1e-4
    total = matrix_of(conductance, wires).sum()

    assert matrix_of(raised, wires).sum() >= total * (1 - 1e-12)


@given(crossbars())
def test_without_resistance_it_is_the_plain_product(conductance):
    """0 Ohm: the cells themselves, exactly; a little resistance: nearly so."""
    assert np.array_equal(matrix_of(conductance, Wires()), conductance)

    thin = matrix_of(conductance, Wires(word_segment=1e-6, bit_segment=1e-6))
    np.testing.assert_allclose(thin, conductance, rtol=1e-5, atol=1e-12)


def test_reciprocity():
    """Turned by a diagonal mirror, rows for columns, the crossbar conducts the same."""
    conductance = 1 / np.random.default_rng(1).uniform(5e3, 20e3, (4, 6))
    forward = Wires(word_segment=2.0, bit_segment=3.0, source=50.0, sense=20.0)
    backward = Wires(word_segment=3.0, bit_segment=2.0, source=20.0, sense=50.0)

    # A driver sits at the left, a meter at the bottom: the mirror is along the other diagonal.
    mirrored = np.ascontiguousarray(conductance[::-1, ::-1].T)
    back = matrix_of(mirrored, backward)[::-1, ::-1].T

    np.testing.assert_allclose(matrix_of(conductance, forward), back, rtol=1e-12)


def test_one_cell_is_a_series_circuit():
    """Source, two segments, cell, meter: resistances add up."""
    wires = Wires(word_segment=2.0, bit_segment=3.0, source=50.0, sense=7.0)

    assert matrix_of(np.array([[1e-3]]), wires)[0, 0] == pytest.approx(1 / 1062, rel=1e-14)


def test_two_drivers_lose_less_than_one():
    """The far end of a row gains most from a driver of its own."""
    conductance = np.full((3, 40), 1e-3)
    one = matrix_of(conductance, Wires(word_segment=2.0))
    both = matrix_of(conductance, Wires(word_segment=2.0, driven_at_both_ends=True))

    assert (both > one).all()
    assert np.argmax(both[0] / one[0]) == 39
    np.testing.assert_allclose(both, both[:, ::-1], rtol=1e-12)


def test_the_gradient_is_that_of_finite_differences():
    """Of any function of the matrix, opens included, batch by batch."""
    random = np.random.default_rng(2)
    conductance = torch.from_numpy(random.uniform(0.2, 1.0, (2, 3, 4)))
    conductance[0, 1, 2] = 0.0
    wires = Wires(word_segment=0.05, bit_segment=0.08, source=0.1, driven_at_both_ends=True)

    assert torch.autograd.gradcheck(
        lambda g: effective_matrix(g, wires), conductance.requires_grad_(), eps=1e-6, atol=1e-8
    )


def test_a_batch_is_its_crossbars():
    """Many dies at once give what each gives alone."""
    conductance = torch.rand((2, 3, 5, 4), generator=torch.Generator().manual_seed(1)).double()
    wires = Wires(word_segment=0.1, bit_segment=0.2)
    together = effective_matrix(conductance, wires)

    torch.testing.assert_close(together[1, 2], effective_matrix(conductance[1, 2], wires))


def test_word_line_resistances_of_a_line_driven_at_both_ends():
    """A current in the middle of three crosspoints sees two segments beside two."""
    line = word_line_resistances(3, Wires(word_segment=2.0, driven_at_both_ends=True))

    assert line[1, 1] == pytest.approx(2.0)
    assert line[0, 2] == pytest.approx(2.0 * 2.0 / 8.0)


def test_a_negative_resistance_is_refused():
    """With its value and name."""
    with pytest.raises(ConfigurationError, match=r"sense of -1 Ohm"):
        Wires(sense=-1.0)
