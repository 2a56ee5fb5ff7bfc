"""Layer-ensemble averaging: each hidden unit in several columns, their sums averaged.

The remedy of Yousuf et al. (Nat. Commun. 16, 2025, doi 10.1038/s41467-025-56319-6) for the same
kind of chip: redundant copies of a layer, of which each unit averages those nearest to what was
wanted. A smaller network then takes as many cells as a larger one without copies.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from crossbar.defect_map import DefectMap
from crossbar.errors import ConfigurationError
from training.calibration import Calibration
from training.column_sums import PartCurrents, Sums, driven_by, hidden_sums, output_sums
from training.encoding import signed
from training.solution import Solution


@dataclass(frozen=True, kw_only=True)
class LayerEnsemble:
    """A solution whose first layer sits on the die several times."""

    members: tuple[Solution, ...]
    """The same network, each with its hidden units in columns of its own; all have the same
    ``target_low``, that of the whole die. Layer 2 is shared."""
    chosen: NDArray[np.bool_]
    """(members, hidden) Which copies of a unit are averaged."""

    @property
    def target_low(self) -> NDArray[np.bool_]:
        """(subarrays, rows, columns) What to write on the die."""
        return self.members[0].target_low


def layer_ensemble(solution: Solution, found: DefectMap, averaged: int) -> LayerEnsemble:
    """As many copies of the hidden columns as fit, of which the best ``averaged`` count.

    The best are those whose weights on the mapped die differ least from the wanted ones, as sum of
    squares. Layer 2 has its copies already (`training.placement`). Raises ConfigurationError where
    so many copies do not fit.
    """
    place = solution.placement
    places = (place.geometry.subarrays - 1) * place.signed_columns
    copies = places // place.hidden
    if not 1 <= averaged <= copies:
        raise ConfigurationError(
            f"{averaged} copies of {place.hidden} hidden units cannot be averaged: {copies} fit "
            f"this die. Choose 1 to {copies}, or fewer hidden units."
        )
    target = solution.target_low.copy()
    width = place.encoding.cells_a_weight
    wanted = _columns(target[:-1], place.signed_columns * width)
    units = wanted.reshape(len(wanted), -1, width)[:, place.column_of_hidden]
    filled = np.zeros((len(wanted), places, width), dtype=np.bool_)
    filled[:, : copies * place.hidden] = np.tile(units, (1, copies, 1))
    target[:-1, :, : place.signed_columns * width] = filled.reshape(
        len(wanted), len(target) - 1, -1
    ).transpose(1, 0, 2)
    error = _weight_errors(target, found, solution)[: copies * place.hidden]
    rank = error.reshape(copies, place.hidden).argsort(axis=0).argsort(axis=0)
    members = tuple(
        replace(
            solution,
            target_low=target,
            placement=replace(
                place,
                hidden_columns=tuple(range(copy * place.hidden, (copy + 1) * place.hidden)),
            ),
        )
        for copy in range(copies)
    )
    return LayerEnsemble(members=members, chosen=rank < averaged)


def ensemble_scores(
    currents: PartCurrents,
    ensemble: LayerEnsemble,
    images: NDArray[np.float32],
    known: Calibration,
) -> Sums:
    """(batch, outputs) scores of (batch, rows) images."""
    total = sum(
        chosen * hidden_sums(currents, member, images, known)
        for member, chosen in zip(ensemble.members, ensemble.chosen, strict=True)
    )
    solution = ensemble.members[0]
    driven = driven_by(solution, np.asarray(total) / ensemble.chosen.sum(0))
    sums = output_sums(currents, solution, driven, known)
    found: Sums = (sums * solution.output_gain).sum(1) + solution.output_offset
    return found


def _weight_errors(
    target: NDArray[np.bool_], found: DefectMap, solution: Solution
) -> NDArray[np.float64]:
    """(signed hidden columns,) sum over the rows of squared weight errors on the mapped die."""
    encoding, window = solution.placement.encoding, Calibration.of(found, 1.0).window
    real = np.where(target, found.low, found.high)[:-1] / found.median_low
    perfect = np.where(target, 1.0, window)[:-1]
    errors = signed(real, 1.0, window, encoding) - signed(perfect, 1.0, window, encoding)
    return np.asarray((errors**2).sum(1).ravel())


def _columns(subarrays: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    """(subarrays, rows, columns) to (rows, the first ``count`` of each, side by side)."""
    return np.concatenate(list(subarrays[:, :, :count]), axis=1)
