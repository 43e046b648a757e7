"""The stages of a small project and how to call them in this process."""

import importlib
import signal
import sys
from pathlib import Path

import pytest

from pipeline.runtime.files import sha256

DIGITS, DRAWINGS = "data/prepared/digits", "data/prepared/drawings"
PAIRS, TABLE = "data/prepared/pairs", "data/raw/penguins/penguins.csv"
TASKS = ("digits", "digit", "stacked", "sketch", "text", "tones", "pairs")
GENERATORS = ("regression-digit-0", "engression-digit-0", "cgan-digit-0")
GENERATORS += ("flow-digits-0", "flow-digit-0", "gan-mlp-0", "gan-dcgan-0")
IMAGES = (
    "regression-sketch-0",
    "cgan-sketch-0",
    "cgan-text-0",
    "flow-tones-0",
    "ablation-gan-0",
    "cgan-pairs-0",
)
STACKED = ("stacked-pacdcgan2-0",)
TOYS = ("toy-ring-plain", "toy-ring-flow")
MODELS = tuple(name.replace("-", "@", 1) for name in (*GENERATORS, *IMAGES, *STACKED))  # as stages end
FEATURES_TRAINED = {f"train_features@{name}" for name in ("digits", "drawings", "pairs")}
TOYS_TRAINED = {f"train_{name.replace('-', '@', 1)}" for name in TOYS}
TRAINED = {*FEATURES_TRAINED, *TOYS_TRAINED, *(f"train_{name}" for name in MODELS)}
EVALUATED = {*(f"evaluate_real@{name}" for name in TASKS), *(f"evaluate_{name}" for name in MODELS)}


def train(method: str, key: str, task: str, model: str) -> str:
    return f"train {method} {key} data/tasks/{task} models/{model} --seed 0"


def evaluate(model: str, task: str) -> str:
    return f"evaluate models/{model} data/tasks/{task} data/reference/{task} reports"


COMMANDS = {
    "check": "check data/code",
    "download@digits": "download digits data/raw/digits",
    "download@pairs": "download pairs data/raw/pairs",
    "download_penguins": "download_penguins data/raw/penguins",
    "prepare@digits": f"prepare digits data/raw/digits {DIGITS}",
    "prepare@drawings": f"prepare drawings data/raw/drawings {DRAWINGS}",
    "prepare@pairs": f"prepare pairs data/raw/pairs {PAIRS}",
    "train_features@digits": f"train_features digits {DIGITS} models/features-digits",
    "train_features@drawings": f"train_features drawings {DRAWINGS} models/features-drawings",
    "task@digits": f"task digits {DIGITS} models/features-digits data/tasks/digits",
    "task@digit": f"task digit {DIGITS} models/features-digits data/tasks/digit",
    "task@stacked": f"task stacked {DIGITS} models/features-digits data/tasks/stacked",
    "task@text": f"task text {DRAWINGS} models/features-drawings data/tasks/text",
    "task@pairs": f"task pairs {PAIRS} models/features-pairs data/tasks/pairs",
    "evaluate_real@digits": "evaluate_real data/tasks/digits data/reference/digits reports",
    "evaluate_real@digit": "evaluate_real data/tasks/digit data/reference/digit reports",
    "evaluate_real@sketch": "evaluate_real data/tasks/sketch data/reference/sketch reports",
    "train_regression@digit-0": train("regression", "regressions.digit", "digit", "regression-digit-0"),
    "train_regression@sketch-0": train("regression", "regressions.sketch", "sketch", "regression-sketch-0"),
    "train_cgan@digit-0": train("adversarial", "cgans.digit", "digit", "cgan-digit-0"),
    "train_cgan@text-0": train("adversarial", "cgans.text", "text", "cgan-text-0"),
    "train_cgan@pairs-0": train("adversarial", "cgans.pairs", "pairs", "cgan-pairs-0"),
    "train_gan@mlp-0": train("adversarial", "gans.mlp", "digits", "gan-mlp-0"),
    "train_gan@dcgan-0": train("adversarial", "gans.dcgan", "digits", "gan-dcgan-0"),
    "train_stacked@pacdcgan2-0": train("adversarial", "stacked.pacdcgan2", "stacked", "stacked-pacdcgan2-0"),
    "train_ablation@gan-0": train("ablation", "ablations.gan", "sketch", "ablation-gan-0"),
    "train_engression@digit-0": train("engression", "engressions.digit", "digit", "engression-digit-0"),
    "train_flow@digits-0": train("flow", "flows.digits", "digits", "flow-digits-0"),
    "train_flow@tones-0": train("flow", "flows.tones", "tones", "flow-tones-0"),
    "train_toy@ring-plain": "train_toy adversarial ring-plain models/toy-ring-plain reports",
    "train_toy@ring-flow": "train_toy flow ring-flow models/toy-ring-flow reports",
    "evaluate_cgan@digit-0": evaluate("cgan-digit-0", "digit"),
    "evaluate_gan@dcgan-0": evaluate("gan-dcgan-0", "digits"),
    "evaluate_cgan@sketch-0": evaluate("cgan-sketch-0", "sketch"),
    "evaluate_cgan@pairs-0": evaluate("cgan-pairs-0", "pairs"),
    "evaluate_flow@tones-0": evaluate("flow-tones-0", "tones"),
    "evaluate_stacked@pacdcgan2-0": evaluate("stacked-pacdcgan2-0", "stacked"),
    "claim": "claim data/tasks/digit data/reference/digit reports"
    " models/regression-digit-0 models/engression-digit-0 models/cgan-digit-0 models/flow-digit-0",
    "theory": f"theory {TABLE} reports",
    "play": f"record data/tasks models {TABLE} reports/theory/bayes.npz reports/play.html",
    "report": "report data/tasks/digit models reports",
}


def listing(folder: Path) -> dict[str, str]:
    """Every file below a folder, with its hash."""
    return {str(path): sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def call(command: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a stage's command line in this process; its exit code."""
    name, *arguments = command.split()
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        with pytest.raises(SystemExit) as ended:
            importlib.import_module("stages").run(importlib.import_module(f"stages.{name}").main)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return int(ended.value.code or 0)
