"""Runs TSP: real Lua in a sandbox, with TSP objects whose attributes are Python functions.

It knows the language, no instrument. User code cannot reach files, the operating system, the debug
library or a Python object, cannot run for ever and cannot take all memory. A pattern that makes
`string.find` backtrack for ages is the one thing it cannot interrupt: that happens inside C.
"""

import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib import resources
from typing import Any

from lupa import lua51

from simulated_instruments.tsp_errors import ErrorQueue
from simulated_instruments.tsp_syntax import newer_syntax

LuaObject = Any
"""A table or function of the Lua side."""

INSTRUCTION_BUDGET = 50_000_000
"""Lua instructions per message: about a second of work."""
MEMORY_LIMIT = 64 << 20
"""Bytes, looked at every thousand instructions. The instrument has 24 MB, with smaller objects."""
HARD_MEMORY_LIMIT = 512 << 20
"""Bytes that a single instruction cannot pass. Far above the other limit, because a Lua state with
no memory left at all takes the whole process down."""
REMEMBERED_CHUNKS = 512
"""Compiled messages kept: programs send the same few messages over and over."""

UNUSABLE_ARGUMENT = (TypeError, ValueError, OverflowError, lua51.LuaError)
"""The last one: a table whose own `__tostring` fails."""
TOO_MANY, TOO_FEW = 1105, 1400

PLACE = re.compile(r"TSP:(\d+): (.*)", re.DOTALL)


def _refuse_access(item: object, name: str, setting: bool) -> str:
    raise AttributeError(f"{name} of a Python object is not accessible from TSP")


def accepted_arguments(callable_: Any) -> tuple[int, float]:
    """The fewest and the most positional arguments of a Python function, method or partial.

    `inspect.signature` says the same, but takes longer than building the rest of an instrument.
    """
    bound = 0
    while isinstance(callable_, partial):
        bound += len(callable_.args)
        callable_ = callable_.func
    if inspect.ismethod(callable_):
        bound += 1
        callable_ = callable_.__func__
    code = callable_.__code__
    fewest = code.co_argcount - len(callable_.__defaults__ or ()) - bound
    unlimited = code.co_flags & inspect.CO_VARARGS
    return max(0, fewest), math.inf if unlimited else code.co_argcount - bound


class TspInterpreter:
    """One Lua state; problems go to the error queue as -285, -286 and -225."""

    def __init__(
        self,
        errors: ErrorQueue,
        *,
        instruction_budget: int = INSTRUCTION_BUDGET,
        memory_limit: int = MEMORY_LIMIT,
    ) -> None:
        self.errors = errors
        self.instruction_budget = instruction_budget
        self.memory_limit = memory_limit
        self._lua = lua51.LuaRuntime(
            encoding="latin-1",
            register_eval=False,
            register_builtins=False,
            attribute_filter=_refuse_access,
            unpack_returned_tuples=True,
            max_memory=HARD_MEMORY_LIMIT,
        )
        source = resources.files(__package__).joinpath("tsp_sandbox.tsp").read_text("utf-8")
        self._tools = self._lua.execute(source)
        self._compile, self._run = self._tools.compile, self._tools.run
        self._chunks: dict[str, LuaObject] = {}
        self._problem = ""
        self._tools.problem = lambda: self._problem
        self.define("loadstring", self.function(self._loadstring))

    def define(self, name: str, value: object) -> None:
        """Set a global."""
        self._lua.globals()[name] = value

    def function(self, callable_: Callable[..., Any], *, opening: bool = False) -> LuaObject:
        """A Lua function that calls Python; ``opening`` hands over what TSP objects stand for.

        Called with too few or too many arguments it reports 1400 or 1105 and returns nothing. One
        that cannot use an argument raises TypeError, ValueError or OverflowError: an error of the
        script, which its pcall can catch. Anything else is a defect of ours.
        """
        closure = self._tools.opening_closure if opening else self._tools.closure
        return closure(self._guarded(callable_), *accepted_arguments(callable_), self._miscounted)

    def list_function(self, callable_: Callable[[list[Any]], Any]) -> LuaObject:
        """A Lua function, or setter, that hands Python the elements of one list."""
        taking_table = self.function(lambda table: callable_(list(table.values())))
        return self._tools.list_closure(taking_table)

    def table(self, values: Iterable[object]) -> LuaObject:
        """A plain list for Lua."""
        return self._lua.table_from(list(values))

    def make_object(
        self,
        *,
        handle: object = None,
        getters: Mapping[str, Callable[[], Any]] | None = None,
        setters: Mapping[str, Callable[[Any], None]] | None = None,
        members: Mapping[Any, Any] | None = None,
        index: Callable[[Any], Any] | None = None,
        call: LuaObject = None,
        lua_type: str | None = None,
    ) -> LuaObject:
        """A TSP object. ``handle`` is what Python functions get when it is passed to them;
        callables among the members become functions; ``index`` answers for any other key;
        ``lua_type`` is what the metatable says about itself.
        """
        return self._tools.object(
            handle,
            self._table(getters or {}),
            self._table(setters or {}),
            self._table(members or {}),
            self.function(index) if index else None,
            call,
            lua_type,
        )

    def tostring(self, value: LuaObject) -> str:
        """Lua's own text for a table or function."""
        return str(self._tools.tostring(value))

    def compile(self, source: str) -> LuaObject | None:
        """The source as a Lua function, or None after reporting -285."""
        function, problem = self._compiled(source)
        if function is None:
            self._report(-285, "TSP Syntax error", problem)
        return function

    def execute(self, source: str) -> None:
        """Compile and run one message."""
        chunk = self._chunks.get(source)
        if chunk is None:
            chunk = self.compile(source)
            if chunk is None:
                return
            if len(self._chunks) >= REMEMBERED_CHUNKS:
                self._chunks.clear()
            self._chunks[source] = chunk
        self.run(chunk)

    def run(self, function: LuaObject) -> bool:
        """Run a Lua function without arguments; whether it came to its end.

        What a Python function raises, an error of the simulation and not of the script, passes.
        """
        try:
            finished = self._run(function, self.instruction_budget, self.memory_limit / 1024)
        except (lua51.LuaMemoryError, MemoryError):
            self.errors.report(-225)
            return False
        if finished is True:
            return True
        problem = finished[1]
        if isinstance(problem, BaseException):
            raise problem
        if problem == "not enough memory":
            self.errors.report(-225)
        else:
            text = problem if isinstance(problem, str) else "error object is not a string"
            self._report(-286, "TSP Runtime error", text)
        return False

    def _guarded(self, callable_: Callable[..., Any]) -> Callable[..., Any]:
        """What Python functions raise about their arguments, as something Lua can deal with."""
        refused = self._tools.refused

        def call(*arguments: Any) -> Any:
            try:
                return callable_(*arguments)
            except UNUSABLE_ARGUMENT as error:
                self._problem = str(error)
                return refused

        return call

    def _miscounted(self, given: int, fewest: int) -> None:
        if given < fewest:
            self.errors.report(TOO_FEW, f"Expected at least {fewest} parameters")
        else:
            self.errors.report(TOO_MANY)

    def _compiled(self, source: str) -> tuple[LuaObject | None, str]:
        if problem := newer_syntax(source):
            return None, f"TSP:{problem}"
        result = self._compile(source)
        return result if isinstance(result, tuple) else (result, "")

    def _loadstring(self, source: str = "", *_: object) -> Any:
        function, problem = self._compiled(str(source))
        return function if function is not None else (None, problem)

    def _report(self, code: int, kind: str, problem: str) -> None:
        match = PLACE.match(problem)
        line, text = (match[1], match[2]) if match else ("1", problem)
        self.errors.report(code, f"{kind} at line {line}: {text}")

    def _table(self, entries: Mapping[Any, Any]) -> LuaObject:
        wrapped = {
            key: self.function(value) if callable(value) and not lua51.lua_type(value) else value
            for key, value in entries.items()
        }
        return self._lua.table_from(wrapped)
