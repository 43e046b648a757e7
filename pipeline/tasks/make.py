"""A prepared data set and its feature network -> the folder of a task."""

import json
from pathlib import Path

from pipeline.data.prepared import SPLITS, DataSet, load_split, save_split
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import new_folder
from pipeline.tasks import known, question
from pipeline.tasks.question import Settings
from pipeline.tasks.stored import of_arrays
from pipeline.tasks.task import FEATURES


def task(folder: Path, settings: Settings, data: DataSet, features: bytes) -> None:
    """Make the folder of a task, an entry `settings` in params.yaml, of a prepared data set and the file of
    the feature network trained on it; an InputError if the question cannot be put to this data set. Arrays
    that it keeps as they are lie on disk once, in files that both have (hard links).
    """
    asked = question.load(settings.module)
    if missing := [name for name in asked.needs if name not in data.splits["test"]]:
        raise InputError(
            f"tasks.{folder.name}.condition = {settings.condition!r}: {settings.data} has no {missing[0]}"
        )
    splits = {split: asked.arrays(data.splits[split], split, settings) for split in SPLITS}
    facts = {"data": settings.data, **data.facts, **asked.facts(data)}
    described = {"condition": settings.module, "kind": asked.kind, "facts": facts}
    with new_folder(folder) as part:
        for split, arrays in splits.items():
            save_split(part, split, arrays)
        if "tones" in splits["test"] and asked.kind == "image":
            rows = data.splits["test"] | splits["test"]  # of which the task may have kept some
            save_split(part, "test", known.answers(of_arrays(load_split(part, "test"), asked), rows))
        (part / FEATURES).write_bytes(features)
        (part / "task.json").write_text(json.dumps(described, indent=2, sort_keys=True) + "\n", "utf-8")
