"""What a paper is here, and what comes of doing its experiment again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

if TYPE_CHECKING:
    from lab.reproduce.reproducing import Reproduction


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One claim of the paper beside what was found."""

    what: str
    claimed: str
    found: str
    """With its unit."""
    interval: str
    """Of what was found, with its confidence and over what; or why there is none."""
    holds: bool | None
    """None where what was found does not decide it."""
    differs: str = ""
    """What may make the difference, if there is one: shown causes as such, others as guesses."""

    @property
    def verdict(self) -> str:
        """For people: whether the claim holds here."""
        return {True: "yes", False: "no", None: "not decided"}[self.holds]


@dataclass(frozen=True, kw_only=True)
class ResultTable:
    """A table of the page."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    """Texts and numbers, as wide as ``columns``."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page."""

    heading: str
    text: str
    """Markdown."""
    tables: Sequence[ResultTable] = ()
    figures: Sequence[tuple[str, Figure]] = ()
    """What each shows, in a sentence, and the picture, drawn in `lab.report.style.report_style`."""


@dataclass(frozen=True, kw_only=True)
class OurParameter:
    """A number that the paper does not give."""

    name: str
    value: str
    """With its unit."""
    why: str
    sensitivity: str
    """What the findings do when it changes, and by how much it was changed; or "not tried"."""


@dataclass(frozen=True, kw_only=True)
class PaperResult:
    """What came out."""

    findings: Sequence[Finding]
    sections: Sequence[Section] = ()
    ours: Sequence[OurParameter] = ()
    differs: Sequence[str] = ()
    """What is done otherwise than in the paper, a sentence each."""


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A published experiment that can be done again."""

    name: str
    """As on the command line: "no-ecc"."""
    title: str
    citation: str
    claim: str
    """In a sentence or two, with its figures."""
    minutes: Mapping[bool, float]
    """What to expect, in minutes of one core with `seeds`: quick (True) and in full (False)."""
    run: Callable[["Reproduction"], PaperResult]
    seeds: Mapping[bool, int] = field(default_factory=lambda: {True: 3, False: 5})
    """How many seeds it takes unless told: quick (True) and in full (False)."""
    technology: str = "mtj"
    """Of the cells."""
    datasets: Sequence[str] = ()
    """What must be at hand or is downloaded, for people: "MNIST"."""
