"""Doing a paper's experiment again: what it is given, and what is kept of it."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crossbar.errors import ConfigurationError
from crossbar.units import Seconds
from db.store import Store
from lab.chosen_bench import ChosenBench, chosen_bench
from lab.cluster import ALONE, Spread
from lab.output import Output
from lab.reproduce.paper import Paper, PaperResult
from lab.sweep import Outcome, Plain, Sweep, sweep_rows


@dataclass(kw_only=True)
class Reproduction:
    """What a paper's experiment is given. It keeps account of the time that its sweeps take."""

    paper: str
    """Name of the paper."""
    store: Store
    database: str
    """Where ``store`` is, for `lab.session.session`."""
    bench: ChosenBench
    """Not opened."""
    quick: bool
    """Whether minutes matter more than narrow intervals."""
    seeds: Sequence[int]
    spread: Spread = ALONE
    torch_device: str = "cpu"
    output: Output = field(default_factory=lambda: Output(as_json=True))
    swept: Seconds = 0.0
    """What the points of its sweeps took, each on one core, when they were done."""
    waited: Seconds = 0.0
    """How long this process was in sweeps."""

    def sweep(
        self,
        name: str,
        function: Callable[..., Outcome],
        points: Sequence[Mapping[str, Plain]],
    ) -> list[Outcome]:
        """The outcomes in the order of the points, with a bar; stored as "PAPER/NAME".

        As `lab.sweep.run_sweep` otherwise.
        """
        sweep = Sweep(name=f"{self.paper}/{name}", function=function, points=points)
        started = time.perf_counter()
        with self.output.progress(name, len(points)) as step:
            rows = sweep_rows(self.store, sweep, self.spread, step)
        self.waited += time.perf_counter() - started
        self.swept += sum(row.seconds for row in rows)
        return [row.outcome for row in rows]


@dataclass(frozen=True, kw_only=True)
class Reproduced:
    """A paper done again."""

    result: PaperResult
    core_time: Seconds
    """On one core: of the points of sweeps when they were done, and of all else now."""


def reproduce(paper: Paper, reproduction: Reproduction) -> Reproduced:
    """Run the experiment and reckon its core time."""
    started = time.perf_counter()
    result = paper.run(reproduction)
    here = time.perf_counter() - started - reproduction.waited
    return Reproduced(result=result, core_time=here + reproduction.swept)


def bench_for(paper: Paper, bench: Path | None, simulated: bool) -> ChosenBench:
    """The bench of these options; by default the built-in one of the paper's technology.

    Raises ConfigurationError for a bench whose cells are of another technology.
    """
    built_in = bench is None
    chosen = chosen_bench(Path(paper.technology) if bench is None else bench, built_in or simulated)
    technology = chosen.configuration.wafer.technology
    if technology != paper.technology:
        raise ConfigurationError(
            f"{paper.name} is about {paper.technology} cells, but {chosen.source} has a wafer of "
            f"{technology} cells. Give a bench with {paper.technology} cells, or none: the "
            "built-in one is then used."
        )
    return chosen


def seeds_for(paper: Paper, quick: bool, seeds: int | None) -> range:
    """Seeds 1, 2, ..., as many as asked for, or as the paper takes by itself."""
    return range(1, (paper.seeds[quick] if seeds is None else seeds) + 1)
