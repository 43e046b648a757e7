"""The report: one page that holds all it shows, made from DVC outputs alone.

Numbers are means over the seeds of a model; pictures are of its first seed.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from pipeline.data.digits import Digits
from pipeline.metrics.classes import means
from pipeline.report import tables
from pipeline.report.figures import digits as figures
from pipeline.report.sections import Section

GAN_PANELS = [["d_loss", "g_loss"], ["real_logits", "fake_logits"]]
REGRESSION_PANELS = [["loss"]]


@dataclass(frozen=True)
class ModelResult:
    """All that the stages left of one generator, trained from one seed."""

    history: pd.DataFrame
    frames: np.ndarray  # (T, n, C, H, W) uint8
    frame_steps: np.ndarray  # (T,)
    pixels: np.ndarray  # (N, C, H, W) uint8
    sheet: np.ndarray  # (8 * 10, C, H, W) uint8
    paths: np.ndarray  # (rows, steps, C, H, W) uint8


def load_model(name: str, models: Path, samples: Path) -> ModelResult:
    """Gather the outputs of a model; its name ends in its seed."""
    with np.load(models / name / "frames.npz") as frames, np.load(samples / f"{name}.npz") as drawn:
        return ModelResult(
            pd.read_csv(models / name / "history.csv"),
            frames["pixels"],
            frames["steps"],
            drawn["pixels"],
            drawn["sheet"],
            drawn["paths"],
        )


def load_sheet(name: str, samples: Path) -> np.ndarray:
    """The samples to be shown of a model of which there is nothing else to show."""
    with np.load(samples / f"{name}.npz") as drawn:
        return drawn["sheet"]


def draw_figures(
    models: Mapping[str, ModelResult], real: Mapping[str, Any], table: pd.DataFrame, digits: Digits
) -> dict[str, bytes]:
    """All pictures of the models, as PNG files, by name."""
    pictures = {"claim": figures.png(figures.labelled_rows(claim(models, digits)))}
    for name, model in models.items():
        panels = GAN_PANELS if "d_loss" in model.history else REGRESSION_PANELS
        pictures[f"{name}-curves"] = figures.png(figures.curves(model.history, panels))
        pictures[f"{name}-sheet"] = figures.picture(model.sheet, 10)
        rows = {
            f"step {step}": frame[:10] for step, frame in zip(model.frame_steps, model.frames, strict=True)
        }
        pictures[f"{name}-frames"] = figures.png(figures.labelled_rows(rows))
        if not name.startswith("regression"):
            pictures[f"{name}-paths"] = figures.picture(
                model.paths.reshape(-1, *model.paths.shape[2:]), model.paths.shape[1]
            )
    pixels = {"real": digits.test.pixels.numpy()} | {name: model.pixels for name, model in models.items()}
    pictures["histograms"] = figures.png(figures.pixel_histograms(pixels))
    over_seeds = table.groupby("model")["fid"].mean()
    fids = {name: float(over_seeds[name]) for name in models}
    pictures["fid"] = figures.png(figures.bars(fids, real["yardsticks"], "FID (logarithmic)"))
    return pictures


def claim(models: Mapping[str, ModelResult], digits: Digits) -> dict[str, np.ndarray]:
    """The project's one picture: for each class, regression's answer, the true mean, samples, and real
    digits.
    """
    test = digits.test
    chosen = [(test.labels == k).nonzero()[:2, 0] for k in range(10)]
    rows = {
        "class mean": (means(digits.train.pixels, digits.train.labels) * 255)
        .nan_to_num()
        .round()
        .byte()
        .numpy()
    }
    for name, model in models.items():
        if name.startswith("regression"):
            rows = {f"{name}": model.sheet[:10], **rows}
        elif name.startswith("cgan"):
            rows |= {f"{name}, sample {i + 1}": model.sheet[10 * i : 10 * i + 10] for i in range(3)}
    return rows | {
        f"real, {i + 1}": np.stack([test.pixels[c[min(i, len(c) - 1)]].numpy() for c in chosen])
        for i in range(2)
    }


def render(
    models: Mapping[str, ModelResult],
    real: Mapping[str, Any],
    table: pd.DataFrame,
    pictures: Mapping[str, bytes],
    sections: Sequence[Section],
    facts: Mapping[str, Any],
) -> str:
    """The page, as HTML.

    Args:
        models: by name.
        real: the metrics of real images.
        table: those of all models and seeds.
        pictures: PNG files by name.
        sections: parts of the page; their pictures are not in `pictures`.
        facts: what the report was made from: `params` (text), `hashes` (file -> SHA-256), `seeds`.
    """
    columns = {name: column for name, column in tables.COLUMNS.items() if name in table}
    drawn = dict(pictures) | {name: png for section in sections for name, png in section.figures.items()}
    return template("index.html").render(
        headings=list(columns.values()),
        rows=tables.written(table[table["model"].isin(["real", *models])], columns),
        real=real,
        models=models,
        images={name: data_uri(content) for name, content in drawn.items()},
        sections=sections,
        facts=facts,
    )


def render_timings(
    seconds: Mapping[str, Mapping[str, float]], speeds: Mapping[str, Mapping[str, Any]]
) -> str:
    """The page of times, as HTML.

    Args:
        seconds: for each stage its whole time and that of its loops.
        speeds: for each model whose training is known `fid`, `coverage`, `train_seconds`,
            `images_per_second` and `course`, pairs of seconds and cheap FID.
    """
    courses = {name: speed["course"] for name, speed in speeds.items() if speed["course"]}
    picture = data_uri(figures.png(figures.paces(courses))) if courses else ""
    return template("timings.html").render(stages=seconds, speeds=speeds, courses=picture)


def data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()


def template(name: str) -> Template:
    """A template of this folder; a name that it uses and is not given is an error."""
    loader = FileSystemLoader(Path(__file__).parent)
    return Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).get_template(name)
