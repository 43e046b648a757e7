"""Stage `report`: tables, figures and samples of all models on one page."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.methods.adversarial import Settings as AdversarialSettings
from pipeline.report import images, page, points, stacked, study, tables, theory
from pipeline.report.results import Result, read
from pipeline.report.sections import Section
from pipeline.runtime import params
from pipeline.runtime.files import new_file, new_folder
from pipeline.tasks import task as tasks
from pipeline.tasks.question import Settings as TaskSettings
from pipeline.tracking import runs
from stages import InputFolder, run, sections, timed

Found = dict[str, Result]  # by name


def main(task: InputFolder, models: InputFolder, reports: InputFolder) -> None:
    """Make REPORTS/index.html, comparison.csv, figures and calibration from what the stages left of every
    model that params.yaml lists, and from the TASK of digits by class.

    Beside them, and unknown to DVC, stands REPORTS/timings.html: how long each stage took, from MLflow.
    """
    with timed("report"):
        seeds = params.read("seeds", sections.Seeds)
        every = {(found.name, found.seed): found for found in results(models, reports, seeds)}
        first = {name: found for (name, seed), found in every.items() if seed in (None, seeds[0])}
        real = {name: of_real(reports, name) for name in sections.entries("tasks")}
        digit = real[task.name]
        table = tables.comparison(
            {("real", None): digit["metrics"], **{key: found.metrics for key, found in every.items()}}
        )
        digits = {name: found for name, found in first.items() if found.kind in ("none", "class")}
        modes = {name: found for name, found in digits.items() if "modes" in found.metrics}
        digits = {name: found for name, found in digits.items() if name not in modes}
        parts = list(parts_of(first, digits, modes, real, table))
        parts += exact(models, reports)
        drawn = page.draw_figures(digits, digit, table, tasks.load(task))
        facts = {"params": params.PARAMS_FILE.read_text(), "seeds": seeds, "hashes": hashes(real, every)}
        html = page.render(digits, digit, table, drawn, parts, facts)

        with new_folder(reports / "figures") as folder:
            for figures in (drawn, *(part.figures for part in parts)):
                for name, figure in figures.items():
                    (folder / f"{name}.png").write_bytes(figure)
        with new_folder(reports / "calibration") as folder:
            for found in first.values():
                if found.style.sampled and "predicted_sd" in found.samples:
                    columns = {name: found.samples[name] for name in ("predicted_sd", "actual_error")}
                    pd.DataFrame(columns).to_csv(folder / f"{found.model}.csv", index=False)
        with new_file(reports / "comparison.csv") as part:
            table.to_csv(part, index=False)
        with new_file(reports / "index.html") as part:
            part.write_text(html)
        with new_file(reports / "timings.html") as part:
            part.write_text(page.render_timings(runs.stage_seconds(), speeds(every)))


def results(models: Path, reports: Path, seeds: list[int]) -> Iterator[Result]:
    """All models of params.yaml, section by section."""
    for section, family in sections.FAMILIES.items():
        for entry in sections.entries(section):
            name = f"{family.stage}-{entry}"
            for seed in [None] if section == "variants" else seeds:
                yield Result(section, entry, name, seed, models, reports)


def of_real(reports: Path, task: str) -> dict[str, Any]:
    """Floors and details of a task's real images."""
    metrics, details = (read(reports / part / f"real-{task}.json") for part in ("metrics", "details"))
    return details | {"metrics": metrics}


def parts_of(
    first: Found, digits: Found, modes: Found, real: Mapping[str, dict[str, Any]], table: Any
) -> Iterator[Section]:
    """The sections on models, where there are such."""
    by_image = {name: found for name, found in first.items() if found.kind in ("image", "words")}
    ablations = {name: found for name, found in by_image.items() if found.section == "ablations"}
    if by_image:
        models = {name: found for name, found in by_image.items() if name not in ablations}
        yield images.section(models, ablations, table, real)
    gans = {name: found for name, found in digits.items() if found.section == "gans"}
    if gans:
        entries = {
            name: params.read(f"gans.{found.entry}", AdversarialSettings, seed=found.seed)
            for name, found in gans.items()
        }
        yield study.section(entries, table, gans)
    if modes:
        on = next(iter(modes.values())).task
        counts = {"num_stacks": params.read(f"tasks.{on}", TaskSettings).num_stacks}
        yield stacked.section(table, modes, counts)


def exact(models: Path, reports: Path) -> list[Section]:
    """The sections on what can be known exactly."""
    toys = {name: points.load(name, models, reports) for name in sections.entries("toys")}
    details, curves = reports / "details/theory.json", reports / "theory"
    parts = [points.section(toys)] if toys else []
    return [*parts, theory.of_penguins(details, curves), theory.of_losses(details, curves)]


def hashes(
    real: Mapping[str, dict[str, Any]], every: Mapping[tuple[str, int | None], Result]
) -> dict[str, str]:
    """The SHA-256 of all tasks and models, by file."""
    data = {f"data/tasks/{name}": content["data"] for name, content in real.items()}
    weights = {f"models/{found.model}/weights.safetensors": found for found in every.values()}
    return data | {file: found.details["weights"] for file, found in weights.items()}


def speeds(every: Mapping[tuple[str, int | None], Result]) -> dict[str, dict[str, Any]]:
    """How fast each model of digits trained, from MLflow, beside what it came to; those it knows."""
    found = {}
    for result in every.values():
        if "coverage" in result.metrics:
            speed = runs.training_speed(result.model, result.details["weights"])
            if speed:
                found[result.model] = speed | {key: result.metrics[key] for key in ("fid", "coverage")}
    return found


if __name__ == "__main__":
    run(main)
