"""Stage `report`: tables, figures and samples of all models on one page."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pandas as pd

from pipeline.methods.adversarial import Settings as AdversarialSettings
from pipeline.metrics.settings import Settings as Evaluation
from pipeline.report import by_seed, dial, images, page, patience, points, posteriors, study, tables, theory
from pipeline.report import digits as of_digits
from pipeline.report import others as other_sets
from pipeline.report.headlines import headlines
from pipeline.report.results import Result, Results, Section, read
from pipeline.runtime import params
from pipeline.runtime.files import new_file, new_folder
from pipeline.tasks import task as tasks
from pipeline.tasks.claimed import Settings as Claim
from pipeline.tasks.question import Settings as TaskSettings
from pipeline.tracking import runs
from stages import InputFolder, run, sections, timed

Real = Mapping[str, dict[str, Any]]  # by task, floors and details of its real images


def main(task: InputFolder, models: InputFolder, reports: InputFolder) -> None:
    """Make REPORTS/index.html, comparison.csv, figures and calibration from what the stages left of every
    model that params.yaml lists (of a short form the table alone) and from the TASK of digits by class.

    Beside them, and unknown to DVC, stands REPORTS/timings.html: how long each stage took, from MLflow.
    """
    with timed("report"):
        seeds = params.read("seeds", sections.Seeds)
        every = list(results(models, reports, seeds))
        left_out = params.read("claim", Claim).left_out
        shown = [found for found in every if found.task != left_out]
        first = {found.name: found for found in shown if found.seed in (None, seeds[0])}
        real = {name: of_real(reports, name) for name in sections.entries("tasks") if name != left_out}
        metrics = {("real", None): real[task.name]["metrics"]}
        table = tables.comparison(metrics | {(found.name, found.seed): found.metrics for found in every})
        plain = {name: found for name, found in first.items() if found.kind in ("none", "class")}
        plain = {name: found for name, found in plain.items() if "modes" not in found.metrics}
        data = {name: found["facts"]["data"] for name, found in real.items()}
        digits = {name: found for name, found in plain.items() if data[found.task] == data[task.name]}
        names = sections.entries("toys")
        toys = {name: Result("toys", name, f"toy-{name}", None, models, reports) for name in names}
        theory_of = read(reports / "details/theory.json")
        num_samples = params.read("evaluate", Evaluation).num_dial_samples
        parts = [
            *of_digits.sections(digits, real[task.name], table, tasks.load(task), seeds),
            dial.section(first, toys, theory_of["bayes"], num_samples),
            *parts_of(first, digits, real, table),
        ]
        if others := {name: found for name, found in plain.items() if name not in digits}:
            parts.append(other_sets.section(others, real, table))
        if over_seeds := by_seed.section(first, table, reports / "seeds"):
            parts.append(over_seeds)
        if longer := patience.section(table, reports / "long"):
            parts.append(longer)
        parts += exact(toys, reports)
        facts = {"params": params.PARAMS_FILE.read_text("utf-8"), "hashes": hashes(real, shown)}
        whole = page.index([*parts, Section("facts", {}, facts)], headlines(reports, left_out))
        files = page.files(parts)
        times = page.timings(runs.stage_seconds(), speeds(shown))

        with new_folder(reports / "figures") as folder:
            for name, file in files.items():
                (folder / f"{name}.png").write_bytes(file)
        write_curves(first, reports)
        with new_file(reports / "comparison.csv") as part:
            table.to_csv(part, index=False)
        with new_file(reports / "index.html") as part:
            part.write_text(page.render(whole, files), "utf-8")
        with new_file(reports / "timings.html") as part:
            part.write_text(page.render(times, page.files([times])), "utf-8")


def write_curves(models: Results, reports: Path) -> None:
    """What `dvc plots` draws of models that sample, a file a model: calibration, ranks and coverage."""
    tables: dict[str, dict[str, pd.DataFrame]] = {"calibration": {}, "ranks": {}, "coverage": {}}
    for found in models.values():
        if found.style.sampled and "predicted_sd" in found.samples:
            columns = {name: found.samples[name] for name in ("predicted_sd", "actual_error")}
            tables["calibration"][found.model] = pd.DataFrame(columns)
        if "uniformity" in (held := found.details.get("evidence", {})):
            tables["ranks"][found.model] = posteriors.worst_ranks(held)
            tables["coverage"][found.model] = pd.DataFrame(held["coverage"])[["level", "share"]]
    for kind, of_kind in tables.items():
        with new_folder(reports / kind) as folder:
            for model, table in of_kind.items():
                table.to_csv(folder / f"{model}.csv", index=False)


def results(models: Path, reports: Path, seeds: list[int]) -> Iterator[Result]:
    """All models of params.yaml, section by section."""
    for section, family in sections.FAMILIES.items():
        for entry in sections.entries(section):
            for seed in [None] if section == "variants" else seeds:
                yield Result(section, entry, f"{family.stage}-{entry}", seed, models, reports)


def of_real(reports: Path, task: str) -> dict[str, Any]:
    """Floors and details of a task's real images."""
    metrics, details = (read(reports / part / f"real-{task}.json") for part in ("metrics", "details"))
    return details | {"metrics": metrics}


def parts_of(first: Results, digits: Results, real: Real, table: pd.DataFrame) -> Iterator[Section]:
    """The sections on models, where there are such."""
    if by_image := {name: found for name, found in first.items() if found.kind in ("image", "words")}:
        yield images.section(by_image, table, real, batch_sizes(by_image))
    if held := posteriors.section(first):
        yield held
    entries = {
        name: cast(AdversarialSettings, sections.entry("gans", found.entry).settings)
        for name, found in digits.items()
        if found.section == "gans"
    }
    if entries:
        yield study.section(entries, table, digits)
    if modes := {name: found for name, found in first.items() if "modes" in found.metrics}:
        on = next(iter(modes.values())).task
        yield study.of_stacked(table, modes, params.read(f"tasks.{on}", TaskSettings).num_stacks)


def batch_sizes(models: Results) -> dict[str, int]:
    """Images of a step of each model."""
    return {
        name: sections.entry(found.section, found.entry).settings.batch_size for name, found in models.items()
    }


def exact(toys: Results, reports: Path) -> Iterator[Section]:
    """The sections on what can be known exactly."""
    if toys:
        yield points.section(toys)
    details, curves = reports / "details/theory.json", reports / "theory"
    yield theory.of_penguins(details, curves)
    yield theory.of_losses(details, curves)


def hashes(real: Real, every: list[Result]) -> dict[str, str]:
    """The SHA-256 of all tasks and models, by file."""
    data = {f"data/tasks/{name}": content["data"] for name, content in real.items()}
    return data | {f"models/{each.model}/weights.safetensors": each.details["weights"] for each in every}


def speeds(every: list[Result]) -> dict[str, dict[str, Any]]:
    """How fast each model trained and samples, from MLflow, beside what it came to; those it knows."""
    found = {}
    for result in (result for result in every if "fid" in result.metrics):
        if speed := runs.speed(result.model, result.details["weights"]):
            about = {key: result.details[key] for key in ("task", "num_parameters", "num_evaluations")}
            style = {"label": images.called(result), "colour": result.style.colour}
            quality = {"fid": result.metrics["fid"], "energy_score": result.metrics.get("energy_score")}
            found[result.model] = speed | about | style | quality
            if result.section == "ablations":
                found[result.model]["curve"] = []  # beside four methods, six more lines would hide them
    return found


if __name__ == "__main__":
    run(main)
