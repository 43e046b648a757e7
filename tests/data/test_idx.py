"""IDX files are read as they were written, and damaged ones are refused."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pipeline.data import idx
from pipeline.runtime.errors import InputError

SMALL = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("idx") / "some-idx3-ubyte"


@settings(max_examples=30, deadline=None)
@given(array=hnp.arrays(np.uint8, SMALL))
def test_what_is_written_is_read_back_in_its_shape(path, array):
    idx.write(path, array)
    found = idx.read(path)
    assert found.dtype == np.uint8
    assert found.shape == array.shape
    assert np.array_equal(found, array)


def test_the_header_is_big_endian_with_type_and_dimensions(path):
    idx.write(path, np.array([[1, 2, 3], [4, 5, 6]], np.uint8))
    assert path.read_bytes() == bytes.fromhex("00000802 00000002 00000003 010203040506")


def test_a_transposed_array_is_written_as_it_is_indexed(path):
    idx.write(path, np.array([[1, 2, 3], [4, 5, 6]], np.uint8).T)
    assert idx.read(path).tolist() == [[1, 4], [2, 5], [3, 6]]


def test_other_numbers_than_bytes_are_not_written(path):
    with pytest.raises(TypeError, match="uint8"):
        idx.write(path, np.array([0.5]))


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match="No such file") as caught:
        idx.read(tmp_path / "absent")
    assert str(caught.value).startswith(f"{tmp_path / 'absent'}: cannot be read")


@pytest.mark.parametrize("start", ["1f8b0800", "00000d01", "00010801", ""])
def test_a_file_that_begins_otherwise_is_refused_with_its_beginning(path, start):
    path.write_bytes(bytes.fromhex(start) + bytes(8 if start else 0))
    with pytest.raises(InputError, match=f"begins with {start or 'nothing'}, not 000008") as caught:
        idx.read(path)
    assert str(caught.value).startswith(str(path))


@settings(max_examples=30, deadline=None)
@given(array=hnp.arrays(np.uint8, hnp.array_shapes(max_dims=3, max_side=4)), data=st.data())
def test_a_file_cut_short_anywhere_is_refused(path, array, data):
    idx.write(path, array)
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(4, len(whole) - 1))])
    with pytest.raises(InputError, match="truncated") as caught:
        idx.read(path)
    assert "\n" not in str(caught.value)


def test_bytes_too_many_are_refused_with_both_sizes(path):
    path.write_bytes(bytes.fromhex("00000801 00000002 010203"))
    with pytest.raises(InputError, match=r"3 bytes of data, its header promises shape \(2,\)"):
        idx.read(path)


@pytest.mark.parametrize("shape", [(2**32 - 1, 2**32 - 1), (2**16,) * 4, (1,) * 100], ids=len)
def test_a_header_that_promises_more_than_an_array_can_be_is_refused(path, shape):
    data = bytes(1) if math.prod(shape) == 1 else b""
    path.write_bytes(struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape) + data)
    with pytest.raises(InputError):
        idx.read(path)
