"""The emulator against the reference manual, byte for byte."""

import struct

import numpy as np
import pytest
from pymeasure.adapters import VISAAdapter
from pymeasure.instruments.keithley import Keithley2600

from crossbar.geometry import DieGeometry
from physics.wafer import SimulatedWafer
from simulated_instruments.keithley_2600b import EmulatedKeithley2600B
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.tsp_syntax import newer_syntax
from simulated_instruments.visa_library import EmulatorVisaLibrary
from tests.simulated_instruments.stations import DIE
from tests.simulated_instruments.tsp_messages import ask, error_codes


@pytest.fixture
def smu(station: ProbeStation) -> EmulatedKeithley2600B:
    return EmulatedKeithley2600B(station, instruction_budget=200_000)


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ("*IDN?", "Keithley Instruments Inc., Model 2636B, 4498311, 3.3.5\n"),
        ("*idn?", "Keithley Instruments Inc., Model 2636B, 4498311, 3.3.5\n"),
        ("*TST?", "0\n"),
        ("*OPC?", "1\n"),
        ("print(1, true, nil, 'a')", "1.00000e+00\ttrue\tnil\ta\n"),
        ("print()", "\n"),
        ("printnumber(1, 2.5)", "1.00000e+00, 2.50000e+00\n"),
        ("format.asciiprecision = 3 print(1/3)", "3.33e-01\n"),
        ("print(smua.OUTPUT_ON)", "1.00000e+00\n"),
        ("print(smua.source.output)", "0.00000e+00\n"),
        ("print(smua.source.compliance)", "false\n"),
        ("print(smua.measure.delay)", "-1.00000e+00\n"),
        ("print(smua.source.rangev)", "2.00000e-01\n"),
        ("smua.source.rangev = 0.9 print(smua.source.rangev)", "2.00000e+00\n"),
        ("smua.source.rangev = 0.9 print(smua.source.autorangev)", "0.00000e+00\n"),
        ("print(errorqueue.count)", "0.00000e+00\n"),
        ("print(errorqueue.next())", "0.00000e+00\tQueue Is Empty\t0.00000e+00\t1.00000e+00\n"),
        ("print(localnode.model, localnode.revision)", "2636B\t3.3.5\n"),
        ("print(digio.readbit(3))", "1.00000e+00\n"),
        ("print(os, io, debug, require, package, python, load, coroutine)", "nil\t" * 7 + "nil\n"),
        ("timer.reset() delay(0.25) print(timer.measure.t())", "2.50000e-01\n"),
    ],
)
def test_answers(smu, sent, answered):
    """Queries are answered as the manual prints them."""
    assert ask(smu, sent) == answered
    assert error_codes(smu) == []


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("SOUR:VOLT 1", -285),
        ("print(", -285),
        ("print(3 % 2)", -285),
        ("x = {1, 2} print(#x)", -285),
        ("foo.bar()", -286),
        ("smua.source.levell = 1", -286),
        ("smua.source.compliance = 1", -286),
        ("print(('text'):len())", -286),
        ("smua.source.limiti = 0", 1102),
        ("smua.source.levelv = 500", 1101),
        ("smua.source.func = 'volts'", -104),
        ("smua.measure.nplc = 26", 1101),
        ("smua.source.rangev = 0.2 smua.source.levelv = 0.3", 5005),
        ("smua.measure.i(smua.nvbuffer1) smua.nvbuffer1.appendmode = 1", 5032),
        ("printbuffer(1, 2, 3)", 4900),
        ("delay(-1)", 1102),
        ("delay()", 1400),
        ("digio.writebit(15, 1)", 1801),
        ("while true do end", -286),
        ("while true do pcall(function() while true do end end) end", -286),
        ("string.rep('a', 1e9)", -225),
        ("loadstring(string.char(27) .. 'Lua')()", -286),
    ],
)
def test_errors(smu, sent, code):
    """What is wrong ends in the error queue with the manual's code, and never in a reply."""
    assert ask(smu, sent) == ""
    assert error_codes(smu) == [code]


def test_settings_survive_a_refused_value(smu):
    """A value out of range leaves the old one, and the rest of the line is executed."""
    assert ask(smu, "smua.source.limiti = 0 print(smua.source.limiti)") == "1.00000e-01\n"


def test_memory_runs_out(smu):
    """A script that takes all memory is stopped, and the next message works."""
    smu.interpreter.memory_limit = 2 << 20
    smu.interpreter.instruction_budget = 10_000_000
    ask(smu, "do local t = {} for i = 1, 1e9 do t[i] = 'text ' .. i end end")

    assert error_codes(smu) == [-225]
    assert ask(smu, "print(1)") == "1.00000e+00\n"


def test_reset_restores_defaults(smu):
    """*RST switches the output off and restores the limit."""
    ask(smu, "smua.source.output = 1 smua.source.limiti = 1e-3", "*RST")

    answer = ask(smu, "print(smua.source.output, smua.source.limiti)")

    assert answer == "0.00000e+00\t1.00000e-01\n"


def test_newer_operators_in_strings_and_comments():
    """The operators that Lua 5.0 lacks are fine inside strings and comments."""
    assert newer_syntax("print('50 % # [=[') -- # %\n--[[ # ]] x = [[ % ]]") is None
    assert newer_syntax("x = 1\ny = '#' .. #x") == "2: unexpected symbol near `#'"


def test_script_is_collected_then_run(smu):
    """Nothing between loadscript and endscript is executed before the script is called."""
    assert ask(smu, "loadscript twice", "function twice_of(x)", "return 2 * x", "end") == ""
    assert ask(smu, "endscript") == ""
    assert ask(smu, "twice()", "print(twice_of(4))") == "8.00000e+00\n"
    assert ask(smu, "twice_of = nil twice.run() print(twice_of(1))") == "2.00000e+00\n"


def test_script_without_end_swallows_everything(smu):
    """A missing endscript leaves even *IDN? unanswered, until abort."""
    assert ask(smu, "loadscript lost", "*IDN?", "print(1)") == ""
    assert ask(smu, "abort", "print(1)") == "1.00000e+00\n"


def test_load_and_run_script_with_carriage_returns(smu):
    """A script in one write with CRLF line ends runs at once."""
    smu.receive(b"loadandrunscript\r\nfor i = 1, 2 do\r\nprint(i)\r\nend\r\nendscript\r\n")

    assert ask(smu) == "1.00000e+00\n2.00000e+00\n"


def test_syntax_error_in_script(smu):
    """A script that does not compile is not defined."""
    assert ask(smu, "loadscript bad", "x = = 1", "endscript", "print(bad)") == "nil\n"
    assert error_codes(smu) == [-285]


def test_prompts_and_pushed_errors(smu):
    """With prompts and showerrors left on, unasked lines follow every command."""
    assert ask(smu, "localnode.prompts = 1") == "TSP>\n"
    assert ask(smu, "smua.source.limiti = 0") == "TSP?\n"
    assert ask(smu, "localnode.showerrors = 1").startswith("1.10200e+03\tParameter too small\t")


def test_reading_is_cell_current(smu, station):
    """Ohm's law holds within the read noise, and off contact nothing flows."""
    conductance = float(station.die.conductance(np.array([station.measured_cell]), 0.1)[0])
    ask(smu, "smua.source.output = 1 smua.source.levelv = 0.1")

    assert float(ask(smu, "print(smua.measure.i())")) == pytest.approx(0.1 * conductance, rel=0.05)
    assert float(ask(smu, "print(smua.measure.r())")) == pytest.approx(1 / conductance, rel=0.05)
    station.in_contact = False
    assert float(ask(smu, "print(smua.measure.i())")) == 0


def test_current_limit_clamps(smu):
    """Beyond the limit the reading is the limit, with the sign, and compliance is reported."""
    ask(smu, "smua.source.limiti = 1e-6 smua.source.levelv = -0.1 smua.source.output = 1")

    answer = ask(
        smu,
        "print(smua.measure.i(), smua.source.compliance,"
        " status.measurement.instrument.smua.condition)",
        "smua.measure.i(smua.nvbuffer1) print(smua.nvbuffer1.statuses[1])",
    )

    assert answer == "-1.00000e-06\ttrue\t2.00000e+00\n6.40000e+01\n"


def test_overflow_of_a_fixed_range(smu):
    """A current beyond a range that was set by hand reads 9.91e37."""
    ask(smu, "smua.measure.rangei = 1e-6 smua.source.levelv = 0.1 smua.source.output = 1")

    assert ask(smu, "print(smua.measure.i())") == "9.91000e+37\n"


def test_sourcing_current(smu, station):
    """A sourced current develops the voltage of Ohm's law; an open circuit ends at the limit."""
    ask(smu, "smua.source.func = smua.OUTPUT_DCAMPS smua.source.leveli = 1e-5")
    ask(smu, "smua.source.output = 1 smua.source.limitv = 0.2")
    conductance = float(station.die.conductance(np.array([station.measured_cell]), 0.05)[0])

    assert float(ask(smu, "print(smua.measure.v())")) == pytest.approx(1e-5 / conductance, rel=0.1)
    station.measured_cell = None
    ask(smu, "smua.source.leveli = 2e-5")
    assert float(ask(smu, "print(smua.measure.v())")) == pytest.approx(0.2)
    assert ask(smu, "print(smua.source.compliance)") == "true\n"


def test_held_level_writes_the_cell(smu, station):
    """A level held for a delay is a slow write pulse, of either polarity."""
    ask(smu, "smua.source.output = 1 smua.source.levelv = 0.8 delay(1e-3) smua.source.levelv = 0")
    low = bool(station.die.low[station.measured_cell])
    ask(smu, "smua.source.levelv = -0.8 delay(1e-3) smua.source.output = 0")
    high = not station.die.low[station.measured_cell]

    assert (low, high) == (True, True)


def test_current_limit_spares_the_cell(smu, station):
    """A level that the current limit clamps does not write."""
    ask(smu, "smua.source.output = 1 smua.source.levelv = 0.8 delay(1e-3) smua.source.levelv = 0")
    ask(smu, "smua.source.limiti = 1e-6 smua.source.levelv = -0.8 delay(1e-3)")
    ask(smu, "smua.source.levelv = 0")

    assert station.die.low[station.measured_cell]


def test_reading_takes_its_time(smu, station):
    """A measurement takes the integration time and 0.1 ms."""
    start = station.clock.now
    ask(smu, "smua.measure.nplc = 6 smua.measure.delay = 0.01 smua.measure.i()")

    assert station.clock.now - start == pytest.approx(6 / 60 + 0.01 + 1e-4)


def test_buffers_fill_and_print(smu):
    """Readings of a buffer come back as text, interleaved with other tables, from index 1."""
    ask(smu, "b = smua.makebuffer(10) b.appendmode = 1 smua.measure.count = 3 smua.measure.v(b)")
    ask(smu, "smua.source.levelv = 0.05 smua.source.output = 1 smua.measure.v(b)")

    assert ask(smu, "print(b.n, b.capacity, b[6])") == "6.00000e+00\t1.00000e+01\t5.00000e-02\n"
    answer = ask(smu, "printbuffer(3, 99, b.readings, b.statuses)")
    assert answer.startswith("0.00000e+00, 0.00000e+00, 5.00000e-02, 0.00000e+00, ")
    assert ask(smu, "b.clear() print(b.n, b.readings[1])") == "0.00000e+00\tnil\n"


@pytest.mark.parametrize(
    ("data", "order", "layout"),
    [("REAL32", "LITTLEENDIAN", "<2f"), ("REAL64", "BIGENDIAN", ">2d")],
)
def test_binary_blocks(smu, data, order, layout):
    """Binary data follow #0, may hold line feeds, and end with one."""
    ask(smu, f"format.data = format.{data} format.byteorder = format.{order}")
    smu.receive(b"printnumber(2.5, 10)\n")

    assert smu.replies.popleft() == b"#0" + struct.pack(layout, 2.5, 10) + b"\n"


def test_digital_lines_trigger(smu, station):
    """A trigger leaves in every mode but bypass; in bypass a rising edge does."""
    fired: list[int] = []
    station.trigger_lines[2] = [lambda: fired.append(2)]
    ask(smu, "digio.trigger[2].assert()")
    assert fired == []
    ask(smu, "digio.trigger[2].mode = digio.TRIG_RISINGM digio.trigger[2].assert()")
    assert fired == [2]
    ask(smu, "digio.trigger[2].mode = 0 digio.writebit(2, 0) digio.writebit(2, 1)")
    assert fired == [2, 2]


def test_models_differ():
    """Ranges, channels and digital lines follow the model."""
    wafer = SimulatedWafer(addresses=[DIE], geometry=DieGeometry(), seed=1)
    small = EmulatedKeithley2600B(ProbeStation(wafer=wafer), model="2601B")
    without_lines = EmulatedKeithley2600B(ProbeStation(wafer=wafer), model="2634B")

    assert ask(small, "print(smub, smua.source.limiti)") == "nil\t1.00000e+00\n"
    assert ask(without_lines, "print(digio)") == "nil\n"
    ask(small, "smua.source.levelv = 41")
    assert error_codes(small) == [1101]


def test_status_byte_and_event_register(smu):
    """Bit 2 says that an error waits; reading *ESR? clears it."""
    ask(smu, "*CLS", "smua.source.limiti = 0")

    assert smu.status_byte() & 0x04
    assert ask(smu, "*ESR?", "*ESR?") == "1.60000e+01\n0.00000e+00\n"


@pytest.mark.filterwarnings("ignore:It is not known whether:FutureWarning")
def test_foreign_driver_runs_unmodified(smu, station):
    """PyMeasure's own Keithley2600 driver reads, measures and sees errors."""
    library = EmulatorVisaLibrary({"GPIB0::26::INSTR": smu}, clock=station.clock)
    driver = Keithley2600(VISAAdapter("GPIB0::26::INSTR", library))
    channel = driver.ChA
    channel.source_mode = "voltage"
    channel.source_voltage = 0.1
    channel.source_output = "ON"

    assert channel.source_voltage == pytest.approx(0.1)
    assert 1e-6 < channel.current < 1e-3
    driver.write("smua.source.limiti = 0")
    assert driver.next_error[0] == 1102


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        ("bit.bitand(10, 9)", 8), ("bit.bitor(10, 9)", 11), ("bit.bitxor(10, 9)", 3),
        ("bit.clear(15, 2)", 13), ("bit.set(8, 1)", 9), ("bit.toggle(10, 3)", 14),
        ("bit.get(10, 4)", 8), ("bit.getfield(13, 2, 3)", 6), ("bit.setfield(15, 2, 3, 5)", 11),
        ("bit.setfield(0, 1, 2, 7)", 3), ("bit.getfield(2^32 - 1, 1, 32)", 2**32 - 1),
    ],
)  # fmt: skip
def test_bits(smu, call, answer):
    """Positions count from 1; a field that is too wide is cut off."""
    assert float(ask(smu, f"format.asciiprecision = 16 print({call})")) == answer


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("bit.set(1, 0)", -224), ("bit.set(1, 33)", -224), ("bit.getfield(1, 30, 4)", -224),
        ("bit.bitand(-1, 1)", -224), ("bit.bitand(1)", -104), ("bit.bitor('a', 1)", -104),
        ("bit.bitor(1/0, 1)", -286), ("bit.bitand(2^32, 1)", -224),
    ],
)  # fmt: skip
def test_bits_that_are_none(smu, call, code):
    """Beyond 32 bits, or no numbers."""
    assert ask(smu, f"x = {call}") == ""
    assert error_codes(smu) == [code]
    assert ask(smu, "print(bit.test(8, 4), bit.test(8, 3))") == "true\tfalse\n"


def test_relative_readings(smu):
    """An enabled offset is subtracted, and the status says so."""
    ask(smu, "smua.source.levelv = 0.1 smua.source.output = 1")
    ask(smu, "smua.measure.rel.levelv = 0.04 smua.measure.rel.enablev = smua.REL_ON")

    assert ask(smu, "print(smua.measure.v(smua.nvbuffer1))") == "6.00000e-02\n"
    assert ask(smu, "print(smua.nvbuffer1.statuses[1])") == "3.20000e+01\n"
    assert ask(smu, "smua.measure.rel.enablev = 0 print(smua.measure.v())") == "1.00000e-01\n"


def test_measure_and_step(smu):
    """The reading belongs to the level before the step."""
    ask(smu, "smua.source.levelv = 0.1 smua.source.output = 1")

    assert ask(smu, "print(smua.measurevandstep(0.05))") == "1.00000e-01\n"
    assert ask(smu, "print(smua.measurevandstep(0))") == "5.00000e-02\n"
    assert ask(smu, "smua.measureiandstep({}) print(smua.source.levelv)") == "0.00000e+00\n"
    assert error_codes(smu) == [-104]
