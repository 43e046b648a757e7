"""The user's images, of any layout: what is given of an image, and what is asked for, a question says."""

from pathlib import Path

from pipeline.data.download import archives
from pipeline.data.own import layouts, load, looked, survey
from pipeline.data.own.meaning import Kind
from pipeline.data.prepared import DataSet

FIELDS = ("images", "names", "bases")  # as of pairs
LEARNER = "contrastive", "none"


class Settings(load.Settings):
    values: Kind = "auto"  # picture | labels | auto: what the numbers in the files are


def fetch(settings: Settings, root: Path) -> None:
    archives.fetch(settings, root)


def look(found: survey.Survey, folder: Path, settings: Settings, work: Path | None = None) -> looked.Looked:
    """What is found in a folder; it is kept in the folder `work`, if there is one."""
    kinds: looked.Kinds = {"images": ("values", settings.values)}
    return looked.look(folder, layouts.images(found.images), kinds, found.left_out, work)


def prepare(raw: Path, settings: Settings, work: Path) -> DataSet:
    found, folder = load.begin(raw, settings, work)
    return load.data_set(look(found, folder, settings, work), settings, work)
