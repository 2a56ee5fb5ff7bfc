"""A Keithley 2600B at byte level: runs TSP scripts, and is wired to the cell under the needles.

Facts from the series 2600B reference manual, 2600BS-901-01 rev. F. Left out: TSP-Link, the front
panel, factory scripts, and what `tsp_smu`, `smu_trigger_model` and `tsp_status` list. Unknown
attributes read as nil and cannot be set: a misspelt command ends in the error queue.
"""

import re
from collections.abc import Callable

from simulated_instruments.emulated_instrument import EmulatedInstrument
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.smu_ratings import SINGLE_CHANNEL, WITHOUT_DIGITAL_IO, ratings_of
from simulated_instruments.smu_terminals import OpenTerminals, RoutedCell, Terminals
from simulated_instruments.smu_trigger_model import TriggerModel
from simulated_instruments.tsp_bits import bit_object
from simulated_instruments.tsp_buffers import printed_buffers
from simulated_instruments.tsp_digital_io import DigitalPort, digital_port_object
from simulated_instruments.tsp_errors import ErrorQueue
from simulated_instruments.tsp_events import TRIGGER_EVENT, EventBus
from simulated_instruments.tsp_format import CONSTANTS, OutputFormat
from simulated_instruments.tsp_interpreter import INSTRUCTION_BUDGET, LuaObject, TspInterpreter
from simulated_instruments.tsp_scripts import ScriptLoader
from simulated_instruments.tsp_settings import DURATION, SWITCH_OFF, Settings, choice
from simulated_instruments.tsp_smu import SmuChannel
from simulated_instruments.tsp_smu_names import smu_object
from simulated_instruments.tsp_status import StatusModel
from simulated_instruments.tsp_triggers import Triggers, trigger_object

REVISION = "3.3.5"
MISSING_PARAMETER, WRONG_TYPE = 1400, -104
GPIB_ADDRESS = 26
COMMON_MASK = re.compile(r"(\*ESE|\*SRE)\s+(\d{1,5})", re.IGNORECASE | re.ASCII)
DISPLAY_CONSTANTS = {
    "SMUA": 0, "SMUB": 1, "SMUA_SMUB": 2, "USER": 3,
    "MEASURE_DCAMPS": 0, "MEASURE_DCVOLTS": 1, "MEASURE_OHMS": 2, "MEASURE_WATTS": 3,
}  # fmt: skip


class EmulatedKeithley2600B(EmulatedInstrument):
    """Channel A reaches the cell that the board routes; channel B, if any, is open."""

    def __init__(
        self,
        station: ProbeStation,
        model: str = "2636B",
        serial: str = "4498311",
        *,
        line_frequency: float = 60.0,
        instruction_budget: int = INSTRUCTION_BUDGET,
    ) -> None:
        super().__init__()
        self.station = station
        self.model = model
        self.serial = serial
        self.errors = ErrorQueue()
        self.output = OutputFormat(self.errors)
        self.interpreter = TspInterpreter(self.errors, instruction_budget=instruction_budget)
        self.scripts = ScriptLoader(self.interpreter, self.errors)
        self.channels = {"smua": self._channel(RoutedCell(station), line_frequency)}
        if model not in SINGLE_CHANNEL:
            self.channels["smub"] = self._channel(OpenTerminals(), line_frequency)
        self.bus = EventBus(station.clock, self.errors)
        self.sweeps = {
            name: TriggerModel(name, channel, self.bus) for name, channel in self.channels.items()
        }
        self.triggers = Triggers(self.bus)
        self.digital_port = DigitalPort(self.bus, self._send_trigger)
        self.bus.listeners.append(self.digital_port.listen)
        self.status = StatusModel(
            self.channels, self.sweeps, self.bus, self.errors, lambda: bool(self.replies)
        )
        self.chatter = Settings({"prompts": SWITCH_OFF, "showerrors": SWITCH_OFF}, self.errors)
        self.line_frequency = line_frequency
        self._timer_started = station.clock.now
        self._define_names()
        self._common_commands = self._make_common_commands()

    def handle(self, message: bytes) -> None:
        """One line: part of a script, a common command, or Lua."""
        text = message.decode("latin-1").strip()
        if self.scripts.take(text) or not text:
            pass
        elif text == "abort":
            self.bus.abort()  # a script that waits for a sweep ends, and the sweep with it
        elif text[0] == "*" and (action := self._common_commands.get(text.upper().split()[0])):
            action()
        elif mask := COMMON_MASK.fullmatch(text):
            self._set_mask(mask[1].upper(), float(mask[2]))
        else:
            self.interpreter.execute(text)
        self.bus.progress()
        self.status.update()
        if self.chatter["prompts"] or self.chatter["showerrors"]:
            self._chat()

    def trigger(self) -> None:
        """Group execute trigger: the same event as ``*TRG``."""
        self.bus.post(TRIGGER_EVENT)
        self.bus.progress()

    def external_trigger(self, line: int = 1) -> None:
        """An edge from outside at one of the digital lines."""
        self.digital_port.receive(line)
        self.bus.progress()

    def status_byte(self) -> int:
        """Bit 2 errors in the queue, bit 4 message available, summary bits as enabled."""
        return self.status.byte()

    def clear(self) -> None:
        """Device clear: also ends the loading of a script."""
        super().clear()
        self.scripts.collecting = None

    def reset(self) -> None:
        """``*RST``, ``reset()``: outputs off, defaults. Scripts, globals and replies stay."""
        self.bus.abort()
        for name, channel in self.channels.items():
            self.sweeps[name].reset()
            channel.reset()
        self.triggers.reset()
        self.digital_port.reset()
        self.output.settings.reset()

    def _channel(self, terminals: Terminals, line_frequency: float) -> SmuChannel:
        return SmuChannel(
            ratings=ratings_of(self.model),
            terminals=terminals,
            clock=self.station.clock,
            errors=self.errors,
            line_frequency=line_frequency,
        )

    def _send_trigger(self, line: int) -> None:
        """What the source held so far comes before what the trigger sets off."""
        for channel in self.channels.values():
            channel.settle()
        self.station.trigger(line)

    def _make_common_commands(self) -> dict[str, Callable[[], None]]:
        def clear_status() -> None:
            self.status.clear()
            self.replies.clear()

        identity = f"Keithley Instruments Inc., Model {self.model}, {self.serial}, {REVISION}"
        answers: dict[str, Callable[[], str]] = {
            "*IDN?": lambda: identity,
            "*OPC?": self._operations_complete,
            "*TST?": lambda: "0",
            "*ESR?": lambda: self.output.number(self.errors.read_event_status()),
            "*STB?": lambda: self.output.number(self.status_byte()),
            "*ESE?": lambda: self.output.number(self.status.standard["enable"]),
            "*SRE?": lambda: self.output.number(self.status.request["request_enable"]),
        }
        commands = {
            name: (lambda answer=answer: self.reply(answer())) for name, answer in answers.items()
        }
        return {
            **commands,
            "*OPC": self.status.await_completion,
            "*TRG": lambda: self.bus.post(TRIGGER_EVENT),
            "*WAI": self.bus.finish,
            "*RST": self.reset,
            "*CLS": clear_status,
        }

    def _set_mask(self, register: str, value: float) -> None:
        """``*ESE 4``, ``*SRE 32``."""
        if register == "*ESE":
            self.status.standard.set("enable", value)
        else:
            self.status.request.set("request_enable", value)

    def _operations_complete(self) -> str:
        self.bus.finish()
        return "1"

    def _chat(self) -> None:
        """Prompts and errors pushed unasked, for programs that left them switched on."""
        if self.chatter["showerrors"]:
            while self.errors.entries:
                self.print(*self.errors.next())
        if self.chatter["prompts"]:
            loading = self.scripts.collecting is not None
            self.reply(">>>>" if loading else "TSP?" if self.errors.entries else "TSP>")

    def print(self, *values: object) -> None:
        """``print(...)``: one line, values joined by tabs."""
        self.reply(self.output.line(map(self._text, values)))

    def _text(self, value: object) -> str:
        if isinstance(value, str):
            return value
        if value is None:
            return "nil"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return self.output.number(value)
        return self.interpreter.tostring(value)

    def _print_number(self, *values: object) -> None:
        if all(isinstance(value, int | float) for value in values):
            self.reply(self.output.numbers([float(str(value)) for value in values]))
        else:
            self.errors.report(WRONG_TYPE)

    def _print_buffer(self, first: object = None, last: object = None, *tables: object) -> None:
        if not isinstance(first, int | float) or not isinstance(last, int | float):
            self.errors.report(MISSING_PARAMETER)
            return
        self.bus.finish()  # the answer waits for a sweep that still fills a buffer
        given = [table for table in tables if table is not None]
        text = printed_buffers(first, last, given, self.output, self.errors)
        if text is not None:
            self.reply(text)

    def _delay(self, duration: object = None, *_: object) -> None:
        if code := MISSING_PARAMETER if duration is None else DURATION.complaint(duration):
            self.errors.report(code)
        else:
            self.bus.delay(float(str(duration)))

    def _restart_timer(self) -> None:
        self._timer_started = self.station.clock.now

    def _define_names(self) -> None:
        """Every global of the instrument."""
        lua = self.interpreter
        for name, channel in self.channels.items():
            lua.define(name, smu_object(lua, channel, self.sweeps[name]))
        if self.model not in WITHOUT_DIGITAL_IO:
            lua.define("digio", digital_port_object(lua, self.digital_port))
        settings = self.output.settings
        objects = {
            "format": lua.make_object(
                getters=settings.getters(), setters=settings.setters(), members=CONSTANTS
            ),
            "errorqueue": lua.make_object(
                getters={"count": lambda: len(self.errors.entries)},
                members={"next": self.errors.next, "clear": self.errors.clear},
            ),
            "timer": lua.make_object(
                members={
                    "reset": self._restart_timer,
                    "measure": lua.make_object(
                        members={"t": lambda: self.station.clock.now - self._timer_started}
                    ),
                }
            ),
            "localnode": self._node_object(),
            "status": self.status.object(lua),
            "trigger": trigger_object(lua, self.triggers),
            "display": self._display_object(),
            "bit": bit_object(lua, self.errors),
            "beeper": lua.make_object(members={"beep": _silent}),
            "gpib": lua.make_object(getters={"address": lambda: GPIB_ADDRESS}),
            "lan": lua.make_object(),
        }
        functions: dict[str, Callable[..., object]] = {
            "print": self.print,
            "tostring": self._text,
            "printnumber": self._print_number,
            "delay": self._delay,
            "reset": lambda system=None: self.reset(),  # the other nodes are not there
            "waitcomplete": lambda *_: self.bus.finish(),
            "opc": self.status.await_completion,
            "available": lambda name=None, *_: name is not None,
            "exit": _silent,
        }
        for name, value in objects.items():
            lua.define(name, value)
        for name, function in functions.items():
            lua.define(name, lua.function(function))
        lua.define("printbuffer", lua.function(self._print_buffer, opening=True))

    def _node_object(self) -> LuaObject:
        """``localnode``."""
        return self.interpreter.make_object(
            getters={"linefreq": lambda: self.line_frequency} | self.chatter.getters(),
            setters=self.chatter.setters(),
            members={
                "model": self.model,
                "serialno": self.serial,
                "revision": REVISION,
                "description": f"Keithley {self.model} #{self.serial}",
                "reset": self.reset,
            },
        )

    def _display_object(self) -> LuaObject:
        """``display``: what is shown is kept nowhere."""
        lua = self.interpreter
        shown = {
            name: Settings({"func": choice(0, 0, 1, 2, 3)}, self.errors) for name in self.channels
        }
        screen = Settings({"screen": choice(0, 0, 1, 2, 3)}, self.errors)
        channels = {
            name: lua.make_object(
                members={"measure": lua.make_object(getters=one.getters(), setters=one.setters())}
            )
            for name, one in shown.items()
        }
        functions = dict.fromkeys(("clear", "settext", "sendkey", "setcursor"), _silent)
        return lua.make_object(
            getters=screen.getters(),
            setters=screen.setters(),
            members=channels | functions | DISPLAY_CONSTANTS,
        )


def _silent(*_: object) -> None:
    """Accepted, and nothing to be seen of it here."""
