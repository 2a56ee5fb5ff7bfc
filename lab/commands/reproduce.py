"""`lab reproduce`: a published experiment, done again from end to end."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lab.options import Json, OtherBench, Simulated, lasting

if TYPE_CHECKING:
    from lab.output import Output
    from lab.reproduce.paper import Paper
    from lab.reproduce.paper_page import Provenance
    from lab.reproduce.reproducing import Reproduced, Reproduction

FOLDER = Path("lab_reproduce")
"""Where everything goes unless told."""


def reproduce(
    name: Annotated[str, typer.Argument(help="Name of the paper; docs/papers.md has them.")],
    quick: Annotated[
        bool, typer.Option("--quick", help="A few minutes' worth: fewer points, wider intervals.")
    ] = False,
    bench: OtherBench = None,
    simulated: Simulated = False,
    seeds: Annotated[
        int | None, typer.Option("--seeds", min=1, help="How many seeds; by default the paper's.")
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", min=1, help="Processes of this machine; same results.")
    ] = 1,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", help="dask://HOST:PORT or ray://HOST:PORT; same results."),
    ] = None,
    torch_device: Annotated[
        str, typer.Option("--torch-device", help="Where torch computes: cpu, cuda, cuda:1, mps.")
    ] = "cpu",
    database: Annotated[
        str,
        typer.Option("--database", help="SQLite file or SQLAlchemy URL.", callback=lasting),
    ] = str(FOLDER / "lab.sqlite"),
    page: Annotated[
        Path, typer.Option("--page", help="Markdown file; the paper's section in it is replaced.")
    ] = FOLDER / "papers.md",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget what is stored of this paper's sweeps first.")
    ] = False,
    json: Json = False,
) -> None:
    """Do a published experiment again: its claims beside what is found, and a page of it.

    The simulated bench is used unless --bench. What is done is stored: after Ctrl-C the same
    command goes on.
    """
    from db.store import Store
    from lab.cluster import Spread
    from lab.interruption import termination_as_interrupt
    from lab.output import Output
    from lab.reproduce.catalog import paper_named
    from lab.reproduce.paper_page import around, write_section
    from lab.reproduce.reproducing import Reproduction, bench_for, seeds_for
    from lab.reproduce.reproducing import reproduce as done_again
    from training.torch_device import torch_device as checked

    output, paper = Output(as_json=json), paper_named(name)
    checked(torch_device)
    around(page, paper.name)  # or hours of work would end in a page that cannot be written
    chosen = bench_for(paper, bench, simulated)
    spread = Spread(jobs=jobs, cluster=cluster)
    if Path(database).parent == FOLDER:
        FOLDER.mkdir(exist_ok=True)
    with Store.open(database) as store, termination_as_interrupt():
        if fresh:
            store.forget_sweeps(f"{paper.name}/")
        reproduction = Reproduction(
            paper=paper.name,
            store=store,
            database=database,
            bench=chosen,
            quick=quick,
            seeds=seeds_for(paper, quick, seeds),
            spread=spread,
            torch_device=torch_device,
            output=output,
        )
        _announce(output, paper, reproduction)
        done = done_again(paper, reproduction)
    made = _provenance(paper, reproduction, done, bench)
    written = write_section(page, paper, done.result, made)
    _tell(output, paper, reproduction, done, written)


def _announce(output: "Output", paper: "Paper", reproduction: "Reproduction") -> None:
    """What is claimed, and how long it will take."""
    output.say(f"{paper.title}\n{paper.citation}", style="bold")
    output.say(f"Claim: {paper.claim}")
    minutes = paper.minutes[reproduction.quick]
    share = len(reproduction.seeds) / paper.seeds[reproduction.quick]
    spread = reproduction.spread
    place = spread.cluster or (f"{spread.jobs} processes" if spread.jobs > 1 else "one process")
    output.say(
        f"About {max(minutes * share, 1):.0f} min of one core, here on {place}; "
        f"{len(reproduction.seeds)} seeds; {reproduction.bench.source}."
        # A quick look takes the digits that are on board.
        + (
            f" Data: {', '.join(paper.datasets)}."
            if paper.datasets and not reproduction.quick
            else ""
        )
    )


def _provenance(
    paper: "Paper", reproduction: "Reproduction", done: "Reproduced", bench: Path | None
) -> "Provenance":
    """The command with what bears on results; jobs and cluster do not."""
    import shlex

    from lab.reproduce.paper_page import Provenance
    from lab.sweep import versions_of_points

    words = ["lab", "reproduce", paper.name, *(["--quick"] if reproduction.quick else [])]
    words += ["--bench", str(bench)] if bench else []
    words += ["--seeds", str(len(reproduction.seeds))]
    if reproduction.torch_device != "cpu":
        words += ["--torch-device", reproduction.torch_device]
    return Provenance(
        command=shlex.join(words),
        seeds=reproduction.seeds,
        versions=versions_of_points(),
        bench=reproduction.bench.source,
        core_time=done.core_time,
    )


def _tell(
    output: "Output",
    paper: "Paper",
    reproduction: "Reproduction",
    done: "Reproduced",
    page: Path,
) -> None:
    import dataclasses

    output.table(
        paper.title,
        ["holds", "what the paper claims, and what was found"],
        [
            [
                found.verdict,
                f"{found.what}\n  paper: {found.claimed}\n  here:  {found.found}"
                f"\n         {found.interval}",
            ]
            for found in done.result.findings
        ],
    )
    for found in done.result.findings:
        if found.differs:
            output.say(f"{found.what}: {found.differs}")
    output.say(f"Took {done.core_time / 60:.1f} minutes of one core. Page: {page}")
    output.result(
        {
            "paper": paper.name,
            "quick": reproduction.quick,
            "seeds": list(reproduction.seeds),
            "core_seconds": done.core_time,
            "page": str(page),
            "findings": [dataclasses.asdict(found) for found in done.result.findings],
            "tables": [
                dataclasses.asdict(table)
                for section in done.result.sections
                for table in section.tables
            ],
        }
    )
