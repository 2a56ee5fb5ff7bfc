"""Where the points of a sweep are worked on: processes of this machine, or a cluster."""

import contextlib
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import joblib

from crossbar.errors import ConfigurationError

if TYPE_CHECKING:
    import distributed

ANSWER_WITHIN = 10
"""Seconds that a scheduler has to answer, and then to show a worker. Ours."""
RAY_WORKER_WITHIN = 60
"""Seconds that a Ray cluster has to do a first task, for which it starts a process. Ours."""

Calls = Iterable[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]]
"""What `joblib.delayed` makes."""
Workers = Callable[[Calls], Generator[Any, None, None]]
"""Does the calls and gives back each result as it comes; closing early calls off what is left."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Over what a sweep is spread; its results are the same to the last bit."""

    jobs: int = 1
    """Processes of this machine; one works within this process."""
    cluster: str | None = None
    """``dask://host:port`` or ``ray://host:port`` in place of processes of this machine."""

    def __post_init__(self) -> None:
        if self.jobs < 1:
            raise ConfigurationError(f"{self.jobs} jobs cannot be; give --jobs 1 or more.")


ALONE = Spread()
"""Within this process."""


def workers(spread: Spread, task: Callable[..., object]) -> AbstractContextManager[Workers]:
    """What runs joblib's delayed calls and gives back each result as it comes, in any order.

    ``task`` is what will be called. Raises ConfigurationError for an address that means nothing, a
    package that is missing, a scheduler that does not answer or has no workers, workers that share
    a process, and those that do not find ``task``.
    """
    if spread.cluster is None:
        return contextlib.nullcontext(_by_joblib(spread.jobs))
    scheme, _, place = spread.cluster.partition("://")
    if scheme not in SCHEDULERS or not place:
        raise ConfigurationError(
            f"--cluster {spread.cluster!r}: write dask://HOST:PORT or ray://HOST:PORT, the address "
            "of a running scheduler; without --cluster, --jobs N uses this machine."
        )
    return SCHEDULERS[scheme](spread.cluster, place, task)


def _by_joblib(jobs: int) -> Workers:
    # A process whose memory has grown is replaced, and its points are done all the same.
    warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
    # One point a task: points take seconds and more, and each is stored when it comes.
    parallel: Workers = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)
    return parallel


@contextmanager
def _dask(url: str, place: str, task: Callable[..., object]) -> Iterator[Workers]:
    try:
        import distributed
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"--cluster {url} needs the package distributed, which is not installed. Install the "
            "extra: pip install 'crossbar-lab[cluster]'."
        ) from error
    try:
        client = distributed.Client(
            f"tcp://{place}", timeout=ANSWER_WITHIN, set_as_default=False, name="lab sweep"
        )
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"No Dask scheduler answers at {url} ({' '.join(str(error).split())}). Start one with "
            "`dask scheduler`, or correct --cluster."
        ) from error
    with client:
        _check_dask_workers(url, client, task)
        with joblib.parallel_config(backend="dask", client=client):
            yield _by_joblib(-1)


def _check_dask_workers(
    url: str, client: "distributed.Client", task: Callable[..., object]
) -> None:
    with contextlib.suppress(TimeoutError):
        client.wait_for_workers(1, timeout=ANSWER_WITHIN)
    threads = client.nthreads()
    if not threads:
        raise ConfigurationError(
            f"The Dask scheduler at {url} has no workers. Start some: "
            f"`dask worker {client.scheduler.address} --nworkers N --nthreads 1`."
        )
    shared = [worker for worker, number in threads.items() if number > 1]
    if shared:
        # Points would set each other's number of torch threads, and with it how sums are rounded.
        raise ConfigurationError(
            f"The Dask worker {shared[0]} at {url} works on {threads[shared[0]]} points at once in "
            "one process, which would change results. Start workers with --nthreads 1."
        )
    try:
        # joblib would wait for ever for a worker that cannot even read what it is to do.
        client.run(callable, task)
    except Exception as error:
        raise ConfigurationError(
            f"The Dask workers at {url} cannot be given work ({error}). Install there what is "
            "installed here, in the same versions."
        ) from error


@contextmanager
def _ray(url: str, place: str, task: Callable[..., object]) -> Iterator[Workers]:
    try:
        import ray
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"--cluster {url} needs the package ray, which is not installed. Install the extra: "
            "pip install 'crossbar-lab[ray]'; or use Dask, pip install 'crossbar-lab[cluster]'."
        ) from error
    try:
        ray.init(address=url, log_to_driver=False, logging_level="error")
    except (ConnectionError, ImportError, RuntimeError, ValueError) as error:
        raise ConfigurationError(
            f"No Ray cluster answers at {url} ({' '.join(str(error).split())}). Start one with "
            "`ray start --head`, of the same versions of Ray and Python, or correct --cluster."
        ) from error
    try:
        _check_ray_workers(url, task)
        yield _by_ray
    finally:
        ray.shutdown()


def _check_ray_workers(url: str, task: Callable[..., object]) -> None:
    import ray

    first = ray.remote(_call).remote(callable, task)
    try:
        ray.get(first, timeout=RAY_WORKER_WITHIN)
    except ray.exceptions.GetTimeoutError as error:
        raise ConfigurationError(
            f"The Ray cluster at {url} did nothing for {RAY_WORKER_WITHIN} s: it has no CPU that "
            "is free. Start workers with `ray start --address=HOST:PORT --num-cpus N`."
        ) from error
    except (ConnectionError, ray.exceptions.RayError) as error:
        # Both tell where they come from, line upon line, before what is wrong.
        said = " ".join(str(error).split())[-300:]
        raise ConfigurationError(
            f"The Ray workers at {url} cannot be given work (... {said}). Install there what is "
            "installed here, in the same versions."
        ) from error


def _by_ray(calls: Calls) -> Generator[Any, None, None]:
    """Not through joblib, whose Ray backend gives results only when all are there."""
    import ray

    remote = ray.remote(_call)
    left = [remote.remote(function, *given, **named) for function, given, named in calls]
    try:
        while left:
            done, left = ray.wait(left)
            yield ray.get(done[0])
    finally:
        for call in left:
            ray.cancel(call)


def _call(function: Callable[..., object], *given: object, **named: object) -> object:
    """Ray's tasks are functions of a module; what is to be called may be a partial."""
    return function(*given, **named)


SCHEDULERS: dict[
    str, Callable[[str, str, Callable[..., object]], AbstractContextManager[Workers]]
] = {
    "dask": _dask,
    "ray": _ray,
}
"""Where a cluster's address leads, by what stands before ``://``."""
