import pytest

from crossbar.geometry import DieAddress, DieGeometry
from physics.wafer import SimulatedWafer
from simulated_instruments.keysight_81110a import EmulatedKeysight81110A
from simulated_instruments.probe_station import ProbeStation

PULSE_SETUP = b":ARM:SOUR MAN;:OUTP1:IMP:EXT 999E3\n"


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
    emulator = EmulatedKeysight81110A(station)
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
    assert ask(generator, b"*IDN?").split(",")[:2] == ["HEWLETT-PACKARD", "HP81110A"]


def test_trg_sends_one_pulse_of_open_circuit_volts(generator, station):
    """Units may follow without a space."""
    ask(generator, b":VOLT1:HIGH 900MV;LOW 0V;:PULS:WIDT1 30NS;:OUTP1 ON;*TRG")

    assert station.pulses == [(pytest.approx(0.9, rel=1e-3), pytest.approx(30e-9), 50.0)]


def test_the_expected_load_of_50_ohm_doubles_the_open_circuit_volts(generator, station):
    ask(generator, b":OUTP1:IMP:EXT 50OHM;:VOLT1 0.9V;:VOLT1:OFF 450MV;:OUTP1 ON;*TRG")

    assert [pulse[0] for pulse in station.pulses] == [pytest.approx(1.8)]


def test_inverted_polarity_idles_at_the_high_level(generator, station):
    """Set wrongly, the idle level acts on the cell."""
    ask(generator, b":OUTP1:POL INV;:VOLT1 0.8;:VOLT1:OFF 0.4;:OUTP1 ON")

    assert station.pulses == [(pytest.approx(0.8, rel=1e-3), 1e-3, 50.0)]


def test_switching_the_pattern_off_changes_the_trigger_count(generator):
    """The order trap: the count must be sent afterwards."""
    assert ask(generator, b":TRIG:COUN 1;:DIG:PATT OFF;:TRIG:COUN?") == "2\n"
    assert ask(generator, b":TRIG:COUN 1;:TRIG:COUN?") == "1\n"


def test_a_burst_is_spaced_by_the_period(generator, station):
    ask(generator, b":VOLT1 0.9;:VOLT1:OFF 0.45;:PULS:PER 1US;:TRIG:COUN 4;:OUTP1 ON;*TRG")

    assert len(station.pulses) == 4
    assert station.clock.now == pytest.approx(3 * 1e-6 + 100e-9)


def test_with_the_pattern_mode_on_nothing_is_sent(generator, station):
    ask(generator, b":VOLT1 0.9;:VOLT1:OFF 0.45;:DIG:PATT ON;:OUTP1 ON;*TRG")

    assert station.pulses == []


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b":PULS:WIDT1 3NS", -222),
        (b":PULS:TRAN1 1NS", -222),
        (b":PULS:TRAN1 1US", -221),
        (b":TRIG:COUN 65537", -222),
        (b":VOLT1 0.1", -221),
        (b":PULS:WIDT3 10NS", -114),
        (b":ARM:SOUR SOMETIMES", -224),
        (b":VOLT1:LIM:HIGH 0.3;STAT ON", -222),
    ],
)
def test_what_the_hardware_cannot_do_is_refused(generator, message, error):
    assert ask(generator, message + b";:SYST:ERR?").startswith(f"{error},")
