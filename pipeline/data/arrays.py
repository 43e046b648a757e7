"""Arrays on disk, a file each, uncompressed (NumPy's .npy): written row by row, and mapped into memory, which
they may be larger than.
"""

import errno
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

Form = tuple[tuple[int, ...], type[np.generic]]  # shape and type of an array

_files: weakref.WeakKeyDictionary[mmap.mmap, int] = weakref.WeakKeyDictionary()  # of what `load` mapped


def load(path: Path) -> np.memmap:
    """The array of a file, of which no more is read than is looked at; it cannot be written to. A ValueError
    if the file holds something else, or less than it says.

    A mapping that could be written to would count as memory that the system must be able to give.
    """
    array = npy.open_memmap(path, mode="r")
    mapping = mapping_of(array)
    _files[mapping] = os.open(path, os.O_RDONLY)
    weakref.finalize(mapping, os.close, _files[mapping])
    return array


def mapping_of(array: np.memmap) -> mmap.mmap:
    """What `load` mapped."""
    assert isinstance(array.base, mmap.mmap)
    return array.base


def read(array: np.memmap, rows: Sequence[int]) -> np.ndarray:
    """These rows of an array that `load` gave, read and not mapped: of a page that is looked at, the system
    maps all that lies around it, up to 2 MB, and a process that holds much of a large set looks as large.
    All are asked for before the first one is read, so that a disk can have them in any order.
    """
    file, size = _files[mapping_of(array)], array.strides[0]
    places = [array.offset + row * size for row in rows]
    for place in places if hasattr(os, "posix_fadvise") else ():  # which macOS has not
        os.posix_fadvise(file, place, size, os.POSIX_FADV_WILLNEED)
    found = np.empty((len(rows), *array.shape[1:]), array.dtype)
    content = found.reshape(-1).view(np.uint8).data
    for number, place in enumerate(places):
        if os.preadv(file, [content[number * size : (number + 1) * size]], place) < size:
            raise OSError(errno.EIO, "was cut short while it was read", str(array.filename))
    return found


def release() -> None:
    """Give back the pages of all mapped arrays; what is looked at again is mapped again."""
    for mapping in list(_files):
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
