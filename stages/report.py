"""Stage `report`: tables, figures and samples of all models on one page."""

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from pipeline import tracking
from pipeline.data import digits
from pipeline.report import bayes, images, page, stacked, study, tables, theory, toys
from pipeline.report.sections import Section
from pipeline.runtime import params
from pipeline.runtime.files import new_file, new_folder, sha256
from pipeline.runtime.params import Seed
from stages import InputFile, InputFolder, run, took

SECTIONS = (
    "gans",
    "regressions",
    "cgans",
    "stacked_digits",
    "stacked",
    "toys",
    "image_regressions",
    "image_cgans",
    "ablations",
)
KINDS = {
    "regressions": "regression",
    "cgans": "cgan",
    "gans": "gan",
}  # section -> first word of its models' names, in the page's order
IMAGE_KINDS = {"image_regressions": "regression", "image_cgans": "cgan", "ablations": "ablation"}
Scores = dict[tuple[str, int | None], dict[str, Any]]  # contents of metrics files, by model and seed
Seeds = Annotated[list[Seed], Field(min_length=1)]


def main(
    prepared: InputFile,
    models: InputFolder,
    metrics: InputFolder,
    samples: InputFolder,
    curves: InputFolder,
    out: Path,
) -> None:
    """Make OUT/index.html, OUT/comparison.csv and OUT/figures from what the stages left of every model that
    params.yaml lists, and from the CURVES of theory.

    Beside them, and unknown to DVC, stands OUT/timings.html: how long each stage took, from MLflow.
    """
    seeds = params.read("seeds", Seeds)
    sections = {section: params.read(section, dict[str, Any]) for section in SECTIONS}
    names = [f"{kind}-{key}" for section, kind in KINDS.items() for key in sections[section]]
    drawn = [f"{kind}-{key}" for section, kind in IMAGE_KINDS.items() for key in sections[section]]
    stacks = [f"stacked-{key}" for key in sections["stacked"]]
    results = {name: page.load_model(f"{name}-{seeds[0]}", models, samples) for name in names}
    real = json.loads((metrics / "real.json").read_text())
    scores = read_scores(metrics, [*names, *drawn, *stacks], seeds)
    table = tables.comparison({("real", None): real, **scores})
    sheets = {name: page.load_sheet(f"{name}-{seeds[0]}", samples) for name in stacks}
    sizes = {key: scores[f"gan-{key}", seeds[0]] for key in sections["gans"]}
    histories = {key: results[f"gan-{key}"].history for key in sections["gans"]}
    shown = {name: images.load(f"{name}-{seeds[0]}", metrics, samples) for name in drawn}
    real_drawings = json.loads((metrics / "drawings.json").read_text())
    parts = [images.section(shown, table, real_drawings)] if shown else []
    parts += [study.section(sections["gans"], table, sizes, histories)] if histories else []
    parts += [stacked.section(table, sheets, sections["stacked_digits"])] if stacks else []
    parts += exact(list(sections["toys"]), models, metrics, curves)
    pictures = page.draw_figures(results, real, table, digits.load(prepared))
    facts = {"params": params.PARAMS_FILE.read_text(), "seeds": seeds}
    sums = {"hashes": hashes(prepared, real_drawings, scores)}
    html = page.render(results, real, table, pictures, parts, facts | sums)

    with new_folder(out / "figures") as folder:
        for figures in (pictures, *(section.figures for section in parts)):
            for name, figure in figures.items():
                (folder / f"{name}.png").write_bytes(figure)
    with new_file(out / "comparison.csv") as part:
        table.to_csv(part, index=False)
    with new_file(out / "index.html") as part:
        part.write_text(html)
    with new_file(out / "timings.html") as part:
        part.write_text(page.render_timings(tracking.stage_seconds(), speeds(scores)))
    took("report", 0.0)


def read_scores(metrics: Path, names: list[str], seeds: list[int]) -> Scores:
    return {
        (name, seed): json.loads((metrics / f"{name}-{seed}.json").read_text())
        for name in names
        for seed in seeds
    }


def exact(toy_names: list[str], models: Path, metrics: Path, curves: Path) -> list[Section]:
    """The parts of the page on what can be known exactly."""
    toy_results = {name: toys.load(name, models, metrics) for name in toy_names}
    parts = [toys.section(toy_results)] if toy_results else []
    parts.append(bayes.section(metrics / "bayes.json", curves / "bayes.npz"))
    parts.append(theory.section(metrics / "theory.json", curves / "curves.npz"))
    return parts


def hashes(prepared: Path, real_drawings: dict[str, Any], scores: Scores) -> dict[str, str]:
    """The data's and all models' SHA-256, by file."""
    data = {str(prepared): sha256(prepared), str(prepared.with_name("drawings.npz")): real_drawings["data"]}
    return data | {
        f"models/{name}-{seed}/weights.safetensors": content["weights"]
        for (name, seed), content in scores.items()
    }


def speeds(scores: Scores) -> dict[str, dict[str, Any]]:
    """How fast each model of digits trained, from MLflow, beside what it came to; those it knows."""
    found = {}
    for (name, seed), content in scores.items():
        speed = tracking.training_speed(f"{name}-{seed}", content["weights"])
        if speed and "coverage" in content["metrics"]:
            values = {key: content["metrics"][key]["value"] for key in ("fid", "coverage")}
            found[f"{name}-{seed}"] = speed | values
    return found


if __name__ == "__main__":
    run(main)
