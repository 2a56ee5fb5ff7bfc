"""Where the points of a sweep are worked on: processes of this machine, or a cluster."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import joblib

from crossbar.errors import ConfigurationError

if TYPE_CHECKING:
    import distributed

ANSWER_WITHIN = 10
"""Seconds that a scheduler has to answer, and then to show a worker. Ours."""


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


@contextmanager
def workers(spread: Spread, task: Callable[..., object]) -> Iterator[joblib.Parallel]:
    """What runs joblib's delayed calls and gives back each result as it comes, in any order.

    ``task`` is what will be called. Raises ConfigurationError for an address that means nothing, a
    package that is missing, a scheduler that does not answer or has no workers, workers that share
    a process, and those that do not find ``task``.
    """
    with _place(spread, task):
        # One point a task: points take seconds and more, and each is stored when it comes.
        yield joblib.Parallel(
            n_jobs=spread.jobs if spread.cluster is None else -1,
            return_as="generator_unordered",
            batch_size=1,
        )


def _place(spread: Spread, task: Callable[..., object]) -> AbstractContextManager[object]:
    if spread.cluster is None:
        return contextlib.nullcontext()
    scheme, _, place = spread.cluster.partition("://")
    if scheme not in SCHEDULERS or not place:
        raise ConfigurationError(
            f"--cluster {spread.cluster!r}: write dask://HOST:PORT or ray://HOST:PORT, the address "
            "of a running scheduler; without --cluster, --jobs N uses this machine."
        )
    return SCHEDULERS[scheme](spread.cluster, place, task)


@contextmanager
def _dask(url: str, place: str, task: Callable[..., object]) -> Iterator[None]:
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
            yield


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
def _ray(url: str, place: str, task: Callable[..., object]) -> Iterator[None]:
    try:
        import ray
        from ray.util.joblib import register_ray
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"--cluster {url} needs the package ray[client], which is not installed and of which "
            "there is no test here. Install it (pip install 'ray[client]'), or use Dask, the extra "
            "that is tested: pip install 'crossbar-lab[cluster]'."
        ) from error
    try:
        ray.init(address=url)
    except (ConnectionError, ValueError) as error:
        raise ConfigurationError(
            f"No Ray cluster answers at {url} ({error}). Start one with `ray start --head`, or "
            "correct --cluster."
        ) from error
    register_ray()
    try:
        with joblib.parallel_config(backend="ray"):
            yield
    finally:
        ray.shutdown()


SCHEDULERS: dict[str, Callable[[str, str, Callable[..., object]], AbstractContextManager[None]]] = {
    "dask": _dask,
    "ray": _ray,
}
