"""Which formats `lab import` knows. A new one is one file and one line here."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossbar.errors import ConfigurationError
from lab.importing.csv_tables import CsvParameters, read_csv
from lab.importing.hfox_cycling import CyclingParameters, read_cycling
from lab.importing.hfox_reset_sweep import ResetSweepParameters, read_reset_sweeps
from lab.importing.measurements import Measurements
from lab.importing.mtj_pulse_sweep import PulseSweepParameters, read_pulse_sweep
from lab.importing.mtj_shots import ShotsParameters, read_shots
from lab.importing.mtj_switching_table import SwitchingTableParameters, read_switching_table
from lab.importing.rram_drift import DriftParameters, read_drift
from lab.importing.rram_endurance import EnduranceParameters, read_endurance

CONDUCTANCE_MAP = "conductance-map"
"""The one that is a folder, and goes to a table of its own (`lab.importing.conductance_maps`)."""


@dataclass(frozen=True, kw_only=True)
class ImportFormat:
    """A format of files, and what may be said beside the file (``--set``)."""

    name: str
    read: Callable[[Path, Any], Measurements]
    parameters: type[Any]
    summary: str


FORMATS = (
    ImportFormat(
        name="csv",
        read=read_csv,
        parameters=CsvParameters,
        summary="a table of one's own with named columns: write errors, pulse trains, read traces",
    ),
    ImportFormat(
        name="mtj-switching-table",
        read=read_switching_table,
        parameters=SwitchingTableParameters,
        summary="switching probabilities of MTJs: device_id, direction, V, t_p, P_sw, n_reps",
    ),
    ImportFormat(
        name="mtj-shots",
        read=read_shots,
        parameters=ShotsParameters,
        summary="every shot at one condition: trial, R before, R after, switched",
    ),
    ImportFormat(
        name="mtj-pulse-sweep",
        read=read_pulse_sweep,
        parameters=PulseSweepParameters,
        summary="one pulse after the other: V, R after",
    ),
    ImportFormat(
        name="hfox-reset-sweep",
        read=read_reset_sweeps,
        parameters=ResetSweepParameters,
        summary="RESET pulses: address, width (ns), SL (V), WL (V), R before, R after",
    ),
    ImportFormat(
        name="hfox-cycling",
        read=read_cycling,
        parameters=CyclingParameters,
        summary="a line a cell: address, then R after RESET and after SET in turn",
    ),
    ImportFormat(
        name="rram-endurance",
        read=read_endurance,
        parameters=EnduranceParameters,
        summary="one cell over its life: R after SET, R after RESET",
    ),
    ImportFormat(
        name="rram-drift",
        read=read_drift,
        parameters=DriftParameters,
        summary="a line a cell: address, two voltages, successive readings",
    ),
)


def import_format(name: str) -> ImportFormat:
    """The format of that name. Raises ConfigurationError naming those that exist."""
    wanted = name.replace("_", "-").lower()
    found = next((entry for entry in FORMATS if entry.name == wanted), None)
    if found is None:
        names = [*(entry.name for entry in FORMATS), CONDUCTANCE_MAP]
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"Did you mean {close[0]}?" if close else "docs/importing.md describes them."
        raise ConfigurationError(
            f"There is no import format {name!r}; there are {', '.join(names)}. {hint}"
        )
    return found
