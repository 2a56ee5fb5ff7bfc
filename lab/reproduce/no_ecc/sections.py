"""The parts of the paper's section: tables, pictures, and the words around them."""

from collections.abc import Sequence

from analysis.mean_interval import MeanInterval
from crossbar.units import Ratio, Seconds, Volts, format_quantity
from lab.reproduce.no_ecc.energy import (
    RATES,
    REFERENCE,
    WIDTHS,
    Dies,
    condition,
    mean_population,
    saving,
    saving_over,
)
from lab.reproduce.no_ecc.figures import accuracy_figure, saving_figure
from lab.reproduce.no_ecc.results import ALLOWED, FRESH, PLAIN, STATIC, NetworkResult
from lab.reproduce.no_ecc.telling import OF_DIES, borne, borne_ends, ends, percent, share
from lab.reproduce.paper import ResultTable, Section
from physics.mtj import MtjPopulation

ACCURACY_TEXT = """\
The three places of errors are three experiments. *Static*: a network that never saw an error is
written once, and the same bits are wrong at every image; each accuracy is the mean over several
deployments of one network. *Fresh*: other bits are wrong at each forward pass, which is a batch of
test images. A network that does not learn from its errors has the same accuracy *on average* in
both cases, for each image sees bits that are drawn alike; what differs is how much one die differs
from the next. *At the write*: while it learns, a bit that is to change stays as it was with this
probability, until the next step writes it again; graded is what the cells hold in the end.
Intervals: Student, 95 %, over seeds."""

BORNE_TEXT = """\
The highest rate that loses at most {allowed:g} points against the network of the same seed without
errors; linear in the logarithm of the rate between those that were graded. Energy factors are those
of a written bit, reference over this rate, as the mean over {dies} measured dies with Student's
interval over dies at that one rate. The test images decide where half a point is; no others confirm
it."""

ENERGY_TEXT = """\
Each die's critical voltages, stabilities and times are fitted to write error rates that were
counted through the instruments, its resistances to I-V sweeps; the bit error rate of a pulse is the
mean over such cells, both directions alike. Energy: V²/R times the width, R that before the
switching, of a bit that changes. Rates below some 1e-5 are below what was counted: the reference
{reference:g} rests on the switching model. Truth: that of the simulated cells, which no instrument
sees.

Counted rates are means over cells, which come from a few bad cells: a small sample, which may have
none of them, is more often below the rate than above."""

IMAGENET_TEXT = """\
The paper's third network is a binarized AlexNet on ImageNet. It is here
(`training.binary_networks.binary_alexnet`), with a loader for folders of images
(`training.image_sets.load_image_folder`); `tests/training/test_image_folder_training.py` trains it,
small, on a folder of two colours and grades it in all three memories. **The full run was not
done**: there are neither the images nor the compute for it here, and nothing on this page says
anything about ImageNet. The loader keeps all images in memory as bytes, 190 GB for ImageNet's 1.28
million at 224 pixels: a full run needs such a machine, or a loader that reads from disk."""


def accuracy_section(networks: Sequence[NetworkResult]) -> Section:
    """Every accuracy, and the picture."""
    return Section(
        heading="Accuracy over the bit error rate",
        text=ACCURACY_TEXT,
        tables=[_accuracies(found) for found in networks],
        figures=[
            (
                "Accuracy over the bit error rate: errors static, fresh, at the writes of training",
                accuracy_figure(networks),
            )
        ],
    )


def _accuracies(found: NetworkResult) -> ResultTable:
    rates = sorted({*found.plan.rates, *found.plan.written})
    rows: list[list[str]] = [["0", percent(found.perfect()), "", "", "", "", ""]]
    for rate in rates:
        row = [f"{rate:g}"]
        graded = rate in found.plan.rates
        row += [
            percent(found.accuracy(PLAIN, at, rate)) if graded else "" for at in (STATIC, FRESH)
        ]
        row.append(f"{100 * found.die_spread(rate):.2f}" if graded else "")
        row.append(percent(found.held(rate)) if rate in found.plan.written else "")
        row += [
            percent(found.accuracy(found.aware, at, rate)) if graded else ""
            for at in (STATIC, FRESH)
        ]
        rows.append(row)
    aware = share(found.plan.aware)
    return ResultTable(
        title=f"{found.plan.title}; {len(found.seeds)} seeds, {found.plan.train} training images, "
        f"{found.plan.epochs} epochs, {found.plan.test} test images; {found.plan.dies} dies each, "
        f"{found.plan.aware_dies} if trained with errors; accuracy in %",
        columns=[
            "BER", "static", "fresh", "sd from die to die", "at the write",
            f"static, trained with {aware}", f"fresh, trained with {aware}",
        ],
        rows=rows,
    )  # fmt: skip


def borne_section(networks: Sequence[NetworkResult], dies: Dies) -> Section:
    """How many errors are borne, and what that saves."""
    rows = []
    for found in networks:
        for training, words in ((PLAIN, "without errors"), (found.aware, share(found.plan.aware))):
            for placement in (STATIC, FRESH):
                rate = found.borne(training, placement)
                factors = [_saved(dies, width, rate.mean) if rate.known else "" for width in WIDTHS]
                row = [found.plan.title, words, placement, borne(rate), borne_ends(rate)]
                rows.append([*row, *factors])
    widths = [f"energy factor, {format_quantity(width, 's')}" for width in WIDTHS]
    return Section(
        heading="The highest bit error rate, and what it saves",
        text=BORNE_TEXT.format(allowed=100 * ALLOWED, dies=len(dies)),
        tables=[
            ResultTable(
                title="Borne errors",
                columns=["network", "trained with", "errors", "highest BER", "interval", *widths],
                rows=rows,
            )
        ],
    )


def _saved(dies: Dies, width: Seconds, rate: Ratio) -> str:
    """ "2.44 (2.13 to 2.75)"."""
    found = saving_over(dies, width, rate)
    if found.count == 1:
        return f"{found.mean:.2f}"
    return f"{found.mean:.2f} ({found.low:.2f} to {found.high:.2f})"


def energy_section(
    dies: Dies,
    truth: MtjPopulation | None,
    limit: Volts,
    checked: Sequence[tuple[Ratio, MeanInterval]],
) -> Section:
    """Programming conditions, and the check of two of them on other dies."""
    population = mean_population(dies)
    rows = []
    for width in WIDTHS:
        for rate in RATES:
            found = condition(population, width, rate)
            factor = saving_over(dies, width, rate)
            row: list[object] = [format_quantity(width, "s"), f"{rate:g}"]
            row += [f"{found.pulse.low:.3f}", f"{found.pulse.high:.3f}"]
            row += [f"{found.energy * 1e12:.3f}", f"{factor.mean:.2f}", ends(factor, 1, 2, OF_DIES)]
            row.append("" if truth is None else f"{saving(truth, width, rate):.2f}")
            row.append("yes" if max(found.pulse.low, found.pulse.high) <= limit else "no")
            rows.append(row)
    tables = [
        ResultTable(
            title="Programming conditions",
            columns=[
                "width", "BER", "V to LOW", "V to HIGH", "pJ a bit", "energy factor",
                "interval of the factor", "factor, truth", f"within {limit:g} V",
            ],
            rows=rows,
        ),
        ResultTable(
            title="Counted on dies that had no part in choosing, pulses of "
            + format_quantity(WIDTHS[0], "s"),
            columns=["BER wanted", "BER counted, mean over cells", "interval"],
            rows=[[f"{rate:g}", f"{each.mean:.2e}", _counted_ends(each)] for rate, each in checked],
        ),
    ]  # fmt: skip
    return Section(
        heading="Programming conditions",
        text=ENERGY_TEXT.format(reference=REFERENCE),
        tables=tables,
        figures=[
            (
                "Energy factor over the bit error rate at the measured dies, with the truth",
                saving_figure(dies, truth),
            )
        ],
    )


def _counted_ends(found: MeanInterval) -> str:
    return f"{max(found.low, 0):.2e} to {found.high:.2e} (Student, 95 %, over {found.count} cells)"


def imagenet_section() -> Section:
    """What was not done."""
    return Section(heading="ImageNet: not done", text=IMAGENET_TEXT)
