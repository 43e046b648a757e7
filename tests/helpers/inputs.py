"""What the trainings read, made without the stages that make it."""

from contextlib import chdir
from pathlib import Path

from helpers.project import CLASSES, strokes
from pipeline.data.prepared import DataSet
from pipeline.networks.network import Spec
from pipeline.runtime import fingerprint
from pipeline.sampling import weights
from pipeline.tasks import make
from pipeline.tasks.question import Settings
from stages import check


def fingerprints(project: Path) -> dict[str, str]:
    """What the stage `check` writes, by stage."""
    fingerprint.analysed.cache_clear()
    with chdir(project):
        check.main(Path("data/code"))
    return {file.stem: file.read_text() for file in (project / "data/code").iterdir()}


def write_inputs(project: Path) -> None:
    """The two tasks of digits, with a classifier that is untrained; and the fingerprints of all code."""
    fingerprints(project)
    spec = Spec(
        method="classification", network="classifier", width=4, image_shape=[1, 28, 28], num_conditions=10
    )
    weights.save(project / "features.safetensors", spec.build(), spec)
    splits = {}
    for seed, (split, num) in enumerate({"train": 600, "validation": 300, "test": 300}.items()):
        images, labels = strokes(num, seed)
        splits[split] = {"images": images[:, None], "labels": labels, "classes": CLASSES}
    for name, condition in (("digits", "none"), ("digit", "label")):
        settings = Settings(data="digits", condition=condition)
        features = (project / "features.safetensors").read_bytes()
        make.task(project / "data/tasks" / name, settings, DataSet(splits, {"num_classes": 10}), features)
