"""The MFCMU (B1520A) of a B1500A: its settings, and spot measurements of open terminals.

Nothing is wired to it, so it reads 0 F and 0 S. Sweeps are set up, but not run.
"""

from simulated_instruments.flex_data import DataOutput, Datum
from simulated_instruments.flex_grammar import (
    CHANNEL,
    NOT_HERE,
    SWITCH_OPEN,
    FlexError,
    flex,
    learned,
    one_of,
    real,
    whole,
)

KINDS = {
    1: "ZZ", 2: "YY", 10: "ZR", 11: "ZP", 20: "YR", 21: "YP", 100: "CY", 101: "CD", 102: "CQ",
    103: "CZ", 200: "CZ", 201: "CD", 202: "CQ", 300: "LY", 301: "LD", 302: "LQ", 303: "LZ",
    400: "LZ", 401: "LD", 402: "LQ",
}  # fmt: skip
"""What ``IMP`` chooses, as data names it."""
MAX_BIAS = 100.0
TO_CMU = 4


class CapacitanceUnit:
    """One MFCMU, or none: then every command for it is refused."""

    def __init__(self, slot: int | None, output: DataOutput) -> None:
        self.slot = slot
        self.output = output
        self.reset()

    def reset(self) -> None:
        """Switch open, Cp-G, 0 V."""
        self.on = False
        self.kind = 100
        self.monitored = False
        self.bias, self.amplitude, self.frequency = 0.0, 0.0, 1000.0
        self.averaging = (0, 2)
        self.times = [0.0] * 5
        self.abort = (1, 1)
        self.sweep: tuple[float, ...] = (1, 0.0, 0.0, 1)

    def _require(self, channel: str) -> None:
        number = whole(channel, 1, 1002, CHANNEL)
        if self.slot is None or number not in (self.slot, 100 * self.slot + 1):
            raise FlexError(NOT_HERE)

    @flex("IMP", 1)
    def _set_kind(self, mode: str) -> None:
        self.kind = one_of(mode, KINDS)

    @flex("LMN", 1)
    def _set_monitor(self, on: str) -> None:
        self.monitored = bool(whole(on, 0, 1))

    @flex("ACT", 1, 2)
    def _set_averaging(self, mode: str, number: str = "2") -> None:
        self.averaging = (whole(mode, 0, 2), whole(number, 1, 1023))

    @flex("ACV", 2)
    def _set_amplitude(self, channel: str, volts: str) -> None:
        self._require(channel)
        self.amplitude = real(volts, 0.0, 0.25)

    @flex("FC", 2)
    def _set_frequency(self, channel: str, hertz: str) -> None:
        self._require(channel)
        self.frequency = real(hertz, 1e3, 5e6)

    @flex("DCV", 2)
    def _set_bias(self, channel: str, volts: str) -> None:
        self._require(channel)
        self.bias = real(volts, -MAX_BIAS, MAX_BIAS)

    @flex("WTDCV", 2, 6)
    def _set_times(self, *arguments: str) -> None:
        # PyMeasure sends a channel first, which then counts as the hold time.
        times = [real(text, 0.0, 655.35) for text in arguments]
        self.times = (times + [0.0] * 5)[:5]

    @flex("WMDCV", 1, 2)
    def _set_abort(self, abort: str, post: str = "1") -> None:
        self.abort = (whole(abort, 1, 2), whole(post, 1, 2))

    @flex("WDCV", 5, 6)
    def _set_sweep(self, channel: str, mode: str, *levels: str) -> None:
        self._require(channel)
        start, stop, steps, *limit = levels
        for text in limit:
            real(text, 0.0, 1.0)
        bias = (real(start, -MAX_BIAS, MAX_BIAS), real(stop, -MAX_BIAS, MAX_BIAS))
        self.sweep = (whole(mode, 1, 4), *bias, whole(steps, 1, 1001))

    @flex("SSP", 2)
    def _set_path(self, channel: str, path: str) -> None:
        self._require(channel)
        whole(path, 1, TO_CMU)

    def _measure(self, arguments: tuple[str, ...], *, stamped: bool) -> None:
        channel, *ranges = arguments
        self._require(channel)
        if ranges:
            whole(ranges[0], 0, 2)
        if len(ranges) > 1:
            whole(ranges[1], 0, 10**6)
        if not self.on:
            raise FlexError(SWITCH_OPEN)
        assert self.slot is not None
        data = [Datum("N", self.slot, "T", self.output.time)] if stamped else []
        data += [Datum("N", self.slot, letter, 0.0) for letter in KINDS[self.kind]]
        if self.monitored:
            data += [Datum("N", self.slot, "V", v) for v in (self.amplitude, self.bias)]
        self.output.send(data)

    @flex("TC", 1, 3)
    def _spot(self, *arguments: str) -> None:
        self._measure(arguments, stamped=False)

    @flex("TTC", 1, 3)
    def _timed(self, *arguments: str) -> None:
        self._measure(arguments, stamped=True)

    def learn_sweep(self) -> str:
        """``*LRN? 100``."""
        lines = [learned("WMDCV", *self.abort), learned("WTDCV", *self.times)]
        if self.slot is not None:
            lines.insert(0, learned("WDCV", self.slot, *self.sweep))
        return ";".join(lines)

    def learn(self) -> str:
        """What ``*LRN? slot`` answers, as QCoDeS reads it."""
        if not self.on:
            return f"CL{self.slot}"
        return (
            f"DCV{self.slot},{self.bias:.4f};ACV{self.slot},{self.amplitude:.4f};"
            f"FC{self.slot},{self.frequency:.4f}"
        )
