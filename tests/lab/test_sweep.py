"""Sweeps: the same bits however they are spread, and nothing done twice."""

import sys
from pathlib import Path

import pytest
import torch

from crossbar.errors import ConfigurationError, DataError
from db.store import Store
from lab.cluster import Spread
from lab.sweep import Sweep, run_sweep
from tests.lab import swept_functions

TRAININGS = [{"seed": seed, "rate": 0.1} for seed in range(4)]


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "lab.sqlite") as opened:
        yield opened


def numbered(function, tmp_path, last=4):
    return Sweep(
        name="test/numbers",
        function=function,
        points=[{"number": number, "folder": str(tmp_path)} for number in range(last)],
    )


def asked(tmp_path: Path) -> list[int]:
    return sorted(int(line) for line in (tmp_path / "asked.txt").read_text().split())


def dask_address(cluster) -> str:
    return cluster.scheduler_address.replace("tcp://", "dask://")


@pytest.fixture
def many_threads():
    """As torch starts on a computer of several cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def dask_url():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        processes=True, n_workers=2, threads_per_worker=1, dashboard_address=":0"
    ) as cluster:
        yield dask_address(cluster)


def trainings(tmp_path, name, spread):
    sweep = Sweep(name="t", function=swept_functions.training_steps, points=TRAININGS)
    with Store.open(tmp_path / f"{name}.sqlite") as store:
        return run_sweep(store, sweep, spread)


def test_the_same_bits_however_it_is_spread(tmp_path, dask_url, many_threads):
    """In this process, in two, and on a Dask cluster: outcomes are equal to the last bit, in the
    order of the points, and no point had more than one thread.
    """
    alone = trainings(tmp_path, "alone", Spread())

    assert trainings(tmp_path, "two", Spread(jobs=2)) == alone
    assert trainings(tmp_path, "dask", Spread(cluster=dask_url)) == alone
    assert [found["threads"] for found in alone] == [1] * len(TRAININGS)
    assert len({found["loss"] for found in alone}) == len(TRAININGS)


def test_an_interrupted_sweep_goes_on_where_it_was(tmp_path, store):
    """What was done before Ctrl-C is stored, and not done again."""
    sweep = numbered(swept_functions.interrupted, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(store, sweep)
    assert asked(tmp_path) == [0, 1]

    steps = []
    found = run_sweep(store, sweep, step=steps.append)

    assert [outcome["square"] for outcome in found] == [0, 1, 4, 9]
    assert asked(tmp_path) == [0, 1, 2, 3]
    assert steps == [2, 1, 1]


def test_points_are_told_apart_by_name_and_content_not_by_place(tmp_path, store):
    """More points ask only for the new ones; another name asks for all; twice the same, once."""
    run_sweep(store, numbered(swept_functions.counted, tmp_path, last=2))
    more = numbered(swept_functions.counted, tmp_path, last=3)
    turned = [dict(reversed(point.items())) for point in reversed(more.points)]
    twice = Sweep(name=more.name, function=more.function, points=[*turned, *turned])

    assert [found["square"] for found in run_sweep(store, twice)] == [4, 1, 0, 4, 1, 0]
    assert asked(tmp_path) == [0, 1, 2]

    run_sweep(store, Sweep(name="test/other", function=more.function, points=more.points))
    assert asked(tmp_path) == [0, 0, 1, 1, 2, 2]


def test_forgotten_points_are_done_again(tmp_path, store):
    """Only those whose name begins so; an underscore is no wildcard."""
    sweep = numbered(swept_functions.counted, tmp_path, last=1)
    run_sweep(store, sweep)

    assert store.forget_sweeps("tes_/") == 0
    assert store.forget_sweeps("test/") == 1
    run_sweep(store, sweep)
    assert asked(tmp_path) == [0, 0]


def test_results_of_another_version_are_not_taken(tmp_path, store, monkeypatch):
    """torch rounds otherwise from version to version."""
    sweep = numbered(swept_functions.counted, tmp_path, last=1)
    run_sweep(store, sweep)
    monkeypatch.setattr(
        "lab.sweep.versions_of_points", lambda: {"crossbar-lab": "0.1.0", "torch": "9"}
    )

    run_sweep(store, sweep)
    assert asked(tmp_path) == [0, 0]


@pytest.mark.parametrize("spread", ["one", "two", "dask"])
def test_a_failing_point_is_named(tmp_path, store, spread, request):
    """With what it said; our own errors keep their kind, and with it the exit code."""
    url = request.getfixturevalue("dask_url") if spread == "dask" else None
    placed = Spread(jobs=2 if spread == "two" else 1, cluster=url)

    with pytest.raises(
        DataError, match=r'Point \{"number": 2, .*\} of sweep .test/numbers.: There is no second'
    ):
        run_sweep(store, numbered(swept_functions.refused, tmp_path), placed)
    with pytest.raises(RuntimeError, match=r'(?s)"number": 2.* in broken.*ZeroDivisionError'):
        run_sweep(store, numbered(swept_functions.broken, tmp_path), placed)


def test_an_outcome_that_json_cannot_say_is_named(store):
    """NaN would be stored as something else."""
    points = [{"number": 1}, {"number": 2}]
    sweep = Sweep(name="t", function=swept_functions.unspeakable, points=points)

    with pytest.raises(RuntimeError, match=r'(?s)Point \{"number": 2\}.*not JSON compliant'):
        run_sweep(store, sweep)


@pytest.mark.parametrize("url", ["localhost:8786", "spark://localhost:1", "dask://"])
def test_a_cluster_address_that_means_nothing(tmp_path, store, url):
    """Says how to write one."""
    with pytest.raises(ConfigurationError, match="write dask://HOST:PORT or ray://HOST:PORT"):
        run_sweep(store, numbered(swept_functions.counted, tmp_path), Spread(cluster=url))


def test_a_scheduler_that_does_not_answer(tmp_path, store, monkeypatch):
    """Nobody listens on port 1."""
    pytest.importorskip("distributed")
    monkeypatch.setattr("lab.cluster.ANSWER_WITHIN", 1)

    with pytest.raises(
        ConfigurationError, match=r"No Dask scheduler answers at dask://127.0.0.1:1"
    ):
        run_sweep(
            store,
            numbered(swept_functions.counted, tmp_path),
            Spread(cluster="dask://127.0.0.1:1"),
        )


def test_workers_that_share_a_process_are_refused(tmp_path, store):
    """Points would set each other's number of threads."""
    distributed = pytest.importorskip("distributed")
    sweep = numbered(swept_functions.counted, tmp_path)
    with distributed.LocalCluster(
        processes=False, threads_per_worker=2, protocol="tcp", dashboard_address=":0"
    ) as cluster:
        place = Spread(cluster=dask_address(cluster))
        with pytest.raises(ConfigurationError, match="--nthreads 1"):
            run_sweep(store, sweep, place)


@pytest.mark.parametrize("package", ["distributed", "ray"])
def test_a_missing_package_is_named_with_its_remedy(tmp_path, store, monkeypatch, package):
    """As on a computer without the extra."""
    monkeypatch.setitem(sys.modules, package, None)
    url = {"distributed": "dask", "ray": "ray"}[package] + "://localhost:8786"

    with pytest.raises(ConfigurationError, match=rf"{package}.*crossbar-lab\[cluster\]"):
        run_sweep(store, numbered(swept_functions.counted, tmp_path), Spread(cluster=url))


def test_no_jobs_are_refused():
    """Before anything starts."""
    with pytest.raises(ConfigurationError, match="--jobs 1"):
        Spread(jobs=0)
