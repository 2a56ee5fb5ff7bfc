"""Signals end a run by unwinding, and never cut the switching off short."""

import os
import signal

import pytest

from crossbar.geometry import DieAddress
from lab.interruption import TerminatedError, termination_as_interrupt, uninterrupted


def test_sigterm_unwinds_like_ctrl_c():
    """And the old handler is back afterwards."""
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(TerminatedError), termination_as_interrupt():
        os.kill(os.getpid(), signal.SIGTERM)

    assert signal.getsignal(signal.SIGTERM) is before


def test_an_impatient_second_ctrl_c_is_ignored():
    """Both signals, while outputs are being switched off; afterwards they work again."""
    with uninterrupted():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_while_touching_leaves_everything_off(bench_of):
    """The interrupt comes through; outputs are off and the needles up."""
    with bench_of(execution="software") as bench:
        with pytest.raises(KeyboardInterrupt), bench.contacted(DieAddress(0, 0)):
            os.kill(os.getpid(), signal.SIGINT)

        assert not bench.simulation.station.in_contact
        assert bench.instruments["pulse_generator"].output_enabled is False
