"""The Palmer penguins: one table, penguins.csv.

Wheel and mirror must give the published lengths; their files may differ in columns that nobody reads here, so
that the lengths are compared and not the bytes. A user's own table is only checked to be readable.
"""

import hashlib
import shutil
from pathlib import Path

from pipeline.data import penguins
from pipeline.data.download import choice, wheels
from pipeline.data.download.choice import Source
from pipeline.runtime.errors import InputError

FILE = "penguins.csv"
WHEEL = "palmerpenguins==0.1.6 --hash=sha256:5c3be9af84dd703a25f1aaeadeac6ac770cfd38c1620d00089f581c023129ee0"
WHEEL_MEMBER = "palmerpenguins/data/penguins.csv"
MIRROR = "https://raw.githubusercontent.com/allisonhorst/palmerpenguins/main/inst/extdata/penguins.csv"
LENGTHS_SHA256 = "adb009c54437a34bed683bb21e3dd1648116b31ff5c5da585b33341e5d98f095"  # 172 174 176 ... 210


def fetch(settings: Source, root: Path) -> None:
    """Put penguins.csv into the folder `root`, from the source that settings name.

    Raises:
        InputError: the source cannot be reached, or what it gives is not the data set.
    """
    choice.fetch(from_wheel, from_mirror, from_folder, settings, root)


def from_wheel(settings: Source, root: Path) -> None:
    """Out of the PyPI package palmerpenguins 0.1.6."""
    with wheels.downloaded(WHEEL, settings.timeout) as archive:
        write(archive.read(WHEEL_MEMBER), WHEEL_MEMBER, root)


def from_mirror(settings: Source, root: Path) -> None:
    """From the data set's own repository."""
    write(settings.mirrored(MIRROR, "penguins"), MIRROR, root)


def from_folder(settings: Source, root: Path) -> None:
    """A table that the user has; it needs the columns species and flipper_length_mm."""
    contents = f"{FILE} with the columns {penguins.SPECIES_COLUMN} and {penguins.LENGTH_COLUMN}"
    path = settings.user_folder(contents) / FILE
    if not path.is_file():
        raise InputError(f"folder = {settings.folder!r}: {FILE} is missing; it must hold {contents}")
    penguins.flipper_lengths(path)
    shutil.copyfile(path, root / FILE)


def write(content: bytes, origin: str, root: Path) -> None:
    """Write a table; an InputError with both SHA-256 if its lengths are not those that were published."""
    (root / FILE).write_bytes(content)
    if (found := digest(root / FILE)) != LENGTHS_SHA256:
        raise InputError(f"{origin}: SHA-256 of its lengths is {found}, of the published {LENGTHS_SHA256}")


def digest(path: Path) -> str:
    """The SHA-256 of the lengths in a file, written with one blank between."""
    text = " ".join(f"{length:g}" for length in penguins.flipper_lengths(path))
    return hashlib.sha256(text.encode()).hexdigest()
