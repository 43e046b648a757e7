"""The section `download` of params.yaml, and the source that it names."""

import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Annotated

from pipeline.runtime.errors import InputError
from pipeline.runtime.params import Positive, Section, one_of

SOURCES = ("wheel", "mirror", "folder", "auto")


class Settings(Section):
    source: Annotated[str, one_of(SOURCES)] = "wheel"  # wheel | mirror | folder | auto (wheel, then mirror)
    folder: str = "data/own"  # for source folder: with the IDX files, penguins.csv, SVG files; no output
    timeout: Positive = 30.0  # seconds without an answer after which a server counts as dead

    def user_folder(self, contents: str) -> Path:
        """The user's folder; where there is none, an InputError that says what it must hold, `contents`."""
        if not self.folder or not Path(self.folder).is_dir():
            raise InputError(f"download.folder = {self.folder!r}: not a folder; it must hold {contents}")
        return Path(self.folder)

    def mirrored(self, url: str, name: str) -> bytes:
        """The content of a mirror's file; an InputError that says why there is no `name` from there."""
        try:
            with urllib.request.urlopen(url, timeout=self.timeout) as answer:
                return answer.read()
        except (OSError, HTTPException) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"download.source = 'mirror': no {name} from {url}: {reason}") from error


Source = Callable[[Settings, Path], None]  # puts a data set's raw files below an existing folder


def fetch(wheel: Source, mirror: Source, folder: Source, settings: Settings, root: Path) -> None:
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
