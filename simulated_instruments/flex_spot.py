"""FLEX commands of single SMUs: forcing, spot measurements, ranges, filters and A/D converters.

Integration times of the converters' automatic modes are ours; a power line cycle is 20 ms.
"""

from crossbar.units import Seconds
from simulated_instruments.flex_data import OVER_RANGE, DataOutput, Datum
from simulated_instruments.flex_grammar import VALUE, FlexError, flex, learned, real, whole
from simulated_instruments.flex_smu import SmuModule, SmuRack
from simulated_instruments.scpi_smu import Reading

LINE_CYCLE: Seconds = 20e-3
SAMPLE: Seconds = 20e-6
"""One averaging sample of the high-speed converter. Ours."""
HIGH_SPEED, HIGH_RESOLUTION = 0, 1
AUTOMATIC, MANUAL, CYCLES, TIME = range(4)


class Converters:
    """``AV``, ``AIT``, ``AZ``: how long a reading integrates."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """High speed: one sample, automatic; high resolution: 6, automatic."""
        self.modes: dict[int, tuple[int, float]] = {0: (0, 1), 1: (0, 6), 2: (0, 1)}
        self.auto_zero = False

    def integration(self, converter: int) -> Seconds:
        """Of one reading."""
        mode, number = self.modes[converter]
        if mode == TIME:
            return float(number)
        if mode == CYCLES:
            return number * LINE_CYCLE
        return number * (SAMPLE if converter != HIGH_RESOLUTION else LINE_CYCLE / 6)

    def averaging(self) -> str:
        """``AV`` as ``*LRN? 31`` has it."""
        mode, number = self.modes[HIGH_SPEED]
        if mode == CYCLES:
            return learned("AV", -int(number), 0)
        return learned("AV", max(int(number), 1), min(mode, 1))

    def learn(self) -> str:
        """``*LRN? 56``."""
        lines = [learned(f"AIT{kind},", *self.modes[kind]) for kind in (0, 1)]
        return ";".join([*lines, learned("AZ", int(self.auto_zero))])

    @flex("AV", 1, 2)
    def _average(self, number: str, mode: str = "0") -> None:
        count = whole(number, -100, 1023)
        if count == 0:
            raise FlexError(VALUE)
        chosen = whole(mode, 0, 1)
        self.modes[HIGH_SPEED] = (CYCLES, -count) if count < 0 else (chosen, count)

    @flex("AIT", 2, 3)
    def _set_converter(self, converter: str, mode: str, number: str = "") -> None:
        kind, chosen = whole(converter, 0, 2), whole(mode, 0, 3)
        if kind == HIGH_RESOLUTION and chosen == TIME:
            raise FlexError(VALUE)
        if chosen == TIME:
            self.modes[kind] = (TIME, real(number, 2e-6, 20e-3) if number else 2e-6)
            return
        default = {AUTOMATIC: 6, MANUAL: 3}.get(chosen, 1) if kind == HIGH_RESOLUTION else 1
        most = 100 if chosen == CYCLES else (127 if kind == HIGH_RESOLUTION else 1023)
        self.modes[kind] = (chosen, whole(number, 1, most) if number else default)

    @flex("AZ", 1)
    def _set_auto_zero(self, on: str) -> None:
        self.auto_zero = bool(whole(on, 0, 1))


class SpotCommands:
    """What is done with one SMU at a time."""

    def __init__(self, rack: SmuRack, converters: Converters, output: DataOutput) -> None:
        self.rack = rack
        self.converters = converters
        self.output = output

    def read(self, module: SmuModule) -> Reading:
        """One reading with the module's converter."""
        return module.read(self.converters.integration(module.converter))

    def datum(self, module: SmuModule, reading: Reading, number: int, *, volts: bool) -> Datum:
        """What becomes of a reading, at a measurement range."""
        kind = "V" if volts else "I"
        if module.overflows(reading, number, volts=volts):
            return Datum("V", module.channel, kind, OVER_RANGE)
        value = reading.voltage if volts else reading.current
        return Datum(self.rack.status(module, reading), module.channel, kind, value)

    @flex("DV", 3, 6)
    def _force_voltage(self, channel: str, span: str, volts: str, *rest: str) -> None:
        module = self.rack.module(channel)
        module.require_on()
        number = module.source_range(span, volts=True)
        level = module.volts(volts)
        limit = module.current_compliance(rest[0] if rest else None, level)
        polarity = whole(rest[1], 0, 1) if len(rest) > 1 else 0
        span_of_limit = module.measure_range(rest[2], volts=False) if len(rest) > 2 else 0
        module.range, module.polarity = number, polarity
        module.compliance_range = span_of_limit
        module.force_volts(level, limit)

    @flex("DI", 3, 6)
    def _force_current(self, channel: str, span: str, amperes: str, *rest: str) -> None:
        module = self.rack.module(channel)
        module.require_on()
        number = module.source_range(span, volts=False)
        level = module.amperes(amperes)
        limit = module.voltage_compliance(rest[0] if rest else None, level)
        polarity = whole(rest[1], 0, 1) if len(rest) > 1 else 0
        span_of_limit = module.measure_range(rest[2], volts=True) if len(rest) > 2 else 0
        module.range, module.polarity = number, polarity
        module.compliance_range = span_of_limit
        module.force_amperes(level, limit)

    def _spot(self, channel: str, ranges: dict[bool, str], *, stamped: bool = False) -> None:
        """High-speed spot measurement of current (False) and voltage (True)."""
        module = self.rack.module(channel)
        numbers = {v: module.measure_range(text, volts=v) for v, text in ranges.items()}
        module.require_on()
        reading = self.read(module)
        data = [Datum("N", module.channel, "T", self.output.time)] if stamped else []
        data += [self.datum(module, reading, n, volts=v) for v, n in numbers.items()]
        self.output.send(data)

    @flex("TI", 1, 2)
    def _spot_current(self, channel: str, span: str = "0") -> None:
        self._spot(channel, {False: span})

    @flex("TV", 1, 2)
    def _spot_voltage(self, channel: str, span: str = "0") -> None:
        self._spot(channel, {True: span})

    @flex("TTI", 1, 2)
    def _timed_current(self, channel: str, span: str = "0") -> None:
        self._spot(channel, {False: span}, stamped=True)

    @flex("TTV", 1, 2)
    def _timed_voltage(self, channel: str, span: str = "0") -> None:
        self._spot(channel, {True: span}, stamped=True)

    @flex("TIV", 1, 3)
    def _spot_both(self, channel: str, amperes: str = "0", volts: str = "0") -> None:
        self._spot(channel, {False: amperes, True: volts})

    @flex("TTIV", 1, 3)
    def _timed_both(self, channel: str, amperes: str = "0", volts: str = "0") -> None:
        self._spot(channel, {False: amperes, True: volts}, stamped=True)

    @flex("RI", 2)
    def _set_current_range(self, channel: str, span: str) -> None:
        module = self.rack.module(channel)
        module.current_range = module.measure_range(span, volts=False)

    @flex("RV", 2)
    def _set_voltage_range(self, channel: str, span: str) -> None:
        module = self.rack.module(channel)
        module.voltage_range = module.measure_range(span, volts=True)

    @flex("RM", 2, 3)
    def _set_ranging(self, channel: str, mode: str, rate: str = "50") -> None:
        module = self.rack.module(channel)
        module.ranging = (whole(mode, 1, 3), whole(rate, 11, 100))

    @flex("FL", 1, 11)
    def _set_filter(self, on: str, *channels: str) -> None:
        filtered = bool(whole(on, 0, 1))
        chosen = [self.rack.module(text) for text in channels] or list(self.rack)
        for module in chosen:
            module.filtered = filtered

    @flex("SSR", 2)
    def _set_series_resistor(self, channel: str, on: str) -> None:
        self.rack.module(channel).series_resistor = bool(whole(on, 0, 1))

    @flex("AAD", 2)
    def _choose_converter(self, channel: str, converter: str) -> None:
        self.rack.module(channel).converter = whole(converter, 0, 2)

    @flex("CMM", 2)
    def _set_operation(self, channel: str, mode: str) -> None:
        self.rack.module(channel).operation = whole(mode, 0, 4)

    def learn_filters(self) -> str:
        """``*LRN? 30``: ``FL0`` where no filter is on, else both lists, also an empty one."""
        if not any(module.filtered for module in self.rack):
            return "FL0"
        lines = []
        for on in (0, 1):
            found = [str(m.channel) for m in self.rack if m.filtered == bool(on)]
            lines.append(",".join([f"FL{on}", *found]))
        return ";".join(lines)

    def learn_ranges(self) -> str:
        """``*LRN? 32``."""
        lines = [learned("RI", m.channel, m.current_range) for m in self.rack]
        return ";".join(lines + [learned("RV", m.channel, m.voltage_range) for m in self.rack])

    def learn_each(self, name: str) -> str:
        """``*LRN? 46`` (``CMM``), 53 (``SSR``), 54 (``RM``), 55 (``AAD``)."""
        values = {
            "CMM": lambda m: (m.operation,),
            "SSR": lambda m: (int(m.series_resistor),),
            "RM": lambda m: m.ranging,
            "AAD": lambda m: (m.converter,),
        }[name]
        return ";".join(learned(name, m.channel, *values(m)) for m in self.rack)
