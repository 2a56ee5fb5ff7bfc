"""Sweeps: one function at many points, spread over processes, every outcome stored as it comes."""

import importlib.metadata
import json
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import joblib
from threadpoolctl import threadpool_limits

from crossbar.errors import ConfigurationError, LabError
from db import json_text
from db.rows import SweepPointRow
from db.store import Store
from lab.cluster import ALONE, Spread, Workers, workers
from lab.runs import versions

Plain = str | int | float | bool | None | list[Any] | dict[str, Any]
"""What JSON can say."""

Outcome = dict[str, Any]
"""What comes out at a point: names to `Plain`."""

Step = Callable[[int], Any]
"""Told the number of points that are done now."""


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """What to work out, and where."""

    name: str
    """As "no-ecc/accuracy"; with the point it is the key in the database."""
    function: Callable[..., Outcome]
    """A module's own function, so that other processes find it; called with a point as its keyword
    arguments. The same point must give the same bits: randomness comes from a seed in the point.
    Where files are is bound to the function instead (`functools.partial`), for points must still be
    known when a database has moved."""
    points: Sequence[Mapping[str, Plain]]


@dataclass(frozen=True, kw_only=True)
class _Done:
    """What a worker sends back of one point."""

    key: str
    versions: dict[str, str]
    seconds: float
    outcome: Outcome | None = None
    refusal: LabError | None = None
    trace: str = ""
    """Of any other error: not every one can be sent from process to process."""


def run_sweep(
    store: Store, sweep: Sweep, spread: Spread = ALONE, step: Step = lambda _: None
) -> list[Outcome]:
    """The outcomes in the order of the points. Points that are stored already are not done again.

    Each outcome is stored as soon as it comes, so what is done stays done, whatever ends this: an
    error (it names its point), Ctrl-C or a power cut. Every point has one thread to itself, hence
    the same bits whatever the spread, on machines of one kind. Raises ConfigurationError as
    `lab.cluster.workers` does, and where a worker has other versions than this process.
    """
    return [row.outcome for row in sweep_rows(store, sweep, spread, step)]


def sweep_rows(
    store: Store, sweep: Sweep, spread: Spread = ALONE, step: Step = lambda _: None
) -> list[SweepPointRow]:
    """As `run_sweep`, with the time that each point took when it was done."""
    made_with = versions_of_points()
    known = store.outcomes_of_sweep(sweep.name, made_with)
    keys = [json_text.canonical(point) for point in sweep.points]
    points = dict(zip(keys, sweep.points, strict=True))
    missing = {key: point for key, point in points.items() if key not in known}
    step(sum(key not in missing for key in keys))
    if missing:
        task = partial(_at_point, sweep.function)
        with workers(spread, task) as run, _results(run, task, missing) as results:
            for done in results:
                _check(sweep, points[done.key], done, made_with)
                known[done.key] = _stored(store, sweep, points[done.key], done)
                step(keys.count(done.key))
    return [known[key] for key in keys]


def versions_of_points() -> dict[str, str]:
    """What a point's outcome depends on beside the point: this program and torch."""
    return {
        "crossbar-lab": versions()["crossbar-lab"],
        "torch": importlib.metadata.version("torch"),
    }


def _at_point(function: Callable[..., Outcome], key: str, point: Mapping[str, Plain]) -> _Done:
    """Work out one point, in a worker. Errors go back as values, with what `_check` tells."""
    from training.loop import one_thread  # torch: in the workers, and only where there is work

    started = time.perf_counter()
    done = partial(_Done, key=key, versions=versions_of_points())
    try:
        with one_thread(), threadpool_limits(limits=1):
            outcome = json.loads(json_text.dumps(function(**point)))
    except LabError as refusal:
        return done(seconds=time.perf_counter() - started, refusal=refusal)
    except Exception:  # noqa: BLE001 - raised again by `_check`, with the point's name
        return done(seconds=time.perf_counter() - started, trace=traceback.format_exc())
    return done(seconds=time.perf_counter() - started, outcome=outcome)


@contextmanager
def _results(
    run: Workers,
    task: Callable[..., _Done],
    missing: Mapping[str, Mapping[str, Plain]],
) -> Iterator[Iterable[_Done]]:
    """The points as they come; leaving early calls off those that are left."""
    results = run(joblib.delayed(task)(key, dict(point)) for key, point in missing.items())
    try:
        yield results
    finally:
        with warnings.catch_warnings():
            # joblib remarks that results were not collected: that is what leaving early means.
            warnings.filterwarnings("ignore", category=UserWarning)
            results.close()


def _check(
    sweep: Sweep, point: Mapping[str, Plain], done: _Done, expected: Mapping[str, str]
) -> None:
    """Raise what went wrong at the point, naming it."""
    where = f"Point {json.dumps(dict(point))} of sweep {sweep.name!r}"
    if done.refusal is not None:
        raise type(done.refusal)(f"{where}: {done.refusal}")
    if done.trace:
        raise RuntimeError(f"{where} failed:\n{done.trace}")
    if done.versions != expected:
        raise ConfigurationError(
            f"{where} was worked out with {done.versions}, but this process has {dict(expected)}. "
            "Install the same versions on the workers: results of different ones do not mix."
        )


def _stored(store: Store, sweep: Sweep, point: Mapping[str, Plain], done: _Done) -> SweepPointRow:
    assert done.outcome is not None  # or `_check` had raised
    store.save_sweep_point(
        sweep.name,
        point=point,
        versions=done.versions,
        outcome=done.outcome,
        seconds=done.seconds,
    )
    return SweepPointRow(outcome=done.outcome, seconds=done.seconds)
