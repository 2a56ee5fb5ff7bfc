import numpy as np
import pytest
from scipy import stats

from physics.draws import UseCounter, content, keys, normals, uniforms

CELLS = np.arange(20_000)


def test_keys_do_not_depend_on_company_or_order():
    """A cell's key is the same whether it is visited alone, or in any order with others."""
    name = content("read", 100)
    together = keys(np.uint64(7), name, CELLS, np.zeros(20_000, dtype=np.uint32))
    backwards = keys(np.uint64(7), name, CELLS[::-1], 0)
    alone = keys(np.uint64(7), name, CELLS[123:124], 0)
    assert (together == backwards[::-1]).all()
    assert together[123] == alone[0]


@pytest.mark.parametrize("other", [("read", 101), ("pulse", 100), ("read", "100"), (100, "read")])
def test_operations_with_another_content_have_another_name(other):
    """Amplitude, kind, type and order all enter an operation's name."""
    assert content("read", 100) != content(*other)


def test_names_are_the_same_in_every_process():
    """A name is no use if a resumed process computes another one."""
    assert content("read", 100) == np.uint64(8886746668073584840)


def test_uniforms_are_uniform_and_neighbours_are_independent():
    """Neighbouring cells and successive uses give numbers that no test tells from random ones."""
    first = uniforms(keys(np.uint64(1), CELLS, 0))
    second = uniforms(keys(np.uint64(1), CELLS, 1))
    assert stats.kstest(first, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(first, second)[0, 1]) < 4 / np.sqrt(len(CELLS))
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 4 / np.sqrt(len(CELLS))
    assert 0 < first.min() < first.max() < 1


def test_normals_are_normal():
    """Read noise follows the distribution that it is documented to have."""
    assert stats.kstest(normals(keys(np.uint64(2), CELLS)), "norm").pvalue > 1e-3


def test_counter_counts_each_operation_on_each_cell():
    """Few cells, then many, then few again: the count goes on through both representations."""
    counter = UseCounter(np.uint64(1), 1000)
    name, other = content("a"), content("b")
    assert counter.unused
    assert counter.take(name, np.array([5, 9])).tolist() == [0, 0]
    assert counter.take(name, np.array([9])).tolist() == [1]
    assert counter.take(other, np.array([9])).tolist() == [0]
    whole = counter.take(name, np.arange(1000))
    assert whole[[5, 9, 10]].tolist() == [1, 2, 0]
    assert counter.take(name, np.array([9, 10])).tolist() == [3, 1]
    assert not counter.unused


def test_a_restored_counter_goes_on_where_the_saved_one_was():
    """Counts survive a snapshot, the sparse ones and the dense ones."""
    counter, copy = UseCounter(np.uint64(1), 1000), UseCounter(np.uint64(1), 1000)
    counter.take(content("few"), np.array([3, 4]))
    counter.take(content("all"), np.arange(1000))
    copy.restore(counter.snapshot())
    for name in ("few", "all", "new"):
        cells = np.array([4, 7])
        assert (copy.take(content(name), cells) == counter.take(content(name), cells)).all()
