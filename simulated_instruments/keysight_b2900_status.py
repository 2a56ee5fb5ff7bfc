"""The status registers of an emulated B2900.

Bits after the SCPI command reference (B2910-90030, pages 4-115 and 4-116, and B2961-90030, page
3-14, for the status byte). The operation register: idle bits after a program that polls them on a
real B2902B, the waiting bits between them from memory. Left out: limit tests, what no emulator has
(temperature, interlock, calibration), and answers in other bases than ten.
"""

from collections.abc import Callable
from typing import Any

from simulated_instruments.scpi import scpi
from simulated_instruments.scpi_grammar import integer

GROUPS = {
    "MEAS": ("MEASurement", 0x01),
    "OPER": ("OPERation", 0x80),
    "QUES": ("QUEStionable", 0x08),
}
"""Name in headers, and bit in the status byte."""
SERVICE = 0x40
EVERY_BIT = 0x7FFF
READING_AVAILABLE, READING_OVERFLOW, BUFFER_AVAILABLE, BUFFER_FULL = 1, 2, 3, 4
"""Bits of the measurement register, channel 1."""
NEXT_CHANNEL = {"MEAS": 6, "OPER": 6}
"""How many bits further channel 2 has them."""
OUTPUT_PROTECTION = (2, 3)
EVENT_LOST = {"tran": (11, 13), "acq": (12, 14)}
"""Bits of the questionable register, by channel."""
IDLE = {"tran": 1, "acq": 4}
WAITING = {"arm": 1, "trig": 2}
"""Bits of the operation register, the latter counted from the former."""


class Register:
    """Condition, transition filters, events, and which of them are summed up."""

    def __init__(self) -> None:
        self.condition = 0
        self.events = 0
        self.enabled = 0
        self.preset()

    def preset(self) -> None:
        """What STATus:PRESet does: every rising bit is an event, none is summed up."""
        self.rising, self.falling, self.enabled = EVERY_BIT, 0, 0

    def change(self, condition: int) -> None:
        """Conditions have changed; events are noted."""
        rose, fell = condition & ~self.condition, self.condition & ~condition
        self.events |= (rose & self.rising) | (fell & self.falling)
        self.condition = condition

    def flag(self, bit: int, state: bool) -> None:
        """Set or clear one condition."""
        mask = 1 << bit
        self.change(self.condition | mask if state else self.condition & ~mask)

    def take_events(self) -> int:
        """Events since they were last asked for."""
        events, self.events = self.events, 0
        return events


def _asked(group: str, attribute: str) -> Callable[[Any], str]:
    return lambda instrument: str(getattr(instrument.registers[group], attribute))


def _told(group: str, attribute: str) -> Callable[[Any, int], None]:
    def change(instrument: Any, mask: int) -> None:
        setattr(instrument.registers[group], attribute, mask & EVERY_BIT)

    return change


def _taken(group: str) -> Callable[[Any], str]:
    return lambda instrument: str(instrument.registers[group].take_events())


def _namespace() -> dict[str, Any]:
    members: dict[str, Any] = {}
    masks = {"ENABle": "enabled", "PTRansition": "rising", "NTRansition": "falling"}
    for group, (name, _) in GROUPS.items():
        head = f"STATus:{name}"
        members[f"_{group}_events"] = scpi(head + "[:EVENt]?", on_status=True)(_taken(group))
        members[f"_{group}_condition"] = scpi(head + ":CONDition?", on_status=True)(
            _asked(group, "condition")
        )
        for tail, attribute in masks.items():
            members[f"_{group}_{attribute}"] = scpi(f"{head}:{tail}?")(_asked(group, attribute))
            members[f"_set_{group}_{attribute}"] = scpi(f"{head}:{tail}", integer(0, 65535))(
                _told(group, attribute)
            )
    # The base class has this one; a B2900 keeps its questionable events in a register.
    members["_questionable_events"] = members.pop("_QUES_events")
    return members


StatusCommands: Any = type("StatusCommands", (), _namespace())


class Status(StatusCommands):
    """Three registers, and the status byte that sums them up."""

    def _new_registers(self) -> None:
        self.registers = {group: Register() for group in GROUPS}

    def flag(self, group: str, bit: int, index: int, state: bool) -> None:
        """Set or clear a condition of a channel."""
        self.registers[group].flag(bit + NEXT_CHANNEL.get(group, 0) * index, state)

    @scpi("STATus:PRESet")
    def _preset_status(self) -> None:
        for register in self.registers.values():
            register.preset()

    @scpi("*CLS")
    def _clear_status(self: Any) -> None:
        super()._clear_status()
        for register in self.registers.values():
            register.events = 0
        self.forget_completion()

    def status_byte(self: Any) -> int:
        """Bit 0 measurement, 2 errors, 3 questionable, 4 reply, 5 standard event, 7 operation."""
        byte = super().status_byte() & ~SERVICE
        for group, (_, bit) in GROUPS.items():
            register = self.registers[group]
            byte |= bit if register.events & register.enabled else 0
        return int(byte | (SERVICE if byte & self.service_enable & ~SERVICE else 0))
