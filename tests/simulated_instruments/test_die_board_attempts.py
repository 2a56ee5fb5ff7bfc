"""Runs of attempts, with one pulse for all cells or with a list of them."""

import numpy as np
import pytest

from tests.simulated_instruments.ohmic_board import ask, ask_text, block_of, list_block, unblock


def test_a_run_gives_counts_when_it_is_over(board, die):
    """Started at once, waited for in pieces, fetched at the end."""
    ask(
        board, "SEL:CELL ", block_of([3, 9], "<u4"), ";:ATT:INIT LOW;REST 0.9,50NS;WRIT -0.5,10NS;",
        "READ 0.1;THR ", block_of([1e-4, 2e-4], "<f4"), ";RUN 1000000",
    )  # fmt: skip
    started = board.station.clock.now
    assert ask_text(board, "ATT:COUN?;:SYST:ERR?").startswith("-230")
    assert ask_text(board, "READ:ARR? 0.1;:SYST:ERR?").startswith("-221")
    whole = 1_000_000 * 2 * (100e-9 + 50e-9 + 10e-9 + 2e-6)
    assert float(ask(board, "ATT:WAIT? 1")) == pytest.approx(whole - 1)
    assert float(ask(board, "ATT:WAIT? 60")) == 0

    assert board.station.clock.now - started == pytest.approx(whole)
    assert unblock(ask(board, "ATT:COUN?"), "<u4").tolist() == [1, 1, 13, 19]
    cells, plan = die.plans[0]
    assert (cells, plan.initial.name, plan.attempts) == ([3, 9], "LOW", 1_000_000)
    assert plan.threshold == pytest.approx([1e-4, 2e-4])


def test_a_run_keeps_its_readings_on_request(board):
    """Float32 amperes, cell by cell, attempt by attempt, before and after."""
    setup = ("SEL:CELL ", block_of([3], "<u4"), ";:ATT:REST -0.9,50NS;WRIT 0.5,10NS;THR ",
             block_of([1e-4], "<f4"))  # fmt: skip
    ask(board, *setup, ";RUN 5;WAIT? 1")
    assert ask_text(board, "ATT:DATA?;:SYST:ERR?").startswith("-230")
    ask(board, "ATT:KEEP ON;RUN 5;WAIT? 1")

    assert unblock(ask(board, "ATT:DATA?"), "<f4") == pytest.approx([1e-5] * 10, rel=2e-3)
    assert ask_text(board, "ATT:RUN 1000000;:SYST:ERR?").startswith("-223")


def test_a_list_gives_each_cell_its_own_pulse(board, die):
    """One cell after the other on the clock; cells alike are one plan; counts in their order."""
    ask(
        board, "SEL:CELL ", block_of([3, 9, 4], "<u4"), ";:ATT:INIT LOW;REST 0.9,50NS;THR ",
        block_of([1e-4, 2e-4, 3e-4], "<f4"), ";LIST ",
        list_block((-0.5, 10e-9, 1000), (-0.6, 20e-9, 2000), (-0.5, 10e-9, 1000)), ";RUN:LIST",
    )  # fmt: skip
    started = board.station.clock.now
    assert float(ask(board, "ATT:WAIT? 60")) == 0

    assert board.station.clock.now - started == pytest.approx(
        2000 * (100e-9 + 50e-9 + 10e-9 + 2e-6) + 2000 * (100e-9 + 50e-9 + 20e-9 + 2e-6)
    )
    assert unblock(ask(board, "ATT:COUN?"), "<u4").tolist() == [1, 1, 1, 13, 19, 14]
    assert [(cells, plan.attempts) for cells, plan in die.plans] == [([3, 4], 1000), ([9], 2000)]
    assert [plan.write.amplitude for _, plan in die.plans] == pytest.approx([-0.5, -0.6])
    assert ask_text(board, "ATT:DATA?;:SYST:ERR?").startswith("-230")


def test_a_list_without_a_die_finds_open_cells(board):
    """As any other run."""
    board.station.in_contact = False
    ask(
        board, "SEL:CELL ", block_of([3, 9], "<u4"), ";:ATT:INIT HIGH;REST -0.9,50NS;THR ",
        block_of([1e-4, 2e-4], "<f4"), ";LIST ", list_block((0.5, 1e-8, 10), (0.6, 1e-8, 20)),
        ";RUN:LIST;:ATT:WAIT? 60",
    )  # fmt: skip

    assert unblock(ask(board, "ATT:COUN?"), "<u4").tolist() == [0, 0, 10, 20]


@pytest.mark.parametrize(
    ("entries", "error"),
    [
        ([(0.5, 1e-8, 5), (1.3, 1e-8, 5)], -222),
        ([(0.5, 1e-8, 5), (0.5, 1e-1, 5)], -222),
        ([(0.5, 1e-8, 5), (np.nan, 1e-8, 5)], -222),
        ([(0.5, 1e-8, 5), (0.5, np.nan, 5)], -222),
        ([(0.5, 1e-8, 5), (0.5, 1e-8, 0)], -222),
        ([(0.5, 1e-8, 5), (-0.5, 1e-8, 5)], -221),
        ([(0.5, 1e-8, 5)], -221),
    ],
)
def test_a_list_with_one_bad_entry_is_refused_as_a_whole(board, die, entries, error):
    """Limits, signs, numbers and the length of the list."""
    ask(board, "SEL:CELL ", block_of([3, 9], "<u4"), ";:ATT:REST -0.9,50NS;THR ",
        block_of([1e-4, 2e-4], "<f4"))  # fmt: skip

    reply = ask_text(board, "ATT:LIST ", list_block(*entries), ";RUN:LIST;:SYST:ERR?")

    assert reply.startswith(f"{error},")
    assert die.plans == []
