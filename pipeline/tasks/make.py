"""A prepared data set and its feature network -> the folder of a task."""

import json
from pathlib import Path

import numpy as np

from pipeline.data.prepared import SPLITS, DataSet
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import new_folder
from pipeline.tasks import known, stacked
from pipeline.tasks.task import FEATURES, Settings, load_module, stored


def task(folder: Path, settings: Settings, data: DataSet, features: bytes) -> None:
    """Make the task's folder.

    Args:
        folder: data/tasks/<name>.
        settings: its entry in params.yaml.
        data: the prepared data set.
        features: the file of the feature network that was trained on it.

    Raises:
        InputError: the question cannot be put to this data set.
    """
    question = load_module(settings.module)
    if missing := [name for name in question.NEEDS if name not in data.splits["test"]]:
        raise InputError(
            f"tasks.{folder.name}.condition = {settings.condition!r}: {settings.data} has no {missing[0]}"
        )
    splits = {split: question.arrays(data.splits[split]) for split in SPLITS}
    if settings.num_stacks:
        splits = {split: stacked.stacks(arrays, split, settings) for split, arrays in splits.items()}
    facts = dict(data.facts) | question.facts(data)
    described = {"condition": settings.module, "kind": question.KIND, "facts": facts}
    with new_folder(folder) as part:
        for split, arrays in splits.items():
            save(part, split, arrays)
        if "tones" in splits["test"]:
            rows = data.splits["test"]
            save(part, "test", known.answers(stored(part, "test", question), rows))
        (part / FEATURES).write_bytes(features)
        (part / "task.json").write_text(json.dumps(described, indent=2, sort_keys=True) + "\n")


def save(folder: Path, split: str, arrays: dict[str, np.ndarray]) -> None:
    """A file an array, uncompressed, so that it can be mapped into memory."""
    for name, array in arrays.items():
        np.save(folder / f"{split}_{name}.npy", array)
