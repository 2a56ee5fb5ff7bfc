"""What each ingredient of a strategy contributes, whatever the order in which they are added."""

from collections.abc import Mapping
from math import factorial

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def shares(values: Mapping[tuple[bool, ...], Values]) -> list[Values]:
    """Shapley's shares (1953): an ingredient's gain, averaged over all orders of adding them.

    ``values`` has what is reached with every choice of ingredients; a key says of each whether it
    is in. The shares add up to all ingredients' gain over none.
    """
    count = len(next(iter(values)))
    found = []
    for one in range(count):
        share = np.zeros_like(next(iter(values.values())))
        for chosen, with_it in values.items():
            if not chosen[one]:
                continue
            others = sum(chosen) - 1
            without = tuple(has and at != one for at, has in enumerate(chosen))
            weight = factorial(others) * factorial(count - others - 1) / factorial(count)
            share = share + weight * (with_it - values[without])
        found.append(share)
    return found
