"""A Keithley 4200A-SCS under KXCI, over Ethernet: four SMUs, two 4225-PMUs with four 4225-RPMs.

One SMU and one channel of the PMU share an RPM, whose switch decides which of them reaches the
cell. After Keithley's published examples for KXCI and the KXCI programming manual
(4200A-KXCI-907-01) as public programs quote it; what is not public is marked as ours.
"""

from typing import ClassVar

from crossbar.errors import ConfigurationError
from simulated_instruments.emulated_instrument import EmulatedInstrument
from simulated_instruments.keithley_4200a_pulse_generator import TwoLetterPulses
from simulated_instruments.keithley_4200a_pulse_unit import CHANNELS, KxciPulseUnit
from simulated_instruments.keithley_4200a_smu import SMUS, KxciSmus, Rpm
from simulated_instruments.keithley_4200a_syntax import (
    NO_ERROR,
    PAGES,
    Arguments,
    Handler,
    KxciError,
    commands,
    counted,
    whole,
)
from simulated_instruments.keithley_4200a_system_mode import SystemMode
from simulated_instruments.probe_station import ProbeStation

DATA_READY, SYNTAX_ERROR, BUSY = 0x01, 0x02, 0x10
"""Bits of ``SP``."""


class EmulatedKeithley4200A(EmulatedInstrument):
    """Every message is answered: with ``ACK``, with data, or with the text of an error."""

    TERMINATOR: ClassVar[bytes] = b"\0"
    REPLY_TERMINATOR: ClassVar[bytes] = b"\0"
    IDENTITY: ClassVar[str] = "KEITHLEY INSTRUMENTS,KI4200A,1234567,V1.13"
    """Fields as public programs read them; the texts of firmware differ."""
    ID: ClassVar[str] = "KI4200A V1.13"
    OPTIONS: ClassVar[str] = "SMU1,SMU2,SMU3,SMU4,PMU1RPM1-1,PMU1RPM1-2,PMU2RPM2-1,PMU2RPM2-2"

    def __init__(
        self,
        station: ProbeStation,
        *,
        smu: int = 1,
        pulse_channel: int = 1,
        acknowledges_errors: bool = False,
    ) -> None:
        """``smu`` and the RPM of ``pulse_channel`` lead to the cell.

        ``acknowledges_errors``: answer ``ACK`` to commands that fail, too, and tell by
        ``:ERROR:LAST:GET`` only. Which of both a KXCI does is not public.

        Raises ConfigurationError for a unit that the mainframe does not have.
        """
        if not (1 <= smu <= SMUS and 1 <= pulse_channel <= CHANNELS):
            raise ConfigurationError(
                f"The emulated 4200A has SMUs 1 to {SMUS} and pulse channels 1 to {CHANNELS}, and "
                f"SMU {smu} and channel {pulse_channel} were named. Correct its options in "
                "bench.toml."
            )
        super().__init__()
        self.station = station
        self.acknowledges_errors = acknowledges_errors
        self.rpms = {number: Rpm() for number in range(1, CHANNELS + 1)}
        self.wired_rpm = self.rpms[pulse_channel]
        self.smus = KxciSmus(station, self.wired_rpm, wired=smu)
        self.pulse_unit = KxciPulseUnit(
            station, self.rpms, self._before_switching, wired=pulse_channel
        )
        self.two_letter_pulses = TwoLetterPulses(self.pulse_unit)
        self.system_mode = SystemMode(self.smus, self.pulse_unit.route, station.clock)
        self.page = "DE"
        self.last_error = ""
        self._status = 0
        self._anywhere = (
            self._common_handlers() | self.pulse_unit.handlers | self.two_letter_pulses.handlers
        )

    def handle(self, message: bytes) -> None:
        """Obey the commands of a message, up to one that fails; one reply for all of them."""
        self.smus.settle()
        answers = []
        try:
            for name, arguments in commands(message):
                answer = self._obey(name, arguments)
                if answer is not None:
                    answers.append(answer)
        except KxciError as error:
            self.report(error)
            self.reply("ACK" if self.acknowledges_errors else self.last_error)
            return
        self.reply(";".join(answers) if answers else "ACK")

    def report(self, error: Exception) -> None:
        """Hold an error, as ``:ERROR:LAST:GET`` gives it: the last one only."""
        self.last_error = str(error)
        self._status |= SYNTAX_ERROR

    def input_overrun(self) -> None:
        """A message without end."""
        self.report(KxciError())

    def _obey(self, name: str, arguments: Arguments) -> str | None:
        if name in PAGES:
            if name == "US" and self.system_mode.running:
                raise KxciError("a test is running")
            self.page = name
            return None
        handler = self._anywhere.get(name) or self._on_page().get(name)
        if handler is None:
            raise KxciError
        return handler(arguments)

    def _on_page(self) -> dict[str, Handler]:
        """The commands of the page that was chosen last."""
        if self.page == "US":
            return self.smus.handlers
        return self.system_mode.handlers[self.page]

    def _common_handlers(self) -> dict[str, Handler]:
        """Commands that are obeyed on every page."""
        return {
            "ID": lambda arguments: self._constant(arguments, self.ID),
            "*IDN?": lambda arguments: self._constant(arguments, self.IDENTITY),
            "*OPT?": lambda arguments: self._constant(arguments, self.OPTIONS),
            "*RST": self._reset,
            "BC": self._clear_buffer,
            "SP": self._serial_poll,
            "DR": self._set_data_ready,
            "EM": self._choose_commands,
            "DO": self.system_mode.get_all,
            "RD": self.system_mode.get_one,
            ":ERROR:LAST:GET": lambda a: self._constant(a, self.last_error or NO_ERROR),
            ":ERROR:LAST:CLEAR": self._clear_error,
        }

    @staticmethod
    def _constant(arguments: Arguments, text: str) -> str:
        counted(arguments, 0)
        return text

    def _reset(self, arguments: Arguments) -> None:
        """``*RST``: outputs off. That it leaves the RPMs where they are is ours."""
        counted(arguments, 0)
        self.smus.reset()
        self.pulse_unit.reset()
        self.two_letter_pulses.reset()
        self.system_mode.reset()

    def _clear_buffer(self, arguments: Arguments) -> None:
        """``BC``: readings are forgotten, and the data-ready bit."""
        counted(arguments, 0)
        self.system_mode.clear()
        self._status &= ~DATA_READY

    def _clear_error(self, arguments: Arguments) -> None:
        counted(arguments, 0)
        self.last_error = ""
        self._status &= ~SYNTAX_ERROR

    def _serial_poll(self, arguments: Arguments) -> str:
        """``SP``: the status byte. Each poll lets a test of system mode go on.

        It tells of a syntax error once (ours), or a client that polls for 0 or 1 would hang.
        """
        counted(arguments, 0)
        self.system_mode.go_on()
        status = self.status_byte()
        self._status &= ~SYNTAX_ERROR
        return str(status)

    def status_byte(self) -> int:
        """Data ready, syntax error, busy."""
        ready = DATA_READY if self.system_mode.ready else 0
        busy = BUSY if self.system_mode.running or self.pulse_unit.running else 0
        return self._status | ready | busy

    def _set_data_ready(self, arguments: Arguments) -> None:
        """``DR0``, ``DR1``: service requests are GPIB's; nothing to do here."""
        whole(counted(arguments, 1)[0], 0, 1)

    def _choose_commands(self, arguments: Arguments) -> None:
        """``EM 1,0``: the 4200A's own commands; the 4145's are not emulated."""
        mode, _ = (whole(text, 0, 1) for text in counted(arguments, 2))
        if mode == 0:
            raise KxciError("the 4145 command set is not there")

    def _before_switching(self, rpm: Rpm) -> None:
        self.smus.settle()
        if rpm is self.wired_rpm and self.smus.energized():
            rpm.hot_switches += 1
