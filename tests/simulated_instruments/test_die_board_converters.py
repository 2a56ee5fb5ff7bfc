"""Currents come in steps and clip, of single cells and of dot products."""

import numpy as np
import pytest

from tests.simulated_instruments.ohmic_board import GEOMETRY, ask, ask_text, block_of, unblock


def test_currents_come_in_steps_and_clip_at_full_scale(board, die):
    """With bit 1 of the questionable status, which reading clears."""
    die.siemens[7] = 5e-3
    currents = unblock(ask(board, "READ:RANG 100E-6;:READ:ARR? -0.1"), "<f4")

    assert currents[7] == np.float32(-100e-6)
    codes = currents.astype(float) / (100e-6 / 32767)
    assert codes == pytest.approx(np.rint(codes), abs=0.01)
    assert ask_text(board, "STAT:QUES?;:STAT:QUES?") == "2;0"


def test_the_dot_product_sums_the_columns(board, die):
    """Row voltages in the converter's steps, currents in those of the range."""
    voltages = np.array([[0.1, 0, 0.2, -0.3], [0, 0, 0, 0]])
    reply = ask(board, "MULT:RANG 1E-3;:MULT? 1,", block_of(voltages, "<f4"))

    exact = voltages @ die.siemens.reshape(GEOMETRY.shape)[1]
    currents = unblock(reply, "<f4").reshape(2, 5)
    assert currents == pytest.approx(exact, abs=0.5e-3 / 2047 + 4 * 0.08e-3 * 4e-4)
    assert ask(board, "STAT:QUES?") == b"0"


def test_a_dot_product_beyond_its_range_clips(board, die):
    """And says so."""
    die.siemens[:] = 1e-2
    reply = ask(board, "MULT:RANG 2E-3;:MULT? 0,", block_of([[0.3, 0.3, 0.3, 0.3]], "<f4"))

    assert unblock(reply, "<f4").tolist() == [np.float32(2e-3)] * 5
    assert ask(board, "STAT:QUES?") == b"2"
