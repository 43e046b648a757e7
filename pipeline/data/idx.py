"""IDX, the format of the MNIST family's files: a big-endian header (type, dimensions), then the bytes."""

import math
import struct
from pathlib import Path

import numpy as np

from pipeline.runtime.errors import InputError

UINT8 = 8  # the format's code for unsigned bytes
MAX_DIMENSIONS = 64  # NumPy's


def write(path: Path, array: np.ndarray) -> None:
    """Write uint8 numbers of any shape."""
    header = struct.pack(f">HBB{array.ndim}I", 0, UINT8, array.ndim, *array.shape)
    path.write_bytes(header + array.astype(np.uint8, casting="no").tobytes())


def read(path: Path) -> np.ndarray:
    """The file's uint8 numbers, in its shape; an InputError if missing, truncated, or not IDX of bytes."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        found = content[:4].hex() or "nothing"
        raise InputError(f"{path}: not an IDX file of bytes (begins with {found}, not 000008)")
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise InputError(f"{path}: truncated: {len(content)} bytes, its header alone is {start}")
    shape = struct.unpack(f">{content[3]}I", content[4:start])
    if len(content) - start != math.prod(shape) or len(shape) > MAX_DIMENSIONS:
        found = f"{len(content) - start} bytes of data"
        raise InputError(f"{path}: truncated or damaged: {found}, its header promises shape {shape}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
