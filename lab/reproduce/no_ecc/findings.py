"""The paper's claims beside what was found."""

import numpy as np

from analysis.mean_interval import mean_interval
from crossbar.units import Ratio, format_quantity
from lab.reproduce.no_ecc.energy import REFERENCE, WIDTHS, Dies, saving_over
from lab.reproduce.no_ecc.results import ALLOWED, FRESH, PLAIN, STATIC, BorneRate, NetworkResult
from lab.reproduce.no_ecc.telling import OF_DIES, OF_SEEDS, borne, borne_ends, ends, share
from lab.reproduce.paper import Finding
from lab.reproduce.verdicts import above, below

CLAIMED_RATE: Ratio = 1e-3
CLAIMED_FACTOR = 2.0


def of_accuracy(found: NetworkResult) -> list[Finding]:
    """What the claimed rate costs, by placement of the errors."""
    losses = {
        f"{placement} errors": found.loss(PLAIN, placement, CLAIMED_RATE)
        for placement in (STATIC, FRESH)
    }
    if CLAIMED_RATE in found.plan.written:
        losses["errors at the writes of training"] = found.loss_of_writing(CLAIMED_RATE)
    return [
        Finding(
            what=f"{found.plan.title}, {where}: accuracy lost at {share(CLAIMED_RATE)}",
            claimed="little",
            found=f"{100 * lost.mean:.2f} points of {100 * found.perfect().mean:.2f} %",
            interval=ends(lost, 100, 2, OF_SEEDS),
            holds=below(lost, ALLOWED),
        )
        for where, lost in losses.items()
    ]


def of_borne_rate(found: NetworkResult) -> Finding:
    """The highest rate within half a point."""
    rate = found.borne(PLAIN, STATIC)
    return Finding(
        what=f"{found.plan.title}: highest rate of static errors within {100 * ALLOWED:g} points",
        claimed=f"at least {share(CLAIMED_RATE)}",
        found=borne(rate),
        interval=borne_ends(rate),
        holds=_at_least(rate, CLAIMED_RATE),
    )


def of_aware_training(found: NetworkResult) -> Finding:
    """What training with errors adds to that."""
    plain, aware = found.borne(PLAIN, STATIC), found.borne(found.aware, STATIC)
    what = f"{found.plan.title}: the same, trained with {share(found.plan.aware)} of fresh errors"
    claimed = "not in the paper; hoped for: more"
    if not (plain.known and aware.known):
        told = f"{borne(aware)} (without: {borne(plain)})"
        return Finding(what=what, claimed=claimed, found=told, interval="none", holds=None)
    gain = mean_interval(np.log(np.divide(aware.seeds, plain.seeds)))
    interval = "none: one seed"
    if gain.count > 1:
        low, high = np.exp([gain.low, gain.high])
        interval = f"{low:.2f} to {high:.2f} times ({OF_SEEDS.format(gain.count)})"
    return Finding(
        what=what,
        claimed=claimed,
        found=f"{borne(aware)}, {np.exp(gain.mean):.2f} times that",
        interval=interval,
        holds=above(gain, 0.0),
    )


def of_energy(dies: Dies) -> list[Finding]:
    """What the claimed rate saves, at each width."""
    factors = {width: saving_over(dies, width, CLAIMED_RATE) for width in WIDTHS}
    return [
        Finding(
            what=f"energy of a written bit at {REFERENCE:g} over that at {CLAIMED_RATE:g}, "
            f"pulses of {format_quantity(width, 's')}, measured dies",
            claimed="up to 2, of a whole system",
            found=f"{factor.mean:.2f}",
            interval=ends(factor, 1, 2, OF_DIES),
            holds=above(factor, CLAIMED_FACTOR),
            differs="this is the cells' own energy, not a system's; the factor depends on the "
            "width and on the reference (below), and the abstract gives neither",
        )
        for width, factor in factors.items()
    ]


def _at_least(found: BorneRate, limit: Ratio) -> bool | None:
    """Of a rate beyond the graded ones: whether that of every seed is."""
    low, high = (found.low, found.high) if found.known else (min(found.seeds), np.inf)
    return True if low >= limit else False if high < limit else None
