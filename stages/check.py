"""Stage `check`, the first: all of params.yaml, checked; then the fingerprint of the code of each stage.

A stage depends on its own fingerprint, a file here: a change anywhere in the project runs this one, in
seconds, and of the others those whose code it touched. What is loaded by name (data sets, questions,
networks, methods) counts for the entries that name it. It runs before any other stage, so that a mistake has
cost nothing.
"""

from collections.abc import Iterator
from pathlib import Path

from pipeline.methods.schedule import ModelSettings
from pipeline.runtime import own_files, params
from pipeline.runtime.files import new_folder
from pipeline.runtime.fingerprint import fingerprint
from stages import run, sections

DOWNLOADS = ("mnist", "openmoji", "penguins")
FOLDERS = ("download.folder", "drawings.folder")


def main(out: Path) -> None:
    """Check params.yaml, and write to folder OUT, for each stage without its seed, the hashes of all files of
    this project that it runs.
    """
    sections.check()
    for key in FOLDERS:
        own_files.check_folder(key, params.read(key, str))
    with new_folder(out) as folder:
        for stage, modules in stages():
            (folder / f"{stage}.txt").write_text(fingerprint(*modules))


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
        assert isinstance(model.settings, ModelSettings)
        chosen = [f"pipeline.methods.{model.method}", f"pipeline.networks.{model.settings.network}"]
        chosen += of_task(sections.task_of(section, name))
        for stage in ("train", "evaluate"):
            yield f"{stage}_{sections.FAMILIES[section].stage}@{name}", [f"stages.{stage}", *chosen]
    for name in sections.entries("toys"):
        yield f"train_toy@{name}", ["stages.train_toy"]
    yield "theory", ["stages.theory", "pipeline.networks.line"]
    yield "report", ["stages.report", *(f"pipeline.data.{data}" for data in sections.DATA_SETS)]


def of_task(name: str) -> list[str]:
    """The question of a task, and the network in whose features its images are compared."""
    settings = sections.task_settings(name)
    return [f"pipeline.tasks.{settings.module}", *feature_network(settings.data)]


def feature_network(data: str) -> list[str]:
    return [f"pipeline.networks.{sections.FEATURE_NETWORKS[data]}"]


if __name__ == "__main__":
    run(main)
