"""Whatever a script hands to a function or attribute of the instrument ends in its error queue."""

import pytest

from simulated_instruments.keithley_2600b import EmulatedKeithley2600B
from simulated_instruments.tsp_errors import ErrorQueue
from simulated_instruments.tsp_interpreter import TspInterpreter
from tests.simulated_instruments.stations import one_cell_station
from tests.simulated_instruments.tsp_messages import ask

WALK = """
function walk(path, object, seen)
    local meta = getmetatable(object)
    if type(meta) ~= "table" or seen[object] then return end
    seen[object] = true
    for name in pairs(meta.Setters or {}) do print(key(path, name), "setter") end
    for name in pairs(meta.Getters or {}) do print(key(path, name), "getter") end
    for name, member in pairs(meta.Objects or {}) do
        if type(member) == "function" then print(key(path, name), "function") end
        if type(member) == "table" then walk(key(path, name), member, seen) end
    end
end
function key(path, name)
    if type(name) == "number" then return path .. "[" .. name .. "]" end
    return path .. "." .. name
end
for name, value in pairs(_G) do
    if type(value) == "table" and name ~= "_G" and name ~= "walker" then walk(name, value, {}) end
end
"""
OWN = ("print", "tostring", "printnumber", "printbuffer", "delay", "reset", "waitcomplete", "opc",
       "available", "exit", "loadstring")  # fmt: skip
VALUES = ("nil", "true", "1", "0", "-1", "2.5", "1e308", "1/0", "-1/0", "0/0", "'x'", "''", "{}",
          "{{}}", "{1, 'x'}", "smua", "smua.nvbuffer1", "print", "smua.source")  # fmt: skip
ARGUMENTS = (
    "", *VALUES, *(f"1, {value}" for value in VALUES), *(f"1, 1, {value}" for value in VALUES),
    "1, 1, 1, 1", "1, 1, 1, 1, 1", "1, 2, 3, 4, 5, 6, 7, 8",
)  # fmt: skip


def make() -> EmulatedKeithley2600B:
    return EmulatedKeithley2600B(one_cell_station())


@pytest.fixture(scope="module")
def reachable() -> dict[str, set[str]]:
    """Paths that a script can reach, by their kind; of equal numbered things, the first."""
    smu = make()
    for line in ("loadscript walker", *WALK.splitlines(), "endscript"):
        smu.receive(line.encode() + b"\n")
    found: dict[str, set[str]] = {"function": set(OWN), "setter": set(), "getter": set()}
    for line in ask(smu, "walker()").splitlines():
        path, kind = line.split("\t")
        if "trigger" not in path or "[" not in path or "[1]" in path:
            found[kind].add(path)
    assert not smu.errors.entries
    assert all(len(paths) > 30 for paths in found.values())
    return found


def test_every_function_takes_any_arguments(reachable):
    """Nothing raises in Python, and the instrument still answers."""
    smu = make()
    assert {"smua.measure.i", "trigger.timer[1].wait", "script.new"} <= reachable["function"]
    for path in sorted(reachable["function"]):
        for arguments in ARGUMENTS:
            ask(smu, f"x = {path}({arguments})")
            assert smu.station.clock.now < float("inf"), (path, arguments)
        smu.clear()
        assert ask(smu, "reset() errorqueue.clear() print(7)") == "7.00000e+00\n", path


def test_every_attribute_takes_any_value(reachable):
    """An accepted value reads back as a number, a truth value or a list, and works."""
    smu = make()
    assert {"smua.source.levelv", "trigger.timer[1].delaylist"} <= reachable["setter"]
    for path in sorted(reachable["setter"]):
        for value in VALUES:
            ask(smu, f"{path} = {value} smua.measure.i(smua.nvbuffer1)")
        ask(smu, "localnode.prompts = 0 localnode.showerrors = 0 reset() errorqueue.clear()")
        assert ask(smu, "print(7)") == "7.00000e+00\n", path
        assert smu.station.clock.now < float("inf"), path


def test_every_attribute_can_be_read(reachable):
    """Without an error, and with a value."""
    smu = make()
    for path in sorted(reachable["getter"]):
        assert ask(smu, f"print({path})").strip() not in ("", "nil"), path
        assert not smu.errors.entries, path


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("reset(1, 2)", 1105),
        ("errorqueue.next(1)", 1105),
        ("getmetatable(smua).Getters.sense(1)", 1105),
        ("getmetatable(smua).Setters.sense()", 1400),
        ("digio.trigger[1].assert(1)", 1105),
        ("script.new()", 1400),
        ("script.new(5)", -104),
        ("smua.makebuffer(1/0)", -286),
        ("printbuffer(1/0, 1, smua.nvbuffer1)", -286),
        ("digio.writeport({})", -104),
        ("delay(1/0)", 1101),
        ("delay(0/0)", -224),
        ("smua.source.delay = 1/0", 1101),
    ],
)
def test_codes_of_wrong_arguments(sent, code):
    """Too many, too few, of the wrong kind, not finite."""
    smu = make()
    ask(smu, sent)

    assert [entry.code for entry in smu.errors.entries] == [code]


def test_a_script_goes_on_after_a_miscounted_call():
    """Only run-time errors abort a script; the function itself is not reached."""
    smu = make()
    assert ask(smu, "smua.source.levelv = 0.1 reset(1, 2) print(smua.source.levelv)") == (
        "1.00000e-01\n"
    )
    assert ask(smu, "reset(ON) print(smua.source.levelv)") == "0.00000e+00\n"  # reset(system)


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ("fine, text = pcall(smua.makebuffer, 1/0) print(fine, type(text))", "false\tstring\n"),
        ("print(pcall(digio.writeport, 1/0))", "false\tbad argument (cannot convert"),
        ("print(pcall(print, setmetatable({}, {__tostring = error})))", "false\tbad argument"),
        ("print(pcall(smua.trigger.source.listv, {1/0}))", "true\n"),  # refused by its own code
    ],
)
def test_no_python_object_reaches_a_script(sent, answered):
    """What a script catches is text: through an object it could reach into the simulation."""
    assert ask(make(), sent).startswith(answered)


def test_a_bad_argument_names_the_line():
    """In a script of several lines, the one of the call."""
    smu = make()
    for line in ("loadandrunscript", "x = 1", "smua.makebuffer(1/0)", "print(x)", "endscript"):
        smu.receive(line.encode() + b"\n")

    assert [entry.message for entry in smu.errors.entries] == [
        "TSP Runtime error at line 2: bad argument (cannot convert float infinity to integer)"
    ]
    assert not smu.replies  # a run-time error ends a script
    for thrown in ("{}", "nil", "smua"):
        ask(smu, f"errorqueue.clear() error({thrown})")
        assert smu.errors.entries[0].message.endswith(": error object is not a string")


def test_errors_of_the_simulation_pass():
    """A defect of ours is not to be mistaken for an error of the script."""
    interpreter = TspInterpreter(ErrorQueue())

    def broken() -> None:
        raise KeyError("a defect")

    interpreter.define("broken", interpreter.function(broken))
    with pytest.raises(KeyError, match="a defect"):
        interpreter.execute("broken()")


@pytest.mark.parametrize(
    ("function", "fewest", "most"),
    [
        (lambda: None, 0, 0),
        (lambda a, b=1: a, 1, 2),
        (lambda a, *more: a, 1, 99),
        (ErrorQueue().next, 0, 0),
        (ErrorQueue().report, 1, 2),
    ],
)
def test_arguments_are_counted_as_python_counts_them(function, fewest, most):
    """A call goes through from the fewest to the most, and not beyond."""
    errors = ErrorQueue()
    interpreter = TspInterpreter(errors)
    interpreter.define("f", interpreter.function(function))
    reached = []
    interpreter.define("count", interpreter.function(lambda: reached.append(1)))
    for given in (fewest - 1, fewest, most, most + 1):
        if 0 <= given < 100:
            interpreter.execute(f"f({', '.join(['1105'] * given)}) count()")
            allowed = fewest <= given <= most
            codes = [entry.code for entry in errors.entries]
            assert codes == ([] if allowed else [1105 if given > most else 1400])
            errors.clear()
    assert reached
