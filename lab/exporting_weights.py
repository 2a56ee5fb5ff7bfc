"""Trained weights, of a training run or of a torch model's file, laid out on dies for export."""

from collections.abc import Sequence
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch
from numpy.typing import NDArray

from crossbar.errors import ConfigurationError, DataError
from crossbar.geometry import DieAddress
from crossbar.units import Ratio
from db.rows import TrainingRunRow
from db.store import Store
from lab.chosen_bench import ChosenBench
from lab.parameters import build
from lab.placement_file import PlacedWeights
from lab.runs import wafer_of
from protocols.program_levels import ProgramLevelsParameters
from training.defect_aware_store import DEAD
from training.encoding import Encoding
from training.solution import Solution
from training.tiling import all_columns, sound_columns, tiled, tiling_of

LATENTS = "latents"
"""What the parameter of a binarized layer is called (`training.binary_layers`)."""


def newest_weights(chosen: ChosenBench, store: Store, dies: Sequence[DieAddress]) -> TrainingRunRow:
    """What `lab program` would write onto the die that is named; else the newest training run."""
    if len(dies) != 1:
        return store.latest_training_run()
    return store.weights_for_die(wafer_of(store, chosen), dies[0])


def of_training_run(
    chosen: ChosenBench, row: TrainingRunRow, dies: Sequence[DieAddress]
) -> PlacedWeights:
    """The two-layer network of a training run on one die: the one named, or that it was trained
    for. Raises ConfigurationError where neither says one.
    """
    places = list(dies) or ([row.die] if row.die is not None else [])
    if len(places) != 1:
        raise ConfigurationError(
            f"Training run {row.id} ({row.strategy}) is for one die, and {len(places)} are named: "
            "give --dies x,y."
        )
    solution = Solution.from_arrays(row.solution)
    return PlacedWeights(
        tiling=tiling_of(solution.placement, places[0]),
        states={places[0]: solution.target_low.ravel()},
        technology=chosen.configuration.wafer.technology,
        levels=levels_of(chosen),
    )


def of_model_file(
    chosen: ChosenBench,
    store: Store | None,
    path: Path,
    dies: Sequence[DieAddress],
    *,
    encoding: Encoding = Encoding.SINGLE_ENDED,
    most_dead: Ratio | None = None,
) -> PlacedWeights:
    """The binarized layers of a torch model, tiled over dies in their order.

    ``path`` holds the model's ``state_dict``. With ``most_dead``, columns of which a larger share
    of the cells is dead in the database's map of the die are skipped. Raises DataError for another
    file or a die without a map, ConfigurationError for what does not fit.
    """
    weights = weights_in(path)
    geometry = chosen.configuration.wafer.geometry
    usable = {die: all_columns(geometry) for die in dies}
    if most_dead is not None:
        if store is None:
            raise DataError("Columns are skipped by the dies' maps, and there is no database.")
        wafer = wafer_of(store, chosen)
        for die in dies:
            usable[die] = sound_columns(store.defect_map(wafer, die), DEAD, most_dead)
    shapes = {name: signs.shape for name, signs in weights.items()}
    tiling = tiled(shapes, usable, geometry, encoding)
    return PlacedWeights(
        tiling=tiling,
        states=tiling.states_for(weights),
        technology=chosen.configuration.wafer.technology,
        levels=levels_of(chosen),
    )


def weights_in(path: Path) -> dict[str, NDArray[np.float32]]:
    """The signs of all latents in a ``state_dict`` file, by the names of their layers; only
    tensors are read from it, no code. Raises DataError for a file without any.
    """
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
    except (OSError, UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read as a state_dict: {str(error).splitlines()[0]} Save one with "
            "torch.save(model.state_dict(), ...)."
        ) from None
    found = {
        name.removesuffix(LATENTS).removesuffix("."): tensor
        for name, tensor in (state.items() if isinstance(state, dict) else ())
        if name.rpartition(".")[2] == LATENTS and isinstance(tensor, torch.Tensor)
    }
    if not found:
        raise DataError(
            f"{path} holds no weights of a binarized layer: no tensor in it is called latents. "
            "Save the state_dict of a model with BinaryLinear or BinaryConv2d layers."
        )
    return {
        name: np.where(tensor.numpy() >= 0, 1.0, -1.0).astype(np.float32)
        for name, tensor in found.items()
    }


def levels_of(chosen: ChosenBench) -> tuple[float, ...]:
    """Those that the bench file programs HfOx cells to; none for MTJs."""
    configuration = chosen.configuration
    if configuration.wafer.technology != "hfox":
        return ()
    given = configuration.protocols.get("program-and-verify", {})
    place = f"{chosen.source} [protocols.program-and-verify]"
    return tuple(sorted(build(ProgramLevelsParameters, (place, given)).levels))
