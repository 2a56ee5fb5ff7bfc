"""``status``: condition, event and enable registers, the status byte and its summary bits.

A bit of a register that sums up others is there while one of their enabled events is. Left out: the
registers of `status.questionable` and of lines and links.
"""

from collections.abc import Callable, Mapping
from functools import partial

from simulated_instruments.smu_trigger_model import TriggerModel
from simulated_instruments.tsp_errors import ErrorQueue
from simulated_instruments.tsp_events import EventBus
from simulated_instruments.tsp_interpreter import LuaObject, TspInterpreter
from simulated_instruments.tsp_settings import Setting, Settings
from simulated_instruments.tsp_smu import SmuChannel

CHANNEL_BITS = {"smua": 2, "smub": 4}
MEASUREMENT_BITS = {
    "voltage_limit": 0x01, "current_limit": 0x02, "reading_overflow": 0x80,
    "buffer_available": 0x100,
}  # fmt: skip
"""The same bits in the register of a channel and, as summaries, in ``status.measurement``."""
INSTRUMENT_SUMMARY = 0x2000
"""In ``status.measurement``. Not confirmed: from memory of the manual."""
OPERATION_SWEEPING = 8
ALL_BITS = 65_535
MASK = Setting(default=0, lower=0, upper=ALL_BITS)
REGISTER = {"enable": MASK, "ntr": MASK, "ptr": Setting(default=ALL_BITS, lower=0, upper=ALL_BITS)}
REQUEST_ENABLE = {"request_enable": Setting(default=0, lower=0, upper=255)}
MEASUREMENT_SUMMARY = 0x01
ERROR_AVAILABLE, MESSAGE_AVAILABLE, EVENT_SUMMARY = 0x04, 0x10, 0x20
MASTER_SUMMARY, OPERATION_SUMMARY = 0x40, 0x80
OPERATION_COMPLETE = 0x01
"""In the standard event register."""


class Register:
    """One register set: conditions as they are, events until they are read."""

    def __init__(self, condition: Callable[[], int], errors: ErrorQueue) -> None:
        self._condition = condition
        self.settings = Settings(REGISTER, errors)
        self._before = self._events = 0

    def reset(self) -> None:
        """Enable register and filters to their defaults, events forgotten."""
        self.settings.reset()
        self.clear()

    def clear(self) -> None:
        """Forget the events."""
        self._events = 0

    def condition(self) -> int:
        """The bits now; those that came or went become events as the filters have it."""
        now = self._condition()
        self.note(now)
        return now

    def note(self, now: int) -> None:
        """Turn the difference from the bits before into events."""
        came, went = now & ~self._before, self._before & ~now
        self._events |= (came & int(self.settings["ptr"])) | (went & int(self.settings["ntr"]))
        self._before = now

    def event(self) -> int:
        """What came since the last reading: reading clears."""
        self.condition()
        events, self._events = self._events, 0
        return events

    @property
    def summary(self) -> bool:
        """Whether an enabled event is there."""
        if self.settings["enable"]:
            self.condition()
        return bool(self._events & int(self.settings["enable"]))

    def object(self, lua: TspInterpreter, **members: object) -> LuaObject:
        """The register as TSP sees it."""
        return lua.make_object(
            getters=self.settings.getters() | {"condition": self.condition, "event": self.event},
            setters=self.settings.setters(),
            members=members,
        )


class StatusModel:
    """What ``status`` holds, and how it makes up the status byte."""

    def __init__(
        self,
        channels: Mapping[str, SmuChannel],
        sweeps: Mapping[str, TriggerModel],
        bus: EventBus,
        errors: ErrorQueue,
        message_available: Callable[[], bool],
    ) -> None:
        self.sweeps = sweeps
        self.bus = bus
        self.errors = errors
        self.message_available = message_available
        self.request = Settings(REQUEST_ENABLE, errors)
        self.standard = Settings({"enable": MASK}, errors)
        self.limits = {
            name: Register(channel.condition, errors) for name, channel in channels.items()
        }
        self.kinds = {
            kind: Register(partial(self._limited, bit), errors)
            for kind, bit in MEASUREMENT_BITS.items()
        }
        self.instrument = Register(self._instruments, errors)
        self.measurement = Register(self._measurements, errors)
        self.sweeping = Register(self._sweeping, errors)
        self.operation = Register(
            lambda: OPERATION_SWEEPING if self.sweeping.condition() else 0, errors
        )
        self._leaves = (*self.limits.values(), *self.kinds.values())
        self._registers = (
            *self._leaves, self.instrument, self.measurement, self.sweeping, self.operation,
        )  # fmt: skip
        self._channels = tuple(channels.items())
        self._limits_before: list[int] = []
        self._completion_awaited = False

    def reset(self) -> None:
        """``status.reset()``."""
        self.request.reset()
        self.standard.reset()
        for register in self._registers:
            register.reset()

    def clear(self) -> None:
        """``*CLS``: events, errors."""
        for register in self._registers:
            register.clear()
        self.errors.clear()
        self.errors.event_status = 0

    def update(self) -> None:
        """After each message: events are noted even if nobody reads conditions."""
        limits = [channel.condition() for _, channel in self._channels]
        if limits != self._limits_before:
            self._limits_before = limits
            for register in (*self._leaves, self.instrument, self.measurement):
                register.condition()
        sweeping = self._sweeping_bits()
        self.sweeping.note(sweeping)
        self.operation.note(OPERATION_SWEEPING if sweeping else 0)
        if self._completion_awaited and not self.bus.busy:
            self._completion_awaited = False
            self.errors.event_status |= OPERATION_COMPLETE

    def await_completion(self) -> None:
        """``*OPC``, ``opc()``: a standard event when no overlapped operation runs any more."""
        self._completion_awaited = True

    def byte(self) -> int:
        """The status byte, with the summary bits that the enable registers let through."""
        standard = self.errors.event_status & int(self.standard["enable"])
        byte = (
            (MEASUREMENT_SUMMARY if self.measurement.summary else 0)
            | (ERROR_AVAILABLE if self.errors.entries else 0)
            | (MESSAGE_AVAILABLE if self.message_available() else 0)
            | (EVENT_SUMMARY if standard else 0)
            | (OPERATION_SUMMARY if self.operation.summary else 0)
        )
        return byte | (MASTER_SUMMARY if byte & int(self.request["request_enable"]) else 0)

    def object(self, lua: TspInterpreter) -> LuaObject:
        """``status`` as TSP sees it."""
        channels = {name: register.object(lua) for name, register in self.limits.items()}
        instrument = self.instrument.object(lua, **channels)
        standard = lua.make_object(
            getters=self.standard.getters()
            | {
                "event": self.errors.read_event_status,
                "condition": lambda: self.errors.event_status,
            },
            setters=self.standard.setters(),
        )
        kinds = {kind: register.object(lua) for kind, register in self.kinds.items()}
        return lua.make_object(
            getters={
                "condition": self.byte,
                "request_enable": partial(self.request.__getitem__, "request_enable"),
            },
            setters=self.request.setters(),
            members={
                "measurement": self.measurement.object(lua, instrument=instrument, **kinds),
                "operation": self.operation.object(lua, sweeping=self.sweeping.object(lua)),
                "standard": standard,
                "reset": self.reset,
            },
        )

    def _limited(self, bit: int) -> int:
        """The channels where this bit of the measurement conditions is set."""
        return sum(CHANNEL_BITS[name] for name, one in self._channels if one.condition() & bit)

    def _instruments(self) -> int:
        return sum(CHANNEL_BITS[name] for name, one in self.limits.items() if one.summary)

    def _measurements(self) -> int:
        kinds = sum(MEASUREMENT_BITS[kind] for kind, one in self.kinds.items() if one.summary)
        return kinds | (INSTRUMENT_SUMMARY if self.instrument.summary else 0)

    def _sweeping(self) -> int:
        """Bits of the channels that sweep. A sweep shows at least once, and goes on meanwhile."""
        bits = self._sweeping_bits()
        for model in self.sweeps.values():
            model.unreported = False
        self.bus.progress()
        return bits

    def _sweeping_bits(self) -> int:
        return sum(
            CHANNEL_BITS[name]
            for name, model in self.sweeps.items()
            if model.running or model.unreported
        )
