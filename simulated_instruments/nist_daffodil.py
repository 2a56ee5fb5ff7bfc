"""Stand-in for ``daffodillib``'s ``Daffodil_Phys``: its call signatures, wired to the die.

Signatures after usnistgov/daffodil-lib at commit 1b64a41
(``tests/reference/daffodillib_signatures.csv``); levels, checks and converters as the package's own
classes have them. The clock's frequency is ours. Like the package, it takes any attribute that is
assigned to it: a misspelt ``write_mode`` switches nothing.
"""

from typing import Any

import numpy as np

from crossbar.pulses import Pulse
from crossbar.units import Volts
from simulated_instruments.probe_station import ProbeStation

LINES = 25
CODES = 4096
CONVERTER_REFERENCE: Volts = 2.5
"""Both converters span twice this."""
GATE_THRESHOLD: Volts = 0.5
"""Above the lower end of its cell a gate must be this much higher to conduct. Ours."""
AMPLIFIER_TOP: Volts = 3.3
CLOCK = 100e6
"""Hertz. Ours: the package does not say."""
POT_TOTAL, POT_WIPER, POT_STEPS = 100e3, 50.0, 256


class EmulatedNistDaffodil:
    """32 kernels of 25 x 25: four sub-arrays of 100 rows and 50 columns."""

    def __init__(self, station: ProbeStation) -> None:
        self.station = station
        self.vground = 1.7
        self.vmax = 3.3 + self.vground
        self.kernels, self.xdim, self.ydim = 32, LINES, LINES
        self.curr_vref: float | None = None
        self.curr_mode: str | None = None
        self.selected_kernel = 0
        self.compliance_control = 0
        self.read_pulse_len = 128 * 200 * 25 * 4 * 10 * 10 * 2
        self.write_pulse_len = 5
        self.COL_EN_tobe = [1] * LINES
        self.ROW_EN_tobe = [1] * LINES
        self.write_mode_R = self.write_mode_C = self.write_mode_G = 0
        self.ext_mode_R = self.ext_mode_C = self.ext_mode_G = 0
        self.pots: list[float] = []
        self._row_codes, self._column_codes, self._gate_codes = ([0] * LINES for _ in range(3))
        self._converted = [0] * LINES

    # Converters

    def dac_calcvout(self, x1: int) -> float:
        """Volts of a code."""
        return 2 * CONVERTER_REFERENCE * x1 / CODES

    def dac_invertvout(self, v: float) -> int:
        """Code of a voltage, clipped to 0 and 4095 without a word."""
        return min(max(round(CODES * v / (2 * CONVERTER_REFERENCE)), 0), CODES - 1)

    def adc_predict_voltage(self, registervalue: int) -> float:
        """Volts of a reading."""
        return 2 * CONVERTER_REFERENCE * registervalue / CODES

    def invert_dpot_rout(self, rout: float) -> list[list[int]]:
        """Codes of the seven quadruple potentiometers for a resistance in ohms."""
        code = round((rout - POT_WIPER) / (POT_TOTAL / POT_STEPS))
        return [[min(max(code, 0), POT_STEPS - 1)] * 4 for _ in range(7)]

    def set_dpot_D(self, D: Any) -> None:  # noqa: N802, N803  the package's spelling
        """Set the amplifiers; ``pots`` has their resistances, negative as the package has them."""
        codes = [[D] * 4] * 7 if isinstance(D, int) else D
        if len(codes) != 7 or any(len(four) != 4 for four in codes):
            raise ValueError
        self.pots = [-(POT_TOTAL / POT_STEPS * d + POT_WIPER) for four in codes for d in four]

    # Lines

    def setrefopamp(self, refbias: int) -> None:
        """Reference of the amplifiers, the level of every sensed line."""
        volts = self.dac_calcvout(refbias)
        if not 1.687 <= volts <= 2.5:
            raise ValueError("vref is best set within [1.7, 2.5] V.")
        self.curr_vref = volts

    def setcoldacs(self, colvoltages: list[int]) -> None:
        """Codes of the columns."""
        self._check_lines(colvoltages, "forward", "Column")
        self._column_codes[: len(colvoltages)] = colvoltages

    def setrowdacs(self, rowvoltages: list[int]) -> None:
        """Codes of the rows."""
        self._check_lines(rowvoltages, "backward", "Row")
        self._row_codes[: len(rowvoltages)] = rowvoltages

    def setgatedacs(self, gatevoltages: list[int]) -> None:
        """Codes of the gates, one to a column."""
        for code in self._codes(gatevoltages):
            volts = self.dac_calcvout(code)
            if abs(volts - self._reference()) > self.vmax - self.vground:
                raise ValueError("Applied voltage across the gate cannot be greater than 3.3V.")
            if volts != 0 and not 1.68 <= volts <= 5:
                raise ValueError("Gate Bias cannot be lower than 1.7V.")
        self._gate_codes[: len(gatevoltages)] = gatevoltages

    def config_forward_pass(self) -> None:
        """Columns driven, rows sensed."""
        self._configure("forward", write_mode_C=0, write_mode_R=1)

    def config_backward_pass(self) -> None:
        """Rows driven, columns sensed."""
        self._configure("backward", write_mode_C=1, write_mode_R=0)

    def config_outerproduct(self) -> None:
        """Both driven, nothing sensed."""
        self._configure("outerproduct", write_mode_C=0, write_mode_R=0)

    def set_kernel(self, kernel: int, swfix_en: bool = False) -> None:
        """Select a kernel."""
        self.selected_kernel = kernel & 31  # five bits go to the board
        self.swfix_en = swfix_en

    def set_compliance_control(self, bit: int) -> None:
        """Full power (1), or the gate's voltage limits the current (0)."""
        if bit not in (0, 1):
            raise ValueError("Setting compliance control incorrectly")
        self.compliance_control = bit

    # Events

    def event(self) -> None:
        """Connect the enabled lines for the preset time."""
        sensing = 1 in (self.write_mode_C, self.write_mode_R)
        self.event_timevariant(self.read_pulse_len if sensing else self.write_pulse_len)

    def event_timevariant(self, pulse_len: int, write: bool = False) -> None:
        """Connect the enabled lines for so many clock cycles; then read the converters, if sensing.

        The current flows before the pulse has written, as in the package's own simulation.
        """
        width = pulse_len / CLOCK
        into = np.zeros(LINES)
        for row, column, volts, cell in self._connected():
            die = self.station.die
            if die is None:
                continue
            current = float(die.conduct(np.array([cell]), volts)[0])
            # Out of a sensed row flows what a higher column sends, and the other way round.
            into[row if self.write_mode_R else column] += -current if self.write_mode_R else current
            if abs(volts) > 0.6:
                die.pulse(np.array([cell]), Pulse(amplitude=volts, width=width))
        self.station.clock.advance(width)
        if self.write_mode_C or self.write_mode_R:
            self._convert(into)

    def retrievecurrents(self) -> list[int]:
        """Readings of all converters."""
        return list(self._converted)

    def retrievecurrent_channel(self, channel_no: int) -> int:
        """Reading of one converter."""
        return self._converted[channel_no]

    def _connected(self) -> list[tuple[int, int, float, int]]:
        """Row, column, volts (row minus column) and flat index of each cell that conducts."""
        geometry, kernel = self.station.wafer.geometry, self.selected_kernel
        found = []
        for column in range(LINES):
            for row in range(LINES):
                place = (
                    kernel >> 3,
                    (kernel & 3) * LINES + row,
                    (kernel >> 2 & 1) * LINES + column,
                )
                if not (self.ROW_EN_tobe[row] and self.COL_EN_tobe[column]) or any(
                    at >= size for at, size in zip(place, geometry.shape, strict=True)
                ):
                    continue
                top = self._level(self._row_codes[row], bool(self.write_mode_R))
                bottom = self._level(self._column_codes[column], bool(self.write_mode_C))
                gate = self.dac_calcvout(self._gate_codes[column])
                if top != bottom and gate - min(top, bottom) > GATE_THRESHOLD:
                    index = (place[0] * geometry.rows + place[1]) * geometry.columns + place[2]
                    found.append((row, column, top - bottom, index))
        return found

    def _level(self, code: int, sensed: bool) -> float:
        return self._reference() if sensed else self.dac_calcvout(code)

    def _convert(self, into: np.ndarray) -> None:
        """Amplifiers turn currents into volts below the reference, within their supply."""
        for line in range(LINES):
            output = self._reference() + into[line] * self.pots[line]
            output = min(max(output, 0.0), AMPLIFIER_TOP)
            self._converted[line] = round(CODES * output / (2 * CONVERTER_REFERENCE))

    def _configure(self, mode: str, *, write_mode_C: int, write_mode_R: int) -> None:  # noqa: N803
        self.write_mode_C, self.write_mode_R, self.write_mode_G = write_mode_C, write_mode_R, 0
        self.ext_mode_C = self.ext_mode_R = self.ext_mode_G = 0
        self.curr_mode = mode

    def _check_lines(self, codes: list[int], mode: str, name: str) -> None:
        for code in self._codes(codes):
            volts = self.dac_calcvout(code)
            if self.curr_mode != mode:
                continue
            if abs(volts - self._reference()) > self.vmax - self.vground:
                raise ValueError("Applied voltage across the chip cannot be greater than 3.3V.")
            if volts != 0 and not self.vground <= volts <= self.vmax:
                raise ValueError(f"{name} Bias cannot be lower than 1.7V.")

    def _codes(self, codes: list[int]) -> list[int]:
        if any(not 0 <= code < CODES for code in codes):
            raise ValueError(f"x1 can only be from 0 to 4095, but was {codes}!")
        return codes

    def _reference(self) -> float:
        if self.curr_vref is None:
            raise TypeError("unsupported operand type(s) for -: 'float' and 'NoneType'")
        return self.curr_vref
