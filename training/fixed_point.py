"""Weights as words of a few bits, and what a word that was half written then means."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from crossbar.errors import ConfigurationError

MOST_BITS = 8
"""A word is one byte of this program's memory at most."""


@dataclass(frozen=True, kw_only=True)
class FixedPoint:
    """Words of ``bits`` bits for the 2^bits evenly spaced values from -1 to 1; +-1 for one bit.

    "binary" numbers the values from the lowest, which is two's complement but for the inverted sign
    bit: between the two values next to zero *every* bit changes. "sign-magnitude" has a bit for the
    sign: there one changes. "gray" changes one bit from any value to the next: a step is either
    made or not.
    """

    bits: int
    code: Literal["binary", "sign-magnitude", "gray"] = "binary"

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= MOST_BITS or self.code not in _CODERS:
            raise ConfigurationError(
                f"Words of {self.bits} bits in code {self.code!r} refused: words have 1 to "
                f"{MOST_BITS} bits, codes are {', '.join(_CODERS)}. Choose among these."
            )

    @property
    def top(self) -> int:
        """The number of the highest value; the lowest is 0."""
        return 2**self.bits - 1

    @property
    def step(self) -> float:
        """From one value to the next."""
        return 2 / self.top

    def encoded(self, values: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """uint8 words of values, of the same shape; those beyond +-1 count as +-1.

        With a generator they are rounded at random, up or down, so that the mean is kept (Gupta et
        al. 2015, arXiv:1502.02551); without one to the nearest.
        """
        place = (values.clamp(-1, 1) + 1) * (self.top / 2)
        if generator is None:
            number = place.round()
        else:
            number = (place + torch.rand(values.shape, generator=generator)).floor()
        return _CODERS[self.code][0](number.clamp(0, self.top).to(torch.uint8), self.bits)

    def decoded(self, words: Tensor) -> Tensor:
        """float32 values of uint8 words, of the same shape."""
        number = _CODERS[self.code][1](words, self.bits)
        return number.float() * self.step - 1

    def taken_apart(self, words: Tensor) -> Tensor:
        """(words,) uint8 to (words, bits) booleans, the most significant first."""
        return (words.unsqueeze(1) >> self._shifts & 1).bool()

    def put_together(self, bits: Tensor) -> Tensor:
        """(words, bits) booleans to (words,) uint8."""
        return (bits.to(torch.uint8) << self._shifts).sum(1, dtype=torch.uint8)

    @property
    def _shifts(self) -> Tensor:
        return torch.arange(self.bits - 1, -1, -1, dtype=torch.uint8)


def _same(number: Tensor, bits: int) -> Tensor:
    return number


def _to_sign(number: Tensor, bits: int) -> Tensor:
    """Numbers below the middle are counted downwards from it, those above upwards."""
    middle = 1 << (bits - 1)
    return torch.where(number >= middle, number, middle - 1 - number)


def _to_gray(number: Tensor, bits: int) -> Tensor:
    return number ^ (number >> 1)


def _from_gray(words: Tensor, bits: int) -> Tensor:
    for shift in (1, 2, 4):
        words = words ^ (words >> shift)
    return words


_CODERS = {
    "binary": (_same, _same),
    "sign-magnitude": (_to_sign, _to_sign),
    "gray": (_to_gray, _from_gray),
}
