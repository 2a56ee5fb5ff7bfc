"""One fault at a sample of a run's messages; `python -m benchmarks.fault_positions` does them all.

The benchmark's own findings are what is asserted here: outputs off and separated, no pulse repeated
or uncounted, no stored record that differs, and a message that names the instrument.
"""

import importlib.util
import logging
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from simulated_instruments.faults import KINDS, Fault

POSITIONS = {"software": 6, "board": 6}
"""How many positions, spread over the run."""


@pytest.fixture(scope="module")
def harness():
    path = Path(__file__).parents[2] / "benchmarks" / "fault_positions.py"
    spec = importlib.util.spec_from_file_location("fault_positions", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there for it
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def undisturbed(harness):
    """The same runs without a fault."""
    return {execution: harness.run_with(execution) for execution in POSITIONS}


@pytest.fixture(autouse=True)
def _quiet():
    """What could not be switched off at the first attempt is logged as an error; here it is due."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("execution", POSITIONS)
def test_the_undisturbed_run_is_whole(execution, undisturbed):
    outcome = undisturbed[execution]

    assert outcome.error is None
    assert outcome.records
    assert (outcome.received > 0).any()
    assert (outcome.received <= outcome.ledger).all()
    assert outcome.left_on == ()


@pytest.mark.parametrize("execution", POSITIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_at_any_message_ends_safely(kind, execution, harness, undisturbed):
    expected = undisturbed[execution]
    count = POSITIONS[execution]
    # Another share of the positions for each fault: together they see more of the run.
    first = 1 + 7 * KINDS.index(kind)
    happened = 0
    for position in range(first, expected.messages, max(1, expected.messages // count)):
        outcome = harness.run_with(execution, Fault(kind=kind, message=position), seed=position)
        happened += outcome.happened != ("", "")
        found = list(harness.findings(kind, outcome, expected))
        assert not found, f"{kind} at message {position} ({outcome.happened}): {found}"
    assert happened


def test_a_finding_is_found(harness, undisturbed):
    """The checks can fail: pulses without records, needles that touch, an error of ours."""
    expected = undisturbed["software"]
    bad = replace(
        expected,
        received=expected.received + 1000,
        left_on=("contact",),
        error=RuntimeError("boom"),
        happened=("smu", "smua.measure.i()"),
    )

    assert len(list(harness.findings("lost_reply", bad, expected))) == 5
