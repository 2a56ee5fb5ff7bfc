"""Session, errors and channel settings of the WGFMU library's stand-in (`keysight_wgfmu`)."""
# ruff: noqa: N802, N803  names of functions and parameters are the library's

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from crossbar.units import Ohms, Seconds, Volts
from simulated_instruments.probe_station import ProbeStation

(
    NO_ERROR, OUT_OF_RANGE, ILLEGAL_STRING, CONTEXT, UNSUPPORTED, COMMUNICATION, FIRMWARE, LIBRARY,
    FAILED, NO_CHANNEL, NO_PATTERN, NO_EVENT, PATTERN_EXISTS, NOT_RUNNING, NOT_READY, OUT_OF_DATE,
) = range(0, -16, -1)  # fmt: skip
DC, FAST_IV, PG, SMU = range(2000, 2004)
AUTOMATIC = 3000
FORCE_RANGES = {3000: (-10.0, 10.0), 3001: (-3.0, 3.0), 3002: (-5.0, 5.0), 3003: (-10.0, 0.0),
                3004: (0.0, 10.0)}  # fmt: skip
MEASURES_VOLTAGE, MEASURES_CURRENT = 4000, 4001
CURRENT_RANGES = {6001: 1e-6, 6002: 10e-6, 6003: 100e-6, 6004: 1e-3, 6005: 10e-3}
COMPLETED, IDLE = 10000, 10006
AVERAGED, RAW = 12000, 12001
PULSE_IMPEDANCE: Ohms = 50.0
"""In pulse mode; in Fast I/V mode it is taken for 0. Not confirmed."""
SHORTEST: Seconds = 10e-9
LONGEST: Seconds = 10995.0
LONGEST_INTERVAL: Seconds = 1.34217728
LONGEST_AVERAGE: Seconds = 0.020971512
MOST_VECTORS = 2048
MOST_LOOPS = 2.0**40
MAX_BURST = 2000
"""Most runs of a pattern that are emulated."""
MAX_LEVEL: Volts = 10.0


class WgfmuError(Exception):
    """What the library refuses: a code, and words for the error summary."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(code, words)
        self.code = code
        self.words = words


def answers_code(function: Callable[..., None]) -> Callable[..., int]:
    """A C function: 0, or a negative number and an entry in the error summary."""

    @wraps(function)
    def answer(library: "WgfmuChannels", *arguments: Any) -> int:
        try:
            if function.__name__ != "WGFMU_openSession":
                library._require_session(function.__name__)
            function(library, *arguments)
        except WgfmuError as error:
            library._errors.append(f"{function.__name__}: {error.words}")
            return error.code
        return NO_ERROR

    return answer


class Channel:
    """One output of the module."""

    def __init__(self) -> None:
        self.reset()
        self.sequence: list[tuple[str, float]] = []

    def reset(self) -> None:
        """Disconnected; what is in the library stays."""
        self.connected = False
        self.mode = SMU
        self.force_range = AUTOMATIC
        self.measures = MEASURES_VOLTAGE
        self.current_range = 6005
        self.enabled = 1
        self.level: Volts = 0.0
        self.status = IDLE
        self.spent: Seconds = 0.0
        self.readings: list[tuple[Seconds, float]] | None = None


class WgfmuChannels:
    """The library with a session open, as far as no pattern is involved."""

    def __init__(self, station: ProbeStation, channels: Sequence[int] = (501, 502)) -> None:
        self.station = station
        self.channels = {number: Channel() for number in channels}
        self._errors: list[str] = []
        self._open = True

    # Session

    def open_session(self) -> None:
        """Be as `open_library` gives the real library. Not a function of the library."""
        self._open = True

    @answers_code
    def WGFMU_openSession(self, address: bytes) -> None:
        """Connect the library with a mainframe."""
        if self._open:
            raise WgfmuError(CONTEXT, "a session is open already")
        if not address:
            raise WgfmuError(COMMUNICATION, "no address")
        self._open = True

    @answers_code
    def WGFMU_closeSession(self) -> None:
        """Disconnect the library; outputs stay as they are."""
        self._open = False

    @answers_code
    def WGFMU_initialize(self) -> None:
        """Reset the channels; patterns stay."""
        for channel in self.channels.values():
            channel.reset()

    @answers_code
    def WGFMU_setTimeout(self, timeout: float) -> None:
        """Patience with the mainframe, in seconds."""
        self._require(timeout >= 1.0, "timeout")

    @answers_code
    def WGFMU_getChannelIdSize(self, size: Any) -> None:
        """How many channels there are."""
        size[0] = len(self.channels)

    @answers_code
    def WGFMU_getChannelIds(self, result: Any, size: Any) -> None:
        """Their numbers."""
        size[0] = min(size[0], len(self.channels))
        for place, number in zip(range(size[0]), self.channels, strict=False):
            result[place] = number

    def WGFMU_getErrorSummarySize(self, size: Any) -> int:
        """Characters of the error summary; never an error itself."""
        size[0] = len("\n".join(self._errors))
        return NO_ERROR

    def WGFMU_getErrorSummary(self, result: Any, size: Any) -> int:
        """All errors since it was asked last, a line each; never an error itself."""
        text = "\n".join(self._errors).encode("latin-1")[: max(size[0] - 1, 0)]
        for place, byte in enumerate(text):
            result[place] = bytes([byte])
        if size[0] > 0:
            result[len(text)] = b"\0"
        size[0] = len(text)
        self._errors.clear()
        return NO_ERROR

    # Settings of a channel

    @answers_code
    def WGFMU_setOperationMode(self, channelId: int, operationMode: int) -> None:
        """DC, Fast I/V, pulses, or the SMU's path."""
        self._require(operationMode in (DC, FAST_IV, PG, SMU), "operation mode")
        self._channel(channelId).mode = operationMode

    @answers_code
    def WGFMU_getOperationMode(self, channelId: int, operationMode: Any) -> None:
        """See `WGFMU_setOperationMode`."""
        operationMode[0] = self._channel(channelId).mode

    @answers_code
    def WGFMU_setForceVoltageRange(self, channelId: int, forceVoltageRange: int) -> None:
        """Automatic, ±3 V, ±5 V, -10 V to 0, 0 to 10 V."""
        self._require(forceVoltageRange in FORCE_RANGES, "force voltage range")
        self._channel(channelId).force_range = forceVoltageRange

    @answers_code
    def WGFMU_getForceVoltageRange(self, channelId: int, forceVoltageRange: Any) -> None:
        """See `WGFMU_setForceVoltageRange`."""
        forceVoltageRange[0] = self._channel(channelId).force_range

    @answers_code
    def WGFMU_setMeasureMode(self, channelId: int, measureMode: int) -> None:
        """Voltage or current."""
        self._require(measureMode in (MEASURES_VOLTAGE, MEASURES_CURRENT), "measure mode")
        self._channel(channelId).measures = measureMode

    @answers_code
    def WGFMU_getMeasureMode(self, channelId: int, measureMode: Any) -> None:
        """See `WGFMU_setMeasureMode`."""
        measureMode[0] = self._channel(channelId).measures

    @answers_code
    def WGFMU_setMeasureCurrentRange(self, channelId: int, measureCurrentRange: int) -> None:
        """1 uA to 10 mA."""
        self._require(measureCurrentRange in CURRENT_RANGES, "current range")
        self._channel(channelId).current_range = measureCurrentRange

    @answers_code
    def WGFMU_getMeasureCurrentRange(self, channelId: int, measureCurrentRange: Any) -> None:
        """See `WGFMU_setMeasureCurrentRange`."""
        measureCurrentRange[0] = self._channel(channelId).current_range

    @answers_code
    def WGFMU_setMeasureEnabled(self, channelId: int, measureEnabled: int) -> None:
        """Whether events are measured."""
        self._require(measureEnabled in (0, 1), "measure enabled")
        self._channel(channelId).enabled = measureEnabled

    @answers_code
    def WGFMU_connect(self, channelId: int) -> None:
        """Close the output, at 0 V."""
        self._channel(channelId).connected = True

    @answers_code
    def WGFMU_disconnect(self, channelId: int) -> None:
        """Open the output."""
        channel = self._channel(channelId)
        channel.connected, channel.level = False, 0.0

    def _require_session(self, name: str) -> None:
        if not self._open:
            raise WgfmuError(CONTEXT, f"{name} needs a session")

    def _require(self, condition: bool, what: str) -> None:
        if not condition:
            raise WgfmuError(OUT_OF_RANGE, f"{what} is out of range")

    def _channel(self, number: int) -> Channel:
        if number not in self.channels:
            raise WgfmuError(NO_CHANNEL, f"channel {number}")
        return self.channels[number]

    def _text(self, name: bytes) -> str:
        if not name:
            raise WgfmuError(ILLEGAL_STRING, "empty name")
        return name.decode("latin-1")
