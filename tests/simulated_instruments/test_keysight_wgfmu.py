import ctypes
import inspect

import numpy as np
import pytest

from drivers.wgfmu_library import SIGNATURES, error_summary
from simulated_instruments.keysight_wgfmu import EmulatedKeysightWgfmu
from simulated_instruments.wgfmu_waveform import Pattern
from tests.simulated_instruments.stations import CELL
from tests.simulated_instruments.transcripts import rows

CHANNEL = 501


@pytest.fixture
def library(station):
    return EmulatedKeysightWgfmu(station)


def run(library, *calls):
    """Call functions by their names without WGFMU_; all must succeed."""
    for name, *arguments in calls:
        code = getattr(library, f"WGFMU_{name}")(*arguments)
        assert code == 0, (name, code, error_summary(library))


def pulse_of(volts, count=1.0, mode=2002):
    return [
        ("createPattern", b"p", 0.0),
        ("addVector", b"p", 20e-9, volts),
        ("addVector", b"p", 180e-9, volts),
        ("addVector", b"p", 20e-9, 0.0),
        ("addVector", b"p", 100e-9, 0.0),
        ("addSequence", CHANNEL, b"p", count),
        ("setOperationMode", CHANNEL, mode),
        ("connect", CHANNEL),
    ]


def test_signatures_are_the_published_ones():
    """Every function of the stand-in and every declaration of the driver."""
    published = {
        row["function"]: [p.strip() for p in (row["parameters"] or "").split(";") if p]
        for row in rows("wgfmu_signatures")
    }
    own = {
        name: list(inspect.signature(method).parameters)[1:]
        for name, method in inspect.getmembers(EmulatedKeysightWgfmu, inspect.isfunction)
        if name.startswith("WGFMU_")
    }
    kinds = {
        "const char*": ctypes.c_char_p,
        "double": ctypes.c_double,
        "int": ctypes.c_int,
        "double*": ctypes.POINTER(ctypes.c_double),
        "int*": ctypes.POINTER(ctypes.c_int),
        "char*": ctypes.POINTER(ctypes.c_char),
    }

    assert len(own) > 30
    assert own == {name: [p.split()[-1] for p in ps] for name, ps in published.items()}
    assert {
        name: tuple(kinds[p.rpartition(" ")[0]] for p in ps) for name, ps in published.items()
    } == SIGNATURES


def test_nothing_happens_before_execute(library, pulses):
    """Then one pulse: as wide as it is above half of its level."""
    run(library, *pulse_of(0.6))
    assert pulses == []
    run(library, ("execute",), ("waitUntilCompleted",))
    assert pulses == [(pytest.approx(0.6, rel=0.02), pytest.approx(200e-9))]
    status, spent, total = (ctypes.c_int * 1)(), (ctypes.c_double * 1)(), (ctypes.c_double * 1)()
    run(library, ("getChannelStatus", CHANNEL, status, spent, total))
    assert (status[0], spent[0]) == (10000, pytest.approx(320e-9))
    assert library.station.clock.now == pytest.approx(320e-9)


def test_a_sequence_repeats_its_pattern(library, pulses):
    run(library, *pulse_of(-0.6, 5.0), ("execute",))
    assert len(pulses) == 5
    assert pulses[0][0] < -0.5


def test_a_disconnected_or_unwired_channel_reaches_no_cell(library, pulses):
    run(library, *pulse_of(0.6), ("disconnect", CHANNEL))
    assert library.WGFMU_execute() == -3
    run(library, ("addSequence", 502, b"p", 1.0), ("setOperationMode", 502, 2002))
    run(library, ("connect", 502), ("execute",))
    assert pulses == []


def test_events_sample_the_current_of_a_low_level(library, station, pulses):
    """0.1 V reads; times are those of the samples' middles."""
    run(
        library,
        ("createPattern", b"r", 0.0),
        ("addVector", b"r", 1e-6, 0.1),
        ("addVector", b"r", 1e-3, 0.1),
        ("addVector", b"r", 1e-6, 0.0),
        ("setMeasureEvent", b"r", b"i", 101e-6, 4, 200e-6, 100e-6, 12000),
        ("addSequence", CHANNEL, b"r", 1.0),
        ("setOperationMode", CHANNEL, 2001),
        ("setMeasureMode", CHANNEL, 4001),
        ("setMeasureCurrentRange", CHANNEL, 6004),
        ("connect", CHANNEL),
        ("execute",),
    )
    done, total = (ctypes.c_int * 1)(), (ctypes.c_int * 1)()
    run(library, ("getMeasureValueSize", CHANNEL, done, total))
    assert (done[0], total[0]) == (4, 4)
    size, times, values = (ctypes.c_int * 1)(4), (ctypes.c_double * 4)(), (ctypes.c_double * 4)()
    run(library, ("getMeasureValues", CHANNEL, 0, size, times, values))
    truth = 0.1 * station.die.conductance(np.array([CELL]), 0.1)[0]
    assert list(times) == pytest.approx([151e-6, 351e-6, 551e-6, 751e-6])
    assert list(values) == pytest.approx([truth] * 4, rel=0.1)
    assert pulses == []

    run(library, ("setMeasureCurrentRange", CHANNEL, 6001), ("execute",))
    run(library, ("getMeasureValues", CHANNEL, 0, size, times, values))
    assert list(values) == [1e-6] * 4


def test_dc_mode(library, station):
    """A level that is held, and one reading of it."""
    value = (ctypes.c_double * 1)()
    assert library.WGFMU_dcforceVoltage(CHANNEL, 0.1) == -3
    run(
        library,
        ("setOperationMode", CHANNEL, 2000),
        ("setMeasureMode", CHANNEL, 4001),
        ("connect", CHANNEL),
        ("dcforceVoltage", CHANNEL, 0.1),
        ("dcmeasureValue", CHANNEL, value),
    )
    truth = 0.1 * station.die.conductance(np.array([CELL]), 0.1)[0]
    assert value[0] == pytest.approx(truth, rel=0.1)


@pytest.mark.parametrize(
    ("calls", "code"),
    [
        ([("connect", 101)], -9),
        ([("setOperationMode", CHANNEL, 1)], -1),
        ([("setForceVoltageRange", CHANNEL, 1)], -1),
        ([("createPattern", b"", 0.0)], -2),
        ([("createPattern", b"p", 0.0)] * 2, -12),
        ([("createPattern", b"p", 11.0)], -1),
        ([("addVector", b"p", 1e-8, 0.0)], -10),
        ([("createPattern", b"p", 0.0), ("addVector", b"p", 1e-9, 0.0)], -1),
        ([("createPattern", b"p", 0.0), ("addVector", b"p", 1e-6, 12.0)], -1),
        (
            [
                ("createPattern", b"p", 0.0),
                ("setMeasureEvent", b"p", b"e", 0.0, 1, 1e-6, 1e-6, 12000),
            ],
            -1,
        ),
        (
            [
                ("createPattern", b"p", 0.0),
                ("addVector", b"p", 1e-3, 0.0),
                ("setMeasureEvent", b"p", b"e", 0.0, 1, 1e-6, 2e-6, 12000),
            ],
            -1,
        ),
        ([("addSequence", CHANNEL, b"p", 1.0)], -10),
        ([*pulse_of(0.1)[:-3], ("addSequence", CHANNEL, b"p", 0.0)], -1),
        ([("execute",)], -3),
        ([*pulse_of(6.0), ("execute",)], -1),
        ([*pulse_of(4.0), ("setForceVoltageRange", CHANNEL, 3001), ("execute",)], -1),
        ([*pulse_of(0.5, 1e9), ("execute",)], -1),
        ([("abortChannel", CHANNEL)], -13),
        ([("getMeasureValueSize", CHANNEL, [0], [0])], -14),
        ([("openSession", b"GPIB0::17::INSTR")], -3),
        ([("closeSession",), ("initialize",)], -3),
        ([("setTimeout", 0.0)], -1),
    ],
)
def test_what_the_library_refuses(library, pulses, calls, code):
    """By a code, and with words in the error summary, which is emptied by reading."""
    *before, (name, *arguments) = calls
    run(library, *before)
    assert getattr(library, f"WGFMU_{name}")(*arguments) == code
    assert f"WGFMU_{name}: " in error_summary(library)
    assert error_summary(library) == ""
    assert pulses == []


def test_initializing_disconnects_and_keeps_patterns(library, pulses):
    run(library, *pulse_of(0.6), ("initialize",))
    assert library.WGFMU_execute() == -3
    size, values = (ctypes.c_int * 1)(9), (ctypes.c_double * 9)()
    run(library, ("getPatternForceValues", b"p", 0, size, (ctypes.c_double * 9)(), values))
    assert list(values)[: size[0]] == [0.0, 0.6, 0.6, 0.0, 0.0]
    run(library, ("clear",))
    assert library.WGFMU_getPatternForceValueSize(b"p", size) == -10
    assert pulses == []


def test_times_are_rounded_to_ten_nanoseconds(library):
    run(library, ("createPattern", b"p", 0.0))
    vectors = (ctypes.c_double * 2)(14e-9, 26e-9), (ctypes.c_double * 2)(1.0, 0.0)
    run(library, ("addVectors", b"p", *vectors, 2))
    assert library.patterns["p"].times == pytest.approx([0, 10e-9, 40e-9])


def test_a_waveform_is_a_pulse_for_each_excursion():
    """Also where a line crosses 0 V; the width is that above half of the peak."""
    pattern = Pattern(times=[0.0], levels=[0.0])
    for duration, volts in [(1e-6, 1.0), (2e-6, -1.0), (1e-6, -1.0), (1e-6, 0.0)]:
        pattern.add(duration, volts)
    first, second = pattern.pulses()
    assert (first.amplitude, first.width) == (1.0, pytest.approx(1e-6))
    assert (second.amplitude, second.width) == (-1.0, pytest.approx(2e-6))
    assert pattern.level_at(2e-6) == pytest.approx(0.0)
    assert pattern.level_at(9.0) == 0.0
