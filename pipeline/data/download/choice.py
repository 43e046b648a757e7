"""The section `download` of params.yaml, and the source that it names."""

from collections.abc import Callable, Mapping
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
        """The user's folder.

        Raises:
            InputError: there is none; `contents` says what it must hold.
        """
        if not self.folder or not Path(self.folder).is_dir():
            raise InputError(f"download.folder = {self.folder!r}: not a folder; it must hold {contents}")
        return Path(self.folder)


Source = Callable[[Settings, Path], None]  # puts a data set's raw files below a folder


def fetch(sources: Mapping[str, Source], settings: Settings, root: Path) -> None:
    """Put raw files below `root` from the source that settings name; `auto` is the wheel, and if that cannot
    be had, the mirror.

    Args:
        sources: a data set's wheel, mirror and folder.
        settings: which of them.
        root: an existing folder.
    """
    if settings.source != "auto":
        return sources[settings.source](settings, root)
    try:
        sources["wheel"](settings, root)
    except InputError as wheel_error:
        try:
            sources["mirror"](settings, root)
        except InputError as mirror_error:
            raise InputError(f"{wheel_error}; then {mirror_error}") from mirror_error
