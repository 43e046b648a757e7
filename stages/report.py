"""Stage `report`: tables, figures and samples of all models on one page."""

import json
from pathlib import Path
from typing import Any

from pipeline import digits, params, tracking
from pipeline.files import new_file, new_folder, sha256
from pipeline.report import page, tables
from stages import InputFile, InputFolder, run, took

SECTIONS = ("compute", "download", "digits", "judge", "gans", "regressions", "cgans", "evaluate")
KINDS = {
    "regressions": "regression",
    "cgans": "cgan",
    "gans": "gan",
}  # section -> first word of its models' names, in the page's order


def main(
    prepared: InputFile, models: InputFolder, metrics: InputFolder, samples: InputFolder, out: Path
) -> None:
    """Make OUT/index.html, OUT/comparison.csv and OUT/figures from what the stages left of every model that
    params.yaml lists.

    Beside them, and unknown to DVC, stands OUT/timings.html: how long each stage took, from MLflow.
    """
    sections = {section: params.read(section, dict[str, Any]) for section in SECTIONS}
    names = [f"{kind}-{key}" for section, kind in KINDS.items() for key in sections[section]]
    results = {name: page.load_model(name, models, metrics, samples) for name in names}
    real = json.loads((metrics / "real.json").read_text())
    pictures = page.draw_figures(results, real, digits.load(prepared))
    hashes = {str(prepared): sha256(prepared)}
    hashes |= {
        f"models/{name}/weights.safetensors": result.metrics["weights"] for name, result in results.items()
    }
    facts = {"params": params.text(sections), "hashes": hashes}
    table = tables.comparison({"real": real} | {name: result.metrics for name, result in results.items()})

    out.mkdir(parents=True, exist_ok=True)
    with new_folder(out / "figures") as folder:
        for name, content in pictures.items():
            (folder / f"{name}.png").write_bytes(content)
    with new_file(out / "comparison.csv") as part:
        table.to_csv(part)
    with new_file(out / "index.html") as part:
        part.write_text(page.render(results, real, pictures, facts))
    with new_file(out / "timings.html") as part:
        part.write_text(page.render_timings(tracking.stage_seconds()))
    took("report", 0.0)


if __name__ == "__main__":
    run(main)
