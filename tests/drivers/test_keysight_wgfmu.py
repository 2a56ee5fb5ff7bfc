import ctypes
import sys

import numpy as np
import pytest

from crossbar.errors import (
    ConfigurationError,
    InstrumentError,
    LimitError,
    NotConnectedError,
    ReplyError,
    ReportedError,
    WrongInstrumentError,
)
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.pulses import Pulse
from drivers.keysight_wgfmu import KeysightWgfmu
from drivers.wgfmu_library import SIGNATURES, declared, load_library
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench

ADDRESS = "GPIB0::17::INSTR"
DIE = DieAddress(0, 0)
CELL = 5


@pytest.fixture
def bench():
    wafer = SimulatedWafer(
        addresses=[DIE], geometry=DieGeometry(subarrays=1, rows=4, columns=4), seed=5
    )
    bench = SimulatedBench(wafer, {ADDRESS: "keysight_wgfmu"})
    bench.station.die_under_needles, bench.station.in_contact = DIE, True
    bench.station.route(CELL)
    return bench


class ThroughCtypes:
    """The stand-in's functions as C function pointers: arguments and results cross the border."""

    def __init__(self, library):
        for name, parameters in SIGNATURES.items():
            prototype = ctypes.CFUNCTYPE(ctypes.c_int, *parameters)
            setattr(self, name, prototype(getattr(library, name)))


@pytest.fixture(params=["in Python", "through ctypes"])
def library(bench, request):
    stand_in = bench.packages[ADDRESS]
    return stand_in if request.param == "in Python" else declared(ThroughCtypes(stand_in))


@pytest.fixture
def unit(library):
    driver = KeysightWgfmu(library)
    driver.prepare(1.5, 1e-3)
    return driver


class Watched:
    """Notes what is called, and lets single functions answer otherwise."""

    def __init__(self, library, **otherwise):
        self.library, self.otherwise, self.calls = library, otherwise, []

    def __getattr__(self, name):
        function = self.otherwise.get(name, getattr(self.library, name))

        def call(*arguments):
            self.calls.append((name.removeprefix("WGFMU_"), *arguments))
            return function(*arguments)

        return call


def test_reads_the_cell_at_both_polarities(unit, bench):
    truth = bench.station.die.conductance(np.array([CELL]), 0.1)[0]
    for voltage in (0.1, -0.1):
        current, in_compliance = unit.measure(voltage)
        assert current == pytest.approx(voltage * truth, rel=0.1)
        assert in_compliance is False
    assert not bench.station.die.pulses_given.any()


def test_one_apply_is_one_pulse_of_its_width(unit, bench, monkeypatch):
    given, die = [], bench.station.die
    pulse = die.pulse
    monkeypatch.setattr(die, "pulse", lambda cells, what: (given.append(what), pulse(cells, what)))
    for sign in (1, -1):
        unit.apply(Pulse(amplitude=sign * 1.2, width=250e-9))
        assert unit.check_errors() == []
    assert [what.width for what in given] == pytest.approx([250e-9] * 2)
    assert given[0].amplitude > 1.1
    assert given[1].amplitude < -1.1
    assert die.pulses_given[CELL] == 2


def test_a_pulse_runs_as_a_pattern_and_is_disconnected_afterwards(bench):
    """Between two calls nothing else: this is the page of the library's manual."""
    library = Watched(bench.packages[ADDRESS])
    unit = KeysightWgfmu(library)
    unit.prepare(1.5, 1e-3)
    library.calls.clear()
    unit.apply(Pulse(amplitude=1.2, width=100e-9))
    name = b"crossbar_pulse"
    values = [call for call in library.calls if not call[0].startswith("get")]
    assert values == [
        ("clear",),
        ("createPattern", name, 0.0),
        ("addVector", name, 20e-9, 1.2),
        ("addVector", name, pytest.approx(80e-9), 1.2),
        ("addVector", name, 20e-9, 0.0),
        ("addVector", name, 20e-9, 0.0),
        ("addSequence", 501, name, 1.0),
        ("setOperationMode", 501, 2002),
        ("setForceVoltageRange", 501, 3001),
        ("setMeasureMode", 501, 4001),
        ("setMeasureCurrentRange", 501, 6004),
        ("setMeasureEnabled", 501, 0),
        ("connect", 501),
        ("execute",),
        ("waitUntilCompleted",),
        ("disconnect", 501),
    ]


def test_a_reading_at_the_end_of_its_range_is_clamped(unit):
    unit.prepare(1.5, 1e-6)
    assert unit.measure(0.3) == (1e-6, True)


def test_an_open_circuit_carries_nothing(unit, bench):
    bench.station.route(None)
    assert unit.measure(0.1) == (0.0, False)


def test_the_force_range_is_what_the_hardware_enforces(unit):
    assert [str(p) for p in unit.protections()] == ["highest level 3 V", "lowest level -3 V"]
    unit.prepare(4.0, 1e-3)
    unit.apply(Pulse(amplitude=3.5, width=1e-6))
    assert [p.value for p in unit.protections()] == [5.0, -5.0]
    unit.library.WGFMU_setForceVoltageRange(501, 3000)
    assert unit.protections() == ()


@pytest.mark.parametrize(
    ("pulse", "message"),
    [
        (Pulse(amplitude=5.5, width=1e-6), "to 5 V open circuit"),
        (Pulse(amplitude=2.0, width=1e-6), r"prepared for at most 1\.5 V"),
        (Pulse(amplitude=1.0, width=90e-9), "100 ns"),
        (Pulse(amplitude=1.0, width=105e-9), "Keysight WGFMU takes multiples of 10 ns"),
    ],
)
def test_pulses_out_of_reach_are_refused_before_anything_is_called(bench, pulse, message):
    library = Watched(bench.packages[ADDRESS])
    unit = KeysightWgfmu(library)
    unit.prepare(1.5, 1e-3)
    library.calls.clear()
    with pytest.raises(LimitError, match=message):
        unit.apply(pulse)
    assert library.calls == []


def test_limits_are_checked_before_anything_is_called():
    unit = KeysightWgfmu(None)
    with pytest.raises(LimitError, match="current limit of 20 mA"):
        unit.prepare(1.5, 20e-3)
    with pytest.raises(LimitError, match="largest amplitude of 6 V"):
        unit.prepare(6.0, 1e-3)
    with pytest.raises(InstrumentError, match="prepare it first"):
        unit.measure(0.1)
    with pytest.raises(InstrumentError, match="prepare it first"):
        unit.apply(Pulse(amplitude=1.0, width=1e-6))


def test_readings_stay_within_what_it_was_prepared_for(unit):
    with pytest.raises(LimitError, match=r"1\.6 V"):
        unit.measure(1.6)


def test_a_refused_call_is_reported_with_the_librarys_words(bench):
    """And the outputs are disconnected; nothing was sent."""
    stand_in = bench.packages[ADDRESS]
    unit = KeysightWgfmu(Watched(stand_in, WGFMU_addSequence=lambda *_: -7))
    unit.prepare(1.5, 1e-3)
    stand_in.WGFMU_connect(999)
    with pytest.raises(ReportedError, match=r"-7 \(library error\) for addSequence.*channel 999"):
        unit.apply(Pulse(amplitude=1.0, width=1e-6))
    assert not stand_in.channels[501].connected
    assert not bench.station.die.pulses_given.any()


def test_errors_of_others_are_found(unit):
    unit.library.WGFMU_connect(999)
    with pytest.raises(ReportedError, match="channel 999"):
        unit.check_errors()
    assert unit.check_errors() == []


def test_a_range_that_does_not_hold_is_an_error(bench):
    library = Watched(bench.packages[ADDRESS], WGFMU_setForceVoltageRange=lambda *_: 0)
    with pytest.raises(InstrumentError, match=r"\(3001, 6004\), but reads back \(3000, 6004\)"):
        KeysightWgfmu(library).prepare(1.5, 1e-3)


def test_a_pattern_with_other_levels_is_not_sent(bench):
    stand_in = bench.packages[ADDRESS]
    doubled = Watched(
        stand_in, WGFMU_addVector=lambda name, dt, v: stand_in.WGFMU_addVector(name, dt, 2 * v)
    )
    unit = KeysightWgfmu(doubled)
    unit.prepare(1.5, 1e-3)
    with pytest.raises(InstrumentError, match=r"for a pulse of 1\.2 V. It was not sent"):
        unit.apply(Pulse(amplitude=1.2, width=1e-6))
    assert not bench.station.die.pulses_given.any()


def test_a_run_that_stops_early_or_lacks_readings_is_an_error(bench):
    stand_in = bench.packages[ADDRESS]

    def stopped(channel, status, spent, total):
        status[0], spent[0], total[0] = 10004, 1e-6, 2e-6
        return 0

    def missing(channel, done, total):
        done[0], total[0] = 0, 1
        return 0

    unit = KeysightWgfmu(Watched(stand_in, WGFMU_getChannelStatus=stopped))
    unit.prepare(1.5, 1e-3)
    with pytest.raises(InstrumentError, match="status 10004 after 1 "):
        unit.apply(Pulse(amplitude=1.2, width=1e-6))
    unit = KeysightWgfmu(Watched(stand_in, WGFMU_getMeasureValueSize=missing))
    unit.prepare(1.5, 1e-3)
    with pytest.raises(ReplyError, match="0 of 1 readings"):
        unit.measure(0.1)


def test_identity_names_library_and_channels(unit, bench):
    unit.check_identity()
    assert "channels [501, 502]" in unit.identity
    assert KeysightWgfmu(bench.packages[ADDRESS], channel=502).channel == 502
    with pytest.raises(WrongInstrumentError, match=r"\[501, 502\], and 101 was to be used"):
        KeysightWgfmu(bench.packages[ADDRESS], channel=101).check_identity()
    with pytest.raises(WrongInstrumentError, match="object lacks WGFMU_createPattern"):
        KeysightWgfmu(object()).check_identity()


def test_shutting_down_closes_the_session(unit):
    unit.shutdown()
    with pytest.raises(ReportedError, match=r"-3 \(context error\)"):
        unit.prepare(1.5, 1e-3)


@pytest.mark.skipif(sys.platform == "win32", reason="the library may be installed there")
def test_a_missing_library_is_named_with_what_to_install():
    with pytest.raises(NotConnectedError, match=r"wgfmu cannot be loaded.*B1530A Instrument"):
        KeysightWgfmu.open_library(ADDRESS)


def test_the_session_is_opened_at_the_address(bench, monkeypatch):
    """An address that no mainframe answers at is said so."""
    stand_in = bench.packages[ADDRESS]
    library = Watched(stand_in)
    monkeypatch.setattr("drivers.keysight_wgfmu.load_library", lambda: library)
    stand_in.WGFMU_closeSession()
    assert KeysightWgfmu.open_library(ADDRESS) is library
    assert library.calls == [("openSession", b"GPIB0::17::INSTR")]
    with pytest.raises(NotConnectedError, match="a session is open already"):
        KeysightWgfmu.open_library(ADDRESS)


@pytest.mark.parametrize("address", ["", "501", "somewhere"])
def test_an_address_is_that_of_the_mainframe(address):
    with pytest.raises(ConfigurationError, match="VISA address of its B1500A"):
        KeysightWgfmu.open_library(address)


def test_a_library_without_a_function_counts_as_missing(monkeypatch):
    """An older one, or another library of that name."""
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(NotConnectedError, match="WGFMU_openSession"):
        load_library()
