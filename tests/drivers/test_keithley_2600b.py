"""The driver against the manual, and against the emulator."""

import pytest
from pymeasure.test import expected_protocol

from crossbar.errors import (
    ConfigurationError,
    InstrumentError,
    LimitError,
    NoReplyError,
    ReplyError,
    ReportedError,
    WrongInstrumentError,
)
from crossbar.geometry import DieAddress, DieGeometry
from drivers.keithley_2600b import Keithley2600B, Preparation
from drivers.visa import connect
from physics.wafer import SimulatedWafer
from simulated_instruments.keithley_2600b import EmulatedKeithley2600B
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.visa_library import EmulatorVisaLibrary

DIE = DieAddress(0, 0)
ADDRESS = "GPIB0::26::INSTR"
IDENTITY = "Keithley Instruments Inc., Model 2636B, 4498311, 3.3.5"
NO_ERROR = ("print(errorqueue.next())", "0.00000e+00\tQueue Is Empty\t0.00000e+00\t1.00000e+00")
MEASURE_100_MV = (
    "smua.source.levelv = 0.1 local i, clamped = smua.measure.i(), smua.source.compliance "
    "smua.source.levelv = 0 print(i, clamped, smua.source.output, errorqueue.count)"
)
SYNCHRONIZE = [
    ("abort", None),
    ("*CLS", None),
    ('localnode.prompts = 0 localnode.showerrors = 0 print("in step")', "in step"),
]
OFF = ("smua.abort() smua.source.levelv = 0 smua.source.output = smua.OUTPUT_OFF", None)
PREPARED = Preparation(current_limit=1e-3, max_voltage=2.0, nplc=0.1, measure_delay=2e-4)


@pytest.mark.parametrize(
    ("name", "value", "sent", "read_back"),
    [
        ("level", 0.12345678, "smua.source.levelv = 0.12345678", "levelv"),
        ("current_limit", 1e-7, "smua.source.limiti = 1e-07", "limiti"),
        ("source_range", 2.0, "smua.source.rangev = 2", "rangev"),
        ("source_autorange", False, "smua.source.autorangev = 0", "autorangev"),
        ("source_function", 1, "smua.source.func = 1", "func"),
        ("output", True, "smua.source.output = 1", "output"),
        ("off_mode", 2, "smua.source.offmode = 2", "offmode"),
    ],
)
def test_source_properties(name, value, sent, read_back):
    """Each property of the source sends and reads the attribute of the manual."""
    protocol = [(sent, None), (f"print(smua.source.{read_back})", f"{float(value):.8e}")]
    with expected_protocol(Keithley2600B, protocol) as smu:
        setattr(smu.smua, name, value)

        assert getattr(smu.smua, name) == value


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("nplc", 0.001, "smua.measure.nplc = 0.001"),
        ("measure_range", 1e-7, "smua.measure.rangei = 1e-07"),
        ("measure_autorange", 2, "smua.measure.autorangei = 2"),
        ("measure_delay", 2e-4, "smua.measure.delay = 0.0002"),
        ("autozero", 1, "smua.measure.autozero = 1"),
        ("sense", 1, "smua.sense = 1"),
    ],
)
def test_measure_properties(name, value, sent):
    """Each property of the measurement sends the attribute of the manual."""
    query = f"print({sent.split(' =')[0]})"
    with expected_protocol(Keithley2600B, [(sent, None), (query, f"{value:.8e}")]) as smu:
        setattr(smu.smua, name, value)

        assert getattr(smu.smua, name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [("level", 41.0), ("level", float("nan")), ("current_limit", 0.0), ("nplc", 26.0)],
)
def test_out_of_range_sends_nothing(name, value):
    """Values beyond what every model takes raise before a byte is sent."""
    with expected_protocol(Keithley2600B, []) as smu, pytest.raises(LimitError):
        setattr(smu.smua, name, value)


def test_identity_sets_ratings():
    """A 2636B takes 200 V and 100 pA; *IDN? is asked once."""
    with expected_protocol(
        Keithley2600B,
        [("*IDN?", IDENTITY), ("smua.source.levelv = 150", None)],
    ) as smu:
        smu.check_identity()
        smu.smua.level = 150.0

        assert smu.ratings.smallest_current_limit == 1e-10
        assert smu.identity == IDENTITY


def test_wrong_instrument():
    """The message names what answered and what was expected."""
    with (
        expected_protocol(Keithley2600B, [("*IDN?", "KEITHLEY,MODEL 2450,1,1.0")]) as smu,
        pytest.raises(WrongInstrumentError, match=r"expected a Keithley 2601B.*MODEL 2450"),
    ):
        smu.check_identity()


def test_prepare_limits_before_switching_on():
    """The current limit is set and read back before the output goes on, all ranges are fixed."""
    protocol = [
        OFF,
        *SYNCHRONIZE,
        ("format.data = format.ASCII format.asciiprecision = 16", None),
        ("smua.source.func = 1", None),
        ("smua.source.rangev = 2", None),
        ("smua.source.limiti = 0.001", None),
        ("print(smua.source.limiti)", "1.000000000000000e-03"),
        ("smua.measure.rangei = 0.001", None),
        ("smua.measure.nplc = 0.1", None),
        ("smua.measure.delay = 0.0002", None),
        ("smua.measure.autozero = 1", None),
        NO_ERROR,
        ("smua.source.output = 1", None),
    ]
    with expected_protocol(Keithley2600B, protocol) as smu:
        smu.prepare(1e-3)

        assert smu.preparation == PREPARED


def test_prepare_refuses_a_limit_that_did_not_take():
    """If the limit reads back differently, the output stays off."""
    protocol = [
        OFF,
        *SYNCHRONIZE,
        ("format.data = format.ASCII format.asciiprecision = 16", None),
        ("smua.source.func = 1", None),
        ("smua.source.rangev = 2", None),
        ("smua.source.limiti = 0.001", None),
        ("print(smua.source.limiti)", "1.000000000000000e-01"),
        NO_ERROR,
    ]
    with (
        expected_protocol(Keithley2600B, protocol) as smu,
        pytest.raises(InstrumentError, match=r"100 mA after 1 mA .* stays off"),
    ):
        smu.prepare(1e-3)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("2.0e-05\tfalse\t1.0e+00\t0.0e+00", (2e-5, False)),
        ("1.0e-03\ttrue\t1.0e+00\t0.0e+00", (1e-3, True)),
        ("-9.91000e+37\ttrue\t1.0e+00\t0.0e+00", (-1e-3, True)),
    ],
)
def test_measure_is_one_round_trip(reply, expected):
    """Level, reading, compliance and back to 0 V travel in one message."""
    with expected_protocol(Keithley2600B, [(MEASURE_100_MV, reply)]) as smu:
        smu.preparation = PREPARED

        assert smu.measure(0.1) == expected


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        ("9.91000e+37\tfalse\t1.0e+00\t0.0e+00", ReplyError),
        ("2.0e-05\tmaybe\t1.0e+00\t0.0e+00", ReplyError),
        ("TSP>", ReplyError),
        ("2.0e-05\tfalse\t0.0e+00\t0.0e+00", InstrumentError),
    ],
)
def test_measure_distrusts_replies(reply, error):
    """An overflow, garbage, and an output that went off by itself are errors."""
    with expected_protocol(Keithley2600B, [(MEASURE_100_MV, reply)]) as smu:
        smu.preparation = PREPARED
        with pytest.raises(error):
            smu.measure(0.1)


def test_measure_unprepared_or_beyond_range_sends_nothing():
    """With the output off, and beyond the prepared range, nothing is sent."""
    with expected_protocol(Keithley2600B, []) as smu:
        with pytest.raises(InstrumentError, match="prepare"):
            smu.measure(0.1)
        smu.preparation = PREPARED
        with pytest.raises(LimitError, match=r"2.5 V .*±2 V"):
            smu.measure(2.5)


def test_check_errors_empties_the_queue():
    """All entries are in the message."""
    protocol = [
        ("print(errorqueue.next())", "1.10200e+03\tParameter too small\t2.0e+01\t1.0e+00"),
        ("print(errorqueue.next())", "-2.85000e+02\tTSP Syntax error\t2.0e+01\t1.0e+00"),
        NO_ERROR,
    ]
    with (
        expected_protocol(Keithley2600B, protocol) as smu,
        pytest.raises(ReportedError, match=r"1102, Parameter too small; -285, TSP Syntax error"),
    ):
        smu.check_errors()


@pytest.mark.parametrize("reply", ["0.00000e+00", "TSP>\tready", "inf\tand on"])
def test_what_is_no_entry_of_the_queue_is_told(reply):
    with (
        expected_protocol(Keithley2600B, [("print(errorqueue.next())", reply)]) as smu,
        pytest.raises(ReplyError, match="entry of its error queue"),
    ):
        smu.check_errors()


def test_shutdown_switches_off():
    """Leaving a with block sends 0 V and output off."""
    with expected_protocol(Keithley2600B, [OFF]) as smu, smu:
        pass


def test_numbers_that_are_none():
    """A reply that is no number raises with its text."""
    with (
        expected_protocol(Keithley2600B, [("print(smua.source.levelv)", "nil")]) as smu,
        pytest.raises(ReplyError, match="'nil'"),
    ):
        _ = smu.smua.level


@pytest.fixture
def emulator() -> EmulatedKeithley2600B:
    wafer = SimulatedWafer(
        addresses=[DIE], geometry=DieGeometry(subarrays=1, rows=5, columns=5), seed=3
    )
    station = ProbeStation(wafer=wafer, die_under_needles=DIE, in_contact=True, measured_cell=12)
    return EmulatedKeithley2600B(station)


@pytest.fixture
def smu(emulator) -> Keithley2600B:
    library = EmulatorVisaLibrary({ADDRESS: emulator}, clock=emulator.station.clock)
    driver = Keithley2600B(connect(ADDRESS, role="smu", visa_library=library, timeout=2.0))
    driver.check_identity()
    return driver


def test_off_after_construction(smu, emulator):
    """Until it is prepared the output is off, and after off and shutdown again."""
    outputs = [emulator.channels["smua"].source["output"]]
    for action in (lambda: smu.prepare(1e-3), smu.off, lambda: smu.prepare(1e-3), smu.shutdown):
        action()
        outputs.append(emulator.channels["smua"].source["output"])

    assert outputs == [0, 1, 0, 1, 0]


def test_measures_through_the_link(smu, emulator):
    """A reading is the cell's current; in compliance it is the limit; the level returns to 0 V."""
    smu.prepare(1e-3)
    current, clamped = smu.measure(0.1)
    smu.prepare(1e-6)

    assert 1e-6 < current < 1e-3
    assert not clamped
    assert smu.measure(-0.1) == (-1e-6, True)
    assert emulator.channels["smua"].source["levelv"] == 0


def test_prepare_after_a_careless_program(smu, emulator):
    """Prompts, old errors, unread replies and an unfinished script do not get in the way."""
    for line in ("localnode.prompts = 1", "smua.source.limiti = 0", "print(7)", "loadscript lost"):
        emulator.receive(line.encode() + b"\n")

    smu.prepare(1e-3)

    assert abs(smu.measure(0.1)[0]) < 1e-3


def test_script_with_arguments(smu):
    """An uploaded function is called with exact numbers and booleans, and its print comes back."""
    smu.load_script("sums", "function sum(a, b, yes)\nif yes then print(a + b) end\nend")

    assert [float(line) for line in smu.call("sum", 2, 0.5, True)] == [2.5]


@pytest.mark.parametrize("text", ["x = = 1", "error('no')", "smua.source.limiti = 0"])
def test_bad_script_is_reported(smu, text):
    """Syntax errors, run-time errors and refused settings of a script raise."""
    with pytest.raises(ReportedError):
        smu.load_script("bad", text)


@pytest.mark.parametrize(("name", "text"), [("two words", ""), ("fine", "x = 1\n endscript ")])
def test_impossible_script_is_not_sent(name, text):
    """A name with a space and an endscript within the text are refused before sending."""
    with expected_protocol(Keithley2600B, []) as smu, pytest.raises(ConfigurationError):
        smu.load_script(name, text)


def test_timeout_then_synchronize(smu):
    """A script slower than the timeout is not repeated; afterwards replies are in step again."""
    smu.load_script("slow", "runs = 0 function wait() runs = runs + 1 delay(3) print('late') end")
    with pytest.raises(NoReplyError):
        smu.call("wait")

    smu.synchronize()

    assert [float(line) for line in smu.call("print", 5)] == [5]
    assert float(smu.ask("print(runs)")) == 1
