"""RRAM: cells left alone and read again and again, as akashlevy/NI-RRAM-Python keeps them.

Tab separated, no header, a line a cell: address, two voltages [V] of the RESET before, then
successive readings [Ohm]. When they were made is not in the file.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crossbar.errors import ConfigurationError
from crossbar.pulses import State
from crossbar.records import ReadTrace
from crossbar.units import Seconds, Volts
from lab.importing.chip_lines import CHIP, cell_of, readings_of
from lab.importing.measurements import Measurements
from lab.importing.text_table import check_last_value, check_resistances, read_table

FEWEST_READINGS = 2


@dataclass(frozen=True, kw_only=True)
class DriftParameters:
    """What the file does not say."""

    state: State = State.HIGH
    """What the cells were written to: a RESET writes HIGH."""
    read_interval: Seconds | None = None
    """Between two readings; without it their times are unknown."""
    read_amplitude: Volts | None = None

    def __post_init__(self) -> None:
        if self.read_interval is not None and not 0 < self.read_interval < float("inf"):
            raise ConfigurationError(
                f"read_interval must be a time above zero, got {self.read_interval}."
            )


def read_drift(path: Path, parameters: DriftParameters) -> Measurements:
    """A trace a line. Raises DataError for a file that makes no sense."""
    table = read_table(path).without_header()
    if len(table.lines[0].values) < 3 + FEWEST_READINGS:
        raise table.refusal(
            table.lines[0],
            f"holds {len(table.lines[0].values)} values; expected an address, two voltages and at "
            f"least {FEWEST_READINGS} readings. Is the file of another format, or cut off?",
        )
    parts: dict[int, int] = {}
    traces, voltages = [], {}
    interval, voltage = parameters.read_interval, parameters.read_amplitude
    for line in table.lines:
        cell = cell_of(table, line)
        parts[cell] = parts.get(cell, -1) + 1
        readings = readings_of(table, line, 3, "an address, two voltages and readings")
        count = np.arange(1, len(readings) + 1, dtype=np.float64)
        traces.append(
            ReadTrace(
                cell=cell,
                state=parameters.state,
                part=parts[cell],
                read_amplitude=math.nan if voltage is None else voltage,
                time=np.full(len(readings), np.nan) if interval is None else count * interval,
                conductance=1 / readings,
            )
        )
        voltages[f"{cell}/{parts[cell]}"] = [
            table.number(line, place, f"voltage {place}") for place in (1, 2)
        ]
    check_last_value(table)
    check_resistances(table, "R", np.concatenate([1 / trace.conductance for trace in traces]))
    unknown = (
        "When the readings were made is not in the file; what depends on it is given by the "
        "reading. If you know: --set read_interval='10 ms'."
    )
    return Measurements(
        technology="hfox",
        geometry=CHIP,
        records=tuple(traces),
        details={"reset_voltages": voltages},
        notes=(unknown,) if parameters.read_interval is None else (),
    )
