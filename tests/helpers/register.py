"""A project whose models, tiny and untrained, have been evaluated: what `make register` finds."""

import json
from pathlib import Path

from helpers.evaluated import evaluated
from helpers.small_tasks import digits, drawings, feature_network
from pipeline.sampling import weights
from pipeline.tasks import make
from pipeline.tasks.question import Settings
from pipeline.tracking.packing import Evaluated

PARAMS = """
compute: {}
seeds: [0]
datasets: {digits: {kind: digits}, drawings: {kind: drawings}}
tasks:
  digits: {data: digits, condition: none}
  digit: {data: digits, condition: label}
  sketch: {data: drawings, condition: sketch}
regressions: {sketch: {}}
engressions: {}
cgans: {sketch: {}, digit: {}}
flows: {sketch: {}, digit: {}}
gans: {mlp: {}, groups: {}}
stacked: {}
ablations: {}
variants: {}
"""
MODELS = {  # folder -> the one of SPECS, and its task; flow-digit-0 has not been trained
    "regression-sketch-0": ("regression", "sketch"),
    "cgan-sketch-0": ("image", "sketch"),
    "flow-sketch-0": ("flow", "sketch"),
    "cgan-digit-0": ("class", "digit"),
    "gan-mlp-0": ("none", "digits"),
    "gan-groups-0": ("groups", "digits"),
}


def write_project(folder: Path) -> None:
    """params.yaml, tasks, models, and what evaluations leave of them."""
    (folder / "params.yaml").write_text(PARAMS)
    for name, condition, data in (
        ("digits", "none", digits()),
        ("digit", "label", digits()),
        ("sketch", "sketch", drawings(0, 30)),
    ):
        shape = data.splits["train"]["images"].shape[1:]
        features = feature_network(folder / "features.safetensors", shape)
        chosen = Settings(data="digits" if shape[0] == 1 else "drawings", condition=condition)
        make.task(folder / "data/tasks" / name, chosen, data, features.read_bytes())
    for seed, name in enumerate(MODELS):
        write_model(folder, name, seed)


def write_model(folder: Path, name: str, seed: int) -> Evaluated:
    """A model with weights of this seed, and its evaluation."""
    kind, task = MODELS[name]
    model = evaluated(folder / "made", kind, seed=seed)
    (folder / "models" / name).mkdir(parents=True, exist_ok=True)
    model.weights.rename(folder / "models" / name / weights.FILE)
    for part, content in (
        ("metrics", dict(model.metrics)),
        ("details", {"weights": model.sha256, "task": task}),
    ):
        (folder / "reports" / part).mkdir(parents=True, exist_ok=True)
        (folder / "reports" / part / f"{name}.json").write_text(json.dumps(content))
    return model
