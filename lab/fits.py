"""Which fit follows which protocol: from a run's records to rows of the database.

A new one is a function here, or in a module of its own, and a line in `RECIPES`. Everything that a
fit needs is imported where it is made: `lab run` must not wait for torch before it measures.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crossbar.records import WerPoint
from crossbar.units import Ratio
from db.rows import Estimate, FitRow, RunRow

CONFIDENCE: Ratio = 0.95


@dataclass(frozen=True, kw_only=True)
class FitRecipe:
    """How the records of one protocol are fitted."""

    record: type[Any]
    """Of these records."""
    fit: Callable[[Sequence[Any], RunRow], list[FitRow]]
    """(all of a die's records, the run) -> fits; raises DataError if they do not suffice."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Of the parameters, by the beginning of their names; ratios have none."""
    confidence: Ratio = CONFIDENCE

    def unit(self, name: str) -> str:
        """The SI symbol of a parameter."""
        return next((unit for start, unit in self.units.items() if name.startswith(start)), "")


def switching_fits(points: Sequence[WerPoint], row: RunRow) -> list[FitRow]:
    """Delta, V_c0 and tau_D of every cell and direction. Imports torch."""
    from analysis.switching_counts import gather_counts
    from analysis.switching_fit import PARAMETERS, fit_switching

    exponent = float(analysis_of_run(row).get("barrier_exponent", 2.0))
    found = fit_switching(gather_counts(points), CONFIDENCE, exponent)
    return [
        FitRow(
            cell=int(cell),
            target=found.targets[place],
            parameters={
                name: Estimate(
                    estimate=float(found.estimate[place, column]),
                    low=float(found.low[place, column]),
                    high=float(found.high[place, column]),
                )
                for column, name in enumerate(PARAMETERS)
            },
            log_likelihood=float(found.log_likelihood[place]),
            converged=bool(found.converged[place]),
            assumptions={"barrier_exponent": exponent},
        )
        for place, cell in enumerate(found.cells)
    ]


def analysis_of_run(row: RunRow) -> dict[str, Any]:
    """The [analysis] table of the bench file as it was when the run was made."""
    return dict(json.loads(row.bench).get("analysis", {})) if row.bench else {}


SWITCHING_UNITS = {"vc0": "V", "tau_d": "s"}
RECIPES: dict[str, FitRecipe] = {
    "write-error-rate": FitRecipe(record=WerPoint, fit=switching_fits, units=SWITCHING_UNITS),
}
