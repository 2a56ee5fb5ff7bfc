import pytest

from drivers.tektronix_afg31000 import MODELS
from simulated_instruments.tektronix_afg31000 import SERIES, EmulatedTektronixAFG31000
from tests.simulated_instruments.scpi_generators import TEKTRONIX_AFG31000
from tests.simulated_instruments.scpi_messages import ask

LEVELS = b":VOLT 0.9;:VOLT:OFFS 0.45;:PULS:WIDT 30NS"


@pytest.fixture
def generator(station):
    return TEKTRONIX_AFG31000.generator(station)


def test_driver_and_emulator_know_the_same_models():
    assert set(MODELS) == {series + channels for series in SERIES for channels in "12"}
    for name, ratings in MODELS.items():
        level, width, *_ = SERIES[name[:-1]]
        assert (ratings.largest_level, ratings.shortest_width) == (level, width)
        assert ratings.channels == int(name[-1])


def test_no_error_is_said_without_a_sign(generator):
    """As in the simulated devices of tm_devices."""
    assert ask(generator, b"SYST:ERR?") == '0,"No error"'


def test_before_its_first_burst_the_output_rests_at_the_start_of_the_waveform(generator, station):
    """Ours is the worse case: the pulse level, for as long as nobody notices."""
    ask(generator, LEVELS + b";:OUTP1:STAT ON")
    assert station.pulses == [(pytest.approx(0.9), pytest.approx(1e-3), 50.0)]


def test_another_waveform_needs_another_burst(generator, station):
    """The levels changed since the burst that nobody saw."""
    ask(generator, LEVELS + b";*TRG;:VOLT 0.8;:VOLT:OFFS 0.4;:OUTP1:STAT ON")
    assert station.volts == pytest.approx([0.8])


@pytest.mark.parametrize(("idle", "rests_at"), [(b"STAR", 0.9), (b"OFF", 0.9), (b"DC", 0.45)])
def test_an_idle_level_other_than_the_end_acts_on_the_cell(generator, station, idle, rests_at):
    """The trap of the burst mode."""
    ask(generator, LEVELS + b";:BURS:IDLE " + idle + b";*TRG;:OUTP1:STAT ON")
    assert station.volts == pytest.approx([rests_at])


def test_the_factory_setting_of_the_idle_level_is_not_the_end(station):
    emulator = EmulatedTektronixAFG31000(station)
    assert ask(emulator, b":SOUR1:BURS:IDLE?") == "OFF"
    ask(emulator, b":SOUR1:BURS:IDLE START")
    assert ask(emulator, b":SOUR1:BURS:IDLE?") == "STAR"


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
    assert station.volts == pytest.approx([4.8])
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
