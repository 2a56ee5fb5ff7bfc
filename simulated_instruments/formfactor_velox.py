"""A FormFactor Velox prober: moves the station's wafer and makes its contact.

Replies as on GPIB, ``code: values`` (the TCP message server wraps the same answers otherwise).
Codes 701 and 703 are the prober's own. No list of the others is public: those below are ours, and
a driver must not depend on them.
"""

from collections.abc import Callable, Sequence

from crossbar.geometry import DieAddress
from crossbar.units import Seconds
from drivers.die_frame import DieFrame
from simulated_instruments.emulated_instrument import EmulatedInstrument
from simulated_instruments.probe_station import ProbeStation

IDENTITY = "Cascade Microtech,Velox,0,3.4"
STEP_TIME: Seconds = 1.0
"""From die to die."""
HEIGHT_TIME: Seconds = 0.3
"""From separation to contact and back."""
DIE_PITCH_UM = (5000.0, 5000.0)

OK = 0
NO_SUCH_DIE = 701
END_OF_WAFER = 703
UNKNOWN_COMMAND = 509
BAD_PARAMETER = 510
NO_CONTACT_HEIGHT = 511
NOT_ON_MAP = 512

Answer = tuple[int, str]
"""Status code, and the values or the error's text."""


class EmulatedFormFactorVelox(EmulatedInstrument):
    """A prober with a wafer map; its route visits the dies in the order given."""

    def __init__(
        self,
        station: ProbeStation,
        *,
        addresses: Sequence[DieAddress] | None = None,
        die_frame: DieFrame | None = None,
        contact_height: float | None = 12000.0,
    ) -> None:
        """``addresses`` default to the wafer's own; ``contact_height`` is in micrometres, None for
        a prober that was not taught one.
        """
        super().__init__()
        self.station = station
        self.route = tuple(station.wafer.addresses if addresses is None else addresses)
        self.die_frame = die_frame or DieFrame()
        self.contact_height = contact_height
        self.preset_height = "S"
        self.motor_quiet = False
        self._commands: dict[str, Callable[[list[str]], Answer]] = {
            "EchoData": lambda words: (OK, " ".join(words)),
            "EnableMotorQuiet": self._enable_motor_quiet,
            "GetNumSelectedDies": lambda words: (OK, str(len(self.route))),
            "IsAppRegistered": lambda words: (OK, "1" if words == ["WaferMap"] else "0"),
            "MoveChuckAlign": lambda words: self._move_to("A"),
            "MoveChuckContact": lambda words: self._move_to("C"),
            "MoveChuckSeparation": lambda words: self._move_to("S"),
            "ReadChuckHeights": self._read_chuck_heights,
            "ReadChuckStatus": self._read_chuck_status,
            "ReadMapPosition2": self._read_map_position,
            "ReadProberStatus": self._read_prober_status,
            "ReportSoftwareVersion": lambda words: (OK, "3.4"),
            "StepFirstDie": lambda words: self._step_to(self.route[0]),
            "StepNextDie": self._step_next_die,
        }

    def handle(self, message: bytes) -> None:
        """Answer one command in the framing of GPIB."""
        text = message.decode("latin-1").strip()
        if text == "*IDN?":
            self.reply(IDENTITY)
        elif text == "*OPC?":
            self.reply("1")
        elif text:
            code, values = self.answer(text)
            self.reply(f"{code}: {values}")

    def answer(self, text: str) -> Answer:
        """Act on one command, whatever the framing around it."""
        name, *parameters = text.split()
        command = self._commands.get(name)
        if command is None:
            return UNKNOWN_COMMAND, f"Unknown command {name}"
        return command(parameters)

    def _step_next_die(self, words: list[str]) -> Answer:
        """With a column and a row: there, sub-die (if given) ignored. Without: along the route."""
        if not words:
            here = self.station.die_under_needles
            following = self.route.index(here) + 1 if here in self.route else 0
            if following == len(self.route):
                return END_OF_WAFER, "End of wafer map reached"
            return self._step_to(self.route[following])
        try:
            column, row = (int(word) for word in words[:2])
        except ValueError:
            return BAD_PARAMETER, f"StepNextDie takes two integers, not {' '.join(words)}"
        die = self.die_frame.from_prober(column, row)
        if die not in self.route:
            return NO_SUCH_DIE, f"No die at {column} {row}"
        return self._step_to(die)

    def _step_to(self, die: DieAddress) -> Answer:
        """Auto-Z: at contact, the chuck drops to separation before it moves."""
        if self.preset_height == "C":
            self._move_to("S")
        self.station.in_contact = False
        self.station.clock.advance(STEP_TIME)
        self.station.die_under_needles = die
        column, row = self.die_frame.to_prober(die)
        return OK, f"{column} {row} 0 0"

    def _move_to(self, height: str) -> Answer:
        if self.contact_height is None:
            return NO_CONTACT_HEIGHT, "Contact height is not set"
        if height != self.preset_height:
            self.station.clock.advance(HEIGHT_TIME)
        self.preset_height = height
        self.station.in_contact = height == "C"
        return OK, ""

    def _enable_motor_quiet(self, words: list[str]) -> Answer:
        if words[:1] not in (["0"], ["1"]):
            return BAD_PARAMETER, "EnableMotorQuiet takes 0 or 1"
        self.motor_quiet = words[0] == "1"
        return OK, ""

    def _read_map_position(self, words: list[str]) -> Answer:
        """Column, row, offsets from home, sub-die, last sub-die, die number, dies, clusters."""
        here = self.station.die_under_needles
        if here is None or here not in self.route:
            return NOT_ON_MAP, "The chuck is not at a die of the wafer map"
        column, row = self.die_frame.to_prober(here)
        home_column, home_row = self.die_frame.to_prober(self.route[0])
        x = (column - home_column) * DIE_PITCH_UM[0]
        y = (row - home_row) * DIE_PITCH_UM[1]
        number = self.route.index(here) + 1
        return OK, f"{column} {row} {x:.1f} {y:.1f} -1 -1 {number} {len(self.route)} 0 0"

    def _read_chuck_heights(self, words: list[str]) -> Answer:
        contact = -1 if self.contact_height is None else self.contact_height
        return OK, f"{contact} 50 100 300 100"

    def _read_chuck_status(self, words: list[str]) -> Answer:
        """Bit 4 of the mode says that a contact height is set, not that the chuck is there."""
        mode = 0b10 | (0b10000 if self.contact_height is not None else 0)
        return OK, f"15 {mode} 0 0 L 1 {self.preset_height} 0 0 P {int(self.motor_quiet)}"

    def _read_prober_status(self, words: list[str]) -> Answer:
        return OK, f"0 {int(self.preset_height == 'C')} R {int(self.motor_quiet)}"
