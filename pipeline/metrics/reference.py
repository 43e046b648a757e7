"""The real images that a task's models are compared with, and what comparing needs of them, taken once."""

import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pipeline.metrics import classes, expected, features, memorisation, prdc
from pipeline.metrics.features import FeatureExtractor
from pipeline.metrics.settings import Settings
from pipeline.runtime import compute
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import new_folder
from pipeline.tasks.task import Task

ARRAYS, DESCRIPTION = "reference.npz", "reference.json"  # in data/reference/<task>
MOST_BYTES = 2**28
MOST_JUDGED = 12  # images of a class, by which posteriors are judged


@dataclass(frozen=True)
class Reference:
    """The test images of a task, as they are compared with.

    `arrays` are `features` (N, D); where images are compared without a condition to each, `radii` (N,) of
    prdc, `nearest` (M,) of memorisation and of a classifier `predicted` (N,); where there are conditions, the
    `expected` images of the judged, (T, C H W), and the `components` of all, see expected.py.
    """

    task: Task
    settings: Settings
    extractor: FeatureExtractor
    pixels: Tensor  # (N, C, H, W) uint8: all that conditions ask for; elsewhere the first `num_samples`
    arrays: Mapping[str, Tensor]
    floors: Mapping[str, float]  # each metric between two sets of real images

    @property
    def features(self) -> Tensor:
        return self.arrays["features"]

    @property
    def labels(self) -> Tensor | None:
        """The images' classes, (N,), where they are known."""
        return labels(self.task, "test", len(self.pixels))

    @property
    def judged(self) -> Tensor:
        """Posteriors are judged by these test images, the first of each row, and by a sample for each
        condition of the row, (T, M) numbers: rows of one class, shorter if there are fewer of any; (N, 1)
        where conditions are asked M times.
        """
        if by_condition(self.task) or (asked := self.labels) is None:
            return torch.arange(len(self.pixels))[:, None]
        fewest = int(asked.bincount()[asked.unique()].min())
        return classes.groups(asked, min(fewest, num_draws(self.task, self.settings)), MOST_JUDGED)


def num_draws(task: Task, settings: Settings) -> int:
    """M, how many samples a posterior is judged by."""
    return settings.num_draws_on.get(task.name, settings.num_draws)


def labels(task: Task, split: str, num: int) -> Tensor | None:
    """The classes of the first images of a split, where they are known."""
    found = task.about(split, "labels")
    return None if found is None else torch.from_numpy(found[:num]).long()


def by_condition(task: Task) -> bool:
    """Whether each test condition asks for one image, and is answered several times."""
    return task.kind in ("image", "words")


def images(task: Task, split: str, settings: Settings) -> Tensor:
    """The targets that are compared, (N, C, H, W) uint8: all that conditions ask for, as long as they are
    MOST_BYTES at most, else at most `num_samples`, and an InputError if they have too few neighbours.
    """
    examples, most = task.splits[split], MOST_BYTES // math.prod(task.x_shape)
    num = min(most if by_condition(task) else settings.num_samples, len(examples))
    if not by_condition(task) and num <= settings.num_neighbours:
        found = f"evaluate.num_neighbours = {settings.num_neighbours}"
        raise InputError(f"{found}: of the {split} split of {task.name} only {num} images are compared")
    return examples.images(torch.arange(num))[0]


def take(task: Task, settings: Settings, device: torch.device) -> Reference:
    """What comparing with the test images needs of them; no floors yet."""
    extractor = features.of_task(task, settings.features, device)
    if "num_modes" in task.facts:  # modes are counted, and nothing is compared
        return Reference(task, settings, extractor, torch.empty(0), {"features": torch.empty(0)}, {})
    pixels, arrays = images(task, "test", settings), dict[str, Tensor]()
    taken = Reference(task, settings, extractor, pixels, arrays, {})
    if by_condition(task):
        arrays["features"] = extractor.features(pixels)
    else:
        found, predicted = extractor.describe(pixels)
        train, some = task.splits["train"].arrays["images"], pixels[: settings.memorisation_samples]
        arrays |= {"features": found, "radii": prdc.radii(found, settings.num_neighbours)}
        arrays |= {} if predicted is None else {"predicted": predicted}
        arrays["nearest"] = memorisation.nearest(some, train)
    if task.kind != "none":
        arrays["expected"] = expected.answers(task, taken.judged[:, 0])
        arrays["components"] = expected.components(task)
    return taken


def save(folder: Path, reference: Reference, floors: Mapping[str, float]) -> None:
    """All but the images, and the settings it was taken with, without which it may not be loaded."""
    described = origin(reference.settings, reference.extractor) | {"floors": floors}
    with new_folder(folder) as part:
        arrays = {name: array.numpy() for name, array in reference.arrays.items()}
        np.savez(part / ARRAYS, **arrays)  # type: ignore[arg-type]
        (part / DESCRIPTION).write_text(json.dumps(described, indent=2, sort_keys=True) + "\n", "utf-8")


def origin(settings: Settings, extractor: FeatureExtractor) -> dict[str, Any]:
    return {"evaluate": settings.model_dump(), "extractor": extractor.identity}


def load(folder: Path, task: Task, settings: Settings, device: torch.device = compute.CPU) -> Reference:
    """The reference of this task; an InputError if missing, damaged, or of other settings or features."""
    advice = f"make it with: dvc repro evaluate_real@{task.name}"
    try:
        with open(folder / ARRAYS, "rb") as file, np.load(file, allow_pickle=False) as found:
            arrays = {name: torch.from_numpy(found[name]) for name in found.files}
        described = json.loads((folder / DESCRIPTION).read_text("utf-8"))
        floors, num = described.pop("floors"), len(arrays["features"])
    except (OSError, KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{folder}: not a reference of real images ({error!r}); {advice}") from error
    extractor = features.of_task(task, settings.features, device)
    if described != origin(settings, extractor):
        raise InputError(f"{folder}: taken with other settings or features; {advice}")
    pixels = task.test.images(torch.arange(num))[0] if num else torch.empty(0)
    return Reference(task, settings, extractor, pixels, arrays, floors)
