"""Sweeps by the trigger model and binary buffers, against the manual and against the emulator."""

import math
import struct

import numpy as np
import pytest
from pymeasure.test import expected_protocol

from crossbar.errors import (
    InstrumentError,
    LimitError,
    ReplyError,
    ReportedError,
)
from drivers import keithley_2600b_sweeps
from drivers.keithley_2600b import Keithley2600B, Preparation
from drivers.keithley_2600b_sweeps import linear_sweep, list_sweep, pulse_sweep
from drivers.visa import connect

CELL = 12
ADDRESS = "GPIB0::26::INSTR"
PREPARED = Preparation(current_limit=1e-3, max_voltage=20.0, nplc=0.01, measure_delay=1e-4)
NO_ERROR = ("print(errorqueue.next())", "0.00000e+00\tQueue Is Empty\t0.00000e+00\t1.00000e+00")
CONFIGURED = [
    (
        "smua.nvbuffer1.clear() smua.nvbuffer1.appendmode = 1 "
        "smua.nvbuffer1.collecttimestamps = 1 smua.nvbuffer1.collectsourcevalues = 1",
        None,
    ),
    ("smua.trigger.measure.i(smua.nvbuffer1) smua.trigger.measure.action = smua.ENABLE", None),
    ("smua.trigger.source.action = smua.ENABLE smua.trigger.source.limiti = smua.LIMIT_AUTO", None),
    (
        "smua.trigger.arm.stimulus = 0 smua.trigger.arm.count = 1 "
        "smua.trigger.measure.stimulus = 0",
        None,
    ),
    ("smua.trigger.endsweep.action = smua.SOURCE_IDLE", None),
]
STARTED = [
    ("print(smua.nvbuffer1.capacity)", "1.497890000000000e+05"),
    NO_ERROR,
]
SWEEPING = "print(status.operation.sweeping.condition)"
COLLECTED = "local b = smua.nvbuffer1 or {} print(b.n, b.collectsourcevalues, b.collecttimestamps)"
TABLES = ", ".join(
    f"smua.nvbuffer1.{name}" for name in ("readings", "timestamps", "statuses", "sourcevalues")
)


def fetching(*numbers):
    """Two readings come back as one block."""
    return [
        (COLLECTED, "2.0e+00\t1.0e+00\t1.0e+00"),
        (
            "format.data = format.REAL64 format.byteorder = format.LITTLEENDIAN "
            f"printbuffer(1, 2, {TABLES}) format.data = format.ASCII".encode(),
            b"#0" + struct.pack("<8d", *numbers) + b"\n",
        ),
    ]


@pytest.fixture
def bench(bench_with):
    return bench_with("keithley_2600b", ADDRESS, CELL)


@pytest.fixture
def smu(bench) -> Keithley2600B:
    driver = Keithley2600B(connect(ADDRESS, role="smu", visa_library=bench.visa_library))
    driver.check_identity()
    driver.prepare(1e-3, nplc=0.01)
    return driver


def test_pulse_sweep_sends_the_recipe_of_the_manual():
    """Period timer, width timer, SOURCE_IDLE; a negative pulse starts from negative zero."""
    protocol = [
        *CONFIGURED,
        ("sweep_levels = {}", None),
        ("for _, v in ipairs({-0.5, -0.6}) do table.insert(sweep_levels, v) end", None),
        ("smua.trigger.source.listv(sweep_levels) sweep_levels = nil", None),
        ("trigger.timer[1].reset() trigger.timer[2].reset()", None),
        ("trigger.timer[1].delay = 0.01 trigger.timer[1].count = 1", None),
        (
            "trigger.timer[1].passthrough = true "
            "trigger.timer[1].stimulus = smua.trigger.ARMED_EVENT_ID",
            None,
        ),
        (
            "trigger.timer[2].delay = 0.001 trigger.timer[2].stimulus = trigger.timer[1].EVENT_ID",
            None,
        ),
        ("smua.trigger.source.stimulus = trigger.timer[1].EVENT_ID", None),
        ("smua.trigger.endpulse.stimulus = trigger.timer[2].EVENT_ID", None),
        ("smua.trigger.endpulse.action = smua.SOURCE_IDLE", None),
        ("smua.trigger.count = 2", None),
        *STARTED,
        ("smua.source.levelv = -1e-18 smua.trigger.initiate()", None),
        (SWEEPING, "2.0e+00"),
        (SWEEPING, "0.0e+00"),
        ("smua.source.levelv = 0", None),
        ("print(smua.source.output)", "1.0e+00"),
        NO_ERROR,
        *fetching(-2e-5, 0.0, 0.0, -0.5, -9.91e37, 0.01, 64.0, -0.6),
    ]
    with expected_protocol(Keithley2600B, protocol) as driver:
        driver.preparation = PREPARED
        found = pulse_sweep(driver, [-0.5, -0.6], width=1e-3, period=0.01)

    assert found.readings.tolist() == [-2e-5, -1e-3]  # the second one overflowed in compliance
    assert found.in_compliance.tolist() == [False, True]
    assert found.seconds.tolist() == [0.0, 0.01]
    assert found.source_values.tolist() == [-0.5, -0.6]


def linear_protocol(*rest):
    """A linear sweep of two points until it is initiated, and what follows."""
    return [
        *CONFIGURED,
        ("smua.trigger.source.linearv(0, 0.1, 2)", None),
        ("smua.trigger.source.stimulus = 0 smua.trigger.endpulse.stimulus = 0", None),
        ("smua.trigger.endpulse.action = smua.SOURCE_HOLD", None),
        ("smua.trigger.count = 2", None),
        *STARTED,
        ("smua.source.levelv = 0 smua.trigger.initiate()", None),
        *rest,
    ]


FINISHED = [(SWEEPING, "0.0e+00"), ("smua.source.levelv = 0", None)]
OUTPUT_ON = ("print(smua.source.output)", "1.0e+00")


@pytest.mark.parametrize(
    ("rest", "error", "message"),
    [
        ([*FINISHED, ("print(smua.source.output)", "0.0e+00")], InstrumentError, "went off"),
        (
            [*FINISHED, OUTPUT_ON, NO_ERROR, (COLLECTED, "0.0e+00\t1.0e+00\t1.0e+00")],
            ReplyError,
            "0 readings of a sweep of 2 points",
        ),
        (
            [*FINISHED, OUTPUT_ON, NO_ERROR, *fetching(9.91e37, 0, 0, 0, 1e-6, 1e-3, 0, 0.1)],
            ReplyError,
            "overflow without being in compliance",
        ),
        (
            [(SWEEPING, "2.0e+00"), ("smua.abort() smua.source.levelv = 0", None)],
            InstrumentError,
            "did not end",
        ),
        (
            [(SWEEPING, "TSP>"), ("smua.abort() smua.source.levelv = 0", None)],
            ReplyError,
            "'TSP>' where a number",
        ),
    ],
)
def test_sweeps_that_go_wrong(rest, error, message, monkeypatch):
    """The level returns to 0 V, the sweep is stopped, and the error says what happened."""
    monkeypatch.setattr(keithley_2600b_sweeps, "PATIENCE", 0.0)
    with expected_protocol(Keithley2600B, linear_protocol(*rest)) as driver:
        driver.preparation = PREPARED
        with pytest.raises(error, match=message):
            linear_sweep(driver, 0, 0.1, 2)


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        (lambda smu: linear_sweep(smu, 0, 20.5, 5), r"20\.5 V"),
        (lambda smu: linear_sweep(smu, 0, 1, 0), "0 points"),
        (lambda smu: linear_sweep(smu, 0, 1, 2.5), "2.5 points"),
        (lambda smu: list_sweep(smu, []), "0 points"),
        (lambda smu: list_sweep(smu, [0.1, math.nan]), "nan"),
        (lambda smu: pulse_sweep(smu, [], width=1e-3, period=1e-2), "0 points"),
        (lambda smu: pulse_sweep(smu, [21], width=1e-3, period=1e-2), "21 V"),
        (lambda smu: pulse_sweep(smu, [1, -1], width=1e-3, period=1e-2), "both signs"),
        (lambda smu: pulse_sweep(smu, [1], width=50e-6, period=1e-2), "needs 100 µs"),
        (lambda smu: pulse_sweep(smu, [1], width=3e-4, period=1e-2), "400 µs for the reading"),
        (lambda smu: pulse_sweep(smu, [1], width=1e-3, period=1e-3), "a pause after it"),
        (lambda smu: pulse_sweep(smu, [1], width=1e-3, period=math.inf), "a pause after it"),
        (lambda smu: pulse_sweep(smu, [1], width=math.nan, period=1), "a pause after it"),
    ],
)
def test_limits_are_checked_before_anything_is_sent(sweep, message):
    """Levels, numbers of points, width and period."""
    with expected_protocol(Keithley2600B, []) as driver:
        driver.preparation = PREPARED
        with pytest.raises(LimitError, match=message):
            sweep(driver)


def test_nothing_without_preparation():
    """The current limit is the one of `prepare`: without it no sweep."""
    with expected_protocol(Keithley2600B, []) as driver:
        for sweep in (
            lambda: linear_sweep(driver, 0, 1, 5),
            lambda: list_sweep(driver, [1.0]),
            lambda: pulse_sweep(driver, [1.0], width=1e-3, period=1.0),
        ):
            with pytest.raises(InstrumentError, match="prepare"):
                sweep()


def test_linear_and_list_sweeps_agree_with_single_readings(smu, bench):
    """The same cell, the same current; more levels than a line holds; 0 V afterwards."""
    single = smu.measure(0.1)[0]
    linear = linear_sweep(smu, 0.0, 0.1, 5)
    listed = list_sweep(smu, np.linspace(0.1, 0.0, 101))

    assert linear.source_values == pytest.approx([0, 0.025, 0.05, 0.075, 0.1])
    assert linear.readings[-1] == pytest.approx(single, rel=0.1)
    assert len(listed) == 101
    assert listed.source_values == pytest.approx(np.linspace(0.1, 0.0, 101))
    assert listed.readings[0] == pytest.approx(single, rel=0.1)
    assert np.all(np.diff(listed.seconds) > 0)
    assert not listed.in_compliance.any()
    channel = bench.emulators[ADDRESS].channels["smua"]
    assert (channel.source["levelv"], channel.source["output"]) == (0, 1)


def test_sweeps_over_a_socket(bench):
    """The same over TCP, where messages have no end but their line feed."""
    with bench.serve() as addresses:
        adapter = connect(addresses[ADDRESS], role="smu", visa_library="@py", timeout=2.0)
        driver = Keithley2600B(adapter)
        driver.check_identity()
        driver.prepare(1e-3, nplc=0.01)
        swept = linear_sweep(driver, 0.0, 0.1, 50)
        pulsed = pulse_sweep(driver, [-0.1] * 20, width=1e-3, period=5e-3)
        driver.off()
        adapter.close()

    assert swept.source_values == pytest.approx(np.linspace(0, 0.1, 50))
    assert np.mean(pulsed.readings) == pytest.approx(-swept.readings[-1], rel=0.1)
    assert np.diff(pulsed.seconds) == pytest.approx(5e-3)


def test_sweep_in_compliance(smu):
    """Readings are the limit where it clamps, and say so."""
    smu.prepare(1e-6, nplc=0.01)
    found = linear_sweep(smu, 0.0, -0.1, 3)

    assert found.readings.tolist() == [0, -1e-6, -1e-6]
    assert found.in_compliance.tolist() == [False, True, True]


def test_pulses_write_the_cell_and_last_as_long_as_asked(smu, bench, monkeypatch):
    """What the cell gets is one pulse for each level, of its sign and width."""
    die = bench.station.die
    got = []
    pulse = die.pulse
    monkeypatch.setattr(die, "pulse", lambda cells, what: (got.append(what), pulse(cells, what)))
    smu.prepare(1e-2, nplc=0.01)
    pulse_sweep(smu, [0.8], width=1e-3, period=5e-3)
    low = bool(die.low[CELL])
    found = pulse_sweep(smu, [-0.8, -0.9], width=1e-3, period=5e-3)

    assert low
    assert not die.low[CELL]
    assert found.seconds == pytest.approx([0, 5e-3], abs=1e-6)
    by_sign = {sign: sum(p.width for p in got if p.amplitude * sign > 0) for sign in (1, -1)}
    assert by_sign == pytest.approx({1: 1e-3, -1: 2e-3}, abs=1e-6)


def test_more_points_than_the_buffer_holds(smu, bench):
    """The instrument says how many; nothing has been sourced by then."""
    before = bench.station.clock.now
    with pytest.raises(LimitError, match="at most 149789"):
        linear_sweep(smu, 0, 0.1, 150_000)
    assert bench.station.clock.now - before < 0.1


def test_a_refused_configuration_raises(smu):
    """What the instrument reports before the sweep starts, for instance after manual meddling."""
    smu.write("smua.source.limiti = 0")
    with pytest.raises(ReportedError, match="1102"):
        linear_sweep(smu, 0, 0.1, 2)


def test_off_ends_a_sweep(smu, bench):
    """Switching off comes through while a sweep waits for something."""
    smu.write("smua.trigger.arm.stimulus = trigger.EVENT_ID smua.trigger.initiate()")
    assert float(smu.ask("print(status.operation.sweeping.condition)")) == 2
    smu.off()

    assert bench.emulators[ADDRESS].channels["smua"].source["output"] == 0
    assert float(smu.ask("print(status.operation.sweeping.condition)")) == 0
    smu.check_errors()
