import numpy as np
import pytest

from analysis.dot_product import dot_product_quality
from crossbar.errors import ConfigurationError
from protocols.dot_product_check import DotProductCheckParameters, dot_product_check


def test_the_board_multiplies_what_its_cells_say(die_of):
    """Measured over expected: gain near 1, a straight line, on each sub-array."""
    with die_of() as (die, _):
        blocks = list(dot_product_check(die, DotProductCheckParameters(vectors=20)))

    assert [block.subarray for block in blocks] == list(range(die.geometry.subarrays))
    for block in blocks:
        saturated = 0.98 * np.max(block.current)
        quality = dot_product_quality(block, saturated)
        assert quality.gain.estimate == pytest.approx(1.0, abs=0.05)
        assert abs(quality.nonlinearity.estimate) < 0.01
        assert quality.correlation > 0.99


def test_a_resumed_run_leaves_out_what_is_stored(die_of):
    """A sub-array that is stored is not measured again; the others see the same inputs."""
    parameters = DotProductCheckParameters(vectors=3, reads=1)
    with die_of() as (die, _):
        blocks = list(dot_product_check(die, parameters))
    with die_of() as (die, _):
        again = list(dot_product_check(die, parameters, frozenset({blocks[0].key})))

    assert [block.key for block in again] == [block.key for block in blocks[1:]]
    assert np.array_equal(again[0].row_voltages, blocks[1].row_voltages)


def test_a_bench_without_dot_products_says_so(die_of):
    """Cells reached one by one multiply nothing; the message says what is needed."""
    with (
        die_of(execution="software") as (die, _),
        pytest.raises(ConfigurationError, match="need a board"),
    ):
        next(dot_product_check(die, DotProductCheckParameters()))


def test_inputs_go_from_weak_to_strong(die_of):
    """So that the line is long; none is above the read amplitude."""
    with die_of() as (die, _):
        block = next(iter(dot_product_check(die, DotProductCheckParameters(vectors=50))))

    strongest = block.row_voltages.max(axis=1)
    assert strongest[0] < 0.003
    assert 0.09 < strongest[-1] <= 0.1
