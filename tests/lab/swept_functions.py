"""What the tests of sweeps work out: functions of a module, as every worker must find them."""

import math
from pathlib import Path

import torch

from crossbar.errors import DataError


def training_steps(seed: int, rate: float) -> dict:
    """Some steps of gradient descent, in single precision: their bits betray another order of
    summation, such as that of two threads.
    """
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(4096, 96, generator=generator)
    answers = torch.randn(4096, 24, generator=generator)
    weights = torch.zeros(96, 24, requires_grad=True)
    for _ in range(20):
        loss = ((inputs @ weights - answers) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            weights -= rate * weights.grad
            weights.grad = None
    return {
        "loss": loss.item(),
        "weights": weights.detach().numpy()[0],
        "threads": torch.get_num_threads(),
    }


def counted(number: int, folder: str) -> dict:
    """The square; leaves a line for every time that it was asked."""
    with (Path(folder) / "asked.txt").open("a") as asked:
        asked.write(f"{number}\n")
    return {"square": number**2}


def refused(number: int, folder: str) -> dict:
    """As `counted`, but refuses 2."""
    if number == 2:
        raise DataError("There is no second file.")
    return counted(number, folder)


def broken(number: int, folder: str) -> dict:
    """As `counted`, but with a mistake at 2."""
    return counted(number, folder) if number != 2 else {"square": 1 / (number - 2)}


def interrupted(number: int, folder: str) -> dict:
    """As `counted`, but Ctrl-C is pressed at 2, the first time."""
    marker = Path(folder) / "interrupted"
    if number == 2 and not marker.exists():
        marker.touch()
        raise KeyboardInterrupt
    return counted(number, folder)


def unspeakable(number: int) -> dict:
    """What JSON cannot say."""
    return {"square": math.nan if number == 2 else number**2}
