"""What a command prints: tables and progress for people, or one JSON document for programs."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

Step = Any
"""What `Output.progress` yields: call it with a number of units and, optionally, a text."""


class Output:
    """Prints for people, or gathers a result for ``--json``; progress goes to standard error."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.people = Console(stderr=as_json, highlight=False)
        self.progress_console = Console(stderr=True)

    @property
    def shows_progress(self) -> bool:
        """Whether somebody can see it: standard error is a terminal."""
        return sys.stderr.isatty()

    def say(self, text: str, style: str | None = None) -> None:
        """One line for people. Brackets are brackets: "[limits]" is no markup."""
        self.people.print(text, style=style, markup=False)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """A table for people; numbers align right."""
        table = Table(title=title, title_justify="left", header_style="bold")
        numeric = [
            all(isinstance(row[place], int | float) or row[place] in ("", "-") for row in rows)
            for place in range(len(columns))
        ]
        for name, right in zip(columns, numeric, strict=True):
            table.add_column(name, justify="right" if right else "left", overflow="fold")
        for row in rows:
            texts = (f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in row)
            table.add_row(*(Text(text) for text in texts))
        self.people.print(table)

    def result(self, document: Mapping[str, Any]) -> None:
        """The command's result; printed on standard output with ``--json`` only. Open ends of
        intervals, and whatever else is no finite number, are null there.
        """
        if self.as_json:
            plain = json.loads(json.dumps(document, default=_plain), parse_constant=lambda _: None)
            print(json.dumps(plain, indent=2, allow_nan=False), flush=True)

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Step]:
        """A bar with the time left; not shown where standard error is no terminal."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with Progress(
            *columns,
            console=self.progress_console,
            transient=True,
            disable=not self.shows_progress,
        ) as bar:
            task = bar.add_task(what, total=total)

            def step(units: int = 1, text: str | None = None) -> None:
                bar.update(task, advance=units, description=text or what)

            yield step


def _plain(value: Any) -> Any:
    """JSON for what the standard encoder does not know: numpy numbers, arrays, paths."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)
