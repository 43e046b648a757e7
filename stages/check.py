"""Stage `check`, the first: all of params.yaml, checked; then the fingerprint of the code of each stage.

A stage depends on its own fingerprint, a file here: a change anywhere in the project runs this one, in
seconds, and of the others those whose code it touched. What is loaded by name (data sets, questions,
networks, methods) counts for the entries that name it. It runs before any other stage, so that a mistake has
cost nothing.
"""

from collections.abc import Iterator
from pathlib import Path

import torch

from pipeline.methods import stabilisers
from pipeline.methods.stabilisers import Stabilisers
from pipeline.networks.network import Spec
from pipeline.runtime import own_files, params
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import new_folder
from pipeline.runtime.fingerprint import fingerprint
from stages import run, sections

DOWNLOADS = ("mnist", "openmoji", "penguins")
FOLDERS = ("download.folder", "drawings.folder")
DIGITS_SIDE = 28  # pixels


def main(out: Path) -> None:
    """Check params.yaml; write to folder OUT, for each stage without its seed, its code's fingerprint."""
    sections.check()
    for key in FOLDERS:
        own_files.check_folder(key, params.read(key, str))
    for section, name, model in sections.models():
        side = getattr(sections.single(sections.task_settings(model.task).data), "image_size", DIGITS_SIDE)
        fit(f"{section}.{name}", model, (3, side, side))
    with new_folder(out) as folder:
        for stage, modules in stages():
            (folder / f"{stage}.txt").write_text(fingerprint(*modules))


def fit(key: str, model: sections.Model, shape: tuple[int, int, int]) -> None:
    """Build a model's networks, without weights; an InputError if images of this shape do not fit them."""
    settings = model.settings
    if (largest := max(getattr(settings, "patch_sizes", [0]))) > min(shape[1:]):
        found = f"{params.PARAMS_FILE}: {key}.patch_sizes: {largest} pixels"
        raise InputError(f"{found} is more than the {min(shape[1:])} that images have")
    named = settings.model_dump(include={"network", "width"})
    spec = Spec(method="", kind=settings.kind, image_shape=list(shape), num_conditions=1, **named)
    try:
        with torch.device("meta"):
            spec.build()
            if isinstance(settings, Stabilisers):
                stabilisers.discriminator(settings, 1, shape)
    except ValueError as error:
        raise InputError(f"{params.PARAMS_FILE}: {key}: {error}") from error


def stages() -> Iterator[tuple[str, list[str]]]:
    """Each stage without its seed, with the modules that it runs: its own, and those loaded by name."""
    for name in DOWNLOADS:
        yield f"download@{name}", ["stages.download", f"pipeline.data.download.{name}"]
    for data in sections.DATA_SETS:
        method, question = sections.LEARNERS[data]
        learned = [f"pipeline.methods.{method}", f"pipeline.tasks.{question}", *feature_network(data)]
        yield f"prepare@{data}", ["stages.prepare", f"pipeline.data.{data}"]
        yield f"train_features@{data}", ["stages.train_features", *learned]
    for name in sections.entries("tasks"):
        yield f"task@{name}", ["stages.task", *of_task(name)]
        yield f"evaluate_real@{name}", ["stages.evaluate_real", *of_task(name)]
    for section, name, model in sections.models():
        chosen = [f"pipeline.methods.{model.method}", f"pipeline.networks.{model.settings.network}"]
        chosen += of_task(model.task)
        for stage in ("train", "evaluate"):
            yield f"{stage}_{sections.FAMILIES[section].stage}@{name}", [f"stages.{stage}", *chosen]
    for name in sections.entries("toys"):
        method, settings = sections.toy(name)
        learned = [f"pipeline.methods.{method}", f"pipeline.networks.{settings.network}"]
        yield f"train_toy@{name}", ["stages.train_toy", *learned]
    yield "theory", ["stages.theory", "pipeline.networks.line", "pipeline.networks.denoiser_line"]
    yield "report", ["stages.report", *(f"pipeline.data.{data}" for data in sections.DATA_SETS)]


def of_task(name: str) -> list[str]:
    """The question of a task, and the network in whose features its images are compared."""
    settings = sections.task_settings(name)
    return [f"pipeline.tasks.{settings.module}", *feature_network(settings.data)]


def feature_network(data: str) -> list[str]:
    return [f"pipeline.networks.{sections.FEATURE_NETWORKS[data]}"]


if __name__ == "__main__":
    run(main)
