import dataclasses
import math
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from crossbar.errors import StorageError
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.pulses import State
from crossbar.records import (
    ArrayMapBlock,
    ContactRecord,
    DotProductBlock,
    ProgrammedBlock,
    PulseTrain,
    ReadTrace,
    Record,
    RetentionReading,
    VoltageSweep,
    WerPoint,
)
from db.record_tables import RECORD_TABLES
from db.store import Store

DIE = DieAddress(-2, 5)
LENGTH = st.shared(st.integers(0, 30), key="cells of a record")
FLOATS = npst.arrays(np.float64, LENGTH)
BOOLS = npst.arrays(np.bool_, LENGTH)
CELLS = npst.arrays(np.intp, LENGTH, elements=st.integers(0, 2**31 - 1))
COUNTS = st.integers(0, 2**62)
NUMBERS = st.floats()
FINITE = st.floats(allow_nan=False, allow_infinity=False)
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10)

CONTACTS = st.builds(ContactRecord, cells=CELLS, conductance=FLOATS, touching=st.booleans())
BLOCKS = st.builds(
    ArrayMapBlock,
    first_cell=st.integers(0, 2**31 - 1),
    read_amplitude=NUMBERS,
    low=FLOATS,
    high=FLOATS,
    in_compliance=BOOLS,
)
POINTS = st.builds(
    WerPoint,
    cell=st.integers(0, 2**31 - 1),
    target=st.sampled_from(State),
    amplitude=FINITE,
    width=FINITE,
    attempts=COUNTS,
    errors=COUNTS,
    rejected=COUNTS,
    interval_low=NUMBERS,
    interval_high=NUMBERS,
    confidence=NUMBERS,
    execution=WORDS,
    stopped_by=WORDS,
)
PROGRAMMED = st.builds(
    ProgrammedBlock,
    cells=CELLS,
    target_low=BOOLS,
    conductance=FLOATS,
    verified=BOOLS,
    pulses=npst.arrays(np.int64, LENGTH),
    threshold=NUMBERS,
    level=st.none() | npst.arrays(np.int64, LENGTH),
    window_low=st.none() | FLOATS,
    window_high=st.none() | FLOATS,
    final=st.none() | FLOATS,
)
TRAINS = st.builds(
    PulseTrain,
    cell=st.integers(0, 2**31 - 1),
    part=st.integers(0, 2**31 - 1),
    amplitude=FLOATS,
    width=FLOATS,
    pulses=npst.arrays(np.int64, LENGTH),
    conductance=FLOATS,
    read_amplitude=NUMBERS,
    outcome=WORDS,
)
TRACES = st.builds(
    ReadTrace,
    cell=st.integers(0, 2**31 - 1),
    state=st.sampled_from(State),
    part=st.integers(0, 2**31 - 1),
    read_amplitude=NUMBERS,
    time=FLOATS,
    conductance=FLOATS,
)
RETENTION = st.builds(
    RetentionReading,
    step=st.integers(0, 2**31 - 1),
    written_at=FINITE,
    time=NUMBERS,
    read_amplitude=NUMBERS,
    cells=CELLS,
    written_low=BOOLS,
    conductance=FLOATS,
)
SWEEPS = st.builds(
    VoltageSweep,
    cell=st.integers(0, 2**31 - 1),
    part=st.integers(0, 2**31 - 1),
    voltage=FLOATS,
    current=FLOATS,
    in_compliance=BOOLS,
)
DOT_PRODUCTS = st.builds(
    DotProductBlock,
    subarray=st.integers(0, 2**31 - 1),
    row_voltages=npst.arrays(np.float64, (3, 4)),
    current=npst.arrays(np.float64, (3, 2)),
    conductance=npst.arrays(np.float64, (4, 2)),
)
RECORDS = (
    CONTACTS | BLOCKS | POINTS | PROGRAMMED | TRAINS | TRACES | RETENTION | SWEEPS | DOT_PRODUCTS
)
POINT = WerPoint(
    cell=4,
    target=State.HIGH,
    amplitude=-0.61,
    width=3e-8,
    attempts=1000,
    errors=3,
    rejected=1,
    interval_low=0.0006,
    interval_high=0.0087,
    confidence=0.95,
    execution="board",
    stopped_by="budget",
)


def same(a: Any, b: Any) -> bool:
    """Equality of fields, bit for bit; NaN equals NaN, and outside of arrays -0.0 equals 0.0."""
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, float) and math.isnan(a):
        return math.isnan(b)
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b) or a == b == 0
    return type(a) is type(b) and a == b


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("db") / "lab.db") as store:
        yield store


def begin(store: Store) -> int:
    wafer_id = store.wafer("W1", DieGeometry(), "mtj")
    return store.begin_run(wafer_id, "any", {}, 0, {}, "", [DIE])


@settings(max_examples=80, deadline=None)
@given(record=RECORDS)
def test_a_record_comes_back_exactly(shared_store: Store, record: Record):
    """Every field of every type of record survives the database; so does its key."""
    run_id = begin(shared_store)

    shared_store.add(run_id, DIE, record)
    (back,) = shared_store.records(run_id, DIE, type(record))

    for field in dataclasses.fields(record):
        assert same(getattr(back, field.name), getattr(record, field.name)), field.name
    assert shared_store.done_keys(run_id, DIE) == {record.key}


def test_every_type_of_record_has_a_table():
    """No record that a protocol may yield lacks its place in the database."""
    assert set(RECORD_TABLES) == set(Record.__args__)


@settings(max_examples=10, deadline=None)
@given(record=RECORDS)
def test_a_record_is_never_stored_twice(shared_store: Store, record: Record):
    """A second record of the same key is refused, naming it, and leaves no trace."""
    run_id = begin(shared_store)
    shared_store.add(run_id, DIE, record)
    before = shared_store.counts()

    with pytest.raises(StorageError, match="stored already"):
        shared_store.add(run_id, DIE, record)

    assert shared_store.counts() == before


def test_the_refusal_names_the_record(begun):
    """Who reads the message knows which record of which die and run it was."""
    begun.store.add(begun.run_id, begun.die, POINT)

    with pytest.raises(
        StorageError, match=r"'wer', 4, 'high', -0.61, 3e-08.*die \(3, 1\) in run 1"
    ):
        begun.store.add(begun.run_id, begun.die, POINT)


def test_the_same_key_is_free_on_another_die_and_in_another_run(begun):
    """A key names a piece of work within its die and run only."""
    again = begun.store.begin_run(begun.wafer_id, "wer", {}, 0, {}, "", [begun.die])

    begun.store.add(begun.run_id, begun.die, POINT)
    begun.store.add(begun.run_id, begun.other_die, POINT)
    begun.store.add(again, begun.die, POINT)

    assert begun.store.counts()["wer_points"] == 3


def test_numpy_scalars_become_plain_numbers(begun):
    """A protocol may hand over NumPy's integers and floats; they come back as Python's."""
    scalars = dataclasses.replace(
        POINT, cell=np.int64(4), attempts=np.int64(1000), interval_low=np.float64(0.0006)
    )

    begun.store.add(begun.run_id, begun.die, scalars)
    (back,) = begun.store.records(begun.run_id, begun.die, WerPoint)

    assert back == POINT
    assert type(back.cell) is int
    assert type(back.interval_low) is float


def test_a_die_that_the_run_does_not_visit_is_refused(begun):
    """A record goes to a die of its run, or nowhere."""
    with pytest.raises(StorageError, match=r"Die \(9, 9\) is not among the dies of run"):
        begun.store.add(begun.run_id, DieAddress(9, 9), POINT)


def test_an_unknown_type_of_record_is_refused(begun):
    """A type without a table is refused by name, before anything is stored."""

    class Sweep:
        key = ("sweep",)

    with pytest.raises(StorageError, match="No table holds a Sweep"):
        begun.store.add(begun.run_id, begun.die, Sweep())


def test_an_integer_beyond_64_bits_is_refused(begun):
    """No database has such integers; the message says so instead of a traceback."""
    with pytest.raises(StorageError, match="beyond 64 bits"):
        begun.store.add(begun.run_id, begun.die, dataclasses.replace(POINT, attempts=2**64))
