"""Stage `check`, the first: all of params.yaml, checked; then the fingerprint of the code of each stage.

A stage depends on its own fingerprint, a file here: a change anywhere in the project runs this one, in
seconds, and of the others those whose code it touched. What is loaded by name (data sets, questions,
networks, methods) counts for the entries that name it. It runs before any other stage, so that a mistake has
cost nothing.
"""

from collections.abc import Iterator
from pathlib import Path

import torch

from pipeline.data.sets import kind
from pipeline.methods import stabilisers
from pipeline.methods.stabilisers import Stabilisers
from pipeline.metrics.settings import Settings as Evaluation
from pipeline.networks.network import Spec
from pipeline.play.laboratory import METHODS
from pipeline.runtime import params
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import new_folder
from pipeline.runtime.fingerprint import fingerprint
from pipeline.tasks.claimed import Settings as Claim
from stages import run, sections

DEFAULT_SIDE = 28  # pixels, of images whose size no setting says

PENGUINS = ("pipeline.networks.line", "pipeline.networks.denoiser_line")  # networks of one number


def main(out: Path) -> None:
    """Check params.yaml; write to folder OUT, for each stage without its seed, its code's fingerprint."""
    sections.check()
    sections.check_folders()
    for section, name, model in sections.models():
        data = sections.task_settings(model.task).data
        said = getattr(kind.of(data)[1], "image_size", None)
        side, source = said or DEFAULT_SIDE, f" (datasets.{data}.image_size = {said})" if said else ""
        fit(f"{section}.{name}", model, (3, side, side), source)
    with new_folder(out) as folder:
        for stage, modules in stages():
            (folder / f"{stage}.txt").write_text(fingerprint(*modules), "utf-8")


def fit(key: str, model: sections.Model, shape: tuple[int, int, int], source: str) -> None:
    """Build a model's networks, without weights; an InputError if images of this shape do not fit them, which
    ends with the `source` of the shape.
    """
    settings = model.settings
    if (largest := max(getattr(settings, "patch_sizes", [0]))) > min(shape[1:]):
        found = f"{params.PARAMS_FILE}: {key}.patch_sizes: {largest} pixels"
        raise InputError(f"{found} is more than the {min(shape[1:])} that images have{source}")
    named = settings.model_dump(include={"network", "width"})
    spec = Spec(method="", kind=settings.kind, image_shape=list(shape), num_conditions=1, **named)
    try:
        with torch.device("meta"):
            spec.build()
            if isinstance(settings, Stabilisers):
                stabilisers.discriminator(settings, 1, shape)
    except ValueError as error:
        raise InputError(f"{params.PARAMS_FILE}: {key}: {error}{source}") from error


def stages() -> Iterator[tuple[str, list[str]]]:
    """Each stage without its seed, with the modules that it runs: its own, and those loaded by name."""
    for data in sections.entries("datasets"):
        method, question, _ = sections.learner(data)
        learned = [f"pipeline.methods.{method}", f"pipeline.tasks.{question}", *feature_network(data)]
        for stage in ("download", "prepare"):
            yield f"{stage}@{data}", [f"stages.{stage}", f"pipeline.data.sets.{kind_of(data)}"]
        yield f"train_features@{data}", ["stages.train_features", *learned]
    yield "download_penguins", ["stages.download_penguins"]
    for name in sections.entries("tasks"):
        yield f"task@{name}", ["stages.task", *of_task(name)]
        yield f"evaluate_real@{name}", ["stages.evaluate_real", *of_task(name)]
    for section, name, model in sections.models():
        for stage in ("train", "evaluate"):
            code = [f"stages.{stage}", *chosen(model), *of_task(model.task)]
            yield f"{stage}_{sections.FAMILIES[section].stage}@{name}", code
    for name in sections.entries("toys"):
        method, settings = sections.toy(name)
        learned = [f"pipeline.methods.{method}", f"pipeline.networks.{settings.network}"]
        yield f"train_toy@{name}", ["stages.train_toy", *learned]
    yield "theory", ["stages.theory", *PENGUINS]
    claimed = params.read("claim", Claim).task
    models = [
        model for section, name, model in sections.models() if name == claimed and section in sections.CLAIMED
    ]
    yield (
        "claim",
        ["stages.claim", *of_task(claimed), *(module for model in models for module in chosen(model))],
    )
    yield "play", ["stages.record", *PENGUINS, *sorted(set(of_page()))]
    kinds = {kind_of(data) for data in sections.entries("datasets")}
    yield "report", ["stages.report", *(f"pipeline.data.sets.{each}" for each in sorted(kinds))]


def chosen(model: sections.Model) -> list[str]:
    """The method of a model, and its network."""
    return [f"pipeline.methods.{model.method}", f"pipeline.networks.{model.settings.network}"]


def of_page() -> Iterator[str]:
    """What answers on the recorded page, and how the points in the plane were trained."""
    shown = params.read("evaluate", Evaluation).dial_on
    yield from (f"pipeline.tasks.{sections.task_settings(name).module}" for name in shown)
    for section in METHODS.values():
        for name in set(shown) & set(sections.entries(section)):
            found = sections.entry(section, name)
            yield from (f"pipeline.methods.{found.method}", f"pipeline.networks.{found.settings.network}")
    for name in sections.entries("toys"):
        method, settings = sections.toy(name)
        yield from (f"pipeline.methods.{method}", f"pipeline.networks.{settings.network}")


def of_task(name: str) -> list[str]:
    """The question of a task, and the network in whose features its images are compared."""
    settings = sections.task_settings(name)
    return [f"pipeline.tasks.{settings.module}", *feature_network(settings.data)]


def feature_network(data: str) -> list[str]:
    return [f"pipeline.networks.{sections.FEATURE_NETWORKS[sections.learner(data)[0]]}"]


def kind_of(data: str) -> str:
    return params.read(f"datasets.{data}.kind", str)


if __name__ == "__main__":
    run(main)
