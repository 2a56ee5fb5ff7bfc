"""Numbers of this paper as people read them."""

import math

from analysis.mean_interval import MeanInterval
from crossbar.units import Ratio
from lab.reproduce.no_ecc.results import BorneRate

OF_SEEDS = "Student, 95 %, over {} seeds"
OF_DIES = "Student, 95 %, over {} dies"


def percent(found: MeanInterval) -> str:
    """ "97.31 (97.20 to 97.42)", without the unit; one value has no interval."""
    if found.count == 1:
        return f"{100 * found.mean:.2f}"
    return f"{100 * found.mean:.2f} ({100 * found.low:.2f} to {100 * found.high:.2f})"


def ends(found: MeanInterval, scale: float, digits: int, of: str) -> str:
    """ "0.01 to 0.04 (Student, 95 %, over 5 seeds)"; ``of`` is one of the two above."""
    if found.count == 1:
        return "none: one value"
    low, high = (f"{scale * end:.{digits}f}" for end in (found.low, found.high))
    return f"{low} to {high} ({of.format(found.count)})"


def share(rate: Ratio) -> str:
    """A bit error rate: "0.1 %", "3.2 %"."""
    return f"{100 * rate:.2g} %"


def borne(found: BorneRate) -> str:
    """ "3.1 %", or what is known where it is beyond what was graded."""
    if found.known:
        return share(found.mean)
    below = sum(rate == 0 for rate in found.seeds)
    above = sum(math.isinf(rate) for rate in found.seeds)
    kinds = [f"{n} {words}" for n, words in ((below, "below"), (above, "above")) if n]
    return f"beyond the rates graded: {' and '.join(kinds)} of {len(found.seeds)} seeds"


def borne_ends(found: BorneRate) -> str:
    """The interval of the same."""
    if not found.known:
        return "none"
    if len(found.seeds) == 1:
        return "none: one seed"
    high = share(found.high) if found.high < 1 else "all"
    return f"{share(found.low)} to {high} ({OF_SEEDS.format(len(found.seeds))})"
