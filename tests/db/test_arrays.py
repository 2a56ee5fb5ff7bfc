import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from sqlalchemy import update

from crossbar.errors import StorageError
from db import arrays, schema
from db.store import Store

DTYPES = st.one_of(
    npst.boolean_dtypes(),
    npst.integer_dtypes(endianness="?"),
    npst.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
    npst.complex_number_dtypes(sizes=(64, 128)),
)
SHAPES = npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=12)
COMPRESSIBLE = np.zeros((40, 40))


@settings(deadline=None)
@given(npst.arrays(dtype=DTYPES, shape=SHAPES))
def test_an_array_comes_back_bit_for_bit(array):
    """Packing and unpacking keeps type, byte order, shape and every bit, NaN payloads included."""
    back = arrays.unpack(arrays.pack(array), "it")

    assert back.dtype == array.dtype
    assert back.dtype.str == array.dtype.str
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()
    assert back.flags.writeable


@pytest.mark.parametrize("array", [COMPRESSIBLE[::2, ::3], np.asfortranarray(COMPRESSIBLE).T])
def test_memory_layout_does_not_matter(array):
    """A view with strides is stored as the numbers that it shows."""
    varied = array + np.arange(array.size).reshape(array.shape)

    np.testing.assert_array_equal(arrays.unpack(arrays.pack(varied), "it"), varied)


def test_large_regular_arrays_are_compressed_and_noise_is_not():
    """Compression is used where it saves space."""
    noise = np.random.default_rng(1).bytes(4096)

    assert arrays.pack(COMPRESSIBLE).compression == "zlib"
    assert len(arrays.pack(COMPRESSIBLE).data) < COMPRESSIBLE.nbytes / 10
    assert arrays.pack(np.frombuffer(noise, np.uint8)).compression == "raw"


@pytest.mark.parametrize("array", [np.array([object()]), np.array(["text"])])
def test_what_is_no_number_is_refused(array):
    """Objects and strings are not stored: they would need pickle."""
    with pytest.raises(StorageError, match="cannot be stored"):
        arrays.pack(array)


def flip(packed: arrays.PackedArray, bit: int) -> arrays.PackedArray:
    damaged = bytearray(packed.data)
    damaged[bit // 8] ^= 1 << bit % 8
    return dataclasses.replace(packed, data=bytes(damaged))


def test_any_flipped_bit_is_detected():
    """One wrong bit anywhere in the stored numbers makes reading fail, naming the array."""
    packed = arrays.pack(np.arange(5.0))

    for bit in range(8 * len(packed.data)):
        with pytest.raises(StorageError, match="The map is damaged"):
            arrays.unpack(flip(packed, bit), "The map")


def test_no_flipped_bit_of_compressed_numbers_gives_other_numbers():
    """Damage to compressed bytes is detected, unless they still mean the very same numbers."""
    numbers = np.arange(200)
    packed = arrays.pack(numbers)
    detected = 0
    for bit in range(8 * len(packed.data)):
        try:
            back = arrays.unpack(flip(packed, bit), "it")
        except StorageError:
            detected += 1
        else:
            assert back.tobytes() == numbers.tobytes()

    assert packed.compression == "zlib"
    assert detected > 4 * len(packed.data)


@pytest.mark.parametrize("change", [{"dtype": "<i8"}, {"shape": [5, 1]}, {"dtype": "nonsense"}])
def test_a_changed_type_or_shape_is_detected(change):
    """The checksum covers what the bytes mean, not only the bytes."""
    packed = dataclasses.replace(arrays.pack(np.arange(5.0)), **change)

    with pytest.raises(StorageError, match="damaged"):
        arrays.unpack(packed, "it")


def test_many_arrays_are_loaded_at_once(store: Store):
    """More arrays than one query may name come back, each under its id."""
    with store.transaction(writing=True) as connection:
        ids = [arrays.save(connection, np.array([n])) for n in range(arrays.IDS_PER_QUERY + 3)]
        loaded = arrays.load(connection, ids, "test")

    assert [int(loaded[i][0]) for i in ids] == list(range(len(ids)))


def test_damage_and_loss_name_array_and_table(store: Store):
    """A damaged array is named by id and table, and so is one that is not there."""
    with store.transaction(writing=True) as connection:
        array_id = arrays.save(connection, np.arange(3.0))
        connection.execute(update(schema.arrays).values(data=np.arange(1.0, 4.0).tobytes()))
        with pytest.raises(StorageError, match=f"Array {array_id} of table contacts is damaged"):
            arrays.load(connection, [array_id], "contacts")
        with pytest.raises(StorageError, match="Array 99 of table contacts is missing"):
            arrays.load(connection, [99], "contacts")
