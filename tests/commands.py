"""The stages of a small project and how to call them in this process."""

import importlib
import signal
import sys
from pathlib import Path

import pytest

import stages
from pipeline.runtime.files import sha256

DIGITS, JUDGE = "data/prepared/digits.npz", "models/judge/weights.safetensors"
REAL, REFERENCE = "reports/metrics/real.json", "data/prepared/reference.npz"
GENERATORS = ("regression-digit-0", "cgan-digit-0", "gan-mlp-0", "gan-dcgan-0", "gan-clustered-0")
DRAWINGS, OBSERVER = "data/prepared/drawings.npz", "models/observer/weights.safetensors"
REAL_DRAWINGS = "reports/metrics/drawings.json"
IMAGES = ("regression-sketch-0", "cgan-sketch-0", "cgan-text-0", "ablation-gan-0")
STACKED = ("stacked-pacdcgan2-0",)
TOYS = ("toy-ring-plain",)
IMAGE_STAGES = tuple(
    name.replace("-", "@", 1) if name.startswith("ablation") else f"image_{name.replace('-', '@', 1)}"
    for name in IMAGES
)
TRAINED = {
    "train_observer",
    *(f"train_{name}" for name in IMAGE_STAGES),
    "train_judge",
    "train_toy@ring-plain",
    *(f"train_{name.replace('-', '@', 1)}" for name in (*GENERATORS, *STACKED)),
}
EVALUATED = {"evaluate_real", *(f"evaluate_{name.replace('-', '@', 1)}" for name in (*GENERATORS, *STACKED))}
IMAGES_EVALUATED = {"evaluate_drawings", *(f"evaluate_{name}" for name in IMAGE_STAGES)}
COMMANDS = {
    "code": "code data/code",
    "download@mnist": "download mnist data/raw/mnist",
    "download@penguins": "download penguins data/raw/penguins",
    "prepare@digits": f"prepare digits data/raw/mnist {DIGITS}",
    "prepare@drawings": f"prepare drawings data/raw/openmoji {DRAWINGS}",
    "train_judge": f"train_judge {DIGITS} models/judge",
    "train_gan@dcgan-0": f"train_gan dcgan 0 {DIGITS} {JUDGE} models/gan-dcgan-0",
    "train_gan@clustered-0": f"train_gan clustered 0 {DIGITS} {JUDGE} models/gan-clustered-0",
    "train_regression@digit-0": f"train_regression digit 0 {DIGITS} {JUDGE} models/regression-digit-0",
    "train_cgan@digit-0": f"train_cgan digit 0 {DIGITS} {JUDGE} models/cgan-digit-0",
    "train_stacked@pacdcgan2-0": f"train_stacked pacdcgan2 0 {DIGITS} {JUDGE} models/stacked-pacdcgan2-0",
    "train_toy@ring-plain": "train_toy ring-plain models/toy-ring-plain toy.json",
    "train_observer": f"train_observer {DRAWINGS} models/observer",
    "train_image_regression@sketch-0": (
        f"train_image_regression sketch 0 {DRAWINGS} {OBSERVER} models/regression-sketch-0"
    ),
    "train_image_cgan@text-0": (
        f"train_image_cgan image_cgans text 0 {DRAWINGS} {OBSERVER} models/cgan-text-0"
    ),
    "train_ablation@gan-0": f"train_image_cgan ablations gan 0 {DRAWINGS} {OBSERVER} models/ablation-gan-0",
    "evaluate_drawings": f"evaluate_drawings {DRAWINGS} {OBSERVER} {REAL_DRAWINGS}",
    "evaluate_image_cgan@sketch-0": (
        f"evaluate_image models/cgan-sketch-0 {DRAWINGS} {OBSERVER} {REAL_DRAWINGS} image.json image.npz"
    ),
    "evaluate_real": f"evaluate_real {DIGITS} {JUDGE} {REAL} {REFERENCE}",
    "evaluate_cgan@digit-0": (
        f"evaluate models/cgan-digit-0 {DIGITS} {JUDGE} {REAL} {REFERENCE} cgan.json cgan.npz"
    ),
    "evaluate_stacked@pacdcgan2-0": (
        f"evaluate_stacked models/stacked-pacdcgan2-0 {JUDGE} stacked.json stacked.npz"
    ),
    "theory": "theory theory.json curves.npz",
    "bayes": "bayes data/raw/penguins/penguins.csv bayes.json bayes.npz",
    "report": f"report {DIGITS} models reports/metrics reports/samples reports/theory again",
}


def listing(folder: Path) -> dict[str, str]:
    """Every file below a folder, with its hash."""
    return {str(path): sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def call(command: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a stage's command line in this process; its exit code."""
    name, *arguments = command.split()
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as ended:
            stages.run(importlib.import_module(f"stages.{name}").main)
    finally:
        signal.signal(signal.SIGTERM, handler)
    return int(ended.value.code or 0)
