import csv
from pathlib import Path

import numpy as np
import pytest

from crossbar.errors import ConfigurationError
from crossbar.geometry import DieAddress, DieGeometry
from drivers.keysight_33500b import MODELS
from physics.wafer import SimulatedWafer
from simulated_instruments.keysight_33500b import (
    ONE_CHANNEL,
    TWO_CHANNELS,
    EmulatedKeysight33500B,
)
from simulated_instruments.probe_station import ProbeStation

COMMANDS = Path(__file__).parents[1] / "reference" / "pymeasure_keysight_33500b_commands.csv"
PULSES = b":FUNC PULS;:OUTP1:LOAD INF;:BURS:STAT ON;:BURS:NCYC 1;:TRIG1:SOUR BUS\n"


class RecordingStation(ProbeStation):
    """A probe station that notes the pulses at the board's connector."""

    def pulse(self, cell, voltage, width, impedance):
        self.trigger_lines.setdefault(0, []).append((voltage, width))
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
    emulator = EmulatedKeysight33500B(station)
    emulator.receive(b"*CLS;*RST\n" + PULSES)
    assert not emulator.errors
    return emulator


def ask(emulator, message):
    emulator.receive(message + b"\n")
    reply = b"".join(emulator.replies)
    emulator.replies.clear()
    return reply.decode()


def test_driver_and_emulator_know_the_same_models():
    assert set(MODELS) == set(ONE_CHANNEL + TWO_CHANNELS)
    for name, ratings in MODELS.items():
        assert ratings.channels == (2 if name in TWO_CHANNELS else 1)


def test_identity_names_the_model_that_was_asked_for(station):
    emulator = EmulatedKeysight33500B(station, model="33611A")
    assert ask(emulator, b"*IDN?").split(",")[:2] == ["Agilent Technologies", "33611A"]


def test_an_unknown_model_is_refused_with_the_known_ones(station):
    with pytest.raises(ConfigurationError, match=r"'33123X'.*33622A"):
        EmulatedKeysight33500B(station, model="33123X")


def test_trg_sends_one_positive_pulse_of_open_circuit_volts(generator, station):
    ask(generator, b":VOLT 0.9;:VOLT:OFFS 0.45;:FUNC:PULS:WIDT 30NS;:OUTP1 ON;*TRG")
    assert station.pulses == [(pytest.approx(0.9), pytest.approx(30e-9))]


def test_a_load_of_50_ohm_halves_what_the_same_levels_read(generator, station):
    """The output stage stays; only the numbers change."""
    ask(generator, b":VOLT 0.9;:VOLT:OFFS 0.45;:OUTP1:LOAD 50")
    assert float(ask(generator, b":VOLT?")) == pytest.approx(0.45)
    ask(generator, b":OUTP1 ON;*TRG")
    assert [pulse[0] for pulse in station.pulses] == [pytest.approx(0.9)]


def test_inverted_polarity_idles_high_and_pulses_low(generator, station):
    ask(generator, b":OUTP1:POL INV;:VOLT 0.8;:VOLT:OFFS -0.4;:OUTP1 ON;*TRG")
    assert [pulse[0] for pulse in station.pulses] == [pytest.approx(-0.8)]


def test_an_output_that_idles_off_zero_acts_on_the_cell_at_once(generator, station):
    ask(generator, b":VOLT 0.8;:VOLT:OFFS -0.4;:OUTP1 ON")
    assert [pulse[0] for pulse in station.pulses] == [pytest.approx(-0.8)]


def test_without_bursts_both_levels_act_on_the_cell(generator, station):
    """Free running: the factory setting's danger."""
    ask(generator, b":BURS:STAT OFF;:VOLT 0.8;:VOLT:OFFS 0.2;:OUTP1 ON")
    assert [pulse[0] for pulse in station.pulses] == pytest.approx([-0.2, 0.6])


def test_a_burst_sends_as_many_pulses_as_cycles_spaced_by_the_period(generator, station):
    ask(generator, b":VOLT 0.9;:VOLT:OFFS 0.45;:FUNC:PULS:PER 1US;WIDT 100NS;:BURS:NCYC 4")
    ask(generator, b":OUTP1 ON;*TRG")
    assert len(station.pulses) == 4
    assert station.clock.now == pytest.approx(3 * 1e-6 + 100e-9)


def test_output_2_leads_nowhere_and_has_settings_of_its_own(generator, station):
    ask(generator, b":SOUR2:FUNC PULS;:SOUR2:VOLT 3;:SOUR2:VOLT:OFFS 1.5;:OUTP2 ON;:TRIG2:SOUR BUS")
    ask(generator, b":SOUR2:BURS:STAT ON;*TRG")
    assert ask(generator, b":SYST:ERR?").startswith("+0")
    assert station.pulses == []
    assert float(ask(generator, b":SOUR2:VOLT?")) == 3.0
    assert float(ask(generator, b":SOUR1:VOLT?")) == pytest.approx(0.2)  # 0.1 V into 50 Ohm


def test_one_channel_models_have_no_second(station):
    emulator = EmulatedKeysight33500B(station, model="33511B")
    assert ask(emulator, b":SOUR2:VOLT 1;:SYST:ERR?").startswith("-114")


def test_triggers_are_told_apart(generator, station):
    ask(generator, b":VOLT 0.9;:VOLT:OFFS 0.45;:OUTP1 ON")
    generator.external_trigger()
    assert station.pulses == []
    ask(generator, b":TRIG1:SOUR EXT")
    generator.external_trigger()
    assert len(station.pulses) == 1
    assert ask(generator, b"*TRG;:SYST:ERR?").startswith("-211")


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b":VOLT 20.5", -221),
        (b":VOLT:OFFS 9.95;:VOLT 1", -221),
        (b":FUNC:PULS:WIDT 10NS", -222),
        (b":VOLT:LIM:HIGH 0.5;:VOLT:LIM:STAT ON;:VOLT:OFFS 0.6", -222),
        (b":FUNC:NOISE 3", -113),
        (b":VOLT", -109),
    ],
)
def test_what_the_generator_cannot_do_is_refused(generator, message, error):
    """And leaves the levels and the width as they were, where they were right."""
    before = generator.width
    assert ask(generator, message + b";:SYST:ERR?").startswith(f"{error},")
    assert generator.width == before


def test_rms_and_decibels_mean_what_they_say(generator):
    """1 Vrms of a sine is 2.83 V peak to peak; 0 dBm into 50 Ohm is 224 mVrms."""
    ask(generator, b":FUNC SIN;:OUTP1:LOAD 50;:VOLT 1 VRMS")
    assert float(ask(generator, b":VOLT?")) == pytest.approx(2.8284, rel=1e-4)
    ask(generator, b":VOLT:UNIT DBM;:VOLT 0;:VOLT:UNIT VRMS")
    assert float(ask(generator, b":VOLT?")) == pytest.approx(0.2236, rel=1e-3)


def test_a_pulse_reaches_the_routed_cell(generator, station):
    station.die_under_needles, station.in_contact, station.pulsed_cell = DieAddress(0, 0), True, 3
    ask(generator, b":VOLT 1;:VOLT:OFFS 0.5;:FUNC:PULS:WIDT 100NS;:OUTP1 ON;*TRG")
    assert np.array_equal(station.die.pulses_given, [0, 0, 0, 1])


def test_it_takes_what_pymeasures_transcripts_send(station):
    """PyMeasure's tests are of the two-channel 33600A; one fresh instrument per command."""
    with COMMANDS.open(newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    assert len(rows) > 20
    for row in rows:
        emulator = EmulatedKeysight33500B(station, model="33622A")
        ask(emulator, b"SOUR1:VOLT 0.01;:SOUR2:VOLT 0.01")  # so small that every offset fits
        reply = ask(emulator, row["message"].encode())
        assert not emulator.errors, row
        assert bool(reply) == (row["reply_expected"] == "yes"), row
