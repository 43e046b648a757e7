"""The user's images in a folder a class, as torchvision's ImageFolder reads them."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.data.download import archives
from pipeline.data.own import layouts, load, survey
from pipeline.data.own.meaning import Kind
from pipeline.data.prepared import DataSet

FIELDS = ("images", "labels", "classes", "names", "bases")  # as of pairs, and of digits
LEARNER = "classification", "label"


class Settings(load.Settings):
    values: Kind = "auto"  # picture | labels | auto: what the numbers in the files are


def fetch(settings: Settings, root: Path) -> None:
    archives.fetch(settings, root)


def look(found: survey.Survey, folder: Path, settings: Settings) -> load.Looked:
    """What is found in a folder."""
    return load.look(
        folder, layouts.classes(found.images), {"images": ("values", settings.values)}, found.left_out
    )


def prepare(raw: Path, settings: Settings) -> DataSet:
    found = survey.survey(folder := settings.files(raw))
    looked = look(found, folder, settings)
    classes = {item.key: str(item.label) for item in looked.items}
    names = sorted(set(classes.values()))
    data = load.data_set(looked, settings)
    for arrays in data.splits.values():
        labels = [names.index(classes[key]) for key in arrays["names"].tolist()]
        arrays |= {"labels": np.array(labels, np.int64), "classes": np.arange(len(names))}
    return replace(data, facts={**data.facts, "num_classes": len(names), "classes": names})
