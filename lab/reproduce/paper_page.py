"""The page of papers: a section a paper, each made by `lab reproduce` and replaced by the next."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crossbar.errors import DataError, StorageError
from crossbar.units import Seconds
from lab.report.style import report_style
from lab.reproduce.paper import Finding, OurParameter, Paper, PaperResult, ResultTable, Section

NEW_PAGE = "# Papers, done again\n\n"


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """How a section was made."""

    command: str
    """That makes it again."""
    seeds: Sequence[int]
    versions: dict[str, str]
    bench: str
    """Whose cells."""
    core_time: Seconds


def write_section(page: Path, paper: Paper, result: PaperResult, made: Provenance) -> Path:
    """Put the paper's section into the page, in place of the one that is there, and its pictures
    beside the page, into ``pictures``; returns the page's path.

    Raises as `around` does, and StorageError for what cannot be written.
    """
    before, after = around(page, paper.name)
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        pictures = _save_pictures(page.parent / "pictures", paper.name, result.sections)
        section = section_text(paper, result, made, pictures)
        page.write_text(
            f"{before}<!-- {paper.name} -->\n{section}\n<!-- /{paper.name} -->{after}",
            encoding="utf-8",
        )
    except OSError as error:
        raise StorageError(
            f"The page {page} cannot be written: {error}. What was worked out is in the database; "
            "name another file: --page."
        ) from None
    return page.resolve()


def around(page: Path, name: str) -> tuple[str, str]:
    """What stands before and after the paper's section; a new section goes to the end.

    Raises DataError for a page whose marks are damaged, StorageError for one that is not readable.
    """
    try:
        text = page.read_text(encoding="utf-8") if page.exists() else NEW_PAGE
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(
            f"The page {page} cannot be read: {error}. Name another file: --page."
        ) from None
    first, last = f"<!-- {name} -->", f"<!-- /{name} -->"
    counts = text.count(first), text.count(last)
    if counts == (0, 0):
        return f"{text.rstrip()}\n\n", "\n"
    if counts != (1, 1) or text.index(first) > text.index(last):
        raise DataError(
            f"{page} should have the line {first} once and {last} once after it, around the "
            f"section that this command replaces; it has them {counts[0]} and {counts[1]} times. "
            "Mend the page, or name another one: --page."
        )
    return text[: text.index(first)], text[text.index(last) + len(last) :]


def section_text(
    paper: Paper, result: PaperResult, made: Provenance, pictures: Sequence[Sequence[str]]
) -> str:
    """A section as Markdown; ``pictures`` are the paths of each part's figures."""
    parts = [
        f"## {paper.title}",
        paper.citation,
        f"> {paper.claim}",
        _made(made),
        _table(
            ["what", "paper", "here", "interval", "holds"],
            [
                [found.what, found.claimed, found.found, found.interval, found.verdict]
                for found in result.findings
            ],
        ),
        _differences(result.findings),
    ]
    for section, names in zip(result.sections, pictures, strict=True):
        parts += [f"### {section.heading}", section.text, *map(_titled, section.tables)]
        alts = (alt for alt, _ in section.figures)
        parts += [f"![{alt}]({name})" for alt, name in zip(alts, names, strict=True)]
    parts += [_ours(result.ours), _otherwise(result.differs)]
    return "\n\n".join(part for part in parts if part)


def _made(made: Provenance) -> str:
    seeds = ", ".join(str(seed) for seed in made.seeds)
    versions = ", ".join(f"{package} {version}" for package, version in made.versions.items())
    return (
        f"Made by `{made.command}`: seeds {seeds}; {made.bench}; {versions}; "
        f"{made.core_time / 60:.1f} minutes on one core."
    )


def _differences(findings: Sequence[Finding]) -> str:
    return "\n".join(f"- *{found.what}*: {found.differs}" for found in findings if found.differs)


def _ours(ours: Sequence[OurParameter]) -> str:
    if not ours:
        return ""
    rows = [[one.name, one.value, one.why, one.sensitivity] for one in ours]
    head = ["parameter", "value", "why", "how much it matters"]
    return "### What the paper does not say\n\n" + _table(head, rows)


def _otherwise(differs: Sequence[str]) -> str:
    lines = "\n".join(f"- {sentence}" for sentence in differs)
    return f"### What is otherwise here\n\n{lines}" if differs else ""


def _titled(table: ResultTable) -> str:
    return f"{table.title}:\n\n{_table(table.columns, table.rows)}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(cell: object) -> str:
    text = f"{cell:.4g}" if isinstance(cell, float) else str(cell)
    return " ".join(text.split()).replace("|", "\\|")


def _save_pictures(folder: Path, name: str, sections: Sequence[Section]) -> list[list[str]]:
    """Write paper-NAME-1.png and so on, and remove those of a longer section of before."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"paper-{name}-*.png"):
        if re.fullmatch(rf"paper-{re.escape(name)}-\d+\.png", old.name):
            old.unlink()
    number = 0
    names: list[list[str]] = []
    for section in sections:
        names.append([])
        for _, figure in section.figures:
            number += 1
            path = folder / f"paper-{name}-{number}.png"
            with report_style():  # without a version of matplotlib in it: same picture, same file
                figure.savefig(path, metadata={"Software": None})
            names[-1].append(f"{folder.name}/{path.name}")
    return names
