import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from crossbar.errors import StorageError
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.records import ArrayMapBlock
from db.store import Store

WRITER = """
import itertools, sys
import numpy as np
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.records import ArrayMapBlock
from db.store import Store

store = Store.open(sys.argv[1])
die = DieAddress(0, 0)
run = store.begin_run(store.wafer("W", DieGeometry(), "mtj"), "map", {}, 0, {}, "", [die])
for n in itertools.count():
    cells = np.full(50, float(n))
    store.add(run, die, ArrayMapBlock(
        first_cell=n, read_amplitude=0.1, low=cells, high=cells, in_compliance=cells > 3))
    print(n, flush=True)
"""
ORDINARY_USER = 65534
GEOMETRY = DieGeometry(subarrays=1, rows=2, columns=2)


def block(first_cell: int, cells: int = 4) -> ArrayMapBlock:
    readings = np.random.default_rng(first_cell).random(cells)
    return ArrayMapBlock(
        first_cell=first_cell,
        read_amplitude=0.1,
        low=readings,
        high=readings / 2,
        in_compliance=readings > 2,
    )


@contextmanager
def ordinary_user() -> Iterator[None]:
    """The rights of nobody in particular, where the tests run with those of root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(ORDINARY_USER)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """No file may grow beyond this many bytes: a disk without space for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_new_database_is_made_and_found_again(tmp_path):
    """Opening creates the file; what is stored is there when it is opened again by path or URL."""
    path = tmp_path / "lab.db"
    with Store.open(path) as store:
        wafer_id = store.wafer("W1", GEOMETRY, "mtj")

    for name in (path, str(path), f"sqlite:///{path}"):
        with Store.open(name, create=False) as store:
            assert [row.id for row in store.wafers()] == [wafer_id]


def test_a_commit_survives_a_power_cut(store: Store):
    """Every commit reaches the disk before it returns, and references are enforced."""
    with store.transaction(writing=False) as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }

    assert values == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "busy_timeout": 10_000,
    }


def test_references_are_enforced(store: Store):
    """A row that refers to nothing is refused in words."""
    with pytest.raises(StorageError, match=r"run of wer was not stored .*does not hold"):
        store.begin_run(99, "wer", {}, 0, {}, "", [])


@pytest.mark.parametrize("after", [1, 37])
def test_kill_9_loses_no_stored_record(tmp_path, after):
    """After a kill while storing, every record whose storing had returned is there, whole."""
    path = tmp_path / "lab.db"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        acknowledged = [int(process.stdout.readline()) for _ in range(after)]
        process.kill()
        acknowledged += [int(line) for line in process.stdout.read().split()]

    with Store.open(path, create=False) as store:
        (run,) = store.interrupted_runs()
        blocks = store.records(run.id, DieAddress(0, 0), ArrayMapBlock)
        found = [b.first_cell for b in blocks]

        assert process.returncode == -signal.SIGKILL
        assert found[: len(acknowledged)] == acknowledged
        assert len(found) - len(acknowledged) in (0, 1)  # one may be stored, but not yet printed
        assert all(b.low.tolist() == [float(b.first_cell)] * 50 for b in blocks)
        assert store.integrity_check() == []


def test_an_error_within_a_transaction_leaves_nothing(begun):
    """A record is stored with all of its arrays or not at all."""
    begun.store.add(begun.run_id, begun.die, block(0))
    before = begun.store.counts()

    with pytest.raises(StorageError):
        begun.store.add(begun.run_id, begun.die, block(0))

    assert begun.store.counts() == before


def test_a_full_disk_says_that_the_record_is_not_stored(begun, tmp_path):
    """A record that the disk has no room for is refused; the earlier ones stay, and storing goes on
    once there is room.
    """
    begun.store.add(begun.run_id, begun.die, block(0))
    refusal = pytest.raises(StorageError, match=r"'block', 4\) of die .* was not stored .*disk")
    with file_size_limit((tmp_path / "lab.db-wal").stat().st_size), refusal:
        begun.store.add(begun.run_id, begun.die, block(4))

    assert begun.store.done_keys(begun.run_id, begun.die) == {("block", 0)}

    begun.store.add(begun.run_id, begun.die, block(4))

    assert begun.store.integrity_check() == []
    assert len(begun.store.done_keys(begun.run_id, begun.die)) == 2


def test_sqlite_says_that_the_disk_is_full(begun):
    """The database's own "full" is told in the same way."""
    with begun.store.transaction(writing=False) as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StorageError, match="The disk is full: free some space"):
        begun.store.add(begun.run_id, begun.die, block(0, cells=20_000))


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    """The message names the folder and what to do."""
    with pytest.raises(StorageError, match=r"folder .*/nowhere does not exist. Create it"):
        Store.open(tmp_path / "nowhere" / "lab.db")


def test_a_folder_is_no_database(tmp_path):
    """A folder given as database is called one."""
    with pytest.raises(StorageError, match="is a folder; name a database file in it"):
        Store.open(tmp_path)


@pytest.mark.parametrize("empty_file", [False, True])
def test_reading_does_not_create(tmp_path, empty_file):
    """Without create, a mistyped name is an error and no new file."""
    path = tmp_path / "typo.db"
    if empty_file:
        path.touch()

    with pytest.raises(StorageError, match=r"typo.db.*check the name|no database .*typo.db"):
        Store.open(path, create=False)

    assert path.exists() == empty_file


def test_a_file_of_something_else_is_refused(tmp_path):
    """A file that is no database is left alone."""
    path = tmp_path / "notes.txt"
    path.write_text("It is important to measure every cell.\n" * 100)

    with pytest.raises(StorageError, match="This file is no database: name another one"):
        Store.open(path)

    assert path.read_text().startswith("It is important")


def test_a_database_of_another_program_is_refused(tmp_path):
    """Tables that are not ours are not mixed with ours."""
    path = tmp_path / "photos.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE photos (id INTEGER)")
    other.close()

    with pytest.raises(StorageError, match=r"belongs to another program: it holds .*'photos'"):
        Store.open(path)


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_database_that_may_not_be_written_is_refused(what):
    """Missing permission is said in one message that names the file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Store.open(folder / "lab.db").close()
        folder.chmod(0o555 if what == "folder" else 0o777)
        (folder / "lab.db").chmod(0o444)

        path = folder / ("new.db" if what == "folder" else "lab.db")
        refusal = pytest.raises(StorageError, match=r"\.db\)\. .*yourself permission")
        with ordinary_user(), refusal, Store.open(path) as store:
            store.wafer("W1", GEOMETRY, "mtj")

        folder.chmod(0o755)


def test_a_database_that_another_program_holds_is_named(store: Store):
    """A lock that is not released in time ends in a message, not in a hang."""
    with Store.open(store.name, busy_timeout=0.05) as second:
        refusal = pytest.raises(StorageError, match="Another program holds it")
        with store.transaction(writing=True), refusal:
            second.wafer("W1", GEOMETRY, "mtj")

        assert second.wafers() == []


def test_others_read_while_one_writes(begun):
    """A reader sees the last committed state and does not wait for the writer."""
    reader = Store.open(begun.store.name, busy_timeout=0.0)

    with reader, begun.store.transaction(writing=True):
        assert reader.run(begun.run_id).protocol == "array-map"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense://host/name", "No driver for databases of kind 'nonsense'"),
        ("://", "is not a database URL"),
    ],
)
def test_a_url_that_means_nothing_is_refused(url, message):
    """The message says what a URL looks like, or which driver is missing."""
    with pytest.raises(StorageError, match=message):
        Store.open(url)


def test_opening_imports_neither_torch_nor_alembic(store: Store):
    """A database that needs no migration opens without what only migrations need."""
    code = (
        "import sys; from db.store import Store; Store.open(sys.argv[1]).close(); "
        "print(sorted({'torch', 'alembic'} & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, store.name], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_integrity_check_finds_a_damaged_array(begun):
    """The check reads every array, not only SQLite's own structures."""
    begun.store.add(begun.run_id, begun.die, block(0))
    with begun.store.transaction(writing=True) as connection:
        connection.exec_driver_sql("UPDATE arrays SET data = zeroblob(32) WHERE id = 1")

    (problem,) = begun.store.integrity_check()

    assert problem.startswith("Array 1 is damaged")


def test_integrity_check_finds_a_reference_to_nothing(begun):
    """A row whose partner has vanished is named."""
    begun.store.close()
    other = sqlite3.connect(begun.store.name)
    with other:
        other.execute("DELETE FROM wafers")
    other.close()

    assert any("refers to nothing in table wafers" in p for p in begun.store.integrity_check())
