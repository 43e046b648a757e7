"""Arrays on disk, a file each, uncompressed (NumPy's .npy): written row by row, and mapped into memory, which
they may be larger than.
"""

import io
import mmap
import os
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

BUFFER = 2**20  # bytes that are written at once
MOST_HELD = 2**26  # bytes that are read of mapped arrays before the process gives their pages back

_mapped: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()  # what `load` mapped, and is in use
_held = 0  # bytes

Form = tuple[tuple[int, ...], type[np.generic]]  # shape and type of an array


def load(path: Path) -> np.memmap:
    """The array of a file, of which no more is read than is looked at; it cannot be written to. A ValueError
    if the file holds something else, or less than it says.

    A mapping that could be written to would count as memory that the system must be able to give.
    """
    array = npy.open_memmap(path, mode="r")
    _mapped.add(mapping_of(array))
    return array


def mapping_of(array: np.memmap) -> mmap.mmap:
    """What `load` mapped."""
    assert isinstance(array.base, mmap.mmap)
    return array.base


def announce(array: np.memmap, rows: Sequence[int]) -> None:
    """Let the system read these rows of a mapped array, all of them at once, while the process goes on."""
    mapping, size = mapping_of(array), array.strides[0]
    first = array.offset % mmap.ALLOCATIONGRANULARITY  # where in the mapping the array begins
    for row in rows:
        start = first + row * size
        within = start % mmap.PAGESIZE
        mapping.madvise(mmap.MADV_WILLNEED, start - within, size + within)


def was_read(num_bytes: int) -> None:
    """Count what was read of mapped arrays; after MOST_HELD their pages are given back. The system keeps what
    it has memory for, but a process that held all it ever read would look as large as the set.
    """
    global _held
    _held += num_bytes
    if _held > MOST_HELD:
        _held = 0
        for mapping in list(_mapped):
            mapping.madvise(mmap.MADV_DONTNEED)


def save(path: Path, array: np.ndarray) -> None:
    """Write an array; one that is a whole file already gets another name for the same bytes, a hard link, if
    the file system has such.
    """
    if source := file_of(array):
        try:
            os.link(source, path)
            return
        except OSError:  # another file system, or one without links
            pass
    np.save(path, array, allow_pickle=False)


def file_of(array: np.ndarray) -> Path | None:
    """The file that is this array, all of it; None if there is none. A part of a file's array knows its file,
    too, but lies in the array, not in the file.
    """
    if isinstance(array, np.memmap) and isinstance(array.base, mmap.mmap) and array.filename:
        return Path(array.filename)
    return None


def fill(files: Mapping[Path, Form], rows: Callable[[int], Iterable[Sequence[np.ndarray]]]) -> None:
    """Write arrays of as many rows each, row by row; `rows(n)` are those from number n on, each in the order
    of `files`. Rows of a try that was killed stay, but for the last that only some of the files have.
    """
    heads = {path: head(form) for path, form in files.items()}
    sizes = {path: size_of_row(form) for path, form in files.items()}
    done = min(
        (path.stat().st_size - len(heads[path])) // sizes[path] if path.exists() else -1 for path in files
    )
    with ExitStack() as stack:
        opened = [stack.enter_context(open(path, "ab", BUFFER)) for path in files]
        for path, file in zip(files, opened, strict=True):
            file.truncate(len(heads[path]) + done * sizes[path] if done >= 0 else 0)
            if done < 0:
                file.write(heads[path])
        for row in rows(max(done, 0)):
            for file, values in zip(opened, row, strict=True):
                file.write(np.ascontiguousarray(values).data)


def head(form: Form) -> bytes:
    """What a file begins with."""
    shape, kind = form
    content = io.BytesIO()
    described = {"descr": npy.dtype_to_descr(np.dtype(kind)), "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(content, described)
    return content.getvalue()


def size_of_row(form: Form) -> int:
    """In bytes."""
    shape, kind = form
    return int(np.prod(shape[1:])) * np.dtype(kind).itemsize
