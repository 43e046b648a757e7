"""The user's images in a folder a class, as torchvision's ImageFolder reads them."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.data.download import archives
from pipeline.data.own import layouts, load, looked, survey
from pipeline.data.own.meaning import Kind
from pipeline.data.prepared import DataSet

FIELDS = ("images", "labels", "classes", "names", "bases")  # as of pairs, and of digits
LEARNER = "classification", "label"


class Settings(load.Settings):
    values: Kind = "auto"  # picture | labels | auto: what the numbers in the files are


def fetch(settings: Settings, root: Path) -> None:
    archives.fetch(settings, root)


def look(found: survey.Survey, folder: Path, settings: Settings, work: Path | None = None) -> looked.Looked:
    """What is found in a folder; it is kept in the folder `work`, if there is one."""
    kinds: looked.Kinds = {"images": ("values", settings.values)}
    return looked.look(folder, layouts.classes(found.images), kinds, found.left_out, work)


def prepare(raw: Path, settings: Settings, work: Path) -> DataSet:
    found, folder = load.begin(raw, settings, work)
    seen = look(found, folder, settings, work)
    classes = {item.key: str(item.label) for item in seen.items}
    names = sorted(set(classes.values()))
    numbers = {name: number for number, name in enumerate(names)}
    data = load.data_set(seen, settings, work)
    for arrays in data.splits.values():
        labels = [numbers[classes[key]] for key in arrays["names"].tolist()]
        arrays |= {"labels": np.array(labels, np.int64), "classes": np.arange(len(names))}
    return replace(data, facts={**data.facts, "num_classes": len(names), "classes": names})
