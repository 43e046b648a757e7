"""A user's folder -> images, by split, each with what it is paired with or its class.

Every file is read twice: once to find out what the numbers of the whole set mean, see looked.py, once into
the arrays that are kept, on disk. Neither needs memory for more than a few images, and a run that was killed
goes on where it was, in either.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self

import numpy as np
from pydantic import model_validator

from pipeline.data import arrays
from pipeline.data.download.choice import ImageEntry
from pipeline.data.own import decode, splits, unfinished
from pipeline.data.own.looked import Looked
from pipeline.data.own.survey import Survey, survey
from pipeline.data.prepared import SPLITS, Arrays, DataSet
from pipeline.runtime.errors import InputError
from pipeline.runtime.own_files import shown
from pipeline.runtime.params import Positive
from pipeline.runtime.progress import Bar
from pipeline.runtime.threads import in_order


class Settings(ImageEntry):
    """What all kinds of the user's sets have."""

    source: Literal["folder", "url"] = "folder"  # url: an archive to be downloaded
    folder: str  # for source folder: where the files are; no stage's output
    url: str = ""  # for source url: of a zip or tar archive
    sha256: str = ""  # of that archive
    timeout: Positive = 30.0  # seconds without an answer after which a server counts as dead

    @model_validator(mode="after")
    def _has_an_archive(self) -> Self:
        if self.source == "url" and not (self.url and self.sha256):
            raise ValueError("source = 'url': url and sha256 must be given, those of an archive")
        return self

    def files(self, raw: Path) -> Path:
        """Where the files are: in the user's folder, or in that of what was downloaded."""
        return Path(self.folder) if self.source == "folder" else raw


def begin(raw: Path, settings: Settings, work: Path) -> tuple[Survey, Path]:
    """What lies in the folder of a set, and where that is; what was kept in `work` of other files, settings
    or code is removed.
    """
    found = survey(folder := settings.files(raw))
    unfinished.begin(work, folder, found, settings)
    return found, folder


def split(looked: Looked, settings: Settings) -> tuple[np.ndarray, list[str]]:
    """The split of each item, (N,), "" for those left out, and what is said of these; see splits.py."""
    shares = {"validation": settings.validation_share, "test": settings.test_share}
    try:
        return splits.split(looked.items, looked.groups, shares, settings.seed)
    except InputError as error:
        raise InputError(f"{shown(looked.folder)}: {error}") from error


def data_set(looked: Looked, settings: Settings, work: Path) -> DataSet:
    """The images themselves, read straight into files in the folder `work`."""
    chosen, left_out = split(looked, settings)
    found = dict[str, Arrays]()
    with Bar(f"writing {shown(looked.folder)}", 0, int(np.count_nonzero(chosen != ""))) as bar:
        for name in SPLITS:
            rows = np.flatnonzero(chosen == name)
            found[name] = of_split(looked, rows, settings.image_size, work / name, bar)
    said = [*looked.words(), splits.words(looked.items, chosen)]
    return DataSet(found, {"source": "own"}, [*looked.left_out, *left_out], said)


def of_split(looked: Looked, rows: np.ndarray, size: int, folder: Path, bar: Bar) -> Arrays:
    """The arrays of these items, those of images in files of `folder`."""
    folder.mkdir(exist_ok=True)
    small: Arrays = {"names": np.array([looked.items[i].key for i in rows]), "bases": looked.groups[rows]}
    files = dict[Path, arrays.Form]()
    for side, found in looked.meanings.items():
        files[folder / f"{side}.npy"] = (len(rows), 3, size, size), np.uint8
        if found.labels:
            files[folder / f"{side}_labels.npy"] = (len(rows), size, size), np.uint8
            small[f"{side}_colours"] = found.palette

    def images(row: int) -> list[np.ndarray]:
        item, made = looked.items[rows[row]], list[np.ndarray]()
        whole = (decode.pixels(looked.folder / path) for path in item.files)
        parts = [part for each in whole for part in decode.cut(each, looked.layout.cut)]
        for found, part in zip(looked.meanings.values(), parts, strict=True):
            values = found.applied(part, size)
            made += [found.palette[values].transpose(2, 0, 1), values] if found.labels else [values]
        return made

    def from_row(first: int) -> Iterator[list[np.ndarray]]:
        bar.advance(first)
        for made in in_order(images, range(first, len(rows))):
            yield made
            bar.advance(1)

    with decode.quietly():
        arrays.fill(files, from_row)
    return small | {path.stem: arrays.load(path) for path in files}
