"""Signals end a run by unwinding, and never cut the switching off short."""

import os
import signal

import pytest

from crossbar.geometry import DieAddress
from lab.interruption import ENDINGS, TerminatedError, termination_as_interrupt, uninterrupted


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_ending_from_outside_unwinds_like_ctrl_c(ending):
    """A lost connection as well as `kill`; and the old handler is back afterwards."""
    before = signal.getsignal(ending)
    with pytest.raises(TerminatedError), termination_as_interrupt():
        os.kill(os.getpid(), ending)

    assert signal.getsignal(ending) is before


def test_what_nohup_ignores_stays_ignored():
    """A run that is to outlive its terminal does."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with termination_as_interrupt():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_an_impatient_second_ctrl_c_is_ignored():
    """Nor any ending, while outputs are being switched off; afterwards they work again."""
    with uninterrupted():
        for number in (signal.SIGINT, *ENDINGS):
            os.kill(os.getpid(), number)

    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_while_touching_leaves_everything_off(bench_of):
    """The interrupt comes through; outputs are off and the needles up."""
    with bench_of(execution="software") as bench:
        with pytest.raises(KeyboardInterrupt), bench.contacted(DieAddress(0, 0)):
            os.kill(os.getpid(), signal.SIGINT)

        assert not bench.simulation.station.in_contact
        assert bench.instruments["pulse_generator"].output_enabled is False
