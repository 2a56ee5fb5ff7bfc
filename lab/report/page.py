"""The report as one HTML file: pictures embedded, nothing fetched from anywhere."""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from matplotlib.figure import Figure

from crossbar.defect_map import CellClass
from crossbar.geometry import DieAddress
from db.rows import FitRow
from lab.fits_in_words import flags_of, with_interval
from lab.report import figures
from lab.report.content import ReportContent, TrainedNetwork
from lab.report.measured import Measured
from lab.report.style import report_style


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading, what it shows, and how to read it."""

    title: str
    text: str
    body: str
    """HTML."""


def render(contents: Sequence[ReportContent]) -> str:
    """The whole page, a part a wafer."""
    with report_style():
        parts = "\n".join(_part(content) for content in contents)
    style = files("lab.report").joinpath("page.css").read_text()
    names = html.escape(", ".join(content.wafer for content in contents))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{names}: crossbar-lab report</title><style>{style}</style></head>"
        f"<body><main>{parts}"
        f"<footer>{html.escape(contents[0].footer)}</footer></main></body></html>\n"
    )


def _part(content: ReportContent) -> str:
    sections = "\n".join(
        f"<section><h2>{html.escape(section.title)}</h2><p>{section.text}</p>{section.body}"
        "</section>"
        for build in SECTIONS
        for section in build(content)
    )
    return (
        f"<header><h1>Wafer {html.escape(content.wafer)}</h1>"
        f"<p>{html.escape(content.subtitle)}</p></header>{sections}"
    )


def _accuracy(content: ReportContent) -> list[Section]:
    if not content.networks:
        return []
    rows = [_accuracy_row(network) for network in content.networks]
    head = ["weights", "software", "dies", "mean in hardware", "worst die", "best die"]
    picture = figures.accuracy_by_strategy(
        {n.label: n.hardware for n in content.networks if n.hardware}, content.baseline
    )
    return [
        Section(
            title="Accuracy",
            text="Test images went in as row voltages; column currents came out of the die's "
            "analog dot product and were turned into answers. <em>Ideal</em> weights know nothing "
            "of defects, <em>defect-aware</em> weights were trained for one die's measured "
            "defects, <em>statistics-aware</em> weights for the statistics of other dies, "
            "<em>in-the-loop</em> weights with the die itself. <em>Assigned</em> weights sit in "
            "the columns that a die's map recommends; <em>calibrated</em> columns had gains and "
            "offsets fitted to images shown to the programmed die.",
            body=image(picture) + table(head, rows),
        )
    ]


def _accuracy_row(network: TrainedNetwork) -> list[str]:
    values = list(network.hardware.values())
    spread = (
        [_percent(sum(values) / len(values)), _percent(min(values)), _percent(max(values))]
        if values
        else ["-", "-", "-"]
    )
    return [network.label, _percent(network.software_accuracy), str(len(values)), *spread]


def _wafer(content: ReportContent) -> list[Section]:
    panels: dict[str, Mapping[DieAddress, float]] = {}
    if content.maps:
        panels["Healthy cells (%)"] = {
            die: found.fraction(CellClass.HEALTHY) for die, found in content.maps.items()
        }
    for network in content.networks:
        if len(network.hardware) > 1:
            panels[f"Accuracy, {network.label} (%)"] = network.hardware
    if not panels:
        return []
    # Two pictures at most: yield, and the strategy that serves all dies with one solution.
    titles = list(panels)
    wanted = [title for title in titles if "statistics-aware" in title] or titles[-1:]
    shown = {title: panels[title] for title in dict.fromkeys([titles[0], wanted[0]])}
    return [
        Section(
            title="Wafer",
            text="SEMI E142 coordinates: origin lower left, x to the right, y up.",
            body=image(figures.wafer_maps(shown)),
        )
    ]


def _dies(content: ReportContent) -> list[Section]:
    if not content.maps:
        return []
    die = content.example_die
    found = content.maps[die]
    lines = ", ".join(f"{line.axis} {line.subarray}:{line.index}" for line in found.lines)
    limits = found.thresholds
    return [
        Section(
            title=f"Die {die}",
            text=f"Line defects: {lines or 'none'}. A cell is short above {limits.short:g} times "
            f"the median LOW conductance, open below {limits.open:g} times the median HIGH one; "
            f"stuck if its window is below {limits.stuck:g} of the median, weak below "
            f"{limits.weak:g}.",
            body=image(figures.die_maps(die, found)),
        ),
        Section(
            title="Resistances",
            text=f"All cells of {len(content.maps)} dies in both states.",
            body=image(figures.resistance_distributions(list(content.maps.values()))),
        ),
    ]


def _write_errors(content: ReportContent) -> list[Section]:
    if not content.points:
        return []
    executed = sorted({point.execution for point in content.points})
    origin = "each from a verified initial state, kept in time by the " + " and ".join(executed)
    if executed == ["imported"]:
        origin = "counted by others and imported"
    attempts = sum(point.attempts for point in content.points)
    rows = [
        [
            str(fit.cell),
            fit.target.value.upper() if fit.target else "",
            *(_estimate(fit, name, symbol) for name, symbol in PARAMETERS),
            ", ".join(name for name, check in fit.checks.items() if check.flagged),
        ]
        for fit in content.fits
    ]
    return [
        Section(
            title=f"Write error rate, die {content.points_die}",
            text=f"{attempts:,} attempts, {origin}. Bars are 95 % Clopper-Pearson intervals; a "
            "triangle says that no error was seen. Lines are the maximum-likelihood fit of the "
            "Fokker-Planck switching model, with its band. Flags: errors that rise with the "
            "amplitude, or counts that contradict the fit; a sound cell has one at the "
            "false-alarm rate of [analysis], 1 % unless set.",
            body=image(figures.wer_curves(content.points, content.curves))
            + table(["cell", "to", "Δ", "V<sub>c0</sub>", "τ<sub>D</sub>", "flags"], rows),
        )
    ]


def _measured(content: ReportContent) -> list[Section]:
    return [
        Section(
            title=f"{found.chart.title}, die {found.die}",
            text=f"{found.chart.text} Run {found.run}.",
            body=image(found.chart.draw(found.records, found.parameters)) + _fits(found),
        )
        for found in content.measured
    ]


def _fits(found: Measured) -> str:
    """A table a kind of fit: the cells together first, then some of the cells one by one."""
    recipe = found.recipe
    if recipe is None:
        return ""
    tables = []
    for kind in dict.fromkeys(fit.kind for fit in found.fits):
        fits = [fit for fit in found.fits if fit.kind == kind]
        fits.sort(key=lambda fit: fit.cell is not None)
        names = list(dict.fromkeys(name for fit in fits for name in fit.parameters))
        rows = [
            [
                "all" if fit.cell is None else str(fit.cell),
                "" if fit.target is None else fit.target.value.upper(),
                *(
                    with_interval(fit.parameters[name], recipe.unit(name))
                    if name in fit.parameters
                    else ""
                    for name in names
                ),
                flags_of(fit),
            ]
            for fit in fits[:MAX_FITS]
        ]
        head = ["cell", "to", *(name.replace("_", " ") for name in names), "flags"]
        rest = f"<p>and {len(fits) - MAX_FITS} more</p>" if len(fits) > MAX_FITS else ""
        tables.append(f"<h3>{html.escape(kind)}</h3>" + table(head, rows) + rest)
    return "".join(tables)


def _provenance(content: ReportContent) -> list[Section]:
    return [
        Section(
            title="How this was made",
            text="Every number on this page comes from these runs.",
            body=table(
                ["run", "protocol", "status", "dies", "started", "seed"],
                [
                    [str(run.id), run.protocol, run.status, str(len(run.dies)),
                     f"{run.started_at:%Y-%m-%d %H:%M}", str(run.seed)]
                    for run in content.runs
                ],
            )
            + table(
                ["role", "driver", "address", "identity"],
                [[i.role, i.driver, i.address, i.identity] for i in content.instruments],
            ),
        )
    ]  # fmt: skip


MAX_FITS = 12
"""Fits of one kind that are shown; the others are in the database."""
SECTIONS = (_accuracy, _wafer, _dies, _write_errors, _measured, _provenance)
PARAMETERS = (("delta", ""), ("vc0", "V"), ("tau_d", "s"))


def image(figure: Figure) -> str:
    """The figure as an embedded PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img src="data:image/png;base64,{data}" alt="">'


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """An HTML table. Heads may hold markup, cells are escaped."""
    heads = "".join(f"<th>{name}</th>" for name in head)
    lines = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"


def _estimate(fit: FitRow, name: str, symbol: str) -> str:
    value = fit.parameters[name]
    return with_interval(value, symbol) if fit.converged else "no fit"


def _percent(value: float) -> str:
    return f"{100 * value:.2f} %"
