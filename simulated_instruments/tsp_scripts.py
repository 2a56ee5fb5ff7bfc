"""Scripts: collecting their lines, naming them, running them."""

import re

from simulated_instruments.tsp_errors import ErrorQueue
from simulated_instruments.tsp_interpreter import LuaObject, TspInterpreter

START = re.compile(r"(loadscript|loadandrunscript)(?:\s+(\S+))?\s*", re.ASCII)
NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
ILLEGAL_NAME, WRONG_TYPE = -282, -104


class ScriptLoader:
    """Takes the lines between ``loadscript`` and ``endscript`` and makes them a global."""

    def __init__(self, interpreter: TspInterpreter, errors: ErrorQueue) -> None:
        self.interpreter = interpreter
        self.errors = errors
        self.collecting: list[str] | None = None
        """Lines so far; None when no script is being loaded. Without an ``endscript`` the
        instrument swallows everything, as the real one does."""
        self._name = ""
        self._run_at_once = False
        interpreter.define(
            "script",
            interpreter.make_object(
                members={"new": self.make, "delete": lambda *_: None},  # no flash to delete from
            ),
        )

    def take(self, text: str) -> bool:
        """Whether this message was part of loading a script; it is dealt with then."""
        if self.collecting is not None:
            if text == "endscript":
                self._finish(self.collecting)
            elif text == "abort":
                self.collecting = None
            else:
                self.collecting.append(text)
            return True
        start = START.fullmatch(text)
        if start is None:
            return False
        self._run_at_once, self._name = start[1] == "loadandrunscript", start[2] or ""
        if self._name and not NAME.fullmatch(self._name):
            self.errors.report(ILLEGAL_NAME)
            self._name = ""
        self.collecting = []
        return True

    def make(self, source: object, name: object = "", *_: object) -> LuaObject | None:
        """``script.new(source, name)``: the script, also a global of that name; nil on -285."""
        if not isinstance(source, str) or not isinstance(name, str):
            self.errors.report(WRONG_TYPE)
            return None
        function = self.interpreter.compile(source)
        if function is None:
            return None
        loaded = self.interpreter.make_object(
            getters={"name": lambda: name, "source": lambda: source},
            members={"run": function, "save": lambda *_: None},
            call=function,
        )
        if name:
            self.interpreter.define(name, loaded)
        return loaded

    def _finish(self, lines: list[str]) -> None:
        self.collecting = None
        source = "\n".join(lines)
        self.make(source, self._name)
        if self._run_at_once:
            function = self.interpreter.compile(source)
            if function is not None:
                self.interpreter.run(function)
