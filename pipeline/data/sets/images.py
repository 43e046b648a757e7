"""The user's images, of any layout: what is given of an image, and what is asked for, a question says."""

from pathlib import Path

from pipeline.data.download import archives
from pipeline.data.own import layouts, load, survey
from pipeline.data.own.meaning import Kind
from pipeline.data.prepared import DataSet

FIELDS = ("images", "names", "bases")  # as of pairs
LEARNER = "contrastive", "none"


class Settings(load.Settings):
    values: Kind = "auto"  # picture | labels | auto: what the numbers in the files are


def fetch(settings: Settings, root: Path) -> None:
    archives.fetch(settings, root)


def look(found: survey.Survey, folder: Path, settings: Settings) -> load.Looked:
    """What is found in a folder."""
    return load.look(
        folder, layouts.images(found.images), {"images": ("values", settings.values)}, found.left_out
    )


def prepare(raw: Path, settings: Settings) -> DataSet:
    found = survey.survey(folder := settings.files(raw))
    return load.data_set(look(found, folder, settings), settings)
