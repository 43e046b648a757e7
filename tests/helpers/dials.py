"""Two flows with a dial, one of a task whose posteriors are known, and what stands beside them."""

from typing import Any

from helpers.report import noise, result
from pipeline.report.results import Result

STEPS = (1, 2, 4)
ROWS = [{"steps": n, "sample_mse": 16.0 * n, "wasserstein": 1 / n} for n in STEPS]
PENGUINS = {"dial": {"variance": 16.0, "rows": ROWS}}


def rows(error: float, apsd: float) -> list[dict[str, float]]:
    """Errors of 1, 1.5 and 2 times this."""
    values = {"energy_score": 0.1, "gradient_energy": 0.5, "apsd": apsd}
    return [
        {"steps": n, "sample_mse": error * factor, "fid": 8.0 / n} | values
        for n, factor in zip(STEPS, (1, 1.5, 2), strict=True)
    ]


def flow(task: str, side: int, **details: Any) -> Result:
    images = {"dial": noise(3, 3, 3, side, side), "dial_truth": noise(3, 3, side, side)}
    if task != "digit":
        images["dial_condition"] = noise(3, 3, side, side)
    details = {
        "task": task,
        "method": "flow",
        "kind": "image",
        "dial": rows(0.02, 0.1 if task == "digit" else 0.0),
        "num_draws": 8,
    } | details
    return result(
        "flows", task, details=details, samples=images, metrics={"sample_mse": 0.04, "mean_mse": 0.022}
    )


EXACT = {"variance": 0.01, "energy_score": 0.06, "energy_score_least": 0.05, "num_conditions": 46}
DENOISER = [{"t": t, "network": 0.25, "mean": 0.5, "training_colours": 0.125} for t in (0.0, 0.5)]
REGRESSION = result(
    "regressions",
    "digit",
    details={"task": "digit", "method": "regression", "kind": "class"},
    metrics={"sample_mse": 0.04},
)
TOY = result("toys", "ring-flow", None, details={"dial": [], "variance": 4.0})
MODELS = {
    "regression-digit": REGRESSION,
    "flow-digit": flow("digit", 8),
    "flow-tones": flow("tones", 10, exact=EXACT | {"denoiser": DENOISER}),
}
