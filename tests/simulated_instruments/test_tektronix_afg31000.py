import csv
from pathlib import Path

import numpy as np
import pytest

from crossbar.errors import ConfigurationError
from crossbar.geometry import DieAddress, DieGeometry
from drivers.tektronix_afg31000 import MODELS
from physics.wafer import SimulatedWafer
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.tektronix_afg31000 import SERIES, EmulatedTektronixAFG31000

REFERENCE = Path(__file__).parents[1] / "reference"
BURSTS = b":FUNC PULS;:OUTP1:IMP INF;:BURS:STAT ON;:BURS:NCYC 1;:BURS:IDLE END;:TRIG:SOUR EXT\n"
LEVELS = b":VOLT 0.9;:VOLT:OFFS 0.45;:PULS:WIDT 30NS"


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
    emulator = EmulatedTektronixAFG31000(station)
    emulator.receive(b"*CLS;*RST\n" + BURSTS)
    assert not emulator.errors
    return emulator


def ask(emulator, message):
    emulator.receive(message + b"\n")
    reply = b"".join(emulator.replies)
    emulator.replies.clear()
    return reply.decode().strip()


def volts(station):
    return [pulse[0] for pulse in station.pulses]


def test_driver_and_emulator_know_the_same_models():
    assert set(MODELS) == {series + channels for series in SERIES for channels in "12"}
    for name, ratings in MODELS.items():
        level, width, *_ = SERIES[name[:-1]]
        assert (ratings.largest_level, ratings.shortest_width) == (level, width)
        assert ratings.channels == int(name[-1])


def test_identity_names_the_model_that_was_asked_for(station):
    emulator = EmulatedTektronixAFG31000(station, model="AFG31021")
    assert ask(emulator, b"*IDN?").split(",")[:2] == ["TEKTRONIX", "AFG31021"]


@pytest.mark.parametrize("model", ["AFG3152C", "AFG31153", "", "AFG3115"])
def test_an_unknown_model_is_refused_with_the_known_ones(station, model):
    with pytest.raises(ConfigurationError, match=r"AFG31021.*AFG31252"):
        EmulatedTektronixAFG31000(station, model=model)


def test_no_error_is_said_without_a_sign(generator):
    """As in the simulated devices of tm_devices."""
    assert ask(generator, b"SYST:ERR?") == '0,"No error"'


def test_trg_sends_one_positive_pulse_of_open_circuit_volts(generator, station):
    """The first trigger, with the output off, brings the output to its end point."""
    ask(generator, LEVELS + b";*TRG;:OUTP1:STAT ON;*TRG")
    assert station.pulses == [(pytest.approx(0.9), pytest.approx(30e-9))]


def test_before_its_first_burst_the_output_rests_at_the_start_of_the_waveform(generator, station):
    """Ours is the worse case: the pulse level, for as long as nobody notices."""
    ask(generator, LEVELS + b";:OUTP1:STAT ON")
    assert station.pulses == [(pytest.approx(0.9), pytest.approx(1e-3))]


def test_another_waveform_needs_another_burst(generator, station):
    """The levels changed since the burst that nobody saw."""
    ask(generator, LEVELS + b";*TRG;:VOLT 0.8;:VOLT:OFFS 0.4;:OUTP1:STAT ON")
    assert volts(station) == pytest.approx([0.8])


@pytest.mark.parametrize(("idle", "rests_at"), [(b"STAR", 0.9), (b"OFF", 0.9), (b"DC", 0.45)])
def test_an_idle_level_other_than_the_end_acts_on_the_cell(generator, station, idle, rests_at):
    """The trap of the burst mode."""
    ask(generator, LEVELS + b";:BURS:IDLE " + idle + b";*TRG;:OUTP1:STAT ON")
    assert volts(station) == pytest.approx([rests_at])


def test_the_factory_setting_of_the_idle_level_is_not_the_end(station):
    emulator = EmulatedTektronixAFG31000(station)
    assert ask(emulator, b":SOUR1:BURS:IDLE?") == "OFF"
    ask(emulator, b":SOUR1:BURS:IDLE START")
    assert ask(emulator, b":SOUR1:BURS:IDLE?") == "STAR"


def test_inverted_polarity_idles_high_and_pulses_low(generator, station):
    ask(generator, b":OUTP1:POL INV;:VOLT 0.8;:VOLT:OFFS -0.4;*TRG;:OUTP1:STAT ON;*TRG")
    assert volts(station) == pytest.approx([-0.8])


@pytest.mark.parametrize("free", [b":BURS:STAT OFF", b":TRIG:SOUR TIM"])
def test_free_running_both_levels_act_on_the_cell(generator, station, free):
    """Without bursts, or with the timer as trigger: the factory setting's danger."""
    ask(generator, free + b";:VOLT 0.8;:VOLT:OFFS 0.2;*TRG;:OUTP1:STAT ON")
    assert volts(station) == pytest.approx([-0.2, 0.6])


def test_a_burst_sends_as_many_pulses_as_cycles_spaced_by_the_period(generator, station):
    ask(generator, LEVELS + b";:PULS:PER 1US;WIDT 100NS;:BURS:NCYC 4;*TRG;:OUTP1:STAT ON;*TRG")
    assert len(station.pulses) == 4
    assert station.clock.now == pytest.approx(3 * 1e-6 + 100e-9)


def test_the_external_source_takes_the_bus_as_well(generator, station):
    """Three ways to the same burst; the timer as source closes the input."""
    ask(generator, LEVELS + b";*TRG;:OUTP1:STAT ON")
    generator.external_trigger()
    ask(generator, b"TRIG")
    ask(generator, b"TRIGger:SEQuence:IMMediate;*TRG")
    assert len(station.pulses) == 4
    ask(generator, b":OUTP1:STAT OFF;:TRIG:SOUR TIM")
    generator.external_trigger()
    assert len(station.pulses) == 4


def test_a_trigger_without_bursts_is_ignored_and_told(generator):
    assert ask(generator, b":BURS:STAT OFF;*TRG;:SYST:ERR?").startswith("-211")


def test_a_load_halves_what_the_same_levels_and_limits_read(generator, station):
    """And back; the output stage stays, even where the numbers alone would be too large."""
    ask(generator, b":VOLT:LIM:HIGH MAX;:VOLT 4.8;:VOLT:OFFS 2.4;:OUTP1:IMP 50")
    assert ask(generator, b":OUTP1:IMP?;:SYST:ERR?") == '50;0,"No error"'
    assert float(ask(generator, b":VOLT?")) == pytest.approx(2.4)
    assert float(ask(generator, b":VOLT:LIM:HIGH?")) == pytest.approx(2.5)
    ask(generator, b"*TRG;:OUTP1:STAT ON;*TRG")
    assert volts(station) == pytest.approx([4.8])
    assert ask(generator, b":OUTP1:IMP INF;:OUTP1:IMP?") == "9.9E+37"
    assert float(ask(generator, b":VOLT?")) == pytest.approx(4.8)


def test_limits_are_always_in_force(generator):
    """Nothing switches them on, and *RST opens them."""
    assert ask(generator, b":VOLT:LIM:STAT ON;:SYST:ERR?").startswith("-113")
    ask(generator, b":VOLT 0.5;:VOLT:LIM:HIGH 0.5;:VOLT:LIM:LOW -0.5")
    assert ask(generator, b":VOLT:OFFS 0.4;:SYST:ERR?").startswith("-222")
    assert float(ask(generator, b":VOLT:OFFS?")) == 0
    ask(generator, b"*RST")
    assert float(ask(generator, b":VOLT:LIM:HIGH?")) == pytest.approx(2.5)  # into 50 Ohm
    assert float(ask(generator, b":VOLT:LIM:LOW?")) == pytest.approx(-2.5)


def test_minimum_and_maximum_are_the_models_own(generator):
    ask(generator, b":PULS:PER 1US;TRAN:LEAD MIN;TRA MINIMUM;:PULS:WIDT MIN")
    assert float(ask(generator, b":PULS:WIDT?")) == pytest.approx(5e-9)
    assert float(ask(generator, b":PULS:TRAN:LEAD?")) == pytest.approx(4e-9)
    ask(generator, b":PULS:WIDT MAX;:VOLT:LIM:LOW MIN")
    assert float(ask(generator, b":PULS:WIDT?")) == pytest.approx(1e-6 - 5e-9)
    assert float(ask(generator, b":VOLT:LIM:LOW?")) == pytest.approx(-5)
    assert ask(generator, b":SYST:ERR?") == '0,"No error"'


def test_a_slower_shape_lowers_the_frequency(generator):
    ask(generator, b":FUNC SIN;:FREQ 150MHZ;:FUNC PULS")
    assert float(ask(generator, b":FREQ:FIX?")) == pytest.approx(120e6)
    assert ask(generator, b":SYST:ERR?") == '0,"No error"'


def test_output_2_leads_nowhere_and_has_settings_of_its_own(generator, station):
    ask(generator, b":SOUR2:FUNC PULS;:SOUR2:VOLT 3;:SOUR2:VOLT:OFFS 0;:SOUR2:BURS ON;:OUTP2 ON")
    ask(generator, b":SOUR1:BURS OFF;*TRG")
    assert ask(generator, b":SYST:ERR?") == '0,"No error"'
    assert station.pulses == []
    assert float(ask(generator, b":SOUR2:VOLT?")) == 3.0
    assert float(ask(generator, b":SOUR1:VOLT?")) == pytest.approx(2.0)  # 1 V into 50 Ohm


def test_one_channel_models_have_no_second(station):
    emulator = EmulatedTektronixAFG31000(station, model="AFG31151")
    assert ask(emulator, b":SOUR2:VOLT 1;:SYST:ERR?").startswith("-114")


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b":VOLT 20.5", -222),
        (b":VOLT 10;:VOLT:OFFS 0.1", -222),
        (b":VOLT:LIM:HIGH 5.1", -222),
        (b":PULS:WIDT 4NS", -222),
        (b":PULS:PER 8NS", -222),
        (b":FREQ 121MHZ", -222),
        (b":FUNC:EFIL 3", -113),
        (b":TRIG:SOUR BUS", -224),
        (b":BURS:IDLE LOW", -224),
        (b":VOLT", -109),
        (b":TRAC EMEM1,#13abc", -161),
    ],
)
def test_what_the_generator_cannot_do_is_refused(generator, message, error):
    before = generator.width
    assert ask(generator, message + b";:SYST:ERR?").startswith(f"{error},")
    assert generator.width == before


def test_larger_models_have_larger_levels(station):
    emulator = EmulatedTektronixAFG31000(station, model="AFG31052")
    assert ask(emulator, b":OUTP1:IMP INF;:VOLT 10;:VOLT:OFFS 5;:SYST:ERR?") == '0,"No error"'


def test_arbitrary_waveforms_are_taken_and_nothing_is_sent(generator, station):
    ask(generator, b":TRAC EMEM1,#14abcd;:DATA:DATA EMEM2,#14abcd")
    ask(generator, b":FUNC EMEM1;:VOLT 0.8;:VOLT:OFFS 0;*TRG;:OUTP1:STAT ON;*TRG")
    assert ask(generator, b":SYST:ERR?") == '0,"No error"'
    assert station.pulses == []


def test_a_pulse_reaches_the_routed_cell(generator, station):
    station.die_under_needles, station.in_contact, station.pulsed_cell = DieAddress(0, 0), True, 3
    ask(generator, LEVELS + b";*TRG;:OUTP1:STAT ON;*TRG")
    assert np.array_equal(station.die.pulses_given, [0, 0, 0, 1])


@pytest.mark.parametrize("client", ["pymeasure", "qmi"])
def test_it_takes_what_the_transcripts_of_clients_send(station, client):
    """One fresh instrument per command; QMI's authors drove an AFG31022."""
    path = REFERENCE / f"{client}_tektronix_afg31000_commands.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    assert len(rows) >= 3
    for row in rows:
        emulator = EmulatedTektronixAFG31000(station, model="AFG31022")
        reply = ask(emulator, row["message"].encode())
        assert not emulator.errors, row
        assert bool(reply) == (row["reply_expected"] == "yes"), row
