"""The trigger model of an emulated Keithley 2400: an arm layer, and a trigger layer within it.

After the Series 2400 user's manual, sections 11 and 18. Ours: output events are noted, and no line
goes anywhere; while it waits, the instrument takes settings as it does when idle.
"""

from collections.abc import Generator
from typing import Any

from simulated_instruments.keithley_sourcemeter import Level
from simulated_instruments.scpi import Setting, scpi
from simulated_instruments.scpi_grammar import ScpiError, integer, word

MOST_POINTS = 2500
ARM, TRIGGER = "ARM[:SEQuence[1]][:LAYer[1]]:", "TRIGger[:SEQuence[1]]:"
LINES = integer(1, 4)
SOURCES = word("IMMediate", "TLINk", "TIMer", "MANual", "BUS", "NSTest", "PSTest", "BSTest")
DIRECTIONS = word("ACCeptor", "SOURce")
IDLE = 1024
"""Bit of the operation condition register."""


class Triggers:
    """Runs a `SourceMeter` through arm count times trigger count source-measure points."""

    arm_count = Setting(ARM + "COUNt", integer(1, MOST_POINTS), 1)
    arm_source = Setting(ARM + "SOURce", SOURCES, "IMM")
    arm_timer = Level(ARM + "TIMer", "S", 0.001, 99999.99, 0.1)
    arm_input = Setting(ARM + "ILINe", LINES, 1)
    arm_output_line = Setting(ARM + "OLINe", LINES, 2)
    arm_output = Setting(ARM + "OUTPut", word("TENTer", "TEXit", "NONE"), "NONE")
    arm_direction = Setting(ARM + "DIRection", DIRECTIONS, "ACC")
    trigger_count = Setting(TRIGGER + "COUNt", integer(1, MOST_POINTS), 1)
    trigger_source = Setting(TRIGGER + "SOURce", word("IMMediate", "TLINk"), "IMM")
    trigger_delay = Level(TRIGGER + "DELay", "S", 0.0, 999.9999, 0.0)
    trigger_input = Setting(TRIGGER + "ILINe", LINES, 1)
    trigger_output_line = Setting(TRIGGER + "OLINe", LINES, 2)
    trigger_output = Setting(TRIGGER + "OUTPut", word("SOURce", "DELay", "SENSe", "NONE"), "NONE")
    trigger_direction = Setting(TRIGGER + "DIRection", DIRECTIONS, "ACC")

    def _be_idle(self) -> None:
        self._waiting: tuple[str, Generator[str, None, None]] | None = None
        self._answer_when_done = False

    def check_triggers(self: Any) -> None:
        """Raise ScpiError -221 for more points than the instrument keeps."""
        if self.arm_count * self.trigger_count > MOST_POINTS:
            raise ScpiError(-221, "arm count times trigger count")

    def start(self: Any) -> None:
        """Leave idle. Raises ScpiError 803 if the output is off."""
        if not self.output and not self.clear_auto:
            raise ScpiError(803)
        levels = self.levels()
        self.readings.clear()
        self._advance(self._sequence(levels))

    def start_and_answer(self: Any) -> bytes | None:
        """The readings; None while it waits for a trigger: they are sent when all are there."""
        self._be_idle()
        self.start()
        self._answer_when_done = self._waiting is not None
        return None if self._waiting else self.readings_text()

    def _advance(self: Any, sequence: Generator[str, None, None]) -> None:
        self._waiting = None
        source = next(sequence, None)
        if source is not None:
            self._waiting = (source, sequence)
        elif self._answer_when_done:
            self._answer_when_done = False
            self.reply(self.readings_text())

    def _sequence(self: Any, levels: list[float]) -> Generator[str, None, None]:
        """Stops at each event that has to come from outside."""
        step = 0
        for _ in range(self.arm_count):
            if self.arm_source not in ("IMM", "TIM"):
                yield self.arm_source
            began = self.station.clock.now
            for _ in range(self.trigger_count):
                if self.trigger_source == "TLIN":
                    yield "TLIN"
                self.station.clock.advance(self.trigger_delay)
                in_compliance = self.source_and_measure(levels[step % len(levels)])
                step += 1
                if in_compliance and self.compliance_abort != "NEV":
                    return
            if self.arm_source == "TIM":
                ends = began + self.arm_timer
                self.station.clock.advance(max(0.0, ends - self.station.clock.now))

    @scpi("ABORt")
    def _abort(self) -> None:
        self._be_idle()

    @scpi("TRIGger:CLEar")
    def _clear_pending(self) -> None:
        """No event is kept here."""

    @scpi("INITiate[:IMMediate]")
    def _initiate(self) -> None:
        if self._waiting:
            raise ScpiError(-213)
        self.start()

    @scpi("*OPC?")
    def _operation_complete(self) -> str | None:
        """While the instrument waits for a trigger, the controller waits too."""
        return None if self._waiting else "1"

    @scpi("STATus:OPERation:CONDition?")
    def _operation_condition(self) -> str:
        return "0" if self._waiting else str(IDLE)

    def trigger(self) -> None:
        """``*TRG`` and the bus's group execute trigger."""
        self._event("BUS")

    def external_trigger(self) -> None:
        """A pulse on the trigger link."""
        self._event("TLIN")

    def _event(self: Any, source: str) -> None:
        if self._waiting is None or self._waiting[0] != source:
            self.report(ScpiError(-211))
            return
        self._advance(self._waiting[1])
