"""Sections and tables of the page."""

import numpy as np
from numpy.typing import NDArray

from analysis.mean_interval import mean_interval
from analysis.next_die_bound import next_die_bound
from lab.reproduce.measured_dies.experiment import OURS, OWN, VARIANTS, Results, Variant
from lab.reproduce.measured_dies.figures import (
    dies_figure,
    landscape_figure,
    matrix_figure,
    strategies_figure,
)
from lab.reproduce.measured_dies.findings import (
    OURS_VARIANT,
    below_software,
    gaps_below_software,
    hardware_gaps,
    others_below_own,
)
from lab.reproduce.measured_dies.plan import Plan
from lab.reproduce.measured_dies.points import SHOWN
from lab.reproduce.measured_dies.shares import shares
from lab.reproduce.paper import ResultTable, Section
from lab.reproduce.verdicts import at_most

INGREDIENTS = ("statistics-aware training", "assignment of columns", "column calibration")


def sections(results: Results, plan: Plan) -> list[Section]:
    """In the order of the story."""
    return [
        _in_hardware(results, plan),
        _matrix(results, plan),
        _ingredients(results, plan),
        _landscape(results, plan),
        _ensembles(results, plan),
    ]


def _summary(gaps: NDArray[np.float64]) -> list[object]:
    """Mean with interval, worst and best of (dies,) points below software."""
    mean = mean_interval(gaps)
    interval = f"{mean.low:.2f} to {mean.high:.2f}"
    return [f"{mean.mean:.2f}", interval, f"{gaps.max():.2f}", f"{gaps.min():.2f}"]


def _in_hardware(results: Results, plan: Plan) -> Section:
    rows = [row for name in results.hardware for row in _hardware_rows(name, results)]
    baselines = ", ".join(f"{100 * accuracy:.2f}" for accuracy in results.hardware_baseline)
    return Section(
        heading="Dies programmed and graded in hardware",
        text=(
            f"{len(results.dies)} dies were mapped through the instruments; "
            f"{100 * results.bad.mean():.2f} % of their cells are bad, from "
            f"{100 * results.bad.min():.2f} to {100 * results.bad.max():.2f} % a die, "
            f"{results.lines} lines among them. Each strategy's weights were written by "
            f"program-and-verify and graded through the die's own dot products on "
            f"{plan.hardware_images} test images ({plan.dataset}). The software baseline on these "
            f"images is {baselines} % by training: the ideal weights on perfect cells. "
            "Statistics-aware weights know every other die and are graded on those between, and "
            f"the reverse. *{OURS}* are the ideal weights, which know no die: the map says which "
            f"columns to take, and {SHOWN[plan.dataset]} unlabelled training images shown to "
            "the programmed die set gains and offsets. Intervals are over dies, with these weights "
            "and images."
        ),
        tables=[
            ResultTable(
                title="Points below software",
                columns=["weights", "training", "dies", "accuracy %", "mean", "95 % (t)",
                         "worst die", "best die", "next die at most", "hardware minus emulation"],
                rows=rows,
            )
        ],
        figures=[("Accuracy of every die in hardware, by strategy", dies_figure(results))],
    )  # fmt: skip


def _hardware_rows(name: str, results: Results) -> list[list[object]]:
    """One for each training."""
    rows: list[list[object]] = []
    for at, gaps in enumerate(hardware_gaps(results, name)):
        accuracies = results.hardware[name][at]
        bound = next_die_bound((-gaps).tolist())
        difference = 100 * (accuracies - results.hardware_emulated[name][at])
        rows.append(
            [name, at + 1, len(gaps), f"{100 * accuracies.mean():.2f}", *_summary(gaps),
             f"{-bound.bound:.2f} ({100 * bound.confidence:.1f} %)",
             f"{difference.mean():.2f} ({difference.min():.2f} to {difference.max():.2f})"]
        )  # fmt: skip
    return rows


def _matrix(results: Results, plan: Plan) -> Section:
    own = np.diag(results.matrix)
    lost = mean_interval(others_below_own(results.matrix))
    outside = 100 * results.matrix[np.eye(*results.matrix.shape) == 0]
    return Section(
        heading="Weights for one die, on all dies",
        text=(
            f"Weights trained for each of {len(own)} dies, graded on all "
            f"{results.matrix.shape[1]} as measured ({plan.hardware_images} images, in emulation; "
            f"{results.hardware[OWN].shape[1]} of the diagonal were confirmed in hardware, row "
            f"*{OWN}* above). Own die "
            f"{100 * own.mean():.2f} % on average, other dies {outside.mean():.2f} % (worst "
            f"{outside.min():.2f} %): {lost.mean:.2f} points less ({lost.low:.2f} to "
            f"{lost.high:.2f}, 95 %, t, over weights)."
        ),
        figures=[("Accuracy of the weights for each die on every die", matrix_figure(results))],
    )


def _ingredients(results: Results, plan: Plan) -> Section:
    rows = [
        [variant.trained, _yes(variant.assign), _yes(variant.calibrate),
         *_summary(below_software(results, variant))]
        for variant in VARIANTS
    ]  # fmt: skip
    spare_gap = 100 * (results.spared_baseline - results.spared[True])
    lost = gaps_below_software(results, OURS_VARIANT)[0]
    spare = mean_interval(lost - 100 * (results.baseline[0] - results.spared[True]))
    return Section(
        heading="What each ingredient gives",
        text=(
            f"In emulation, {plan.images} test images, every strategy on all "
            f"{len(results.dies)} dies, mean over seeds ({len(results.baseline)}); "
            "statistics-aware weights on dies never seen. The software baseline is "
            f"{100 * results.baseline.mean():.2f} % "
            f"({', '.join(f'{100 * value:.2f}' for value in results.baseline)}). Shares are "
            "Shapley's: an ingredient's gain averaged over all orders of adding them; a negative "
            "one costs accuracy. Spare columns: a network of "
            f"{plan.spared_hidden} instead of {plan.hidden} hidden units reaches "
            f"{100 * results.spared_baseline:.2f} % on perfect cells (first seed) and is, assigned "
            f"and calibrated, {spare_gap.mean():.2f} points below that; against the network "
            f"without spares on the same dies it gains {spare.mean:.2f} points "
            f"({spare.low:.2f} to {spare.high:.2f}, 95 %, t, over dies)."
        ),
        tables=[
            ResultTable(
                title="Points below software",
                columns=["weights", "assigned", "calibrated", "mean", "95 % (t)", "worst die",
                         "best die"],
                rows=rows,
            ),
            ResultTable(
                title="Share of each ingredient, points",
                columns=["ingredient", "share", "95 % (t, dies)"],
                rows=_share_rows(results),
            ),
            ResultTable(
                title="Seeds of training, dies never seen, points below each seed's software",
                columns=["weights", *(f"seed {at + 1}" for at in range(len(results.baseline)))],
                rows=_seed_rows(results),
            ),
        ],
        figures=[
            ("Points below software of every die: median, quartiles, extremes",
             strategies_figure(results)),
        ],
    )  # fmt: skip


def _share_rows(results: Results) -> list[list[object]]:
    reached: dict[tuple[bool, ...], NDArray[np.float64]] = {
        (variant.trained != "ideal", variant.assign, variant.calibrate): -below_software(
            results, variant
        )
        for variant in VARIANTS
    }
    rows: list[list[object]] = []
    for name, share in zip(INGREDIENTS, shares(reached), strict=True):
        mean = mean_interval(share)
        rows.append([name, f"{mean.mean:+.2f}", f"{mean.low:+.2f} to {mean.high:+.2f}"])
    return rows


def _seed_rows(results: Results) -> list[list[object]]:
    rows: list[list[object]] = []
    for variant in VARIANTS:
        gaps = 100 * (results.baseline - results.emulated[variant].mean(1))
        done = [
            word for word, on in zip(("assigned", "calibrated"), variant[1:], strict=True) if on
        ]
        rows.append([", ".join([variant.trained, *done]), *(f"{gap:.2f}" for gap in gaps)])
    return rows


def _landscape(results: Results, plan: Plan) -> Section:
    columns = ["weights", *(f"t = {step:g}" for step in plan.steps)]
    rows = [[name, *(f"{loss:.3f}" for loss in lines.mean(0))]
            for name, lines in results.losses.items()]  # fmt: skip
    text = (
        "Each direction leads from perfect cells (t = 0) to a measured die whose statistics the "
        "weights do not know (t = 1), and on: G(t) = G(0) + t (G(1) - G(0)). "
        f"{len(next(iter(results.losses.values())))} directions, {plan.hardware_images} test "
        "images, first seed, as trained."
    )
    return Section(
        heading="Loss along random defect directions",
        text=text,
        tables=[ResultTable(title="Mean cross entropy, nats", columns=columns, rows=rows)],
        figures=[("Loss along the directions", landscape_figure(results, plan))],
    )


def _ensembles(results: Results, plan: Plan) -> Section:
    rows: list[list[object]] = [
        [f"{plan.ensemble_hidden} hidden units, best {averaged} of {len(results.ensembles)} copies",
         f"{100 * found.mean():.2f}", *_summary(100 * (results.baseline[0] - found))]
        for averaged, found in results.ensembles.items()
    ]  # fmt: skip
    for variant in (Variant("ideal", False, False), OURS_VARIANT):
        found = results.emulated[variant][0]
        done = "assigned, calibrated" if variant.assign else "as trained"
        rows.append(
            [f"{plan.hidden} hidden units, {done}", f"{100 * found.mean():.2f}",
             *_summary(gaps_below_software(results, variant)[0])]
        )  # fmt: skip
    decided = at_most(mean_interval(gaps_below_software(results, OURS_VARIANT)[0]), 1.0)
    return Section(
        heading="Beside layer-ensemble averaging, at equal cell count",
        text=(
            "Yousuf et al. (doi 10.1038/s41467-025-56319-6) put a layer on the chip several times "
            "and average, for each unit, the copies that came out best by the measured map. Here "
            f"{plan.ensemble_hidden} hidden units in {len(results.ensembles)} copies take the "
            f"cells of {plan.hidden} without; layer 2 has its copies either way. On perfect cells "
            f"the smaller network reaches {100 * results.ensemble_baseline:.2f} %, the larger "
            f"{100 * results.baseline[0]:.2f} %. Emulated, {plan.images} images, first seed, "
            "points below the larger network's software."
            + (" Assigned and calibrated weights stay within 1 point." if decided else "")
        ),
        tables=[
            ResultTable(
                title="Equal cell count",
                columns=["network", "accuracy %", "mean", "95 % (t)", "worst die", "best die"],
                rows=rows,
            )
        ],
    )


def _yes(on: bool) -> str:
    return "yes" if on else "no"
