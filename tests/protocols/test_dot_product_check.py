import dataclasses

import numpy as np
import pytest

from analysis.dot_product import dot_product_quality
from crossbar.errors import ConfigurationError, DataError
from protocols.dot_product_check import DotProductCheckParameters, dot_product_check


def test_the_board_multiplies_what_its_cells_say(die_of):
    """Measured over expected: gain near 1, a straight line, on each sub-array."""
    with die_of() as (die, _):
        blocks = list(dot_product_check(die, DotProductCheckParameters(vectors=20)))

    assert [block.subarray for block in blocks] == list(range(die.geometry.subarrays))
    for block in blocks:
        saturated = 0.98 * np.max(block.current)
        quality = dot_product_quality(block, saturated)
        assert quality.gain == pytest.approx(1.0, abs=0.05)
        assert quality.correlation > 0.99


def test_a_resumed_run_leaves_out_what_is_stored(die_of):
    """A sub-array that is stored is not measured again; the others see the same inputs."""
    parameters = DotProductCheckParameters(vectors=3)
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


def test_gain_and_offset_are_found_again(die_of):
    """A crossbar that loses 5 % and adds 1 uA is described as just that."""
    with die_of() as (die, _):
        block = next(iter(dot_product_check(die, DotProductCheckParameters(vectors=5))))
    ideal = block.row_voltages @ block.conductance
    lossy = dataclasses.replace(block, current=0.95 * ideal + 1e-6)

    quality = dot_product_quality(lossy)

    assert quality.gain == pytest.approx(0.95, rel=1e-9)
    assert quality.offset == pytest.approx(1e-6, rel=1e-6)
    assert quality.residual < 1e-9


def test_too_few_points_make_no_line(die_of):
    """All currents saturated: one message with the remedy."""
    with die_of() as (die, _):
        block = next(iter(dot_product_check(die, DotProductCheckParameters(vectors=2))))

    with pytest.raises(DataError, match="more vectors"):
        dot_product_quality(block, saturated=0.0)
