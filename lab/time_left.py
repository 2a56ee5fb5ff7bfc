"""How long a run will go on: by a plan that is made beside it, and by how it went so far."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crossbar.geometry import DieAddress
from crossbar.units import Ratio, Seconds

if TYPE_CHECKING:
    from lab.bench import Bench
    from lab.output import Output

Planned = tuple[Seconds, int]
"""Of one die: how long the real bench takes, and how many records it leaves."""


def in_words(duration: Seconds) -> str:
    """ "40 s", "12 min", "3 h 20 min", "2 d 4 h"."""
    seconds = round(duration)
    if seconds < 120:
        return f"{seconds} s"
    minutes = round(duration / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


@contextmanager
def time_left(
    output: "Output",
    bench: "Bench",
    protocol: str,
    parameters: Mapping[str, Any],
    dies: Sequence[DieAddress],
    options: Sequence[str],
) -> Iterator["TimeLeft | None"]:
    """Plan one die beside a run; gives None where nobody can see how long it will take.

    ``parameters`` are as `lab.parameters.as_json` gives them, ``options`` those of the command that
    say which bench and database are meant.
    """
    if not output.shows_progress or not dies:
        yield None
        return
    sets = [f"{name}={json.dumps(value)}" for name, value in parameters.items()]
    words = [protocol, *options, "--dies", f"{dies[0].x},{dies[0].y}"]
    with planned_beside([*words, *(word for one in sets for word in ("--set", one))]) as planned:
        clock = time.monotonic if bench.simulation is None else lambda: bench.bench_time
        yield TimeLeft(dies=len(dies), planned=planned, bench_time=clock)


@contextmanager
def planned_beside(arguments: Sequence[str]) -> Iterator["PlanBeside"]:
    """Make a plan of one die in a process of its own, which is ended with the run.

    ``arguments`` are those of ``lab plan``.
    """
    command = "import os, lab.cli\nif hasattr(os, 'nice'): os.nice(5)\nlab.cli.main()"
    process = subprocess.Popen(
        [sys.executable, "-c", command, "plan", *arguments, "--json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield PlanBeside(process=process)
    finally:
        process.kill()
        process.communicate()


@dataclass(kw_only=True)
class PlanBeside:
    """A plan in the making: call it for the plan, or None as long as, or where, there is none."""

    process: "subprocess.Popen[str]"
    found: Planned | None = None

    def __call__(self) -> Planned | None:
        """A run must not wait for its plan, nor fail for want of one."""
        if self.found is None and self.over() and self.process.stdout is not None:
            output = "" if self.process.stdout.closed else self.process.stdout.read()
            self.found = _read_plan(output) if self.process.returncode == 0 else None
        return self.found

    def over(self) -> bool:
        """Whether the process has ended."""
        return self.process.poll() is not None


def _read_plan(output: str) -> Planned | None:
    """A plan's duration and records, from its JSON; None if it only knows lower bounds."""
    try:
        plan = json.loads(output)
        return None if plan["at_least"] else (float(plan["duration"]), int(plan["records"]))
    except (ValueError, KeyError, TypeError):
        return None


@dataclass(kw_only=True)
class TimeLeft:
    """Reckons what is left of a run of so many dies."""

    dies: int
    planned: Callable[[], Planned | None]
    bench_time: Callable[[], Seconds] = time.monotonic
    """The time at the bench: the virtual one of a simulated bench."""
    _started: Seconds = field(init=False)
    _done: int = field(init=False, default=0)
    _before: int = field(init=False, default=0)
    """Records of the dies that are done."""

    def __post_init__(self) -> None:
        self._started = self.bench_time()

    def die_done(self, records: int) -> None:
        """A die is finished; ``records`` so far."""
        self._done += 1
        self._before = records

    def text(self, records: int) -> str:
        """What to say after so many records; "" as long as there is no plan."""
        plan = self.planned()
        if plan is None:
            return ""
        return f", by plan {in_words(self.left(plan, records))} left at the bench"

    def left(self, plan: Planned, records: int) -> Seconds:
        """The plan of what is still to be done, at the pace of what is done: once a die is over,
        the plan is corrected by how long that took.
        """
        duration, per_die = plan
        share: Ratio = min(1.0, (records - self._before) / per_die) if per_die else 0.0
        pace: Ratio = 1.0
        if self._done and duration > 0:
            pace = (self.bench_time() - self._started) / ((self._done + share) * duration)
        return max(0.0, self.dies - self._done - share) * duration * pace
