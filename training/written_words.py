"""Weights that lie in junctions, bit by bit, and are written by pulses that may fail."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from crossbar.errors import ConfigurationError
from crossbar.pulses import State
from crossbar.units import Joules
from physics.mtj import MtjCells
from physics.mtj_anomalies import MtjAnomalies
from physics.mtj_laws import MtjLaws
from physics.write_pulses import (
    USUAL_ANOMALIES,
    USUAL_LAWS,
    WritePulse,
    write_energy,
    write_error_rates,
)
from training.bit_memory import held
from training.fixed_point import FixedPoint

BITS = (State.LOW, State.HIGH)
"""What the bits 0 and 1 are; ours."""


@dataclass(kw_only=True)
class WriteLedger:
    """What was written so far, and the energy that it took.

    A pulse's energy is V^2 / R times its width, with R of the state *before* the pulse or of that
    *after* it: the truth lies between, as a cell switches somewhere within. Reading takes none.
    """

    changed_before: Joules = 0.0
    """Where only bits that are to change get a pulse, with the resistance before it."""
    changed_after: Joules = 0.0
    all_before: Joules = 0.0
    """Where every bit of every word gets one at each write, whatever it holds."""
    all_after: Joules = 0.0
    writes: int = 0
    changing: int = 0
    """Bits that were to change."""
    failed: int = 0
    """Of them, those that did not."""

    def plus(self, other: "WriteLedger") -> "WriteLedger":
        """Both together."""
        return WriteLedger(
            **{each.name: getattr(self, each.name) + getattr(other, each.name)
               for each in fields(self)}
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _PulseTables:
    """What the pulse in use does; every table is (states, cells) float32."""

    fails: Tensor
    """Probability that the write to this state fails."""
    flip: Tensor
    """Joule of a pulse to this state, in the other one."""
    hold: Tensor
    """Joule of a pulse to this state, in this one."""


class WrittenWords:
    """The weights of one layer: every bit a junction. The port `training.bit_memory.BitMemory`.

    ``shape`` is the layer's, ``cells`` are its bits: words in the order of the flat weights, their
    most significant bits first. A pulse to a cell that is in its target state already changes
    nothing. Raises ConfigurationError if there are not as many cells as bits.
    """

    def __init__(
        self,
        *,
        shape: Sequence[int],
        format: FixedPoint,
        cells: MtjCells,
        first: Tensor,
        laws: MtjLaws = USUAL_LAWS,
        anomalies: MtjAnomalies = USUAL_ANOMALIES,
    ) -> None:
        words = int(np.prod(shape))
        if len(cells.delta) != words * format.bits:
            raise ConfigurationError(
                f"{words} weights of {format.bits} bits need {words * format.bits} cells, got "
                f"{len(cells.delta)}. Draw as many as there are bits."
            )
        self.shape = tuple(shape)
        self.format = format
        self.cells = cells
        self.laws = laws
        self.anomalies = anomalies
        self.words = format.encoded(first.detach().reshape(-1))
        """(words,) uint8: what the cells hold."""
        self.ledger = WriteLedger()
        self.pulses: tuple[WritePulse, ...] = ()
        self._values = format.decoded(self.words)
        self._tables: _PulseTables | None = None
        self._holding = 0.0
        """Joule of a pulse to every cell that leaves all of them as they are."""

    def read(self, latents: Tensor) -> Tensor:
        """The values that the cells hold, whatever the latents are; straight through to these."""
        return held(latents, self.values.to(latents.device))

    @property
    def values(self) -> Tensor:
        """Those values, of the layer's shape."""
        return self._values.view(self.shape)

    def use(self, pulses: WritePulse | Sequence[WritePulse]) -> None:
        """Write with this pulse from now on, or with one for each bit, most significant first."""
        bits = self.format.bits
        chosen = (pulses,) * bits if isinstance(pulses, WritePulse) else tuple(pulses)
        if len(chosen) != bits:
            raise ConfigurationError(
                f"{len(chosen)} pulses for words of {bits} bits: give one, or one for each bit."
            )
        if chosen != self.pulses:
            self.pulses = chosen
            self._tables = self._tabulated()
            self._holding = self._holding_energy()

    def write(self, targets: Tensor, generator: torch.Generator) -> None:
        """Write words, (words,) uint8: each bit that is to change does so, or fails, by its cell.

        ``generator`` draws the failures: the same state, targets and draws, the same bits.
        """
        if self._tables is None:
            raise ConfigurationError("Nothing says with which pulse to write: call use() before.")
        rows = torch.nonzero(self.words ^ targets).flatten()
        aimed = self.format.taken_apart(targets[rows])
        changing = self.format.taken_apart(self.words[rows] ^ targets[rows])
        places = torch.nonzero(changing)
        cells = rows[places[:, 0]] * self.format.bits + places[:, 1]
        at = aimed[changing] * len(self.cells.delta) + cells
        failed = torch.rand(len(at), generator=generator) < self._tables.fails.view(-1)[at]
        flips = torch.zeros_like(changing)
        flips[changing] = ~failed
        self._account(at, failed)
        self.words[rows] ^= self.format.put_together(flips)
        self._values[rows] = self.format.decoded(self.words[rows])

    def snapshot(self) -> dict[str, object]:
        """What `restore` needs to go on with the same bits; the cells are not part of it."""
        return {
            "words": self.words.clone(), "ledger": asdict(self.ledger), "pulses": self.pulses,
            "holding": self._holding,
        }  # fmt: skip

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Take over a state that `snapshot` returned, of words in the same cells."""
        self.words = snapshot["words"].clone()
        self._values = self.format.decoded(self.words)
        self.ledger = WriteLedger(**snapshot["ledger"])
        if snapshot["pulses"]:
            self.use(snapshot["pulses"])
        self._holding = float(snapshot["holding"])  # summed up on the way: not quite the sum anew

    def _account(self, at: Tensor, failed: Tensor) -> None:
        """Add one write; ``at`` are the changing cells' places in the flat tables."""
        assert self._tables is not None
        cells = len(self.cells.delta)
        before = self._tables.flip.view(-1)[at].double()
        in_target = self._tables.hold.view(-1)[at].double()
        was = self._tables.hold.view(-1)[torch.where(at < cells, at + cells, at - cells)].double()
        spent_before = float(before.sum())
        spent_after = float(torch.where(failed, before, in_target).sum())
        left_alone = self._holding - float(was.sum())
        self.ledger.changed_before += spent_before
        self.ledger.changed_after += spent_after
        self.ledger.all_before += left_alone + spent_before
        self.ledger.all_after += left_alone + spent_after
        self.ledger.writes += 1
        self.ledger.changing += len(at)
        self.ledger.failed += int(failed.sum())
        self._holding = left_alone + float(torch.where(failed, was, in_target).sum())

    def _tabulated(self) -> _PulseTables:
        """Work out what the pulses do to every cell, those of equal bits at once."""
        count = len(self.cells.delta)
        bit = np.arange(count) % self.format.bits
        tables = {name: np.empty((2, count), np.float32) for name in _NAMES}
        for pulse in set(self.pulses):
            column = np.isin(bit, [place for place, own in enumerate(self.pulses) if own == pulse])
            cells = self.cells if column.all() else self.cells[column]
            for number, state in enumerate(BITS):
                tables["fails"][number, column] = write_error_rates(
                    cells, pulse, state, self.laws, self.anomalies
                )
                tables["flip"][number, column] = write_energy(cells, pulse, state, state.other)
                tables["hold"][number, column] = write_energy(cells, pulse, state, state)
        return _PulseTables(**{name: torch.from_numpy(table) for name, table in tables.items()})

    def _holding_energy(self) -> Joules:
        assert self._tables is not None
        bits = self.format.taken_apart(self.words).flatten()
        return float(torch.where(bits, self._tables.hold[1], self._tables.hold[0]).double().sum())


_NAMES = tuple(field.name for field in fields(_PulseTables))
