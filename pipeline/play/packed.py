"""Arrays as a page takes them: their numbers in base64, little-endian."""

import base64
from typing import Any

import numpy as np


def floats(values: np.ndarray) -> str:
    """In float32."""
    return encoded(values, "<f4")


def shares(values: np.ndarray, low: float, high: float, kind: str) -> str:
    """Where values lie between `low` and `high`, cut off there, as all of the numbers of an unsigned type."""
    most = np.iinfo(kind).max
    return encoded(((values - low) / max(high - low, 1e-6)).clip(0, 1) * most + 0.5, kind)


def encoded(values: np.ndarray, kind: Any) -> str:
    return base64.b64encode(np.ascontiguousarray(values, kind).tobytes()).decode()
