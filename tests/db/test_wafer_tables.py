import pytest
from sqlalchemy import select

from crossbar.errors import ConfigurationError
from crossbar.geometry import DieAddress, DieGeometry
from db import schema
from db.rows import WaferRow
from db.store import Store

GEOMETRY = DieGeometry(subarrays=2, rows=3, columns=4)


def test_a_wafer_is_stored_once(store: Store):
    """The same wafer has the same id whenever it is named."""
    first = store.wafer("W1", GEOMETRY, "mtj")
    other = store.wafer("W2", GEOMETRY, "rram")

    assert store.wafer("W1", GEOMETRY, "mtj") == first
    assert store.wafers() == [
        WaferRow(id=first, name="W1", geometry=GEOMETRY, technology="mtj"),
        WaferRow(id=other, name="W2", geometry=GEOMETRY, technology="rram"),
    ]


@pytest.mark.parametrize(
    ("geometry", "technology"), [(DieGeometry(), "mtj"), (GEOMETRY, "rram")], ids=str
)
def test_a_wafer_does_not_change_its_kind(store: Store, geometry, technology):
    """Another geometry or technology under a known name is a mistake in the configuration."""
    store.wafer("W1", GEOMETRY, "mtj")

    with pytest.raises(ConfigurationError, match=r"'W1' .* \(2, 3, 4\).* a name of its own"):
        store.wafer("W1", geometry, technology)


def test_a_die_is_stored_once_with_both_of_its_addresses(store: Store):
    """A die keeps its id; the prober's column and row stand beside it as last said."""
    wafer_id = store.wafer("W1", GEOMETRY, "mtj")
    die_id = store.die(wafer_id, DieAddress(1, -2))

    assert store.die(wafer_id, DieAddress(1, -2), (12, 8)) == die_id
    assert store.die(wafer_id, DieAddress(1, -2)) == die_id
    assert store.die(wafer_id, DieAddress(0, 5)) != die_id
    assert store.dies(wafer_id) == (DieAddress(0, 5), DieAddress(1, -2))

    with store.transaction(writing=False) as connection:
        row = connection.execute(select(schema.dies).where(schema.dies.c.id == die_id)).one()
    assert (row.x, row.y, row.prober_column, row.prober_row) == (1, -2, 12, 8)


def test_dies_of_two_wafers_are_different_dies(store: Store):
    """The same coordinates on two wafers are two dies."""
    wafers = [store.wafer(name, GEOMETRY, "mtj") for name in ("W1", "W2")]

    assert len({store.die(wafer_id, DieAddress(0, 0)) for wafer_id in wafers}) == 2
