"""The C code of this room, compiled by this machine's compiler when it is first needed, and kept beside it.

Where there is no compiler, PyTorch's own operations do the same in more time, and round otherwise.
"""

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

FOLDER = Path(__file__).parent
SOURCES = tuple(sorted(FOLDER.glob("*.[ch]")))
WIDTHS = 16, 8  # channels at once, of which maps must have a multiple
FLAGS = "-O3", "-march=native", "-fopenmp", "-fPIC", "-shared", "-fno-math-errno", "-fno-trapping-math"
TYPES = {torch.float32: "float", torch.bfloat16: "bfloat16"}


wanted = True  # set by `compute.configure`


@cache
def compiled(width: int) -> ctypes.CDLL | None:
    """The library for so many channels at once; None where it cannot be had."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if platform.system() != "Linux" or compiler is None:
        return None
    try:
        return ctypes.CDLL(str(file(compiler, width)))
    except (OSError, subprocess.SubprocessError):
        return None


def available() -> bool:
    """Whether there is a library here, and it is wanted."""
    return wanted and compiled(WIDTHS[0]) is not None


def identity() -> str:
    """What decides the bits of its results: the library's code, compiler and processor, as a hash."""
    library = compiled(WIDTHS[0])
    return Path(library._name).stem.split("-")[1] if library is not None else ""


def width(*channels: int) -> int:
    """How many channels the library takes at once, of maps of so many; 0 where it cannot take these."""
    return next((width for width in WIDTHS if not any(num % width for num in channels)), 0)


def file(compiler: str, width: int) -> Path:
    """Where the library is, made if it is not there for this code, this compiler and this processor."""
    flags = [*FLAGS, f"-DWIDTH={width}"]
    asked = ["--version"], [*flags, "-Q", "--help=target"]
    told = [subprocess.run([compiler, *each], capture_output=True, timeout=60).stdout for each in asked]
    code = [source.read_bytes() for source in SOURCES]
    identity = hashlib.sha256(b"\0".join([*code, *map(str.encode, flags), *told])).hexdigest()
    path = FOLDER / "__pycache__" / f"maps-{identity[:16]}.so"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}")
        files = [str(source) for source in SOURCES if source.suffix == ".c"]
        command = [compiler, *flags, "-o", str(part), *files, *openmp(), "-lm"]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        part.replace(path)
    return path


def openmp() -> list[str]:
    """PyTorch's own OpenMP, to be linked with: threads of two kinds of it would wait for each other."""
    folder = Path(torch.__file__).parent
    files = [*folder.glob("lib/libgomp*.so*"), *folder.parent.glob("torch.libs/libgomp*.so*")]
    return ["-Wl,--as-needed", *map(str, files[:1])]


def call(name: str, width: int, facts: ctypes.Structure, *tensors: Tensor | None) -> None:
    """A function of the library, given the memory of these tensors."""
    pointers = [ctypes.c_void_p(each.data_ptr()) if each is not None else None for each in tensors]
    getattr(compiled(width), name)(ctypes.byref(facts), *pointers)
