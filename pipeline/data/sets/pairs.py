"""The user's pairs of images, A and B: a condition and the image that belongs to it, or the reverse."""

from functools import partial
from pathlib import Path
from typing import Any

from pydantic import model_validator

from pipeline.data.download import archives
from pipeline.data.own import load, looked, pairing, survey
from pipeline.data.own.meaning import Kind
from pipeline.data.own.seam import has_seam
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
    layout: pairing.Name = "auto"  # how A and B lie beside each other
    a: str = ""  # what folders, or files' endings, beginnings or extensions, of A and B are called, as usual
    b: str = ""  # the same of B
    a_values: Kind = "auto"  # picture | labels | auto: what the numbers in A's files are
    b_values: Kind = "auto"  # the same of B's

    @model_validator(mode="before")
    @classmethod
    def _has_no_direction(cls, given: Any) -> Any:
        if isinstance(given, dict) and "direction" in given:
            raise ValueError("direction: is said by a task's condition, ab or ba")
        return given


def fetch(settings: Settings, root: Path) -> None:
    archives.fetch(settings, root)


def look(found: survey.Survey, folder: Path, settings: Settings, work: Path | None = None) -> looked.Looked:
    """What is found in a folder; it is kept in the folder `work`, if there is one."""
    seam = partial(has_seam, folder)
    layout = pairing.pairs(found.images, settings.layout, settings.a, settings.b, seam)
    kinds = {"a": ("a_values", settings.a_values), "images": ("b_values", settings.b_values)}
    return looked.look(folder, layout, kinds, found.left_out, work)


def prepare(raw: Path, settings: Settings, work: Path) -> DataSet:
    found, folder = load.begin(raw, settings, work)
    return load.data_set(look(found, folder, settings, work), settings, work)
