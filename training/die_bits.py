"""Weights as the cells of dies hold them: a layer's memory that was read back."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from crossbar.geometry import CellIndices
from crossbar.memory_die import MemoryDie
from crossbar.units import Siemens, Volts
from protocols.program_and_verify import ProgramAndVerifyParameters, program_and_verify
from training.binary_layers import binary_layers
from training.bit_memory import held


class DieBits:
    """Bits of one layer as they were read from cells; the port `BitMemory`."""

    def __init__(self, weights: NDArray[np.float32]) -> None:
        """``weights`` of the layer's shape: -1 or 1, or 0 where a pair of cells is alike."""
        self.weights = torch.from_numpy(weights)

    def read(self, latents: Tensor) -> Tensor:
        """What the cells hold, whatever the latents are; straight through to these."""
        return held(latents, self.weights.to(latents.device))


def signs_of(model: nn.Module) -> dict[str, NDArray[np.float32]]:
    """The weights, -1 or 1, that the binarized layers of a model would have in memory, by name."""
    return {
        name: np.where(layer.latents.detach().cpu().numpy() >= 0, 1.0, -1.0).astype(np.float32)
        for name, layer in binary_layers(model)
    }


def shapes_of(model: nn.Module) -> dict[str, tuple[int, ...]]:
    """The shape of each binarized layer's weights, by name, for `training.tiling.tiled`."""
    return {name: tuple(layer.latents.shape) for name, layer in binary_layers(model)}


def hold(model: nn.Module, weights: Mapping[str, NDArray[np.float32]]) -> None:
    """From now on the model computes with these weights, by the names of its layers."""
    for name, layer in binary_layers(model):
        layer.memory = DieBits(weights[name])


def write_and_read(
    die: MemoryDie,
    cells: CellIndices,
    low: NDArray[np.bool_],
    threshold: Siemens,
    parameters: ProgramAndVerifyParameters | None = None,
) -> NDArray[np.bool_]:
    """Bring the (n,) cells to LOW or not, ``low`` (n,), and say what they then are.

    Program and verify, then one more reading of every cell, which decided nothing.
    """
    chosen = parameters or ProgramAndVerifyParameters()
    for _ in program_and_verify(die, chosen, cells, low, threshold):
        pass
    return read_states(die, cells, threshold, chosen.read_amplitude)


def read_states(
    die: MemoryDie, cells: CellIndices, threshold: Siemens, amplitude: Volts
) -> NDArray[np.bool_]:
    """(n,) True where a cell reads as LOW."""
    conductance: NDArray[np.float64] = die.read(cells, amplitude).conductance
    return conductance >= threshold
