"""Every protocol's round trips to the instruments are bounded: the bus is the slowest part of a
bench, and a message within a loop is a run that takes a night."""

from pathlib import Path
from typing import Any

import pytest

from crossbar.pulses import State
from lab.chosen_bench import chosen_bench
from lab.planning import plan_run
from protocols.catalog import PROTOCOLS
from protocols.weak_reset import WeakResetParameters
from protocols.write_error_rate import WriteErrorRateParameters

OPENING = 90
"""Messages that open, prepare and close the built-in bench, with one contact and its check."""
MESSAGES = {
    "contact-check": 0,
    "forming": 80,  # a write and a read for each step of the ramp, of all cells together
    "array-map": 10,  # two writes, two reads
    "write-error-rate": 48 * 6,  # conditions: their chunks, and a look at the contact
    "adaptive-write-error-rate": 150,  # a few for each round of all cells together
    "switching-phase-diagram": 500,
    "read-disturb": 110,
    "iv-sweep": 350,  # a read for each voltage and state
    "read-noise": 2 * 2048 + 20,  # a message for each reading, of all cells together
    "retention": 50,
    "set-reset-cycling": 40,
    "dot-product-check": 4 * 11,  # sub-arrays: 8 reads, the products, a look at the contact
    "program-and-verify": 40,
    "weak-reset": 2 * 102 + 10,  # a burst and a read for each step of a train of all cells
    "breakdown-ramp": 200,  # a pulse and a read for each step of each cell
}
"""Beyond opening, by protocol, of its default parameters on one die by the board."""
SMALLER: dict[str, Any] = {
    "weak-reset": WeakResetParameters(amplitudes=(0.5,), widths=(2e-7,), trains=1),
}
"""Where a default run takes long: one train of twelve."""
HFOX = {"forming", "weak-reset"}
"""Protocols of HfOx cells only; the others run on MTJ cells here."""


def messages_of(name, parameters=None, execution="board"):
    """How many messages the run sends, and its pulses; a rehearsal on the built-in bench."""
    chosen = chosen_bench(Path("hfox") if name in HFOX else None, True, 1)
    dies = chosen.configuration.wafer.addresses[:1]
    entry = PROTOCOLS[name]
    plan = plan_run(chosen, name, parameters or entry.parameters(), dies, execution)
    assert plan.rehearsed == 1.0
    return plan.cost.messages, plan.cost.pulses


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_is_bounded(name):
    """A protocol of the catalog without a bound here fails: state one."""
    messages, _ = messages_of(name, SMALLER.get(name))

    assert messages <= OPENING + MESSAGES[name]


def test_no_bound_is_for_a_protocol_that_is_gone():
    """The table above is about the catalog."""
    assert set(MESSAGES) == set(PROTOCOLS)


def test_ten_thousand_attempts_on_the_board_take_one_round_trip():
    """Twice the pulses of an attempt is a restore and a write."""
    messages, pulses = messages_of("write-error-rate")

    assert messages - OPENING <= pulses / 2 / 10_000


def test_a_thousand_attempts_by_the_smu_take_three_round_trips():
    """Between a short run of a condition and a long one there are only attempts."""

    def run(attempts):
        parameters = WriteErrorRateParameters(
            sample=1,
            amplitudes=(0.35,),
            widths=(20e-9,),
            targets=(State.LOW,),
            restore_width=100e-6,
            first_chunk=attempts,
            max_attempts=attempts,
        )
        return messages_of("write-error-rate", parameters, "instrument")[0]

    assert run(1500) - run(500) <= 3
