"""Which fit follows which protocol: from a run's records to rows of the database.

A new one is a function here, or in a module of its own, and a line in `RECIPES`. Everything that a
fit needs is imported where it is made: `lab run` must not wait for torch before it measures.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from crossbar.estimate import Estimate
from crossbar.records import (
    ArrayMapBlock,
    ProgrammedBlock,
    PulseTrain,
    ReadTrace,
    RetentionReading,
    VoltageSweep,
    WerPoint,
)
from crossbar.units import Ratio
from db.import_tables import IMPORTED
from db.rows import Check, FitRow, RunRow
from lab import hfox_fits, mtj_fits
from lab.cell_fits import (
    checkpoint_fits,
    cycling_fits,
    drift_fits,
    endurance_fits,
    reset_sweep_fits,
    train_fits,
)

if TYPE_CHECKING:
    from analysis.switching_counts import SwitchingCounts
    from analysis.switching_fit import SwitchingFits

CONFIDENCE: Ratio = 0.95


@dataclass(frozen=True, kw_only=True)
class FitRecipe:
    """How the records of one protocol are fitted."""

    record: type[Any]
    """Of these records."""
    fit: Callable[[Sequence[Any], RunRow], list[FitRow]]
    """(all of a die's records, the run) -> fits; raises DataError if they do not suffice."""
    technology: str | None = None
    """Of the wafers whose cells the fit describes; None where it describes any."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Of the parameters, by the beginning of their names; ratios have none."""
    confidence: Ratio = CONFIDENCE
    tells_cells: bool = True
    """False: after a run only what is fitted to all cells of a die is shown."""

    def unit(self, name: str) -> str:
        """The SI symbol of a parameter."""
        return next((unit for start, unit in self.units.items() if name.startswith(start)), "")


def switching_fits(points: Sequence[WerPoint], row: RunRow) -> list[FitRow]:
    """Delta, V_c0 and tau_D of every cell and direction, each checked. Imports torch."""
    from analysis.anomalies import FALSE_ALARM_RATE
    from analysis.switching_counts import gather_counts
    from analysis.switching_fit import PARAMETERS, fit_switching

    supposed = analysis_of_run(row)
    exponent = float(supposed.get("barrier_exponent", 2.0))
    false_alarm_rate = float(supposed.get("false_alarm_rate", FALSE_ALARM_RATE))
    counts = gather_counts(points)
    found = fit_switching(counts, CONFIDENCE, exponent)
    checks = switching_checks(counts, found, false_alarm_rate)
    return [
        FitRow(
            cell=int(cell),
            target=found.targets[place],
            parameters={
                name: Estimate.of(
                    *(ends[place, column] for ends in (found.estimate, found.low, found.high))
                )
                for column, name in enumerate(PARAMETERS)
            },
            log_likelihood=float(found.log_likelihood[place]),
            converged=bool(found.converged[place]),
            assumptions={"barrier_exponent": exponent, "false_alarm_rate": false_alarm_rate},
            checks=checks[place],
        )
        for place, cell in enumerate(found.cells)
    ]


def switching_checks(
    counts: "SwitchingCounts", fits: "SwitchingFits", false_alarm_rate: Ratio
) -> list[dict[str, Check]]:
    """Whether each row's cell behaves as the fit supposes; a sound one fails any check at most at
    the false-alarm rate, of which rising errors and the goodness of fit have half each.
    """
    from analysis.anomalies import rising_errors
    from analysis.goodness_of_fit import goodness_of_fit

    rising = rising_errors(counts, false_alarm_rate / 2)
    # A fixed seed: the same counts have the same p-values.
    poor = goodness_of_fit(counts, fits, np.random.default_rng(0))
    looks = {
        "back-hopping": rising.back_hopping,
        "non-monotonic": rising.non_monotonic,
        "goodness of fit": poor,
    }
    return [
        {
            name: Check(
                p_value=float(np.minimum(1.0, 2 * p_values[place])),  # NaN stays NaN
                flagged=bool(p_values[place] < false_alarm_rate / 2),
            )
            for name, p_values in looks.items()
        }
        for place in range(len(fits.cells))
    ]


def forming_fits(blocks: Sequence[ProgrammedBlock], row: RunRow) -> list[FitRow]:
    """The distribution of a die's forming voltages."""
    from analysis.forming_fit import fit_forming, forming_counts
    from lab.parameters import build
    from protocols.forming import FormingParameters

    parameters = build(FormingParameters, (f"run {row.id}", row.parameters))
    counts = forming_counts(
        [pulse.amplitude for pulse in parameters.ramp.pulses],
        np.concatenate([block.pulses for block in blocks]),
        np.concatenate([block.verified for block in blocks]),
    )
    found = fit_forming(counts, CONFIDENCE)
    false_alarm_rate = float(analysis_of_run(row).get("false_alarm_rate", 0.01))
    return [
        FitRow(
            kind="forming",
            parameters={
                "mean": found.mean,
                "scale": found.scale,
                "v99": found.mostly,
                "never": found.never,
            },
            log_likelihood=found.log_likelihood,
            assumptions={"distribution": "Gumbel", "false_alarm_rate": false_alarm_rate},
            checks={
                "goodness of fit": Check(
                    p_value=found.p_value, flagged=found.p_value < false_alarm_rate
                )
            },
        )
    ]


FORMING_UNITS = {"mean": "V", "scale": "V", "v99": "V"}


def recipe_of(row: RunRow, technology: str) -> FitRecipe | None:
    """How a run's records are fitted on a wafer of this technology; None where they are not."""
    recipe = HFOX_RECIPES.get(row.protocol) if technology == "hfox" else None
    recipe = recipe or RECIPES.get(row.protocol)
    if row.protocol == IMPORTED:
        words = (row.parameters.get(name) for name in ("format", "holds"))
        recipe = IMPORTED_RECIPES.get(" ".join(str(word) for word in words if word))
    return recipe if recipe is not None and recipe.technology in (None, technology) else None


def noise_of_traces(traces: Sequence[ReadTrace], row: RunRow) -> list[FitRow]:
    """White, 1/f and telegraph noise of every cell and state, and of all cells of a state."""
    from lab.noise_fits import read_noise_fits

    return read_noise_fits(traces, row)


def drift_and_flips(readings: Sequence[RetentionReading], row: RunRow) -> list[FitRow]:
    """Drift of every cell, and of all cells of a state; how many of these flipped."""
    from lab.noise_fits import retention_fits

    return retention_fits(readings, row)


def weak_reset_of_trains(trains: Sequence[PulseTrain], row: RunRow) -> list[FitRow]:
    """How ln R rises with the pulses: of all cells, what it is made of, and of every cell."""
    from lab.weak_reset_fits import weak_reset_fits

    return weak_reset_fits(trains, row)


def amplitude_fits(points: Sequence[WerPoint], row: RunRow) -> list[FitRow]:
    """The amplitudes that an adaptive run asks for, beside the switching. Imports torch."""
    from lab import amplitude_fits as recipe

    return recipe.amplitude_fits(points, row)


def analysis_of_run(row: RunRow) -> dict[str, Any]:
    """The [analysis] table of the bench file as it was when the run was made."""
    return dict(json.loads(row.bench).get("analysis", {})) if row.bench else {}


def wafer_of_run(row: RunRow) -> dict[str, Any]:
    """The [wafer] table of the same file."""
    return dict(json.loads(row.bench)["wafer"])


CYCLING_UNITS = {"low_median": "Ohm", "high_median": "Ohm"}
SWEEP_UNITS = {
    "onset": "V", "cell_to_cell": "V", "cycle_to_cycle": "V", "e_fold": "V", "unit_rise": "V"
}  # fmt: skip
TRAIN_UNITS = CYCLING_UNITS | SWEEP_UNITS
SWITCHING_UNITS = {"vc0": "V", "tau_d": "s"}
RECIPES: dict[str, FitRecipe] = {
    "write-error-rate": FitRecipe(
        record=WerPoint, fit=switching_fits, technology="mtj", units=SWITCHING_UNITS
    ),
    "adaptive-write-error-rate": FitRecipe(
        record=WerPoint,
        fit=amplitude_fits,
        technology="mtj",
        units={"amplitude": "V", "volts": "V", **SWITCHING_UNITS},
    ),
    "set-reset-cycling": FitRecipe(record=PulseTrain, fit=checkpoint_fits, units=CYCLING_UNITS),
    "weak-reset": FitRecipe(
        record=PulseTrain,
        fit=weak_reset_of_trains,
        technology="hfox",
        units={"r0": "Ohm", "e_fold": "V"},
        tells_cells=False,
    ),
    "forming": FitRecipe(
        record=ProgrammedBlock, fit=forming_fits, technology="hfox", units=FORMING_UNITS
    ),
    "read-noise": FitRecipe(record=ReadTrace, fit=noise_of_traces, units={"dwell": "s"}),
    "retention": FitRecipe(record=RetentionReading, fit=drift_and_flips, units={"flip_time": "s"}),
    "switching-phase-diagram": FitRecipe(
        record=WerPoint,
        fit=mtj_fits.boundary_fits,
        technology="mtj",
        units={"v50": "V", "vc0": "V", "t0": "s"},
    ),
    "read-disturb": FitRecipe(
        record=WerPoint,
        fit=mtj_fits.disturb_fits,
        technology="mtj",
        units={"rate": "Hz", "vc0": "V"},
    ),
    "iv-sweep": FitRecipe(
        record=VoltageSweep,
        fit=mtj_fits.junction_fits,
        technology="mtj",
        units={"r_p": "Ohm", "v_half": "V"},
    ),
    "breakdown-ramp": FitRecipe(
        record=PulseTrain, fit=mtj_fits.breakdown_fits, technology="mtj", units={"median": "V"}
    ),
    "array-map": FitRecipe(
        record=ArrayMapBlock,
        fit=mtj_fits.array_fits,
        technology="mtj",
        units={"low median": "S", "high median": "S"},
    ),
}
HFOX_RECIPES: dict[str, FitRecipe] = {
    "iv-sweep": FitRecipe(
        record=PulseTrain,
        fit=hfox_fits.switching_voltage_fits,
        technology="hfox",
        units={
            "set_voltage": "V", "reset_voltage": "V",
            "low_resistance": "Ohm", "high_resistance": "Ohm",
        },
    ),
    "write-error-rate": FitRecipe(
        record=WerPoint, fit=hfox_fits.write_error_fits, technology="hfox"
    ),
}  # fmt: skip
"""Where HfOx cells are told in other words than those of `RECIPES`."""
IMPORTED_RECIPES: dict[str, FitRecipe] = {
    "mtj-switching-table": RECIPES["write-error-rate"],
    "csv write errors": RECIPES["write-error-rate"],
    "csv pulse trains": FitRecipe(record=PulseTrain, fit=train_fits, units=TRAIN_UNITS),
    "csv read traces": RECIPES["read-noise"],
    "hfox-cycling": FitRecipe(
        record=PulseTrain, fit=cycling_fits, technology="hfox", units=CYCLING_UNITS
    ),
    "rram-endurance": FitRecipe(record=PulseTrain, fit=endurance_fits, technology="hfox"),
    "hfox-reset-sweep": FitRecipe(
        record=PulseTrain, fit=reset_sweep_fits, technology="hfox", units=SWEEP_UNITS
    ),
    "rram-drift": FitRecipe(record=ReadTrace, fit=drift_fits, technology="hfox"),
}
"""By the format of the file, and what it holds where that is open."""
