import csv
from pathlib import Path

import numpy as np
import pytest

from crossbar.geometry import DieAddress, DieGeometry
from physics.wafer import SimulatedWafer
from simulated_instruments.keysight_81160a import EmulatedKeysight81160A
from simulated_instruments.probe_station import ProbeStation

COMMANDS = Path(__file__).parents[1] / "reference" / "pymeasure_keysight_81160a_commands.csv"
PULSE_SETUP = b":FUNC PULS;:FUNC:PULS:TRAN 1NS;TRAN:TRA 1NS;:ARM:SOUR MAN;:OUTP:LOAD 1E6\n"


class RecordingStation(ProbeStation):
    """A probe station that notes the pulses at the board's connector."""

    def pulse(self, cell, voltage, width, impedance):
        self.trigger_lines.setdefault(0, []).append((voltage, width, impedance))
        super().pulse(cell, voltage, width, impedance)

    @property
    def pulses(self):
        return self.trigger_lines.get(0, [])


@pytest.fixture
def station():
    geometry = DieGeometry(subarrays=1, rows=2, columns=2)
    wafer = SimulatedWafer(addresses=[DieAddress(0, 0)], geometry=geometry, seed=1)
    return RecordingStation(wafer=wafer)


@pytest.fixture
def generator(station):
    emulator = EmulatedKeysight81160A(station)
    emulator.receive(b"*CLS;*RST\n" + PULSE_SETUP)
    assert not emulator.errors
    return emulator


def ask(emulator, message):
    emulator.receive(message + b"\n")
    reply = b"".join(emulator.replies)
    emulator.replies.clear()
    return reply.decode()


def test_identity_is_that_of_the_instrument(generator):
    """Four fields; the second is the model."""
    assert ask(generator, b"*IDN?").split(",")[:2] == ["Agilent Technologies", "81160A"]


def test_trg_sends_one_positive_pulse_of_open_circuit_volts(generator, station):
    """High impedance: what is programmed is what an open circuit sees."""
    ask(generator, b":VOLT1 0.9;:VOLT1:OFFS 0.45;:PULS:WIDT1 30NS;:OUTP1 ON;*TRG")

    assert station.pulses == [(pytest.approx(0.9, rel=1e-4), pytest.approx(30e-9), 50.0)]
    assert station.clock.now == pytest.approx(30e-9)


def test_a_load_of_50_ohm_doubles_the_open_circuit_volts(generator, station):
    """Sheet value: levels refer to OUTP:LOAD."""
    ask(generator, b":OUTP:LOAD 50;:VOLT 0.9;:VOLT:OFFS 0.45;:OUTP ON;:TRIG1")

    assert [pulse[0] for pulse in station.pulses] == [pytest.approx(1.8)]


def test_inverted_polarity_idles_high_and_pulses_low(generator, station):
    """A negative pulse from 0 V."""
    ask(generator, b":OUTP:POL INV;:VOLT 0.8;:VOLT:OFFS -0.4;:OUTP ON;*TRG")

    assert [pulse[0] for pulse in station.pulses] == [pytest.approx(-0.8, rel=1e-4)]


def test_an_output_that_idles_off_zero_acts_on_the_cell_at_once(generator, station):
    """Normal polarity idles at the low level: here -0.8 V, for as long as it takes to notice."""
    ask(generator, b":VOLT 0.8;:VOLT:OFFS -0.4;:OUTP ON")

    assert station.pulses == [(pytest.approx(-0.8, rel=1e-4), 1e-3, 50.0)]


def test_a_free_running_generator_acts_at_both_levels(generator, station):
    """ARM:SOURce IMMediate repeats for ever."""
    ask(generator, b":VOLT 0.8;:VOLT:OFFS 0.2;:ARM:SOUR IMM;:OUTP ON")

    assert [pulse[0] for pulse in station.pulses] == pytest.approx([-0.2, 0.6], rel=1e-4)


def test_nothing_leaves_while_the_output_is_off(generator, station):
    """Whatever triggers it."""
    ask(generator, b":VOLT 0.9;:VOLT:OFFS 0.45;*TRG")
    generator.external_trigger()

    assert station.pulses == []


def test_the_external_input_fires_only_when_armed_for_it(generator, station):
    """And *TRG only when armed by hand."""
    ask(generator, b":VOLT 0.9;:VOLT:OFFS 0.45;:OUTP ON")
    generator.external_trigger()
    assert station.pulses == []

    ask(generator, b":ARM:SOUR1 EXT")
    generator.external_trigger()
    assert len(station.pulses) == 1
    assert ask(generator, b"*TRG;:SYST:ERR?").startswith('-211,"Trigger ignored')


def test_a_burst_sends_count_pulses_spaced_by_the_period(generator, station):
    """The clock says so too."""
    ask(generator, b":VOLT 0.9;:VOLT:OFFS 0.45;:PULS:PER 1US;:TRIG1:COUN 4;:OUTP ON;*TRG")

    assert len(station.pulses) == 4
    assert station.clock.now == pytest.approx(3 * 1e-6 + 100e-9)


def test_the_period_matters_to_bursts_only(generator):
    """User guide p. 142: ignored for triggered single pulses, else at least width + 1.6 edges."""
    assert ask(generator, b":PULS:PER1 20NS;:PULS:WIDT1 30NS;:SYST:ERR?") == '+0,"No error"\n'
    assert ask(generator, b":TRIG:COUN 2;:SYST:ERR?").startswith('-221,"Settings conflict;period')


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b":PULS:WIDT 1NS", -222),
        (b":FUNC:PULS:TRAN 900PS", -222),
        (b":FUNC:PULS:TRAN 300NS", -221),
        (b":VOLT 10.5", -221),
        (b":VOLT 0.02", -221),
        (b":VOLT:OFFS 9.9", -221),
        (b":VOLT:LOW 1.5", -221),
        (b":VOLT:LIM:HIGH 0.5;STAT ON;:VOLT:OFFS 0.1", -222),
        (b":VOLT3 1", -114),
    ],
)
def test_what_the_hardware_cannot_do_is_refused(generator, message, error):
    """And leaves the settings as they were."""
    ask(generator, b":VOLT 0.9;:VOLT:OFFS 0")
    before = (generator.amplitude, generator.offset, generator.width, generator.leading)

    assert ask(generator, message + b";:SYST:ERR?").startswith(f"{error},")
    assert before == (generator.amplitude, generator.offset, generator.width, generator.leading)


def test_levels_can_be_set_as_high_and_low(generator):
    """They are the same two numbers as amplitude and offset."""
    ask(generator, b":VOLT1:HIGH 1.2;LOW -0.3")

    assert ask(generator, b":VOLT1?;:VOLT1:OFFS?;HIGH?;LOW?") == (
        "+1.500000000E+00;+4.500000000E-01;+1.200000000E+00;-3.000000000E-01\n"
    )


def test_a_pulse_reaches_the_routed_cell(generator, station):
    """Through the 50 Ohm source and the path to the cell; a HIGH cell becomes LOW."""
    station.die_under_needles, station.in_contact, station.pulsed_cell = DieAddress(0, 0), True, 3
    die = station.die
    die.low[:] = False
    ask(generator, b":VOLT 1;:VOLT:OFFS 0.5;:PULS:WIDT 100NS;:OUTP ON;*TRG")

    assert np.array_equal(die.pulses_given, [0, 0, 0, 1])


def test_it_takes_what_pymeasures_transcripts_send(station):
    """One fresh instrument per command."""
    with COMMANDS.open(newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    assert len(rows) == 36
    for row in rows:
        emulator = EmulatedKeysight81160A(station)
        reply = ask(emulator, row["message"].encode())
        assert not emulator.errors, row
        assert bool(reply) == (row["reply_expected"] == "yes"), row


def test_outputs_have_settings_of_their_own_until_they_are_coupled(generator):
    ask(generator, b":VOLT1 0.9;:VOLT2 0.4")
    assert float(ask(generator, b":VOLT1?")) == 0.9
    assert float(ask(generator, b":VOLT2?")) == 0.4
    ask(generator, b":TRAC:CHAN1 ON")
    assert float(ask(generator, b":VOLT2?")) == 0.9
    ask(generator, b":VOLT2 0.7")
    assert float(ask(generator, b":VOLT1?")) == 0.7


def test_a_coupled_output_drives_the_cell_as_the_other_was_told(generator, station):
    """What the first was told the wired second does: nothing that couples is harmless."""
    second = EmulatedKeysight81160A(station, output=2)
    ask(second, PULSE_SETUP.strip() + b";:VOLT1 0.9;:VOLT1:OFFS 0.45;:OUTP1 ON;*TRG")
    assert station.pulses == []
    ask(second, b":TRAC:CHAN1 ON;*TRG")
    assert len(station.pulses) == 1


def test_adding_the_outputs_is_refused(generator):
    assert ask(generator, b":CHAN:MATH PLUS;:SYST:ERR?").startswith("-221,")
    assert ask(generator, b":CHAN:MATH?").strip() == "OFF"
