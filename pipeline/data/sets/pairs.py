"""The user's pairs of images, A and B: a condition and the image that belongs to it, or the reverse."""

from pathlib import Path

from pipeline.data.download import archives
from pipeline.data.own import layouts, load, survey
from pipeline.data.own.meaning import Kind
from pipeline.data.prepared import DataSet

FIELDS = (
    "images",  # (N, 3, S, S) uint8: B
    "a",  # (N, 3, S, S) uint8
    "a_labels",  # (N, S, S) uint8, where A are maps of labels
    "a_colours",  # (K, 3) uint8, of the labels
    "images_labels",  # the same of B
    "images_colours",
    "names",
    "bases",  # (N,) int64, the same for pairs that share an image
)
LEARNER = "contrastive", "none"


class Settings(load.Settings):
    layout: layouts.Name = "auto"
    a: str = ""  # the folders of A and B, or endings of their files' names; "" where they have the usual ones
    b: str = ""
    a_values: Kind = "auto"  # picture | labels | auto: what the numbers in A's files are
    b_values: Kind = "auto"


def fetch(settings: Settings, root: Path) -> None:
    archives.fetch(settings, root)


def look(found: survey.Survey, folder: Path, settings: Settings) -> load.Looked:
    """What is found in a folder."""
    layout = layouts.pairs(found.images, settings.layout, settings.a, settings.b)
    kinds = {"a": ("a_values", settings.a_values), "images": ("b_values", settings.b_values)}
    return load.look(folder, layout, kinds, found.left_out)


def prepare(raw: Path, settings: Settings) -> DataSet:
    found = survey.survey(folder := settings.files(raw))
    return load.data_set(look(found, folder, settings), settings)
