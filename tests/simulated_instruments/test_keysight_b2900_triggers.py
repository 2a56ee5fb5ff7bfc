"""Sweeps, pulses and the trigger layers of the emulated B2900."""

import numpy as np
import pytest

from simulated_instruments.keysight_b2900 import EmulatedKeysightB2900
from tests.simulated_instruments.scpi_messages import ask, numbers
from tests.simulated_instruments.test_keysight_b2900 import READY

BOTH_IDLE = (1 << 1) + (1 << 4) + (1 << 7) + (1 << 10)


@pytest.fixture
def smu(station):
    emulator = EmulatedKeysightB2900(station)
    ask(emulator, READY)
    return emulator


def swept(smu, message):
    """The voltages of a whole sweep."""
    return numbers(ask(smu, message + b";:INIT (@1);*OPC?;:FETC:ARR:VOLT? (@1)").split(";")[1])


# Levels


def test_read_gives_the_last_point_and_read_arr_all(smu):
    """And afterwards the immediate level is back."""
    ask(smu, b":SOUR:VOLT:MODE LIST;:SOUR:LIST:VOLT 0.05,-0.05,0.1;:TRIG:COUN 3")
    assert numbers(ask(smu, b":READ:ARR?"))[::2] == pytest.approx([0.05, -0.05, 0.1])
    assert numbers(ask(smu, b":READ?"))[::2] == pytest.approx([0.1])
    assert numbers(ask(smu, b":READ:ARR:SOUR? (@1)")) == pytest.approx([0.05, -0.05, 0.1])
    assert smu.channels[0].level_volts == 0


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (b"STAR 0;STOP 0.1;POIN 5", [0, 0.025, 0.05, 0.075, 0.1]),
        (b"STAR 0;STOP 0.1;STEP 0.03", [0, 0.03, 0.06, 0.09]),
        (b"POIN 3;CENT 0.05;SPAN 0.1", [0, 0.05, 0.1]),
        (b"STAR 0;STOP 0.1;POIN 3;:SWE:DIR DOWN", [0.1, 0.05, 0]),
        (b"STAR 0;STOP 0.1;:SWE:POIN 2;STA DOUB", [0, 0.1, 0.1, 0]),
        (b"STAR 0.01;STOP 0.1;:SWE:POIN 3;SPAC LOG", [0.01, 0.01 * 10**0.5, 0.1]),
    ],
)
def test_staircases(smu, settings, expected):
    count = str(len(expected)).encode()
    found = swept(smu, b":SOUR:VOLT:MODE SWE;" + settings + b";:TRIG:COUN " + count)
    assert found == pytest.approx(expected, rel=1e-6)
    assert smu.channels[0].level_volts == 0


def test_start_stop_centre_span_step_and_points_hang_together(smu):
    """As the manual has it: points stay when the span changes, the span when points change."""
    ask(smu, b":SOUR:CURR:STAR 1E-6;STOP 3E-6;POIN 3")
    question = b":SOUR:CURR:CENT?;SPAN?;STEP?;:SOUR:SWE:POIN?;:SOUR:VOLT:POIN?"
    assert numbers(ask(smu, question).replace(";", ",")) == pytest.approx([2e-6, 2e-6, 1e-6, 3, 3])
    ask(smu, b":SOUR:CURR:STEP 0.5E-6")
    assert numbers(ask(smu, question).replace(";", ",")) == pytest.approx([2e-6, 2e-6, 5e-7, 5, 5])
    ask(smu, b":SOUR:CURR:SPAN 4E-6")
    assert numbers(ask(smu, question).replace(";", ",")) == pytest.approx([2e-6, 4e-6, 1e-6, 5, 5])
    assert numbers(ask(smu, b":SOUR:CURR:STAR?;STOP?").replace(";", ",")) == pytest.approx(
        [0, 4e-6]
    )
    assert ask(smu, b":SOUR:CURR:POIN 1;STEP?;:SYST:ERR:COUN?") == "+0.000000000E+00;0"


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b":SOUR:VOLT:STAR 0;STOP 1;STEP -0.1", -221),
        (b":SOUR:VOLT:STAR 0;STOP 1;STEP 1E-4", -222),
        (b":SOUR:VOLT:CENT 200;SPAN 100", -222),
        (b":SOUR:VOLT:MODE SWE;STAR 0;STOP 1;:SWE:SPAC LOG;:INIT", -221),
        (b":SENS:CURR:PROT 1;:SOUR:VOLT:MODE LIST;:SOUR:LIST:VOLT 1,100;:INIT", -221),
        (b":TRIG:COUN 100000;:INIT", -221),
        (b":SOUR:LIST:VOLT:APP " + b",".join([b"0"] * 2500), -223),
    ],
)
def test_sweeps_that_are_refused(smu, message, error):
    assert ask(smu, message + b";:SYST:ERR?").startswith(f"{error},")
    assert ask(smu, b":STAT:OPER:COND?") == str(BOTH_IDLE)


def test_lists_of_currents(smu):
    ask(smu, b":SOUR:FUNC:MODE CURR;:SENS:VOLT:PROT 1;:SOUR:CURR:MODE LIST")
    ask(smu, b":SOUR:LIST:CURR 1E-6,-1E-6;:SOUR:LIST:CURR:APP 2E-6")
    assert ask(smu, b":SOUR:LIST:CURR:POIN?") == "3"
    assert numbers(ask(smu, b":SOUR:LIST:CURR?")) == pytest.approx([1e-6, -1e-6, 2e-6])
    found = numbers(ask(smu, b":TRIG:COUN 3;:READ:ARR? (@1)"))
    assert found[1::2] == pytest.approx([1e-6, -1e-6, 2e-6])
    assert found[0] > 0 > found[2]
    assert found[4] > found[0]


def test_a_triggered_level_of_zero_is_a_level(smu):
    """The immediate one counts only until a triggered one was set."""
    ask(smu, b":SOUR:VOLT 0.1")
    assert float(ask(smu, b":SOUR:VOLT:TRIG?")) == 0.1
    assert swept(smu, b":TRIG:COUN 1") == pytest.approx([0.1])
    assert float(ask(smu, b":SOUR:VOLT:TRIG 0;:SOUR:VOLT:TRIG?")) == 0
    assert swept(smu, b":TRIG:COUN 1") == [0]
    assert swept(smu, b":SOUR:VOLT:TRIG -0.05") == pytest.approx([-0.05])


def test_a_triggered_level_stays_until_the_next_immediate_one(smu):
    ask(smu, b":SOUR:VOLT 0.02;:SOUR:VOLT:TRIG 0.1;:TRIG:TRAN:SOUR BUS;:INIT:TRAN")
    assert smu.channels[0].level_volts == 0.02
    ask(smu, b"*TRG")
    assert smu.channels[0].level_volts == 0.1
    assert ask(smu, b":SENS:REM ON;:SOUR:VOLT?;:SYST:ERR:COUN?") == "+2.000000000E-02;0"
    assert smu.channels[0].level_volts == 0.1  # no other setting disturbs it
    ask(smu, b":SOUR:VOLT 0.03")
    assert smu.channels[0].level_volts == 0.03


def test_a_triggered_level_is_gone_after_the_other_source(smu):
    ask(smu, b":SOUR:VOLT 0.02;:SOUR:VOLT:TRIG 0.1;:INIT:TRAN")
    assert smu.channels[0].level_volts == 0.1
    ask(smu, b":SOUR:FUNC:MODE CURR;:SOUR:FUNC:MODE VOLT")
    assert smu.channels[0].level_volts == 0.02


def test_the_end_of_a_sweep_can_stay(smu):
    ask(smu, b":FUNC:TRIG:CONT ON;:SOUR:VOLT:MODE SWE;STAR 0;STOP 0.1;POIN 2;:TRIG:COUN 2;:INIT")
    assert smu.channels[0].level_volts == 0.1
    ask(smu, b":ABOR")
    assert smu.channels[0].level_volts == 0


# Pulses


def test_a_pulse_returns_to_its_base(smu):
    """Delay at the base, the width at the peak; nobody measures."""
    ask(smu, b":FUNC PULS;:SOUR:VOLT 0.02;:SOUR:VOLT:TRIG 0.1;:SOUR:PULS:WIDT 0.01;DEL 0.005")
    ask(smu, b":INIT:ACQ")
    before = smu.station.clock.now
    ask(smu, b":INIT:TRAN")
    assert smu.station.clock.now - before == pytest.approx(0.015)
    assert numbers(ask(smu, b":FETC:VOLT?")) == [0.02]  # the reading of before
    assert smu.channels[0].level_volts == 0.02


@pytest.mark.parametrize(
    ("delay", "share"), [(b"0", 0.0), (b"1.1E-3", 1.0), (b"1.5E-3", 0.75), (b"9E-3", 0.0)]
)
def test_a_measurement_has_to_lie_within_the_pulse(smu, delay, share):
    """Peak from 1 to 3 ms after the trigger; what the aperture sees is averaged."""
    ask(smu, b":FUNC PULS;:SOUR:VOLT 0;:SOUR:VOLT:TRIG 0.1;:SOUR:PULS:WIDT 2E-3;DEL 1E-3")
    ask(smu, b":SENS:CURR:APER 1E-3" if share in (0.0, 1.0) else b":SENS:CURR:APER 2E-3")
    found = numbers(ask(smu, b":TRIG:ACQ:DEL " + delay + b";:READ:ARR?"))
    assert found[0] == pytest.approx(0.1 * share, abs=1e-9)


def test_a_pulse_train_writes_the_cell_as_often(smu, pulses):
    """Peak, width and number as set, a period apart; the base writes nothing."""
    ask(smu, b":FUNC PULS;:SOUR:VOLT:MODE LIST;:SOUR:LIST:VOLT 0.4,-0.4;:PULS:WIDT 1E-3")
    before = smu.station.clock.now
    ask(smu, b":TRIG:TRAN:SOUR TIM;TIM 0.01;COUN 6;:INIT:TRAN")
    assert [width for _, width in pulses] == pytest.approx([1e-3] * 6)
    assert [np.sign(amplitude) for amplitude, _ in pulses] == [1, -1, 1, -1, 1, -1]
    assert smu.station.clock.now - before == pytest.approx(0.06)


# Layers


def test_the_timer_sets_the_pace(smu):
    """Of both actions; the last level lasts a period, too."""
    before = smu.station.clock.now
    ask(smu, b":TRIG:SOUR TIM;TIM 0.5;COUN 4;:FORM:ELEM:SENS TIME;:INIT")
    assert smu.station.clock.now - before == pytest.approx(2.0)
    times = numbers(ask(smu, b":FETC:ARR?"))
    assert np.diff(times) == pytest.approx([0.5] * 3)


def test_automatic_readings_follow_the_transients(smu):
    """One a step, whatever sets their pace; the automatic source has no pace of its own."""
    ask(smu, b":SOUR:VOLT:MODE SWE;STAR 0;STOP 0.1;POIN 3;:FORM:ELEM:SENS TIME,SOUR")
    ask(smu, b":TRIG:COUN 3;:TRIG:TRAN:SOUR TIM;TIM 0.1;:INIT")
    found = np.array(numbers(ask(smu, b":FETC:ARR?"))).reshape(3, 2)
    assert np.diff(found[:, 0]) == pytest.approx([0.1, 0.1])
    assert found[:, 1] == pytest.approx([0, 0.05, 0.1])


def test_events_that_come_too_early_are_lost(smu):
    """One reading of 20 ms misses a timer of 8 ms twice; the questionable register tells."""
    ask(smu, b":SENS:CURR:NPLC 1;:TRIG:ACQ:SOUR TIM;TIM 8E-3;COUN 3;:FORM:ELEM:SENS TIME")
    times = numbers(ask(smu, b":INIT:ACQ;:FETC:ARR?"))
    assert np.diff(times) == pytest.approx([0.024] * 2, abs=1e-6)
    assert ask(smu, b":STAT:QUES:COND?;:STAT:QUES?") == f"{1 << 12};{1 << 12}"
    assert ask(smu, b":TRIG:ACQ:TIM 0.1;:INIT:ACQ;:STAT:QUES:COND?") == "0"


def test_delays_count_from_the_trigger(smu):
    """ARM once, then TRIGger twice."""
    before = smu.station.clock.now
    ask(smu, b":SENS:CURR:APER 1E-3;:ARM:ACQ:DEL 0.1;:TRIG:ACQ:DEL 0.01;COUN 2;:INIT:ACQ")
    assert smu.station.clock.now - before == pytest.approx(0.1 + 2 * 0.011)


def test_arm_count_times_trigger_count(smu):
    ask(smu, b":ARM:ACQ:COUN 3;:TRIG:ACQ:COUN 4;:FORM:ELEM:SENS CURR;:INIT:ACQ")
    assert len(numbers(ask(smu, b":FETC:ARR?"))) == 12


def test_acquisitions_alone_leave_the_source_alone(smu):
    """Sampling at a constant level."""
    ask(smu, b":SOUR:VOLT 0.1;:SOUR:VOLT:MODE SWE;STAR 1;STOP 1;:TRIG:ACQ:COUN 5;:INIT:ACQ (@1)")
    assert numbers(ask(smu, b":FETC:ARR:VOLT?")) == pytest.approx([0.1] * 5)


def test_the_bus_steps_a_sweep(smu):
    """What waits is told by the operation register; queries that wait are answered at the end."""
    ask(smu, b":SOUR:VOLT:MODE LIST;:SOUR:LIST:VOLT 0.05,0.1;:TRIG:COUN 2;:TRIG:SOUR BUS;:INIT")
    waiting_for_trigger = (1 << 3) + (1 << 6) + (1 << 7) + (1 << 10)
    assert ask(smu, b":STAT:OPER:COND?") == str(waiting_for_trigger)
    assert ask(smu, b":INIT;:SYST:ERR?").startswith("-213,")
    assert ask(smu, b":MEAS?;:SYST:ERR?").startswith("-213,")
    assert ask(smu, b"*OPC?") == ""
    assert ask(smu, b"*TRG") == ""
    assert smu.channels[0].level_volts == 0.05
    assert ask(smu, b"*TRG") == "1"
    assert ask(smu, b":STAT:OPER:COND?") == str(BOTH_IDLE)
    assert numbers(ask(smu, b":FETC:ARR:VOLT?")) == pytest.approx([0.05, 0.1])
    assert ask(smu, b"*TRG;:SYST:ERR?").startswith("-211,")


def test_read_waits_for_a_pin(smu):
    ask(smu, b":SOUR:VOLT 0.1;:TRIG:SOUR EXT3")
    assert ask(smu, b":READ:VOLT?") == ""
    smu.external_trigger()
    assert b"".join(smu.replies) == b"+1.000000E-01\n"
    smu.replies.clear()
    smu.external_trigger()
    assert not smu.errors


def test_one_action_waits_and_the_other_goes_on(smu):
    """IDLE? waits for what it names; a command lets a layer go whatever its source is."""
    ask(smu, b":ARM:ACQ:SOUR EXT1;:TRIG:TRAN:COUN 2;:INIT")
    assert ask(smu, b":STAT:OPER:COND?") == str((1 << 3) + (1 << 5) + (1 << 7) + (1 << 10))
    assert ask(smu, b":IDLE:ACQ?") == ""
    assert ask(smu, b":ARM:TRAN;:SYST:ERR?").startswith("-211,")
    assert ask(smu, b":ARM:ACQ (@1)") == "1"
    assert ask(smu, b":IDLE?;:IDLE:TRAN? (@1,2);:IDLE:ALL?") == "1;1;1"


def test_abort_leaves_the_immediate_level(smu):
    """Of the channels that are named, and answers what waited."""
    ask(smu, b":SOUR:VOLT:MODE LIST;:SOUR:LIST:VOLT 0.05,0.1;:TRIG:COUN 2;:TRIG:SOUR EXT1")
    ask(smu, b":TRIG2:SOUR EXT1;COUN 2;:INIT (@1,2);*OPC?")
    smu.external_trigger()
    assert smu.channels[0].level_volts == 0.05
    assert ask(smu, b":ABOR:ACQ;:ABOR:TRAN (@1)") == ""
    assert smu.channels[0].level_volts == 0
    assert ask(smu, b":ABOR:ALL (@2)") == "1"


def test_operation_complete_is_an_event_at_the_end(smu):
    """*OPC as well as *OPC?; *CLS forgets both."""
    ask(smu, b"*CLS;:TRIG:SOUR BUS;:INIT;*OPC")
    assert ask(smu, b"*ESR?") == "0"
    assert ask(smu, b"*TRG;*ESR?") == "1"
    ask(smu, b":INIT;*OPC;*OPC?;*CLS;*TRG")
    assert ask(smu, b"*ESR?") == "0"
    ask(smu, b":INIT;*OPC?")
    smu.clear()
    assert ask(smu, b"*TRG") == ""


def test_a_bypass_lets_the_first_event_go(smu):
    ask(smu, b":TRIG:ACQ:SOUR BUS;COUN 2;BYP ONCE;:FORM:ELEM:SENS CURR;:INIT:ACQ")
    assert len(numbers(ask(smu, b":FETC:ARR?"))) == 1
    assert ask(smu, b"*TRG;*OPC?") == "1"
    assert len(numbers(ask(smu, b":FETC:ARR?"))) == 2
    assert ask(smu, b":TRIG:ACQ:BYP?") == "ONCE"


def test_endless_counts_go_on_with_triggers_from_outside(smu):
    ask(smu, b":TRIG:COUN INF;:TRIG:SOUR BUS;:FORM:ELEM:SENS CURR;:INIT")
    for _ in range(7):
        ask(smu, b"*TRG")
    assert len(numbers(ask(smu, b":FETC:ARR?"))) == 7
    assert ask(smu, b":ABOR;*OPC?") == "1"


def test_both_channels_run_at_the_same_time(station):
    """Their times are the same; the shorter one's rest is not a number."""
    emulator = EmulatedKeysightB2900(station, "B2912B")
    ask(
        emulator,
        b":OUTP1 ON;:OUTP2 ON;:FORM:ELEM:SENS TIME,SOUR;:SENS1:CURR:NPLC 1;:SENS2:CURR:NPLC 1",
    )
    for channel in (b"1", b"2"):
        ask(emulator, b":SOUR" + channel + b":VOLT:MODE SWE;STAR 0;STOP 0.1;POIN 3")
    ask(emulator, b":SOUR2:SWE:DIR DOWN;:TRIG1:COUN 3;:TRIG2:COUN 2;:INIT (@1,2)")
    rows = np.array(numbers(ask(emulator, b":FETC:ARR? (@1,2)"))).reshape(3, 4)
    assert rows[:, 1] == pytest.approx([0, 0.05, 0.1])
    assert rows[:2, 3] == pytest.approx([0.1, 0.05])
    assert rows[:2, 0] == pytest.approx(rows[:2, 2])
    assert rows[2, 2:] == pytest.approx([9.91e37] * 2)
    assert not emulator.errors


def test_an_output_can_go_off_by_itself_at_the_end(smu):
    ask(smu, b":OUTP:OFF:AUTO ON;:TRIG:SOUR BUS;:INIT")
    assert ask(smu, b":OUTP?") == "1"
    assert ask(smu, b"*TRG;:OUTP?") == "0"


def test_restoring_defaults_ends_everything(smu):
    ask(smu, b":SOUR:LIST:VOLT 1,2;:SOUR:VOLT:STOP 1;:TRIG:SOUR BUS;COUN 9;:INIT;*RST")
    question = (
        b":SOUR:LIST:VOLT:POIN?;:SOUR:VOLT:STOP?;:TRIG:ACQ:SOUR?;COUN?;:STAT:OPER:COND?;:OUTP?"
    )
    assert ask(smu, question) == f"1;+0.000000000E+00;AINT;1;{BOTH_IDLE};0"
