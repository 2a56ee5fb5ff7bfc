"""``bit``: bitwise arithmetic, which Lua 5.0 lacks. Bits are numbered from 1 to 32."""

from collections.abc import Callable

from simulated_instruments.tsp_errors import ErrorQueue
from simulated_instruments.tsp_interpreter import LuaObject, TspInterpreter

WIDTH = 32
ALL = (1 << WIDTH) - 1
WRONG_TYPE, ILLEGAL = -104, -224


def _clear(value: int, index: int) -> int:
    return value & ~(1 << (index - 1))


def _set(value: int, index: int) -> int:
    return value | 1 << (index - 1)


def _toggle(value: int, index: int) -> int:
    return value ^ 1 << (index - 1)


def _get(value: int, index: int) -> int:
    return value & 1 << (index - 1)


def _test(value: int, index: int) -> bool:
    return bool(_get(value, index))


def _field(value: int, index: int, width: int) -> int:
    return value >> (index - 1) & ((1 << width) - 1)


def _set_field(value: int, index: int, width: int, field: int) -> int:
    mask = ((1 << width) - 1) << (index - 1)
    return value & ~mask | field << (index - 1) & mask


FUNCTIONS: dict[str, tuple[Callable[..., int], int]] = {
    "bitand": (lambda a, b: a & b, 0),
    "bitor": (lambda a, b: a | b, 0),
    "bitxor": (lambda a, b: a ^ b, 0),
    "clear": (_clear, 1),
    "set": (_set, 1),
    "toggle": (_toggle, 1),
    "get": (_get, 1),
    "test": (_test, 1),
    "getfield": (_field, 2),
    "setfield": (_set_field, 2),
}
"""With the number of arguments after the first that count bits: position, then width."""
ARGUMENTS = {"getfield": 3, "setfield": 4}


def bit_object(lua: TspInterpreter, errors: ErrorQueue) -> LuaObject:
    """``bit`` as TSP sees it."""

    def checked(function: Callable[..., int], positions: int, count: int) -> Callable[..., object]:
        def call(*given: object) -> int | None:
            numbers = [v for v in given if isinstance(v, int | float) and not isinstance(v, bool)]
            if len(numbers) < count or len(numbers) < len(given):
                errors.report(WRONG_TYPE)
                return None
            integers = [int(number) for number in numbers[:count]]
            counted = integers[1 : 1 + positions]
            if not all(0 <= n <= ALL for n in integers) or not _within(counted):
                errors.report(ILLEGAL)
                return None
            return function(*integers)

        return call

    return lua.make_object(
        members={
            name: checked(function, positions, ARGUMENTS.get(name, 2))
            for name, (function, positions) in FUNCTIONS.items()
        }
    )


def _within(counted: list[int]) -> bool:
    """Whether position, and width if there is one, lie within the 32 bits."""
    if any(n < 1 for n in counted):
        return False
    return not counted or sum(counted) - (len(counted) - 1) <= WIDTH
