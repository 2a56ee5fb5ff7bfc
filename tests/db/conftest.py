"""A database in a fresh folder, and in it a run over two dies of a small wafer."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from crossbar.geometry import DieAddress, DieGeometry
from db.store import Store


@dataclass(frozen=True, kw_only=True)
class BegunRun:
    store: Store
    wafer_id: int
    run_id: int
    die: DieAddress
    other_die: DieAddress


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("db") / "empty.db"
    Store.open(path).close()
    return path


@pytest.fixture
def store(tmp_path: Path, empty_database: Path) -> Iterator[Store]:
    with Store.open(shutil.copy(empty_database, tmp_path / "lab.db")) as opened:
        yield opened


@pytest.fixture
def begun(store: Store) -> BegunRun:
    geometry = DieGeometry(subarrays=2, rows=3, columns=4)
    wafer_id = store.wafer("W1", geometry, "mtj")
    dies = (DieAddress(3, 1), DieAddress(2, 1))
    run_id = store.begin_run(
        wafer_id, "array-map", {"read": 0.1}, 7, {"lab": "0.1"}, "[bench]", dies
    )
    return BegunRun(store=store, wafer_id=wafer_id, run_id=run_id, die=dies[0], other_die=dies[1])
