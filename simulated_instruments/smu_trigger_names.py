"""Gives an SMU's trigger model its TSP names: ``smua.trigger.source.listv`` and the rest."""

from collections.abc import Callable
from functools import partial
from typing import Any

from simulated_instruments.smu_trigger_model import (
    ILLEGAL,
    LAYERS,
    MISSING,
    MOST_POINTS,
    TOO_BIG,
    TOO_SMALL,
    WRONG_TYPE,
    TriggerModel,
    linear,
    logarithmic,
)
from simulated_instruments.tsp_buffers import ReadingBuffer
from simulated_instruments.tsp_interpreter import LuaObject, TspInterpreter

INVALID_PARAMETER = 1401


def trigger_model_object(lua: TspInterpreter, model: TriggerModel) -> LuaObject:
    """``smuX.trigger``."""
    functions: dict[str, dict[str, Any]] = {
        layer: {"set": partial(_set_detector, model, layer)} for layer in LAYERS
    }
    functions["endsweep"] = {}
    for quantity in ("v", "i"):
        functions["source"] |= {
            f"linear{quantity}": _spaced(model, quantity, parameters=3),
            f"log{quantity}": _spaced(model, quantity, parameters=4),
            f"list{quantity}": lua.list_function(partial(_listed, model, quantity)),
        }
    functions["measure"] |= {
        quantities: lua.function(_configured_measurement(model, quantities), opening=True)
        for quantities in ("i", "v", "r", "p", "iv")
    }
    layers = {
        name: lua.make_object(
            getters=model.settings[name].getters(),
            setters=model.settings[name].setters(),
            members=members,
        )
        for name, members in functions.items()
    }
    events = {f"{name}_EVENT_ID": number for name, number in model.events.items()}
    return lua.make_object(
        getters=model.settings[""].getters(),
        setters=model.settings[""].setters(),
        members=layers | events | {"initiate": lambda *_: model.initiate()},
    )


def _set_detector(model: TriggerModel, layer: str, *_: object) -> None:
    model.detect(layer)


def _listed(model: TriggerModel, quantity: str, values: list[object]) -> None:
    model.set_levels(quantity, values)


def _spaced(model: TriggerModel, quantity: str, parameters: int) -> Callable[..., None]:
    """``linearv(start, stop, points)``, ``logv(start, stop, points, asymptote)``."""

    def configure(*given: object) -> None:
        if len(given) < parameters:
            model.bus.errors.report(MISSING)
            return
        numbers = [v for v in given if isinstance(v, int | float) and not isinstance(v, bool)]
        if len(numbers) < len(given):
            model.bus.errors.report(WRONG_TYPE)
            return
        start, stop, points = (float(number) for number in numbers[:3])
        if not 1 <= points <= MOST_POINTS:
            model.bus.errors.report(TOO_SMALL if points < 1 else TOO_BIG)
            return
        count = int(points)
        values = (
            linear(start, stop, count)
            if parameters == 3
            else logarithmic(start, stop, count, float(numbers[3]))
        )
        if values is None:
            model.bus.errors.report(ILLEGAL)
        else:
            model.set_levels(quantity, values)

    return configure


def _configured_measurement(model: TriggerModel, quantities: str) -> Callable[..., None]:
    """``trigger.measure.i(buffer)``, ``trigger.measure.iv(ibuffer, vbuffer)``."""

    def configure(*given: object) -> None:
        buffers = [one for one in given[: len(quantities)] if isinstance(one, ReadingBuffer)]
        if len(buffers) < len(quantities):
            model.bus.errors.report(INVALID_PARAMETER)
        else:
            model.set_measurement(quantities, tuple(buffers))

    return configure
