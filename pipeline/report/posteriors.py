"""The report's section "Is it the posterior?": a row of figures and a verdict a method, for each task."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch

from pipeline.metrics import bases
from pipeline.metrics.evidence import excess
from pipeline.report.figures import posteriors as figures
from pipeline.report.images import by_task, called
from pipeline.report.results import Result, Results, Section

SCORES = {
    "crps": "CRPS",
    "patch_energy_score": "energy score, patches",
    "energy_score": "energy score, images",
    "variogram_score": "variogram score",
}
P_VALUE = 0.05
SEED = 0  # of the resampled bases


def section(results: Results) -> Section | None:
    """Of all models that evaluations held against posteriors, by name; None if there are none."""
    models = {
        task: {called(found): found for found in of_task.values() if found.section != "ablations"}
        for task, of_task in by_task({n: r for n, r in results.items() if "evidence" in r.details}).items()
    }
    if not models:
        return None
    drawn, tasks = {}, {}
    for task, of_task in models.items():
        several = {
            label: (found.details["evidence"], found.style.colour)
            for label, found in of_task.items()
            if "uniformity" in found.details["evidence"]
        }
        if several:
            drawn[f"posteriors-{task}"] = figures.row(several)
        forecast = next(
            (found for found in of_task.values() if found.details["method"] == "regression"), None
        )
        tasks[task] = {
            "scores": [scored(label, found, forecast) for label, found in of_task.items()],
            "verdicts": [(label, verdict(found.details["evidence"])) for label, found in of_task.items()],
            "intervals": [
                [label, *held(found.details["evidence"]["intervals"])] for label, found in of_task.items()
            ],
            "num_bases": len(np.unique(next(iter(of_task.values())).samples["bases"])),
        }
    headings = ["model", *SCORES.values()]
    return Section("posteriors", drawn, {"tasks": tasks, "headings": headings})


def scored(label: str, found: Result, forecast: Result | None) -> list[str]:
    """A model's scores, with its skill against regression, in percent, and the interval of that."""
    cells = [label]
    for name in SCORES:
        text = f"{found.metrics[name]:.4f}"
        if forecast is not None and forecast is not found:
            skill, (low, high) = skills(found.samples, forecast.samples, name)
            text += f" ({100 * skill:.1f} %, {100 * low:.1f} to {100 * high:.1f})"
        cells.append(text)
    return cells


def skills(
    found: Mapping[str, np.ndarray], forecast: Mapping[str, np.ndarray], name: str
) -> tuple[float, tuple[float, float]]:
    """1 - mean score / mean score of the forecast, paired by condition, with its 95 % interval over bases."""
    both = torch.from_numpy(np.stack([found[name], forecast[name]], 1))
    means = bases.resampled_means(both, torch.from_numpy(found["bases"]), SEED)
    skill = 1 - both[:, 0].mean() / both[:, 1].mean()
    return skill.item(), bases.interval(1 - means[:, 0] / means[:, 1])


def verdict(evidence: Mapping[str, Any]) -> str:
    """In words, what the tests say of a sampler."""
    if "uniformity" not in evidence:
        return "one answer, without spread: no samples of any posterior"
    spread, ranks, told = (evidence[key] for key in ("spread", "uniformity", "told"))
    found = []
    if not spread["interval"][0] <= 1 <= spread["interval"][1]:
        off = 100 * abs(spread["ratio"] - 1)
        found.append(f"too {'narrow' if spread['ratio'] < 1 else 'wide'} by {off:.0f} %")
    if ranks["p_value"] > P_VALUE:
        found.append("calibrated within the band")
    else:
        out = [name for name, values in excess(evidence).items() if max(map(abs, values)) > 1]
        found.append(f"ranks out of the band: {', '.join(out) or 'none by itself'}")
    for space, each in told.items():
        classifier = each["classifier"]
        if each["p_value"] <= P_VALUE or classifier["p_value"] <= P_VALUE:
            found.append(f"told from truths in {space} ({100 * classifier['share']:.0f} % rightly)")
    return "; ".join(found if told else [*found, "too few images to tell samples from truths"])


def held(found: Mapping[str, Any]) -> list[str]:
    """Of the intervals that hold: coverage ± standard error, mean width, multiple, bases that chose it."""
    coverage = f"{100 * found['coverage']:.1f} % ± {100 * found['standard_error']:.1f}"
    return [coverage, f"{found['width']:.3f}", f"{found['multiple']:.2f}", str(found["num_bases"])]


def worst_ranks(evidence: Mapping[str, Any]) -> pd.DataFrame:
    """The `excess` of the function that is furthest out of its band, over the `rank`, as a share."""
    values = max(excess(evidence).values(), key=lambda values: max(map(abs, values)))
    num = len(values)
    return pd.DataFrame({"rank": [k / (num + 1) for k in range(1, num + 1)], "excess": values})
