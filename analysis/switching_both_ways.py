"""The parameters of cells whose switching was counted in both directions.

A junction has one thermal stability and one characteristic time, whichever way it is written, and a
critical voltage for each way. Each direction is fitted by itself (`hierarchical_fit`, or cell by
cell where cells are few); then the likelihoods of both, taken as normal around what was found, are
put together in the four parameters, and the population is fitted again. Imports torch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.hierarchical_fit import FEWEST_CELLS, fit_hierarchy, pooled_cells, towards
from analysis.normal_population import CellTerms, NormalPopulation, fit_normal_population
from analysis.switching_counts import SwitchingCounts, gather_counts
from analysis.switching_fit import fit_switching
from crossbar.errors import DataError
from crossbar.geometry import CellIndices
from crossbar.pulses import State
from crossbar.records import WerPoint

Values = NDArray[np.float64]
NAMES = ("delta", "vc0_low", "vc0_high", "tau_d")
OF_DIRECTION = {State.LOW: (0, 1, 3), State.HIGH: (0, 2, 3)}
"""Where the three parameters of a direction stand among the four names."""


@dataclass(frozen=True, kw_only=True)
class SwitchingBothWays:
    """Parameters of single cells, and of the population that they are of."""

    cells: CellIndices
    """(n,) rising."""
    parameters: dict[str, Values]
    """The four names -> (n,); NaN where a direction was not counted."""
    population: dict[str, float]
    """Medians by the same names, and "delta_spread", "vc0_spread" (of both ways together) and
    "tau_d_spread"; empty with too few cells."""


@dataclass(frozen=True, kw_only=True)
class Direction:
    """What the counts of one direction say: likelihoods of logarithms over ``origin`` (3,)."""

    cells: CellIndices
    terms: CellTerms
    origin: Values


def fit_both_ways(points: Sequence[WerPoint]) -> SwitchingBothWays:
    """Fit what was counted on many cells, LOW and HIGH apart, then together.

    Raises DataError where nothing was counted, and where no cell can be fitted.
    """
    counts = gather_counts(points)
    ways = {state: _one_way(towards(counts, state)) for state in State if state in counts.targets}
    known = sorted({place for state in ways for place in OF_DIRECTION[state]})
    cells, terms, origin = _together(ways)
    of_known = CellTerms(
        pull=terms.pull[:, known], information=terms.information[:, known][:, :, known]
    )
    logarithm = np.full((len(cells), len(NAMES)), np.nan)
    population: dict[str, float] = {}
    if min(len(way.cells) for way in ways.values()) >= FEWEST_CELLS:
        found = fit_normal_population(of_known)
        logarithm[:, known], _ = pooled_cells(of_known, found, confidence=0.95)
        population = _described(found, origin[known], [NAMES[place] for place in known])
    else:
        inverse = np.linalg.pinv(of_known.information, hermitian=True)
        logarithm[:, known] = np.einsum("nij,nj->ni", inverse, of_known.pull)
    logarithm[np.diagonal(terms.information, axis1=1, axis2=2) == 0] = np.nan
    values = np.exp(origin + logarithm)
    return SwitchingBothWays(
        cells=cells,
        parameters={name: values[:, place] for place, name in enumerate(NAMES)},
        population=population,
    )


def _one_way(counts: SwitchingCounts) -> Direction:
    """Few cells that no model fits are left out. Raises DataError if none is left."""
    if len(counts.cells) >= FEWEST_CELLS:
        found = fit_hierarchy(counts)
        return Direction(cells=found.cells, terms=found.terms, origin=found.origin)
    fits = fit_switching(counts)
    good = fits.converged
    if not good.any():
        raise DataError(
            f"None of {len(good)} cells could be fitted; measure more points of each, or at least "
            f"{FEWEST_CELLS} cells: --set sample=20."
        )
    information = np.asarray(np.linalg.inv(fits.covariance[good]), dtype=np.float64)
    logarithm = np.log(fits.estimate[good])
    origin = np.median(logarithm, axis=0)
    pull = np.einsum("nij,nj->ni", information, logarithm - origin)
    return Direction(
        cells=fits.cells[good],
        terms=CellTerms(pull=pull, information=information),
        origin=origin,
    )


def _together(ways: Mapping[State, Direction]) -> tuple[CellIndices, CellTerms, Values]:
    """The cells (n,), their likelihoods in all four logarithms, over an origin (4,)."""
    cells = np.unique(np.concatenate([way.cells for way in ways.values()]))
    origin = np.zeros(len(NAMES))
    for state, way in ways.items():  # of the shared ones, that of either way will do
        origin[list(OF_DIRECTION[state])] = way.origin
    pull = np.zeros((len(cells), len(NAMES)))
    information = np.zeros((len(cells), len(NAMES), len(NAMES)))
    for state, way in ways.items():
        places = np.array(OF_DIRECTION[state])
        rows = np.searchsorted(cells, way.cells)
        moved = way.terms.information @ (way.origin - origin[places])
        pull[rows[:, None], places] += way.terms.pull + moved
        information[rows[:, None, None], places[:, None], places] += way.terms.information
    return cells, CellTerms(pull=pull, information=information), origin


def _described(found: NormalPopulation, origin: Values, names: Sequence[str]) -> dict[str, float]:
    """Medians and spreads, in the words of `SwitchingBothWays.population`."""
    medians = dict(zip(names, np.exp(origin + found.mean).tolist(), strict=True))
    spread = dict(zip(names, np.diagonal(found.covariance).tolist(), strict=True))
    critical = [variance for name, variance in spread.items() if name.startswith("vc0")]
    return medians | {
        "delta_spread": float(np.sqrt(spread["delta"])),
        "vc0_spread": float(np.sqrt(np.mean(critical))),
        "tau_d_spread": float(np.sqrt(spread["tau_d"])),
    }
