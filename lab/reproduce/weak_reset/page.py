"""The findings and the page of the weak RESET paper."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from analysis.mean_interval import MeanInterval, mean_interval
from analysis.ratio_interval import ratio_interval
from lab.reproduce.paper import Finding, PaperResult, ResultTable, Section
from lab.reproduce.verdicts import above
from lab.reproduce.weak_reset.cells import SweptCells
from lab.reproduce.weak_reset.choices import DIFFERS, OUR_PARAMETERS
from lab.reproduce.weak_reset.figure import loss_figure
from lab.reproduce.weak_reset.outcomes import (
    Accuracies,
    ahead,
    losses,
    paired,
    points,
    span,
    welch,
)
from lab.reproduce.weak_reset.plan import CELL_TO_CELL, Trainings
from lab.reproduce.weak_reset.points import EVERYTHING, PUBLISHED
from lab.sweep import Outcome

NOT_THEIRS = "not in the paper"


@dataclass(frozen=True, kw_only=True)
class InPlace:
    """The same small training on dies and in the model, an outcome a seed each."""

    model: Sequence[Outcome]
    die: Sequence[Outcome]
    hidden: Sequence[int]
    epochs: int

    def of(self, name: str) -> tuple[list[float], list[float]]:
        """One quantity, on the dies and in the model."""
        die, model = ([float(one[name]) for one in rows] for rows in (self.die, self.model))
        return die, model


@dataclass(frozen=True, kw_only=True)
class Trained:
    """Everything that was trained; None where it was not."""

    seeds: Sequence[int]
    trainings: Trainings
    perfect: Sequence[float]
    alone: Accuracies
    with_sets: Accuracies
    compensated: Accuracies
    swept: Accuracies | None
    sweeps: SweptCells | None
    cifar: Accuracies | None
    cifar_trainings: Trainings
    in_place: InPlace


def page(trained: Trained) -> PaperResult:
    """What was found, in words and tables."""
    sections = [_ranking(trained), _in_place(trained.in_place), _recovering(trained)]
    if trained.swept is not None and trained.sweeps is not None:
        sections.append(_real_cells(trained, trained.swept, trained.sweeps))
    return PaperResult(
        findings=_findings(trained),
        sections=sections,
        ours=OUR_PARAMETERS,
        differs=DIFFERS,
    )


def _findings(trained: Trained) -> list[Finding]:
    found = [
        *_most_harmful_alone(f"{trained.trainings.images}, no SETs", trained.alone),
        _most_harmful(
            f"{trained.trainings.images}, with SETs: of the paper's imperfections that a SET sees",
            NOT_THEIRS,
            trained.with_sets,
            PUBLISHED,
        ),
    ]
    if trained.cifar is not None:
        size = f"{trained.cifar_trainings.described}; the released code: 700 epochs at width 384"
        found += [
            replace(one, differs=size)
            for one in _most_harmful_alone("cifar10, a short training", trained.cifar)
        ]
    die, model = trained.in_place.of("accuracy")
    apart = welch(die, model)
    found.append(
        Finding(
            what="digits, trained in place: dies less model",
            claimed=NOT_THEIRS,
            found=f"{100 * apart.mean:+.2f} points",
            interval=_over(apart, "dies and models"),
            holds=apart.low <= 0 <= apart.high,
            differs="yes says that no difference is shown, not that there is none",
        )
    )
    share = _recovered(trained, CELL_TO_CELL)
    found.append(
        Finding(
            what="loss by cell to cell that pulse counts of each cell's own recover",
            claimed=NOT_THEIRS,
            found=f"{100 * share.mean:.0f} %",
            interval=f"{100 * share.low:.0f} to {100 * share.high:.0f} % (95 %, Fieller)",
            holds=above(share, 0.0),
        )
    )
    return found


def _most_harmful_alone(where: str, found: Accuracies) -> list[Finding]:
    """Of the paper's imperfections, and of read noise, too, which is ours."""
    return [
        _most_harmful(f"{where}: of the paper's imperfections", "yes", found, PUBLISHED),
        _most_harmful(f"{where}: of these and read noise", NOT_THEIRS, found, EVERYTHING),
    ]


def _most_harmful(where: str, claimed: str, found: Accuracies, among: Sequence[str]) -> Finding:
    second, more = ahead(found, among)
    own = paired(found["none"], found[CELL_TO_CELL])
    return Finding(
        what=f"{where}, cell-to-cell variability harms most",
        claimed=claimed,
        found=f"{points(own)} lost, {100 * more.mean:+.2f} against {second}",
        interval=f"of the difference: {_over(more, 'seeds')}",
        holds=above(more, 0.0),
    )


def _ranking(trained: Trained) -> Section:
    trainings, published = trained.trainings, losses(trained.alone)
    perfect = mean_interval(trained.perfect)
    text = (
        f"{trainings.described}; means and 95 % intervals of Student's t over {len(trained.seeds)} "
        f"seeds, losses paired by seed against cells without any imperfection. With latents and "
        f"perfect bits the same training ends at {100 * perfect.mean:.2f} % ({span(perfect)}).\n\n"
        "A SET without cycle-to-cycle variability brings both cells of a pair back to where they "
        "began, hence, but for one pulse, to the sign that they began with. That this is what cell "
        "to cell alone costs with SETs is a guess; with cycle-to-cycle variability beside it (all) "
        "most of that loss is gone."
    )
    tables = [_loss_table(f"{trainings.images}, no SETs (as released)", trained.alone)]
    tables.append(_loss_table(f"{trainings.images}, with SETs", trained.with_sets))
    if trained.cifar is not None:
        tables.append(_loss_table("cifar10, no SETs", trained.cifar))
    series = {
        f"{trainings.images}, no SETs": published,
        f"{trainings.images}, with SETs": losses(trained.with_sets),
    }
    if trained.cifar is not None:
        series["cifar10, no SETs"] = losses(trained.cifar)
    picture = ("Loss of accuracy by each imperfection, with intervals", loss_figure(series))
    return Section(
        heading="Each imperfection alone, none, and all", text=text, tables=tables,
        figures=[picture],
    )  # fmt: skip


def _loss_table(title: str, found: Accuracies) -> ResultTable:
    none = mean_interval(found["none"])
    return ResultTable(
        title=title,
        columns=["imperfection", "accuracy, %", "interval", "lost, points", "interval"],
        rows=[
            *(
                [
                    row.condition,
                    f"{100 * row.accuracy.mean:.2f}",
                    span(row.accuracy),
                    f"{100 * row.loss.mean:.2f}",
                    span(row.loss),
                ]
                for row in losses(found)
            ),
            ["none", f"{100 * none.mean:.2f}", span(none), "", ""],
        ],
    )


def _in_place(trained: InPlace) -> Section:
    units = " to ".join(str(size) for size in (100, *trained.hidden, 10))
    rows = [
        [label, *_three(*trained.of(name), scale)]
        for name, label, scale in (
            ("accuracy", "accuracy, %", 100.0),
            ("rise", "rise of ln R", 1.0),
        )
    ]
    return Section(
        heading="The same training on dies, through the instruments",
        text=(
            f"Digits of 10 x 10 pixels, {units} units, {trained.epochs} epochs. Cells of "
            f"{len(trained.die)} dies are formed, checked, SET, and taught by bursts of weak RESET "
            f"pulses; every forward pass reads each cell once. {len(trained.model)} trainings on "
            "the model's cells, with all imperfections and the read noise of such cells, stand "
            "beside them. Welch's intervals, 95 %."
        ),
        tables=[
            ResultTable(
                title="Dies and model",
                columns=["", "dies", "model", "difference"],
                rows=rows,
            )
        ],
    )


def _three(die: Sequence[float], model: Sequence[float], scale: float) -> list[str]:
    """Both means and their difference, each with its interval, for people."""
    return [
        f"{scale * found.mean:.4g} ({scale * found.low:.4g} to {scale * found.high:.4g})"
        for found in (mean_interval(die), mean_interval(model), welch(die, model))
    ]


def _recovering(trained: Trained) -> Section:
    rows = []
    for condition in trained.compensated:
        gain = paired(trained.compensated[condition], trained.alone[condition])
        share = _recovered(trained, condition)
        rows.append(
            [
                condition,
                f"{100 * mean_interval(trained.compensated[condition]).mean:.2f}",
                f"{100 * gain.mean:.2f} ({span(gain)})",
                f"{100 * share.mean:.0f} % ({100 * share.low:.0f} to {100 * share.high:.0f})",
            ]
        )
    return Section(
        heading="What each cell's own pulse counts recover",
        text=(
            "Ours. Every 50 steps each cell is read once; how far ln R rose by the pulses that "
            "training gave it since says how many pulses it needs for what the median cell does "
            "with one (`training.weak_reset_gains`). Nothing else is known of a cell."
        ),
        tables=[
            ResultTable(
                title=f"{trained.trainings.images}, no SETs, against the same pulses for all",
                columns=["imperfection", "accuracy, %", "gained, points", "share of the loss"],
                rows=rows,
            )
        ],
    )


def _real_cells(trained: Trained, found: Accuracies, cells: SweptCells) -> Section:
    loss = paired(trained.alone["none"], found[CELL_TO_CELL])
    mean = cells.m1.mean()
    return Section(
        heading="Cells fitted from real sweeps",
        text=(
            "RRAM-RADAR-Tuning (doi 10.1109/TED.2021.3097975): ten sweeps of single 200 ns RESET "
            f"pulses of each of {len(set(cells.cell.tolist()))} cells. Every cell of the network "
            "gets the m1 of one of the sweeps, and a resistance spread like theirs; knees, slopes "
            "after them and noise, of which one pulse an amplitude says nothing, stay the paper's. "
            f"Trained so, cell-to-cell variability costs {points(loss)} ({span(loss)})."
        ),
        tables=[
            ResultTable(
                title="Real cells and the paper's",
                columns=["", "sweeps", "paper"],
                rows=[
                    ["mean of m1", f"{mean:.2e}", "6.9e-4"],
                    ["m1, cell to cell, relative", cells.between(cells.m1) / mean, "0.95"],
                    ["m1, sweep to sweep, relative", cells.within(cells.m1) / mean, "0"],
                    ["ln R before, cell to cell", cells.between(cells.log_r0), "0.053 (c1)"],
                    ["ln R before, sweep to sweep", cells.within(cells.log_r0), "0.050 (R0)"],
                ],
            )
        ],
    )


def _recovered(trained: Trained, condition: str) -> MeanInterval:
    """Share of a condition's loss that compensation takes back."""
    alone, none = trained.alone[condition], trained.alone["none"]
    gained = [a - b for a, b in zip(trained.compensated[condition], alone, strict=True)]
    lost = [a - b for a, b in zip(none, alone, strict=True)]
    return ratio_interval(gained, lost)


def _over(interval: MeanInterval, what: str) -> str:
    return f"{span(interval)} points (95 %, {interval.count} {what})"
