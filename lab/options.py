"""Options that several commands share. Imported at start-up: nothing heavy may be imported here."""

from pathlib import Path
from typing import Annotated, Literal

import typer

DATABASE = "lab.sqlite"
IN_MEMORY = ("", ":memory:", "sqlite://", "sqlite:///", "sqlite:///:memory:")
"""Databases that end with the command: nothing measured is kept there."""


def lasting(database: str | None) -> str | None:
    """The database as given; refused where it would not outlive the command."""
    if database in IN_MEMORY:
        raise typer.BadParameter(
            f"{database!r} names no file, and what is measured would be lost; name one, such as "
            f"{DATABASE}."
        )
    return database


BenchFile = Annotated[
    Path | None,
    typer.Option(
        "--bench", help="Bench file (./bench.toml if there is one), or hfox: the built-in bench."
    ),
]
OtherBench = Annotated[
    Path | None,
    typer.Option("--bench", help="Bench file, or hfox; without it the built-in simulated bench."),
]
"""Of commands that never take ./bench.toml by themselves."""
Simulated = Annotated[
    bool,
    typer.Option("--simulated", help="Use the built-in simulated bench, of MTJs unless --bench."),
]
Dies = Annotated[str | None, typer.Option("--dies", help="all, a number, or 'x,y x,y ...'.")]
Technology = Literal["mtj", "hfox"]
Database = Annotated[
    str,
    typer.Option(
        "--database",
        envvar="LAB_DATABASE",
        help="SQLite file or SQLAlchemy URL.",
        callback=lasting,
    ),
]
TrainingRun = Annotated[
    int | None, typer.Option("--training", help="Number of the training run; the newest.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]
Seed = Annotated[
    int | None, typer.Option("--seed", min=0, help="Seed of the simulated wafer, or of training.")
]
