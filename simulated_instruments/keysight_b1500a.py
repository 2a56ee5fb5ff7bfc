"""Emulated Keysight B1500A: a mainframe of ten slots that speaks FLEX.

The first SMU is wired to the meter's line of the board and the first SPGU output to the pulse line;
with ``selector`` a 16440A stands between and leads only one of them to the needles at a time.
Commands and formats after PyMeasure 0.16 and QCoDeS 0.58 and what of the programming guide is
public; ``LOP?``, ``*LRN? 31`` in its order, and times of integration are not confirmed.
"""

from collections.abc import Sequence

from crossbar.errors import ConfigurationError
from simulated_instruments.flex_capacitance import CapacitanceUnit
from simulated_instruments.flex_data import DataOutput
from simulated_instruments.flex_grammar import (
    CHANNEL,
    NOT_HERE,
    VALUE,
    FlexError,
    FlexInstrument,
    flex,
    learned,
    real,
    whole,
)
from simulated_instruments.flex_measurement import Measurements
from simulated_instruments.flex_pulse_unit import BehindSelector, PulseUnits, Selector
from simulated_instruments.flex_smu import RATINGS, SmuModule, SmuRack
from simulated_instruments.flex_spot import Converters, SpotCommands
from simulated_instruments.probe_station import ProbeStation
from simulated_instruments.smu_terminals import OpenTerminals, Terminals

SLOTS = 10
PULSE_UNIT, CAPACITANCE_UNIT, WAVEFORM_UNIT = "B1525A", "B1520A", "B1530A"
MODULES = ("B1517A", "B1517A", CAPACITANCE_UNIT, PULSE_UNIT)
"""What is in the slots, from the first."""
LONGEST_PAUSE = 1e4


class EmulatedKeysightB1500A(FlexInstrument):
    """A B1500A with its modules."""

    IDENTITY = "Agilent Technologies,B1500A,0,A.04.03.2010.0130"

    def __init__(
        self,
        station: ProbeStation,
        modules: Sequence[str] = MODULES,
        *,
        smu: int | None = None,
        pulse_output: int | None = None,
        selector: bool = False,
    ) -> None:
        """``modules`` are model numbers by slot, "" where one is empty. The SMU in slot ``smu`` and
        the SPGU's ``pulse_output``, such as 401, lead to the cell; without them the first of each.

        Raises ConfigurationError for a model that is not emulated, and for too many.
        """
        super().__init__()
        known = {*RATINGS, PULSE_UNIT, CAPACITANCE_UNIT, WAVEFORM_UNIT, ""}
        if len(modules) > SLOTS or not set(modules) <= known:
            raise ConfigurationError(
                f"A B1500A has {SLOTS} slots, and the modules that are emulated are "
                f"{', '.join(sorted(known - {''}))}; {list(modules)} was asked for."
            )
        self.station = station
        self.modules = [*modules, *[""] * (SLOTS - len(modules))]
        self.selector = Selector(selector)
        self.output = DataOutput(self, station.clock)
        self.converters = Converters()
        self.smus = SmuRack(self._smu_modules(smu))
        self.pulse_units = PulseUnits(
            self._slots(PULSE_UNIT), station, self.selector, wired=pulse_output
        )
        capacitance = self._slots(CAPACITANCE_UNIT)
        self.capacitance = CapacitanceUnit(capacitance[0] if capacitance else None, self.output)
        self.spot = SpotCommands(self.smus, self.converters, self.output)
        self.measurements = Measurements(self.spot)
        self._defaults()
        self.understand(
            self,
            self.output,
            self.converters,
            self.spot,
            self.measurements,
            self.selector,
            self.pulse_units,
            self.capacitance,
        )

    def _slots(self, model: str) -> list[int]:
        return [slot for slot, found in enumerate(self.modules, 1) if found == model]

    def _smu_modules(self, wired: int | None) -> dict[int, SmuModule]:
        found: dict[int, SmuModule] = {}
        for slot, model in enumerate(self.modules, 1):
            if model in RATINGS:
                wires: Terminals = OpenTerminals()
                if slot == wired or (wired is None and not found):
                    wires = BehindSelector(self.station, self.selector)
                found[slot] = SmuModule(slot, model, wires, self.station.clock)
        return found

    def _defaults(self) -> None:
        self.trigger_mode = 1
        self.auto_calibration = False
        self.parallel = False
        self.waits = {1: (1.0, 0.0), 2: (1.0, 0.0), 3: (1.0, 0.0)}
        self.service_enable = 0

    def handle(self, message: bytes) -> None:
        """Obey a line; what the SMUs hold acts on the cell meanwhile."""
        self.smus.settle()
        super().handle(message)

    def trigger(self) -> None:
        """Group execute trigger: as ``XE``."""
        try:
            self.measurements.execute()
        except FlexError as error:
            self.report(error)

    def status_byte(self) -> int:
        """Bit 0 data waits, bit 4 ready, bit 5 errors (not confirmed)."""
        return 0x10 | (0x01 if self.unread_data else 0) | (0x20 if self.errors else 0)

    @flex("*RST")
    def restore_defaults(self) -> None:
        """Outputs open and everything as after power-on; the error queue is kept."""
        for part in (self.smus, (self.pulse_units, self.selector, self.capacitance)):
            for unit in part:
                unit.reset()
        for settings in (self.converters, self.output, self.measurements):
            settings.reset()
        self._defaults()

    @flex("*IDN?")
    def _identify(self) -> str:
        return self.IDENTITY

    @flex("UNT?", 0, 1)
    def _units(self, mode: str = "0") -> str:
        whole(mode, 0, 1)
        return ";".join(f"{model or 0},0" for model in self.modules)

    @flex("*OPC?")
    def _complete(self) -> str:
        return "1"

    @flex("*OPC")
    def _note_complete(self) -> None:
        """Nothing is ever under way when the next command is obeyed."""

    @flex("*TST?", 0, 1)
    def _self_test(self, slot: str = "0") -> str:
        whole(slot, 0, 12)
        return "0"

    @flex("*CAL?", 0, 1)
    def _calibrate(self, slot: str = "0") -> str:
        whole(slot, 0, 12)
        return "0"

    @flex("*STB?", on_status=True)
    def _answer_status(self) -> str:
        return str(self.status_byte())

    @flex("*SRE", 1)
    def _enable_service(self, mask: str) -> None:
        self.service_enable = whole(mask, 0, 255)

    @flex("*SRE?")
    def _answer_service(self) -> str:
        return str(self.service_enable)

    # Switches

    def _each(self, channels: tuple[str, ...]) -> list[object]:
        """What these channel numbers stand for; every module where there are none."""
        if not channels:
            return [*self.smus, *self.pulse_units.channels.values(), self.capacitance]
        return [self._unit(text) for text in channels]

    def _unit(self, text: str) -> object:
        number = whole(text, 1, 1002, CHANNEL)
        slot = number if number <= SLOTS else number // 100
        if not 1 <= slot <= SLOTS:
            raise FlexError(CHANNEL)
        model = self.modules[slot - 1]
        if model == PULSE_UNIT:
            return self.pulse_units.channel(text)
        if model == CAPACITANCE_UNIT and self.capacitance.slot == slot:
            return self.capacitance
        if model in RATINGS:
            return self.smus.module(text)
        raise FlexError(NOT_HERE)

    @flex("CN", 0, 10)
    def _close(self, *channels: str) -> None:
        for unit in self._each(channels):
            if isinstance(unit, SmuModule):
                unit.close()
            else:
                unit.on = True  # type: ignore[attr-defined]

    @flex("CL", 0, 10)
    def _open(self, *channels: str) -> None:
        for unit in self._each(channels):
            if isinstance(unit, SmuModule):
                unit.open()
            elif isinstance(unit, CapacitanceUnit):
                unit.on = False
            else:
                self.pulse_units.open(unit)  # type: ignore[arg-type]

    def _smus_of(self, channels: tuple[str, ...]) -> list[SmuModule]:
        chosen = [self.smus.module(text) for text in channels] or list(self.smus)
        return [module for module in chosen if module.on]

    @flex("DZ", 0, 10)
    def _to_zero(self, *channels: str) -> None:
        for module in self._smus_of(channels):
            module.to_zero()

    @flex("RZ", 0, 10)
    def _back_from_zero(self, *channels: str) -> None:
        for module in self._smus_of(channels):
            module.back_from_zero()

    @flex("IN", 0, 10)
    def _force_nothing(self, *channels: str) -> None:
        for module in self._smus_of(channels):
            module.force_nothing()

    @flex("LOP?")
    def _operating_state(self) -> str:
        slots = range(1, SLOTS + 1)
        modules = self.smus.modules
        return "LOP" + ",".join(modules[n].state() if n in modules else "00" for n in slots)

    # Settings of the mainframe

    @flex("TM", 1)
    def _set_trigger(self, mode: str) -> None:
        self.trigger_mode = whole(mode, 1, 4)

    @flex("CM", 1)
    def _set_calibration(self, on: str) -> None:
        self.auto_calibration = bool(whole(on, 0, 1))

    @flex("PAD", 1)
    def _set_parallel(self, on: str) -> None:
        self.parallel = bool(whole(on, 0, 1))

    @flex("WAT", 2, 3)
    def _set_wait(self, kind: str, factor: str, offset: str = "0") -> None:
        self.waits[whole(kind, 1, 3)] = (real(factor, 0.0, 10.0), real(offset, 0.0, 1.0))

    @flex("PA", 1)
    def _pause(self, seconds: str) -> None:
        self.station.clock.advance(real(seconds, 0.0, LONGEST_PAUSE))
        self.smus.settle()

    @flex("AB")
    def _abort(self) -> None:
        """Nothing is under way when the next command is obeyed."""

    @flex("*LRN?", 1)
    def _learn(self, kind: str) -> str:
        number = whole(kind, 0, 200)
        if 1 <= number <= SLOTS:
            return self._learn_slot(number)
        pages = {
            0: self._learn_switches,
            30: self.spot.learn_filters,
            31: self._learn_settings,
            32: self.spot.learn_ranges,
            33: self.measurements.learn_sweep,
            34: self.measurements.learn_pulse,
            46: lambda: self.spot.learn_each("CMM"),
            47: self.measurements.learn_sampling,
            53: lambda: self.spot.learn_each("SSR"),
            54: lambda: self.spot.learn_each("RM"),
            55: lambda: self.spot.learn_each("AAD"),
            56: self.converters.learn,
            57: lambda: ";".join(learned("WAT", kind, *self.waits[kind]) for kind in self.waits),
            60: lambda: learned("TSC", int(self.output.stamped)),
            70: lambda: learned("IMP", self.capacitance.kind),
            71: lambda: learned("LMN", int(self.capacitance.monitored)),
            72: lambda: learned("ACT", *self.capacitance.averaging),
            100: self.capacitance.learn_sweep,
            110: lambda: learned("PAD", int(self.parallel)),
        }
        if number not in pages:
            raise FlexError(VALUE)
        return pages[number]()

    def _learn_slot(self, slot: int) -> str:
        model = self.modules[slot - 1]
        if model in RATINGS:
            return self.smus.modules[slot].learn()
        if model == PULSE_UNIT:
            return self.pulse_units.learn(slot)
        if model == CAPACITANCE_UNIT and slot == self.capacitance.slot:
            return self.capacitance.learn()
        raise FlexError(NOT_HERE)

    def _learn_switches(self) -> str:
        on = [module.channel for module in self.smus if module.on]
        on += [number for number, unit in self.pulse_units.channels.items() if unit.on]
        if self.capacitance.on and self.capacitance.slot is not None:
            on.append(self.capacitance.slot)
        return learned("CN", *sorted(on)) if on else "CL"

    def _learn_settings(self) -> str:
        return ";".join(
            [
                learned("TM", self.trigger_mode),
                self.converters.averaging(),
                learned("CM", int(self.auto_calibration)),
                learned("FMT", self.output.format, self.output.mode),
                self.measurements.learn_mode(),
            ]
        )
