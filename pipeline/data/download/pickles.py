"""Pickled arrays, read without running what a pickle may hold."""

import io
import pickle
from typing import Any

from pipeline.runtime.errors import InputError


class _ArrayUnpickler(pickle.Unpickler):
    """Admits what rebuilds NumPy arrays; a pickle that names anything else is refused before it can run."""

    ADMITTED = {
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.ADMITTED:
            raise InputError(f"pickle names {module}.{name}; only NumPy arrays are admitted")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def unpickle_arrays(content: bytes) -> Any:
    """The nested tuples of arrays in a pickle, also one that Python 2 wrote."""
    return _ArrayUnpickler(io.BytesIO(content), encoding="latin1").load()
