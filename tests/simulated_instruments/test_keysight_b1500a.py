import numpy as np
import pytest

from crossbar.errors import ConfigurationError
from simulated_instruments.flex_grammar import engineering
from simulated_instruments.keysight_b1500a import EmulatedKeysightB1500A
from tests.simulated_instruments.flex_messages import NO_ERROR, ask, say
from tests.simulated_instruments.stations import CELL


@pytest.fixture
def mainframe(station):
    return EmulatedKeysightB1500A(station)


def values(data):
    return [float(text[3:]) for text in data.split(",")]


def test_identity_and_modules(mainframe, station):
    assert ask(mainframe, "*IDN?").split(",")[1] == "B1500A"
    assert ask(mainframe, "UNT?") == ("B1517A,0;B1517A,0;B1520A,0;B1525A,0;0,0;0,0;0,0;0,0;0,0;0,0")
    with pytest.raises(ConfigurationError, match="10 slots"):
        EmulatedKeysightB1500A(station, ("B1517A", "B9999A"))


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (5e-12, 3, "+005.000E-12"),
        (-1.2345e-7, 4, "-123.4500E-09"),
        (0.0, 3, "+000.000E+00"),
        (0.9999999, 3, "+001.000E+00"),
        (999.9999e-6, 3, "+001.000E-03"),
        (199.999e99, 3, "+199.999E+99"),
        (float("inf"), 3, "+199.999E+99"),
        (1e-18, 3, "+000.001E-15"),
    ],
)
def test_numbers_in_data(value, digits, text):
    """Three digits before the point; what rounds up to 1000 moves on."""
    assert engineering(value, digits) == text
    assert len(text) == 9 + digits


def test_spot_measurement_and_compliance(mainframe):
    """N, C for the channel in compliance, T for the others."""
    say(mainframe, "CN 1,2;DV 1,0,0.1,1e-3;DV 2,0,0.1,1e-3")
    reading = ask(mainframe, "TI 1,0")
    truth = mainframe.station.die.conductance(np.array([CELL]), 0.1)[0] * 0.1
    assert reading.startswith("NAI")
    assert float(reading[3:]) == pytest.approx(truth, rel=0.05)

    say(mainframe, "DV 1,0,0.1,1e-6")
    assert ask(mainframe, "TI 1") == "CAI+001.000E-06"
    assert ask(mainframe, "TI 2").startswith("TBI")
    assert ask(mainframe, "TV 1").startswith("CAV")
    assert ask(mainframe, "LOP?").startswith("LOP11,01,00")


def test_current_source(mainframe):
    say(mainframe, "CN 1;DI 1,0,5e-6,1")
    both = ask(mainframe, "TIV 1,0,0")
    assert values(both)[0] == pytest.approx(5e-6)
    assert 0 < values(both)[1] < 1
    assert ask(mainframe, "*LRN? 1") == "DI1,0,5E-06,1,0,0"


def test_fixed_range_overflows(mainframe):
    """A fixed range that is too small answers no number."""
    say(mainframe, "CN 1;DV 1,0,0.1,1e-3")
    assert ask(mainframe, "TI 1,-11") == "VAI+199.999E+99"
    assert ask(mainframe, "TI 1,11").startswith("NAI")


@pytest.mark.parametrize(
    ("form", "head", "length"), [("1", "NAV", 15), ("11", "NAV", 16), ("21", "000AV", 18)]
)
def test_formats(mainframe, form, head, length):
    say(mainframe, f"FMT {form},0;CN 1")
    reading = ask(mainframe, "TV 1")
    assert reading.startswith(head)
    assert len(reading) == length
    say(mainframe, "FMT 2")
    assert float(ask(mainframe, "TV 1")) == 0


def test_staircase_sweep_with_source_values(mainframe):
    """W marks the steps, E the last one; the double sweep comes back."""
    say(mainframe, "FMT 1,1;CN 1;WT 0,0.001;WV 1,3,0,0,0.1,3,1e-3;MM 2,1")
    started = mainframe.station.clock.now
    fields = ask(mainframe, "XE").split(",")
    assert mainframe.station.clock.now - started > 6e-3
    assert [field[0] for field in fields[1::2]] == list("WWWWWE")
    assert values(",".join(fields[1::2])) == pytest.approx([0, 0.05, 0.1, 0.1, 0.05, 0])
    currents = values(",".join(fields[::2]))
    assert currents[2] > currents[1] > currents[0] == 0
    assert ask(mainframe, "*LRN? 1").startswith("DV1,0,0,0.001")


def test_a_sweep_stops_at_compliance(mainframe):
    """What is not measured any more is marked V; the output goes back to the start."""
    say(mainframe, "CN 1;WM 2,2;WV 1,1,0,0,0.2,5,2e-6;MM 2,1")
    statuses = [field[0] for field in ask(mainframe, "XE").split(",")]
    stop = statuses.index("C")
    assert statuses == ["N"] * stop + ["C"] + ["V"] * (4 - stop)
    assert ask(mainframe, "*LRN? 1").startswith("DV1,0,0,")


def test_a_synchronous_source_goes_the_same_way(mainframe):
    """Both modules measure both sides: current and voltage."""
    say(mainframe, "CN 1,2;CMM 1,4;CMM 2,4;WV 1,1,0,0,0.1,3,1e-3,1;WSV 2,0,1,2,1e-3;MM 2,1,2")
    data = values(ask(mainframe, "XE"))
    assert data[1::4] == pytest.approx([0, 0.05, 0.1])
    assert data[3::4] == pytest.approx([1, 1.5, 2])
    assert data[2::4] == [0, 0, 0]
    assert ask(mainframe, "*LRN? 33") == (
        "WM1,1;WT0,0,0,0,0;WV1,1,0,0,0.1,3,0.001,1;WSV2,0,1,2,0.001"
    )


def test_logarithmic_and_current_sweeps(mainframe):
    say(mainframe, "FMT 1,1;CN 1;WI 1,2,0,1e-7,1e-5,3,1;MM 2,1")
    data = ask(mainframe, "XE").split(",")
    assert [field[:3] for field in data] == ["NAV", "WAI", "NAV", "WAI", "NAV", "EAI"]
    assert values(",".join(data[1::2])) == pytest.approx([1e-7, 1e-6, 1e-5], rel=1e-2)


def test_the_capacitance_unit_reads_open_terminals(mainframe):
    say(mainframe, "CN 3;IMP 100;LMN 1;ACV 3,0.03;FC 3,1e5;DCV 3,1;WDCV 3,1,-1,1,11")
    assert ask(mainframe, "TC 3,0") == (
        "NCC+000.000E+00,NCY+000.000E+00,NCV+030.000E-03,NCV+001.000E+00"
    )
    assert ask(mainframe, "*LRN? 3") == "DCV3,1.0000;ACV3,0.0300;FC3,100000.0000"
    assert ask(mainframe, "*LRN? 100") == "WDCV3,1,-1,1,11;WMDCV1,1;WTDCV0,0,0,0,0"


def test_sampling_keeps_its_interval(mainframe):
    say(mainframe, "CN 1;MV 1,0,0,0.1,1e-3;MT 0,0.01,5;TSC 1;TSR;MM 10,1")
    data = values(ask(mainframe, "XE"))
    assert np.diff(data[::2]) == pytest.approx([0.01] * 4, rel=1e-3)
    assert all(current > 1e-6 for current in data[1::2])
    assert ask(mainframe, "*LRN? 47") == "MSC1,1;ML1;MT0,0.01,5,0;MV1,0,0,0.1,0.001"


def test_pulsed_spot_holds_the_level_for_the_width(mainframe, pulses):
    say(mainframe, "CN 1;PT 0,1e-3,10e-3;PV 1,0,0,0.5,1e-3;MM 3,1")
    assert ask(mainframe, "XE").startswith("NAI")
    assert len(pulses) == 1
    assert pulses[0][1] == pytest.approx(1e-3, rel=0.2)


def test_what_an_smu_holds_writes_the_cell(mainframe, pulses):
    """Time under voltage counts; at 0 V (``DZ``) it does not, and ``RZ`` brings it back."""
    say(mainframe, "CN 1;DV 1,0,0.8,1e-3")
    say(mainframe, "PA 0.001")
    assert pulses[0] == (pytest.approx(0.8, rel=0.1), pytest.approx(1e-3))
    say(mainframe, "DZ 1;PA 1")
    assert len(pulses) == 1
    assert ask(mainframe, "*LRN? 1").startswith("DV1,0,0,0.001")
    say(mainframe, "RZ;PA 0.001")
    assert len(pulses) == 2


PULSE = "CN 401;SIM 0;SPRM 1,1;SPPER 1e-6;SPM 401,1;SER 401,1E6;SPT 401,1,0,1e-7,2e-8"


def test_spgu_sends_as_many_pulses_as_it_is_told(mainframe, pulses):
    say(mainframe, PULSE)
    say(mainframe, "SPV 401,1,0,0.6;SPUPD 401;SRP")
    assert ask(mainframe, "SPST?") == "0"
    assert pulses == [(pytest.approx(0.6, rel=0.02), 1e-7)]
    say(mainframe, "SPRM 1,20;SRP")
    assert len(pulses) == 21
    say(mainframe, "SPRM 2,5e-6;SRP")
    assert len(pulses) == 26
    assert ask(mainframe, "SPRM?") == "2,5E-06"


def test_spgu_settings_read_back(mainframe):
    say(mainframe, PULSE + ";SPV 401,2,-0.5,1;ODSW 401,1,1;SPM 402,3")
    answers = {
        "SIM?": "0",
        "SPPER?": "1E-06",
        "SPM? 402": "3",
        "SER? 401": "1E+06",
        "SER? 402": "50",
        "SPT? 401,1": "0,1E-07,2E-08,2E-08",
        "SPV? 401,2": "-0.5,1",
        "ODSW? 401": "1,1",
        "*LRN? 4": "CN401;SPM401,1;SER401,1E+06;CL402;SPM402,3;SER402,50",
    }
    for query, answer in answers.items():
        assert ask(mainframe, query) == answer


def test_a_three_level_pulse_is_both_sources(mainframe, pulses):
    """And a base that is not 0 V acts on the cell between the pulses."""
    say(mainframe, PULSE + ";SPM 401,3;SPV 401,1,0,0.6;SPV 401,2,0,-0.5;SRP")
    assert [round(volts, 1) for volts, _ in pulses] == [0.6, -0.5]
    pulses.clear()
    say(mainframe, "SPM 401,1;SPV 401,1,0.3,0.6;SRP")
    assert [round(volts, 1) for volts, _ in pulses] == [0.6, 0.3]
    assert pulses[1][1] == pytest.approx(0.9e-6)
    pulses.clear()
    say(mainframe, "SPUPD 401")
    assert pulses[0][1] == pytest.approx(1e-3)


def test_levels_refer_to_the_load(mainframe, pulses):
    """With 50 Ohm left in place, a cell of high impedance gets twice the volts."""
    say(mainframe, PULSE + ";SER 401,50;SPV 401,1,0,0.3;SRP")
    assert pulses[0][0] == pytest.approx(0.6, rel=0.02)


def test_nothing_comes_out_of_an_open_switch_or_the_other_output(mainframe, pulses):
    say(mainframe, PULSE.replace("401", "402") + ";SPV 402,1,0,0.6;SRP")
    say(mainframe, PULSE + ";SPV 401,1,0,0.6;CL 401;SRP")
    assert pulses == []
    say(mainframe, "CL")
    ask(mainframe, "SRP")
    assert ask(mainframe, "ERRX?").startswith("+200")


def test_free_running_goes_on_until_stopped(mainframe, pulses):
    """It acts on the cell until somebody notices."""
    say(mainframe, PULSE + ";SPRM 0;SPV 401,1,0,0.6;SRP")
    assert ask(mainframe, "SPST?") == "1"
    assert pulses[0][1] > 1e-4
    say(mainframe, "SPP")
    assert ask(mainframe, "SPST?") == "0"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("XYZ 1", 100),
        ("CN 1;DV 1,0,abc", 102),
        ("DV 1", 102),
        ("CN 1;DV 1,99,0.1", 124),
        ("CN 1;DV 1,0,500", 120),
        ("CN 1;DV 1,0,50", 202),
        ("CN 1;DV 1,0,1,0.2", 123),
        ("CN 1;DV 1,0,30,0.08", 123),
        ("DV 1,0,1,1e-3", 200),
        ("TI 1", 200),
        ("TI 11", 121),
        ("TI 3", 151),
        ("CN 9", 151),
        ("MM 2,1,1", 122),
        ("MM 4,1", 214),
        ("XE", 214),
        ("WV 1,2,0,0,1,5,1e-3", 130),
        ("WSV 2,0,0,1", 214),
        ("AV 0", 120),
        ("AIT 1,3,1e-3", 120),
        ("FMT 3", 120),
        ("SPV 401,1,0,41", 120),
        ("SPV 101,1,0,1", 151),
        ("SPRM 1", 120),
        ("SPRM 0,1", 120),
        ("CN 401;SPT 401,1,0,1e-8,2e-8;SPUPD 401", 120),
        ("CN 401;SPPER 1e-7;SPUPD 401", 120),
        ("CN 401;SPRM 1,1000000;SRP", 120),
        ("CN 401;SIM 1;SRP", 214),
        ("TC 3,0", 200),
        ("*LRN? 99", 120),
        ("DV " + "1," * 200, 150),
    ],
)
def test_what_is_refused(mainframe, message, code):
    """With the code that says why; the rest of the line is skipped."""
    assert ask(mainframe, message + ";TV 1") == ""
    assert ask(mainframe, "ERRX?").startswith(f"{code:+d},")
    assert ask(mainframe, "ERRX?") == NO_ERROR


def test_errors_are_kept_in_order_and_explained(mainframe):
    ask(mainframe, "XYZ")
    ask(mainframe, "AV 0")
    assert mainframe.status_byte() & 0x20
    assert ask(mainframe, "EMG? 120") == "Incorrect parameter value."
    assert ask(mainframe, "ERRX? 1") == "+100"
    assert ask(mainframe, "ERR?") == "120,0,0,0"
    assert ask(mainframe, "ERR? 1") == "0"


def test_an_answer_waits_ahead_of_unread_data(mainframe):
    """``NUB?`` counts the data, ``BC`` drops them."""
    say(mainframe, "CN 1")
    mainframe.receive(b"TIV 1\r\nTV 1\r\nNUB?\r\n")
    assert mainframe.replies.popleft() == b"3\r\n"
    assert len(mainframe.replies) == 2
    mainframe.receive(b"BC\r\nNUB?\r\n")
    assert list(mainframe.replies) == [b"0\r\n"]


def test_settings_are_learned_and_restored(mainframe):
    say(mainframe, "AV -5;FL 1,1;RI 1,-15;CMM 2,3;AAD 1,1;TSC 1;CN 1,401")
    learned = {
        "0": "CN1,401",
        "30": "FL0,2;FL1,1",
        "31": "TM1;AV-5,0;CM0;FMT1,0;MM1",
        "32": "RI1,-15;RI2,0;RV1,0;RV2,0",
        "46": "CMM1,0;CMM2,3",
        "55": "AAD1,1;AAD2,0",
        "60": "TSC1",
    }
    for kind, answer in learned.items():
        assert ask(mainframe, f"*LRN? {kind}") == answer
    say(mainframe, "*RST")
    assert ask(mainframe, "*LRN? 0") == "CL"
    assert ask(mainframe, "*LRN? 30") == "FL0"
    assert ask(mainframe, "*LRN? 1") == "CL1"


def test_the_selector_leads_one_unit_to_the_cell(station, pulses):
    """Without the digital lines in its service it refuses to switch."""
    mainframe = EmulatedKeysightB1500A(station, selector=True)
    ask(mainframe, "ERSSP 0,1")
    assert ask(mainframe, "ERRX?").startswith("+214")
    say(mainframe, "ERMOD 1;CN 1;DV 1,0,0.1,1e-3")
    assert values(ask(mainframe, "TI 1")) == [0.0]
    say(mainframe, "ERSSP 0,1")
    assert values(ask(mainframe, "TI 1"))[0] > 1e-6
    say(mainframe, PULSE + ";SPV 401,1,0,0.6;SRP")
    assert pulses == []
    say(mainframe, "ERSSP 0,2;SRP")
    assert len(pulses) == 1
    assert values(ask(mainframe, "TI 1")) == [0.0]


def test_group_execute_trigger_starts_the_measurement(mainframe):
    say(mainframe, "CN 1;MM 1,1")
    mainframe.trigger()
    assert mainframe.replies.popleft().startswith(b"NAI")
    say(mainframe, "CL")
    mainframe.trigger()
    assert ask(mainframe, "ERRX?").startswith("+200")
