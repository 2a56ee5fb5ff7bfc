"""Gives an SMU channel its TSP names: ``smua.source.levelv``, ``smua.measure.i()`` and the rest."""

from collections.abc import Callable
from functools import partial

from simulated_instruments.smu_settings import CONSTANTS, DCVOLTS, FILTER_SETTINGS
from simulated_instruments.smu_trigger_model import TriggerModel
from simulated_instruments.smu_trigger_names import trigger_model_object
from simulated_instruments.tsp_buffers import ReadingBuffer, buffer_object
from simulated_instruments.tsp_interpreter import LuaObject, TspInterpreter
from simulated_instruments.tsp_settings import Settings
from simulated_instruments.tsp_smu import OPERATION_RUNS, SmuChannel

MISSING_PARAMETER, INVALID_PARAMETER = 1400, 1401
MEASUREMENTS = ("i", "v", "r", "p", "iv")


def smu_object(interpreter: TspInterpreter, channel: SmuChannel, model: TriggerModel) -> LuaObject:
    """``smua``: everything below it that is emulated."""
    buffers = {
        f"nvbuffer{number}": buffer_object(interpreter, buffer)
        for number, buffer in enumerate(channel.buffers, start=1)
    }

    def make_buffer(capacity: object = None) -> LuaObject | None:
        if not isinstance(capacity, int | float) or capacity < 1:
            channel.errors.report(MISSING_PARAMETER if capacity is None else INVALID_PARAMETER)
            return None
        return buffer_object(interpreter, ReadingBuffer(channel.errors, int(capacity)))

    def reset(*_: object) -> None:
        model.reset()
        channel.reset()

    return interpreter.make_object(
        handle=channel,
        getters=channel.wiring.getters(),
        setters=channel.wiring.setters(),
        members=CONSTANTS
        | buffers
        | {
            "source": _source_object(interpreter, channel),
            "measure": _measure_object(interpreter, channel),
            "makebuffer": make_buffer,
            "trigger": trigger_model_object(interpreter, model),
            "reset": reset,
            "abort": lambda *_: model.abort(),
        }
        | {f"measure{q}andstep": _measurement_and_step(channel, q) for q in MEASUREMENTS},
    )


def _source_object(interpreter: TspInterpreter, channel: SmuChannel) -> LuaObject:
    return interpreter.make_object(
        getters=channel.source.getters()
        | {
            "compliance": channel.in_compliance,
            "rangev": partial(channel.source_range, "v"),
            "rangei": partial(channel.source_range, "i"),
        },
        setters={name: partial(channel.set_source, name) for name in channel.source.table},
    )


def _measure_object(interpreter: TspInterpreter, channel: SmuChannel) -> LuaObject:
    averaging = Settings(FILTER_SETTINGS, channel.errors)
    members: dict[str, LuaObject] = {
        quantities: interpreter.function(_measurement(channel, quantities), opening=True)
        for quantities in MEASUREMENTS
    }
    members |= {
        f"overlapped{quantities}": interpreter.function(
            _overlapped(_measurement(channel, quantities)), opening=True
        )
        for quantities in MEASUREMENTS
    }
    for name, settings in (("filter", averaging), ("rel", channel.offsets)):
        members[name] = interpreter.make_object(
            getters=settings.getters(), setters=settings.setters()
        )
    return interpreter.make_object(
        getters=channel.measuring.getters(),
        setters={name: partial(channel.set_measuring, name) for name in channel.measuring.table},
        members=members,
    )


def _measurement(channel: SmuChannel, quantities: str) -> Callable[..., object]:
    """``measure.i([buffer])``; ``measure.iv([ibuffer [, vbuffer]])`` returns both."""

    def measure(first: object = None, second: object = None, *_: object) -> object:
        if channel.sweeping:
            channel.errors.report(OPERATION_RUNS)
            return None
        buffers = []
        for given in (first, second)[: len(quantities)]:
            if given is not None and not isinstance(given, ReadingBuffer):
                channel.errors.report(INVALID_PARAMETER)
                return None
            buffers.append(given)
        readings = channel.measure(quantities, tuple(buffers))
        return readings if len(readings) > 1 else readings[0]

    return measure


def _measurement_and_step(channel: SmuChannel, quantities: str) -> Callable[..., object]:
    """``measureiandstep(level)``: a reading at the present level, then the next level."""
    measure = _measurement(channel, quantities)

    def measure_and_step(level: float, *_: object) -> object:
        readings = measure()
        if readings is not None:
            name = "levelv" if channel.source["func"] == DCVOLTS else "leveli"
            channel.set_source(name, level)
        return readings

    return measure_and_step


def _overlapped(measure: Callable[..., object]) -> Callable[..., None]:
    """``measure.overlappedi(buffer)``: returns nothing. Here the readings are there at once."""

    def start(first: object = None, second: object = None, *_: object) -> None:
        measure(first, second)

    return start
