"""The claims beside what was found."""

import numpy as np
from numpy.typing import NDArray

from analysis.mean_interval import MeanInterval, mean_interval
from analysis.next_die_bound import next_die_bound
from lab.reproduce.measured_dies.experiment import IN_HARDWARE, OURS, OWN, Results, Variant
from lab.reproduce.measured_dies.plan import Plan
from lab.reproduce.paper import Finding
from lab.reproduce.verdicts import at_least, at_most

OURS_VARIANT = IN_HARDWARE[OURS]
PLAIN_AWARE = IN_HARDWARE["statistics-aware"]
HARSH = 0.046
"""Fraction of bad cells on the measured sister chip."""
WORST = 4.0
"""Points that a die may lie below software; the goal."""


def findings(results: Results, plan: Plan) -> list[Finding]:
    """Of the paper first, then what goes beyond it."""
    return [*_of_the_paper(results, plan), *_beyond(results), *_conditions(results)]


def gaps_below_software(results: Results, variant: Variant) -> NDArray[np.float64]:
    """(seeds, dies) points below the software baseline, in emulation."""
    return 100 * (results.baseline[:, None] - results.emulated[variant])


def below_software(results: Results, variant: Variant) -> NDArray[np.float64]:
    """(dies,) the same, mean over the seeds."""
    return gaps_below_software(results, variant).mean(0)


def hardware_gaps(results: Results, strategy: str) -> NDArray[np.float64]:
    """(seeds, dies) points below the software baseline of the same images, in hardware."""
    accuracies = results.hardware[strategy]
    return 100 * (results.hardware_baseline[: len(accuracies), None] - accuracies)


def between(found: MeanInterval, over: str = "dies") -> str:
    """For people."""
    return f"{found.low:.2f} to {found.high:.2f} (95 %, t, {found.count} {over})"


def _within(found: MeanInterval, limit: float) -> bool | None:
    """Whether the mean lies between minus and plus the limit, as far as its interval decides."""
    above, below = at_least(found, -limit), at_most(found, limit)
    return False if False in (above, below) else (True if above and below else None)


def others_below_own(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """(own dies,) points that weights for a die lose on the mean other die."""
    own = np.diag(matrix)
    others = (matrix.sum(1) - own) / (matrix.shape[1] - 1)
    return np.asarray(100 * (own - others))


def _of_the_paper(results: Results, plan: Plan) -> list[Finding]:
    ideal = mean_interval(hardware_gaps(results, "ideal").mean(0))
    own = mean_interval(hardware_gaps(results, OWN).mean(0))
    others = mean_interval(others_below_own(results.matrix))
    return [
        Finding(
            what="ideal weights on defective dies, in hardware: points below software",
            claimed="a few defects degrade the network (no figure in the abstract)",
            found=f"{ideal.mean:.2f} (worst die {hardware_gaps(results, 'ideal').max():.2f})",
            interval=between(ideal),
            holds=at_least(ideal, 1.0),
            differs='"degrade" is taken as 1 point or more, which is ours.',
        ),
        Finding(
            what="defect-aware weights on their own die, in hardware: points below software",
            claimed="near-ideal",
            found=f"{own.mean:.2f}",
            interval=between(own),
            holds=at_most(own, 1.0),
            differs='"near" is taken as 1 point or less, which is ours.',
        ),
        Finding(
            what="defect-aware weights on other dies: points below their own die",
            claimed="the solution is specific to its die",
            found=f"{others.mean:.2f}",
            interval=between(others, "weights"),
            holds=at_least(others, 0.0),
        ),
        *_statistics_aware(results, plan),
    ]


def _statistics_aware(results: Results, plan: Plan) -> list[Finding]:
    aware = mean_interval(hardware_gaps(results, "statistics-aware").mean(0))
    emulated = mean_interval(below_software(results, PLAIN_AWARE))
    at_die = list(plan.steps).index(1.0)
    rises = {name: lines[:, at_die] - lines[:, 0] for name, lines in results.losses.items()}
    rise = mean_interval(rises["ideal"] - rises["statistics-aware"])
    return [
        Finding(
            what="statistics-aware weights on dies never seen, in hardware: points below software",
            claimed="2",
            found=f"{aware.mean:.2f}",
            interval=between(aware),
            holds=at_most(aware, 2.0),
        ),
        Finding(
            what="the same in emulation",
            claimed="2",
            found=f"{emulated.mean:.2f}",
            interval=f"{between(emulated)}; seeds: {len(results.baseline)}",
            holds=at_most(emulated, 2.0),
        ),
        Finding(
            what="rise of the loss from perfect cells to the die: ideal minus statistics-aware, "
            "nats",
            claimed="statistics-aware weights are less sensitive",
            found=f"{rise.mean:.3f}",
            interval=between(rise, "directions"),
            holds=at_least(rise, 0.0),
        ),
    ]


def _beyond(results: Results) -> list[Finding]:
    gaps = hardware_gaps(results, OURS)
    mean = mean_interval(gaps.mean(0))
    # What counts is a die's worst training: users have one.
    bound = next_die_bound((-gaps.max(0)).tolist())
    emulated = mean_interval(below_software(results, OURS_VARIANT))
    return [
        Finding(
            what="beyond: ideal weights, assigned and calibrated without training, in hardware: "
            "points below software",
            claimed="goal: 1",
            found=f"{mean.mean:.2f}",
            interval=between(mean),
            holds=at_most(mean, 1.0),
        ),
        Finding(
            what="the same in emulation",
            claimed="goal: 1",
            found=f"{emulated.mean:.2f}",
            interval=f"{between(emulated)}; seeds: {len(results.baseline)}",
            holds=at_most(emulated, 1.0),
        ),
        Finding(
            what="beyond: the worst die, in hardware: points below software",
            claimed="goal: 4",
            found=f"{gaps.max():.2f}",
            interval=f"none: the largest of {gaps.shape[1]} dies and {len(gaps)} trainings",
            holds=bool(gaps.max() <= WORST),
        ),
        Finding(
            what="the next die, in hardware: at most so many points below software with any of the "
            "trainings",
            claimed="a distribution-free bound",
            found=f"{-bound.bound:.2f}",
            interval=f"with a probability of {100 * bound.confidence:.1f} % or more, from "
            f"{bound.dies} dies; of all further dies {100 * bound.coverage:.0f} % or more are "
            "within it (95 %)",
            holds=bool(-bound.bound <= WORST),
        ),
    ]


def _conditions(results: Results) -> list[Finding]:
    """What the others rest on, and what another remedy reaches."""
    bad = mean_interval(100 * results.bad)
    harsh = results.bad >= HARSH
    agreement = mean_interval(
        100 * (results.hardware[OURS] - results.hardware_emulated[OURS]).mean(0)
    )
    best = max(results.ensembles.values(), key=lambda found: float(found.mean()))
    ahead = mean_interval(100 * (results.emulated[OURS_VARIANT][0] - best))
    return [
        Finding(
            what="bad cells of these dies, lines included, %",
            claimed=f"sister chip: {100 * HARSH:.1f}",
            found=f"{bad.mean:.2f}, {results.lines} lines",
            interval=between(bad),
            holds=at_least(bad, 100 * HARSH),
        ),
        *(_on_harsh_dies(results, harsh) if harsh.sum() > 1 else ()),
        Finding(
            what="hardware minus emulation, same weights and images, points",
            claimed="goal: within 0.5",
            found=f"{agreement.mean:.2f}",
            interval=between(agreement),
            holds=_within(agreement, 0.5),
            differs="the emulation has no read noise, and every cell as it was read in the map.",
        ),
        Finding(
            what="assigned and calibrated minus layer-ensemble averaging at equal cell count "
            "(its best number of copies), points",
            claimed="goal: above 0",
            found=f"{ahead.mean:.2f}",
            interval=between(ahead),
            holds=at_least(ahead, 0.0),
        ),
    ]


def _on_harsh_dies(results: Results, harsh: NDArray[np.bool_]) -> list[Finding]:
    goal = f"on the dies with {100 * HARSH:.1f} % of bad cells or more"
    each = {
        "in hardware": hardware_gaps(results, OURS)[:, harsh],
        "in emulation": gaps_below_software(results, OURS_VARIANT)[:, harsh],
    }
    return [
        Finding(
            what=f"assigned and calibrated, {goal}, {where}: points below software",
            claimed="goal: 1, worst die 4",
            found=f"{mean.mean:.2f} (worst die {gaps.max():.2f})",
            interval=between(mean),
            holds=at_most(mean, 1.0) if gaps.max() <= WORST else False,
        )
        for where, gaps in each.items()
        for mean in [mean_interval(gaps.mean(0))]
    ]
