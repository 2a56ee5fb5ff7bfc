"""An SMU's trigger model: arm, source, measure, end of pulse; sweeps and hardware-timed pulses.

Channels that sweep at the same time take turns here, where the real ones work in parallel. Left
out: the extended pulse regions beyond the DC ratings, where levels are refused.
"""

import math
from collections.abc import Sequence

from simulated_instruments.smu_ratings import SmuRatings
from simulated_instruments.tsp_buffers import ReadingBuffer
from simulated_instruments.tsp_events import SMU_EVENTS, EventBus
from simulated_instruments.tsp_settings import SWITCH_OFF, Setting, Settings, choice
from simulated_instruments.tsp_smu import DCVOLTS, SmuChannel

EVENTS = {
    "SWEEPING": 1, "ARMED": 2, "SOURCE_COMPLETE": 3, "MEASURE_COMPLETE": 4,
    "PULSE_COMPLETE": 5, "SWEEP_COMPLETE": 6, "IDLE": 7,
}  # fmt: skip
"""``smuX.trigger.<name>_EVENT_ID``, relative to the channel's first number."""
LAYERS = ("arm", "source", "measure", "endpulse")
SOURCE_IDLE, SOURCE_HOLD = 0, 1
MOST_POINTS = 1_000_000
WRONG_TYPE, ILLEGAL, TOO_BIG, TOO_SMALL, MISSING = -104, -224, 1101, 1102, 1400
TOO_BIG_FOR_RANGE, OPERATION_RUNS, SOURCE_UNSET, MEASURE_UNSET = 5005, 5042, 5059, 5060

COUNT = Setting(default=1, lower=0)
STIMULUS = Setting(default=0, lower=0)


def trigger_settings(ratings: SmuRatings) -> dict[str, dict[str, Setting]]:
    """``smuX.trigger.*``, by sub-object; the empty name is ``trigger`` itself."""
    return {
        "": {"count": COUNT, "autoclear": SWITCH_OFF},
        "arm": {"count": COUNT, "stimulus": STIMULUS},
        "source": {
            "action": SWITCH_OFF,
            "stimulus": STIMULUS,
            "limiti": Setting(default=0, lower=0, upper=ratings.max_current),
            "limitv": Setting(default=0, lower=0, upper=ratings.max_voltage),
        },
        "measure": {"action": choice(0, 0, 1, 2), "stimulus": STIMULUS},
        "endpulse": {"action": choice(SOURCE_HOLD, SOURCE_IDLE, SOURCE_HOLD), "stimulus": STIMULUS},
        "endsweep": {"action": choice(SOURCE_IDLE, SOURCE_IDLE, SOURCE_HOLD)},
    }


class TriggerModel:
    """One channel's way from idle through arm and trigger layer, and back."""

    def __init__(self, name: str, channel: SmuChannel, bus: EventBus) -> None:
        self.channel = channel
        self.bus = bus
        self.events = {event: SMU_EVENTS[name] + number for event, number in EVENTS.items()}
        self.settings = {
            part: Settings(table, bus.errors, accept=self._accept_limit)
            for part, table in trigger_settings(channel.ratings).items()
        }
        self.unreported = False
        """Initiated since ``sweeping.condition`` was last read: it shows every sweep at least once,
        however short."""
        self._waiting: str | None = None
        self._detected: set[str] = set()
        self._levels: tuple[str, list[float]] | None = None
        self._measurement: tuple[str, tuple[ReadingBuffer | None, ...]] | None = None
        self._points = self._arms = 0
        bus.operations.append(self)
        bus.listeners.append(self._listen)

    @property
    def running(self) -> bool:
        """Whether it has left idle."""
        return self._waiting is not None

    @property
    def endless(self) -> bool:
        """Whether only an abortion ends it: a count of 0."""
        return not (self.settings[""]["count"] and self.settings["arm"]["count"])

    def reset(self) -> None:
        """To idle, with defaults, and without sweep values."""
        self.abort()
        for settings in self.settings.values():
            settings.reset()
        self._levels = self._measurement = None

    def abort(self) -> None:
        """``smuX.abort()``: to idle at the bias level; the output stays as it is."""
        self.unreported = False
        if self.running:
            self._waiting = None
            self.channel.end_sweep(hold=False)

    def detect(self, layer: str) -> None:
        """``smuX.trigger.<layer>.set()``: as if the awaited event had come."""
        self._detected.add(layer)

    def set_levels(self, quantity: str, values: Sequence[object]) -> None:
        """What to sweep: "v" or "i", and the values. Refused beyond the ratings."""
        numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
        ratings = self.channel.ratings
        most = 1.01 * (ratings.max_voltage if quantity == "v" else ratings.max_current)
        if not values or len(numbers) < len(values):
            self.bus.errors.report(WRONG_TYPE if values else MISSING)
        elif not all(map(math.isfinite, numbers)):
            self.bus.errors.report(ILLEGAL)
        elif max(numbers) > most or min(numbers) < -most:
            self.bus.errors.report(TOO_BIG if max(numbers) > most else TOO_SMALL)
        elif self.running:
            self.bus.errors.report(OPERATION_RUNS)
        else:
            self._levels = quantity, [float(value) for value in numbers]

    def set_measurement(self, quantities: str, buffers: tuple[ReadingBuffer | None, ...]) -> None:
        """What to measure at every point, and where to keep it."""
        self._measurement = quantities, buffers

    def initiate(self) -> None:
        """Leave idle. Errors 5042, 5059, 5060 and 5005 keep it idle."""
        if code := self._obstacle():
            self.bus.errors.report(code)
            return
        self._detected.clear()
        self._points = self._arms = 0
        self.unreported = True
        if self._measurement and self.settings["measure"]["action"]:
            for buffer in self._measurement[1]:
                if buffer is not None:
                    buffer.begin()
        self.channel.begin_sweep(
            self.settings["source"]["limiti"], self.settings["source"]["limitv"]
        )
        self._waiting = "arm"
        self._post("SWEEPING")

    def step(self) -> bool:
        """Pass the layer's detector, if its event has come, and act."""
        layer = self._waiting
        if layer is None:
            return False
        if self.settings[layer]["stimulus"] and layer not in self._detected:
            return False
        self._detected.discard(layer)
        {
            "arm": self._arm,
            "source": self._source,
            "measure": self._measure,
            "endpulse": self._end_pulse,
        }[layer]()
        return True

    def _arm(self) -> None:
        self._points = 0
        self._waiting = "source"
        self._post("ARMED")

    def _source(self) -> None:
        if self.settings["source"]["action"] and self._levels:
            levels = self._levels[1]
            self.channel.sweep_to(levels[self._points % len(levels)])
        self._waiting = "measure"
        self._post("SOURCE_COMPLETE")

    def _measure(self) -> None:
        if self.settings["measure"]["action"] and self._measurement:
            self.channel.measure(*self._measurement, begin=False)
        self._waiting = "endpulse"
        self._post("MEASURE_COMPLETE")

    def _end_pulse(self) -> None:
        if self.settings["endpulse"]["action"] == SOURCE_IDLE:
            self.channel.sweep_to(None)
        self._points += 1
        self._post("PULSE_COMPLETE")
        if self._points != self.settings[""]["count"]:
            self._waiting = "source"
            return
        self._arms += 1
        if self._arms != self.settings["arm"]["count"]:
            self._waiting = "arm"
            return
        self._waiting = None
        self.channel.end_sweep(hold=self.settings["endsweep"]["action"] == SOURCE_HOLD)
        self._post("SWEEP_COMPLETE")
        self._post("IDLE")

    def _obstacle(self) -> int:
        """Why a sweep cannot start: an error code, or 0."""
        if self.running:
            return OPERATION_RUNS
        if self.settings["measure"]["action"] and not self._measurement:
            return MEASURE_UNSET
        if not self.settings["source"]["action"]:
            return 0
        sourced = "v" if self.channel.source["func"] == DCVOLTS else "i"
        if self._levels is None or self._levels[0] != sourced:
            return SOURCE_UNSET
        source = self.channel.source
        most = 1.01 * source[f"range{sourced}"]
        if not source[f"autorange{sourced}"] and max(map(abs, self._levels[1])) > most:
            return TOO_BIG_FOR_RANGE
        return 0

    def _listen(self, event: int) -> None:
        for layer in LAYERS:
            if self.settings[layer]["stimulus"] == event:
                self._detected.add(layer)

    def _post(self, event: str) -> None:
        self.bus.post(self.events[event])

    def _accept_limit(self, name: str, value: float) -> int:
        """A limit for the sweep is none (0), or one that the SMU can enforce."""
        ratings = self.channel.ratings
        smallest = {
            "limiti": ratings.smallest_current_limit,
            "limitv": ratings.smallest_voltage_limit,
        }.get(name, 0.0)
        return TOO_SMALL if 0 < value < smallest else 0


def linear(start: float, stop: float, points: int) -> list[float]:
    """Equal steps; both ends included."""
    if points == 1:
        return [start]
    return [start + (stop - start) * k / (points - 1) for k in range(points)]


def logarithmic(start: float, stop: float, points: int, asymptote: float) -> list[float] | None:
    """Equal ratios of the distance from the asymptote; None if that lies between the ends."""
    first, last = start - asymptote, stop - asymptote
    if first * last <= 0:
        return None
    if points == 1:
        return [start]
    return [asymptote + first * (last / first) ** (k / (points - 1)) for k in range(points)]
