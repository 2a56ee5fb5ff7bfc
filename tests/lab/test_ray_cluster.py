"""Sweeps on a real Ray cluster on this machine; skipped where Ray is not installed."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crossbar.errors import ConfigurationError, DataError
from db.store import Store
from lab.cluster import Spread, workers
from lab.sweep import Sweep, run_sweep, versions_of_points
from tests.lab import swept_functions

pytest.importorskip("ray")
# Ray starts processes and threads of its own, and says at its end that some still run.
pytestmark = pytest.mark.filterwarnings("default")
ROOT = Path(__file__).parents[2]
STARTS_WITHIN, ENDS_WITHIN = 120, 30
"""Seconds."""
PATIENCE = {
    "RAY_raylet_start_wait_time_s": str(STARTS_WITHIN),
    "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",
}
"""On a busy machine Ray's processes start more slowly than Ray expects."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def ray_url(tmp_path_factory):
    """A head of two CPUs, at the address for clients; its processes end with the module."""
    ports = {"--port": free_port(), "--ray-client-server-port": free_port()}
    command = [
        sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block",
        *(f"{name}={port}" for name, port in ports.items()),
        "--node-ip-address=127.0.0.1", "--num-cpus=2", "--include-dashboard=false",
        "--disable-usage-stats", "--object-store-memory=100000000",
    ]  # fmt: skip
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    settings = {"PYTHONPATH": path, **PATIENCE}
    log = tmp_path_factory.mktemp("ray") / "log.txt"
    with log.open("w") as said:
        head = subprocess.Popen(
            command, env=os.environ | settings, stdout=said, stderr=said, start_new_session=True
        )
        try:
            wait_until_it_runs(head, log)
            yield f"ray://127.0.0.1:{ports['--ray-client-server-port']}"
        finally:
            end(head)


def wait_until_it_runs(head: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while "Ray runtime started" not in log.read_text():
        if head.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"Ray did not start:\n{log.read_text()}")
        time.sleep(0.5)


def end(head: subprocess.Popen) -> None:
    """The head and what it started, which it ends itself if it can."""
    head.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        head.wait(ENDS_WITHIN)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(head.pid, signal.SIGKILL)
    head.wait()


def swept(tmp_path, name, function, points, spread):
    with Store.open(tmp_path / f"{name}.sqlite") as store:
        return run_sweep(store, Sweep(name="t", function=function, points=points), spread)


def test_ray_gives_the_same_bits(tmp_path, ray_url):
    """As in this process, to the last bit and in the order of the points; one thread a point."""
    points = [{"seed": seed, "rate": 0.1} for seed in range(4)]
    alone = swept(tmp_path, "alone", swept_functions.training_steps, points, Spread())
    found = swept(tmp_path, "ray", swept_functions.training_steps, points, Spread(cluster=ray_url))

    assert found == alone
    assert [each["threads"] for each in found] == [1] * 4


def test_a_failing_point_on_ray_is_named_and_the_others_are_kept(tmp_path, ray_url):
    """Our own error keeps its kind; what was done is stored."""
    points = [{"number": number, "folder": str(tmp_path)} for number in range(4)]
    sweep = Sweep(name="t", function=swept_functions.refused, points=points)
    with Store.open(tmp_path / "lab.sqlite") as store:
        with pytest.raises(DataError, match=r'"number": 2, .*There is no second'):
            run_sweep(store, sweep, Spread(cluster=ray_url))
        kept = store.outcomes_of_sweep("t", versions_of_points())

    assert len(kept) <= 3
    assert {row.outcome["square"] for row in kept.values()} <= {0, 1, 9}


def test_ray_workers_that_do_not_find_the_work_are_refused(ray_url, tmp_path, monkeypatch):
    """A module that is only here."""
    (tmp_path / "only_here.py").write_text("def task():\n    return 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    from only_here import task

    with (
        pytest.raises(ConfigurationError, match=r"cannot be given work .*only_here"),
        workers(Spread(cluster=ray_url), task),
    ):
        pass


def test_a_ray_cluster_that_does_nothing_is_refused(ray_url, monkeypatch):
    """Whose CPUs are all taken looks the same: the first task does not come back in time."""
    monkeypatch.setattr("lab.cluster.RAY_WORKER_WITHIN", 0)

    with (
        pytest.raises(ConfigurationError, match=r"did nothing for 0 s"),
        workers(Spread(cluster=ray_url), swept_functions.training_steps),
    ):
        pass
