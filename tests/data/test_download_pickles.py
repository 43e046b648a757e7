"""Pickles are read as arrays, and nothing in them is run."""

import os
import pickle

import numpy as np
import pytest

from pipeline.data.download import pickles
from pipeline.runtime.errors import InputError


def python2_pickle(array, protocol):
    """The array as Python 2 pickled it: bytes and text are one, and NumPy's core has no underscore."""
    assert array.dtype == np.float32
    data = array.tobytes()
    text = f"S{repr(data)[1:]}\n".encode() if protocol == 0 else b"T" + len(data).to_bytes(4, "little") + data
    shape = "".join(f"I{size}\n" for size in array.shape).encode()
    return b"".join(
        [
            b"" if protocol == 0 else b"\x80\x02",
            b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(",
            shape,
            b"tcnumpy\ndtype\n(S'f4'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\n",
            text,
            b"tb.",
        ]
    )


@pytest.mark.parametrize("protocol", [0, 2])
def test_arrays_that_python_2_pickled_are_read(protocol):
    array = np.linspace(-1, 1, 300, dtype=np.float32).reshape(3, 100)
    found = pickles.unpickle_arrays(python2_pickle(array, protocol))
    assert found.dtype == np.float32
    assert np.array_equal(found, array)


@pytest.mark.parametrize("protocol", [3, 4])
def test_nested_tuples_of_arrays_are_read(protocol):
    parts = ((np.arange(6.0).reshape(2, 3), np.array([1, 2])), (np.zeros((0, 3)), np.zeros(0, np.int64)))
    found = pickles.unpickle_arrays(pickle.dumps(parts, protocol))
    assert [[part.tolist() for part in pair] for pair in found] == [
        [[[0, 1, 2], [3, 4, 5]], [1, 2]],
        [[], []],
    ]


class Harmful:
    """Calls a function when it is unpickled."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("function", [os.system, eval, exec, os.remove, np.load, getattr])
def test_a_pickle_that_names_anything_but_arrays_is_refused_before_it_runs(tmp_path, function, protocol):
    victim = tmp_path / "victim"
    victim.touch()
    content = pickle.dumps((Harmful(function, str(victim)),), protocol)
    with pytest.raises(InputError, match=rf"pickle names \w+\.{function.__name__}; only NumPy arrays"):
        pickles.unpickle_arrays(content)
    assert victim.exists()
