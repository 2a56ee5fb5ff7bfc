"""Trace buffers, the data of a measurement by parts, and the status registers of the B2900."""

import statistics

import numpy as np
import pytest

from simulated_instruments.keysight_b2900 import EmulatedKeysightB2900
from tests.simulated_instruments.scpi_messages import ask, numbers
from tests.simulated_instruments.test_keysight_b2900 import READY

MISSING = "+9.910000E+37"


@pytest.fixture
def smu(station):
    emulator = EmulatedKeysightB2900(station)
    ask(emulator, READY)
    ask(emulator, b":FORM:ELEM:SENS SOUR;:SOUR:VOLT:MODE SWE;STAR 0;STOP 0.1;POIN 5;:TRIG:COUN 5")
    return emulator


def test_a_buffer_stores_while_it_is_told_to(smu):
    """And keeps it over the next measurement."""
    ask(smu, b":INIT")
    assert ask(smu, b":TRAC:POIN:ACT?;:TRAC:FEED:CONT?;:TRAC:DATA?") == f"0;NEV;{MISSING}"
    ask(smu, b":TRAC:FEED:CONT NEXT;:INIT;:TRAC:FEED:CONT NEV;:INIT")
    assert ask(smu, b":TRAC:POIN:ACT?;:TRAC:FREE?;:TRAC:POIN?") == "5;99995,100000;100000"
    assert numbers(ask(smu, b":TRAC:DATA?")) == pytest.approx([0, 0.025, 0.05, 0.075, 0.1])
    assert ask(smu, b":TRAC:CLE;:TRAC:POIN:ACT?") == "0"


def test_a_full_buffer_stops_silently(smu):
    """The control goes to NEVer, and the measurement register says that it is full."""
    ask(smu, b":TRAC:POIN 3;FEED:CONT NEXT;:INIT")
    assert ask(smu, b":TRAC:FEED:CONT?;:TRAC:FREE?;:SYST:ERR:COUN?") == "NEV;0,3;0"
    assert numbers(ask(smu, b":TRAC:DATA?")) == pytest.approx([0, 0.025, 0.05])
    assert int(ask(smu, b":STAT:MEAS:COND?")) == 2 + 8 + 16
    assert ask(smu, b":TRAC:FEED:CONT NEXT;CONT?") == "NEV"
    assert int(ask(smu, b":TRAC:CLE;:STAT:MEAS:COND?")) == 2


@pytest.mark.parametrize("change", [b"POIN 10", b"CLE", b"FEED MATH"])
def test_a_buffer_that_stores_cannot_be_changed(smu, change):
    """The trap of the sheet: the size comes first."""
    ask(smu, b":TRAC:FEED:CONT NEXT")
    assert ask(smu, b":TRAC:" + change + b";:SYST:ERR?").startswith("-221,")
    assert ask(smu, b":TRAC:POIN?;FEED?") == "100000;SENS"
    assert ask(smu, b":TRAC:FEED:CONT NEV;:TRAC:" + change + b";:SYST:ERR:COUN?") == "0"


def test_only_the_raw_readings_are_stored(smu):
    """There is no math here."""
    assert ask(smu, b":TRAC:FEED MATH;FEED:CONT NEXT;:INIT;:TRAC:POIN:ACT?") == "0"


def test_parts_of_a_buffer(smu):
    """By offset and size; CURRent goes on."""
    ask(smu, b":TRAC:FEED:CONT NEXT;:INIT")
    assert numbers(ask(smu, b":TRAC:DATA? 1,2")) == pytest.approx([0.025, 0.05])
    assert numbers(ask(smu, b":TRAC:DATA? CURR,1")) == pytest.approx([0.075])
    assert numbers(ask(smu, b":TRAC:DATA? CURR")) == pytest.approx([0.1])
    assert ask(smu, b":TRAC:DATA? CURR") == MISSING
    assert len(numbers(ask(smu, b":TRAC:DATA? STAR"))) == 5


def test_time_stamps_count_from_the_first_or_from_the_last(smu):
    ask(smu, b":TRIG:SOUR TIM;TIM 0.1;:TRAC:FEED:CONT NEXT;:FORM:ELEM:SENS TIME;:INIT")
    assert numbers(ask(smu, b":TRAC:DATA?")) == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=1e-6)
    assert numbers(ask(smu, b":TRAC:TST:FORM DELT;:TRAC:DATA?")) == pytest.approx(
        [0, 0.1, 0.1, 0.1, 0.1], abs=1e-6
    )


def test_statistics_of_every_element_that_has_some(smu):
    ask(smu, b":FORM:ELEM:SENS VOLT,CURR,TIME,STAT;:TRAC:FEED:CONT NEXT;:INIT")
    currents = numbers(ask(smu, b":FETC:ARR:CURR?"))
    expected = {
        b"MEAN": (0.05, statistics.fmean(currents)),
        b"SDEV": (statistics.pstdev([0, 0.025, 0.05, 0.075, 0.1]), statistics.pstdev(currents)),
        b"MIN": (0, min(currents)),
        b"MAX": (0.1, max(currents)),
        b"PKPK": (0.1, max(currents) - min(currents)),
    }
    for name, values in expected.items():
        found = numbers(ask(smu, b":TRAC:STAT:FORM " + name + b";:TRAC:STAT:DATA?"))
        assert found == pytest.approx(values, rel=1e-5, abs=1e-12)
    assert ask(smu, b":TRAC:FEED:CONT NEV;:TRAC:CLE;STAT:DATA?") == f"{MISSING},{MISSING}"


def test_each_channel_has_a_buffer(smu, station):
    ask(smu, b":TRAC2:POIN 2;FEED:CONT NEXT;:SOUR2:VOLT 0.2;:TRIG2:COUN 4;:OUTP2 ON;:INIT (@1,2)")
    assert ask(smu, b":TRAC1:POIN:ACT?;:TRAC2:POIN:ACT?") == "0;2"
    assert numbers(ask(smu, b":TRAC2:DATA?")) == [0.2, 0.2]
    one = EmulatedKeysightB2900(station, "B2911B")
    assert ask(one, b":TRAC2:DATA?;:SYST:ERR?").startswith("-114,")


# The data of the last measurement


def test_sense_data_by_parts(smu):
    ask(smu, b":INIT")
    assert numbers(ask(smu, b":SENS:DATA?")) == pytest.approx([0, 0.025, 0.05, 0.075, 0.1])
    assert numbers(ask(smu, b":SENS:DATA? 3")) == pytest.approx([0.075, 0.1])
    assert numbers(ask(smu, b":SENS1:DATA? 1,1")) == pytest.approx([0.025])
    assert numbers(ask(smu, b":SENS:DATA? CURR,2")) == pytest.approx([0.05, 0.075])
    assert numbers(ask(smu, b":SENS:DATA:LAT?")) == pytest.approx([0.1])
    assert ask(smu, b":SENS:DATA:CLE;:SENS:DATA?") == MISSING
    assert numbers(ask(smu, b":SOUR:VOLT 0.03;:SENS:DATA:ACQ;:SENS:DATA?")) == pytest.approx([0.03])


def test_times_are_of_the_beginning_and_can_start_anew(smu):
    """By hand, or with every measurement."""
    ask(smu, b":FORM:ELEM:SENS TIME;:SENS:CURR:NPLC 5;:TRIG:COUN 2;:SYST:TIME:TIM:COUN:RES")
    first = numbers(ask(smu, b":INIT;:FETC:ARR?"))
    assert first == pytest.approx([0, 0.1], abs=1e-6)
    assert numbers(ask(smu, b":INIT;:FETC:ARR?")) == pytest.approx([0.2, 0.3], abs=1e-6)
    ask(smu, b":SYST:TIME:TIM:COUN:RES:AUTO ON;:INIT")
    assert numbers(ask(smu, b":FETC:ARR?")) == pytest.approx(first, abs=1e-6)
    assert float(ask(smu, b":SYST:TIME:TIM:COUN?")) == pytest.approx(0.2)


# Status


def test_a_measurement_is_told_in_the_status_byte(smu):
    """Reading available is bit 0; idle again is an operation event, bit 7."""
    ask(smu, b"*CLS;:STAT:MEAS:ENAB 2;:STAT:OPER:ENAB 16;*SRE 1")
    assert smu.status_byte() == 0
    ask(smu, b":INIT")
    assert smu.status_byte() == 0x80 + 0x40 + 0x01
    assert ask(smu, b":STAT:MEAS?;:STAT:OPER?;:STAT:MEAS?").split(";")[::2] == ["2", "0"]
    assert smu.status_byte() == 0


def test_transition_filters_choose_what_is_an_event(smu):
    """Falling edges of idle instead of rising ones."""
    ask(smu, b":STAT:OPER:PTR 0;NTR 2;:STAT:OPER?;:INIT")
    assert ask(smu, b":STAT:OPER:PTR?;NTR?;EVEN?") == "0;2;2"
    assert ask(smu, b":STAT:PRES;:STAT:OPER:PTR?;NTR?;ENAB?") == "32767;0;0"


def test_errors_one_by_one_and_all(smu):
    ask(smu, b":NONSENSE")
    ask(smu, b":SOUR:VOLT 999")
    found = ask(smu, b":SYST:ERR:ALL?")
    assert found.startswith('-113,"')
    assert ',-222,"' in found
    assert ask(smu, b":SYST:ERR:ALL?;:SYST:ERR?") == '+0,"No error";+0,"No error"'


def test_the_cell_is_written_by_a_sweep_beyond_its_threshold(smu):
    """What the instrument sources, the cell feels."""
    die, cell = smu.station.die, np.array([12])
    before = die.conductance(cell, 0.1)[0]
    ask(smu, b":SENS:CURR:PROT 0.1;:TRIG:COUN 20;:TRIG:SOUR TIM;TIM 0.01")
    ask(smu, b":SOUR:VOLT:STAR 0;STOP -1.2;POIN 20;:INIT")
    negative = die.conductance(cell, 0.1)[0]
    ask(smu, b":SOUR:VOLT:STAR 0;STOP 1.2;POIN 20;:INIT")
    positive = die.conductance(cell, 0.1)[0]
    assert not smu.errors
    assert positive > 1.3 * negative
    assert before == pytest.approx(positive, rel=0.1) or before == pytest.approx(negative, rel=0.1)
