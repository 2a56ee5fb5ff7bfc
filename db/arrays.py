"""NumPy arrays in the database: packed with their checksum, verified whenever they are read."""

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from crossbar.errors import StorageError
from db import schema
from db.insert import insert_row

SMALLEST_COMPRESSED = 256
"""Bytes. Below this zlib's overhead outweighs what it saves."""
STORABLE_KINDS = "biufc"
"""NumPy kinds: booleans, integers, floats, complex. Never objects, which would need pickle."""
IDS_PER_QUERY = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedArray:
    """An array as the table ``arrays`` holds it; field names are column names."""

    dtype: str
    """NumPy's ``dtype.str``, byte order included: "<f8"."""
    shape: list[int]
    checksum: str
    """SHA-256 of dtype, shape and the uncompressed bytes in C order."""
    compression: str
    """ "zlib" or "raw"."""
    data: bytes


def pack(array: NDArray[Any]) -> PackedArray:
    """Pack an array of any shape. Raises StorageError for objects and strings."""
    array = np.asarray(array)
    if array.dtype.kind not in STORABLE_KINDS:
        raise StorageError(
            f"An array of {array.dtype} cannot be stored; convert it to numbers or booleans first."
        )
    raw = array.tobytes()
    packed = zlib.compress(raw, 1) if len(raw) >= SMALLEST_COMPRESSED else raw
    dtype, shape = array.dtype.str, list(array.shape)
    smaller = len(packed) < len(raw)
    return PackedArray(
        dtype=dtype,
        shape=shape,
        checksum=_checksum(dtype, shape, raw),
        compression="zlib" if smaller else "raw",
        data=packed if smaller else raw,
    )


def unpack(packed: PackedArray, name: str) -> NDArray[Any]:
    """The array as it was packed, writable. Raises StorageError, calling the array ``name``, if a
    single bit of it is not as it was.
    """
    try:
        raw = zlib.decompress(packed.data) if packed.compression == "zlib" else packed.data
    except zlib.error:
        raw = None
    if raw is None or _checksum(packed.dtype, packed.shape, raw) != packed.checksum:
        raise StorageError(
            f"{name} is damaged: its bytes do not match their checksum. Restore the database from "
            "a backup, or measure again."
        )
    return np.frombuffer(raw, dtype=packed.dtype).reshape(packed.shape).copy()


def save(connection: Connection, array: NDArray[Any]) -> int:
    """Store an array; returns its id."""
    return insert_row(connection, schema.arrays, **asdict(pack(array)))


def load(connection: Connection, ids: Iterable[int], table: str) -> dict[int, NDArray[Any]]:
    """Read arrays by id, for rows of ``table``. Raises StorageError naming the table and the id of
    one that is damaged or missing.
    """
    wanted = sorted(set(ids))
    found = {
        array_id: unpack(packed, f"Array {array_id} of table {table}")
        for array_id, packed in _packed(connection, wanted)
    }
    if missing := [i for i in wanted if i not in found]:
        raise StorageError(f"Array {missing[0]} of table {table} is missing from the database.")
    return found


def damages(connection: Connection) -> list[str]:
    """Read every array there is; what is wrong, one line for each that is damaged."""
    found = []
    ids = connection.execute(select(schema.arrays.c.id)).scalars().all()
    for array_id, packed in _packed(connection, ids):
        try:
            unpack(packed, f"Array {array_id}")
        except StorageError as error:
            found.append(str(error))
    return found


def _packed(connection: Connection, ids: Sequence[int]) -> Iterator[tuple[int, PackedArray]]:
    """Arrays as they are stored, those of these ids that there are."""
    for start in range(0, len(ids), IDS_PER_QUERY):
        chunk = ids[start : start + IDS_PER_QUERY]
        query = select(schema.arrays).where(schema.arrays.c.id.in_(chunk))
        for row in connection.execute(query).mappings():
            columns = {field.name: row[field.name] for field in fields(PackedArray)}
            yield row["id"], PackedArray(**columns)


def _checksum(dtype: str, shape: list[int], raw: bytes) -> str:
    return hashlib.sha256(f"{dtype} {shape} ".encode() + raw).hexdigest()
