"""On a GPU: no tensor of a step's forward passes stays behind on the processor.

Nothing is computed here, and no GPU is needed: PyTorch's fake tensors have a device, a type and a shape, and
operations on them refuse tensors of different devices as a GPU would.
"""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from helpers.project import ROOT
from torch import nn
from torch._subclasses import FakeTensorMode

from pipeline.data.prepared import SPLITS, DataSet
from pipeline.methods import (
    adversarial,
    adversarial_settings,
    classification,
    contrastive,
    ema,
    engression,
    flow,
    method,
    regression,
)
from pipeline.methods.schedule import Schedule
from pipeline.runtime import compute, params, randomness
from pipeline.sampling.draw import draw
from pipeline.tasks import clusters, question
from pipeline.tasks import task as tasks

GPU, NUM = torch.device("cuda", 0), 400


class Family(NamedTuple):
    method: str
    settings: type[Schedule]
    question: str


MODELS = {
    **{
        f"gans.{name}": Family("adversarial", adversarial.Settings, "none")
        for name in ("mlp", "dcgan", "wgan-gp", "hinge-spectral", "r3gan", "stylegan2", "cluster-conditioned")
    },
    "cgans.digit": Family("adversarial", adversarial_settings.ClassSettings, "label"),
    "regressions.digit": Family("regression", regression.Settings, "label"),
    "stacked.pacdcgan2": Family("adversarial", adversarial.Settings, "stacked"),
    "datasets.digits": Family("classification", classification.Settings, "label"),
    "datasets.drawings": Family("contrastive", contrastive.Settings, "none"),
    "cgans.sketch": Family("adversarial", adversarial_settings.ImageSettings, "sketch"),
    "cgans.text": Family("adversarial", adversarial_settings.WordSettings, "text"),
    "regressions.sketch": Family("regression", regression.ImageSettings, "sketch"),
    "engressions.digit": Family("engression", engression.Settings, "label"),
    "engressions.sketch": Family("engression", engression.ImageSettings, "sketch"),
    "flows.digit": Family("flow", flow.ClassSettings, "label"),
    "flows.sketch": Family("flow", flow.ImageSettings, "sketch"),
    "flows.text": Family("flow", flow.WordSettings, "text"),
}


def task(model: str, condition: str) -> tasks.Task:
    """Blank digits or drawings."""
    drawings = model == "datasets.drawings" or condition in ("sketch", "text")
    channels, side = (3, 32) if drawings else (1, 28)
    arrays = {
        "images": torch.zeros(NUM, channels, side, side, dtype=torch.uint8).numpy(),
        "labels": (torch.arange(NUM) % 10).numpy(),
        "sketches": torch.zeros(NUM, 1, side, side, dtype=torch.uint8).numpy(),
        "tokens": torch.ones(NUM, 6, dtype=torch.long).numpy(),
    }
    if condition == "label":
        arrays["classes"] = torch.arange(10).numpy()
    data = DataSet(dict.fromkeys(SPLITS, arrays), {"num_words": 9})
    asked = tasks.in_memory(model, "none" if condition == "stacked" else condition, data)
    if condition != "stacked":
        return asked
    digits = question.load("stacked")
    rows = {**asked.test.arrays, "stacks": torch.zeros(NUM, 3, dtype=torch.long)}
    split = tasks.Stored(rows, digits.pair, NUM)
    return tasks.of_splits(model, "stacked", dict.fromkeys(SPLITS, split), {}, None)


def settings_of(model: str, family: Family, file: Path) -> Any:
    """Those of an entry, or of a data set's feature network."""
    if not model.startswith("datasets."):
        return params.read(model, family.settings, file)
    given = params.read(model, dict[str, Any], file).get("features", {})
    return params.checked(f"{model}.features", given, family.settings)


@pytest.mark.parametrize("model", MODELS)
def test_a_step_on_a_gpu_mixes_no_devices(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    family = MODELS[model]
    file = "reports/long/params.yaml" if model in ("gans.r3gan", "gans.stylegan2") else "params.yaml"
    settings = settings_of(model, family, ROOT / file)
    if "augment" in type(settings).model_fields:
        changes = {"augment": ["brightness", "contrast", "translation", "cutout"]}
        settings = settings.model_copy(update=changes)
    if family.question in ("label", "text") and isinstance(settings, flow.Settings):
        settings = settings.model_copy(update={"drop_condition": 0.1, "guidance": 2.0})
    asked = task(model, family.question)
    # what fake tensors cannot: be grouped by their values, moved or copied as parameters, and, without a GPU,
    # run backwards
    shares = torch.full((max(asked.num_conditions, 1), getattr(settings, "clusters", 0)), 0.1)
    groups = clusters.Groups(torch.zeros(NUM, dtype=torch.long), shares)
    monkeypatch.setattr(clusters, "split", lambda *_: groups)
    monkeypatch.setattr(nn.Module, "to", lambda self, *_, **__: self)
    monkeypatch.setattr(ema, "copy_of", lambda network: network)
    monkeypatch.setattr(torch.Tensor, "backward", lambda self: None)
    monkeypatch.setattr(torch.autograd, "grad", lambda y, x, **_: (torch.zeros_like(x),))
    monkeypatch.setattr(adversarial, "gradient_norm", lambda network: torch.zeros((), device=GPU))
    monkeypatch.setattr(classification, "shifted", lambda x, *_: x)  # reads two numbers, of the processor
    randomness.permutation.cache_clear()
    with FakeTensorMode(allow_non_fake_inputs=True):
        two_steps(method.load(family.method), settings, asked)
    randomness.permutation.cache_clear()


def two_steps(chosen: Any, settings: Schedule, asked: tasks.Task) -> None:
    with GPU:  # where `place` moves them
        training = chosen.start(settings, asked)
    on_gpu = asked.train.to(GPU)
    for _ in range(2):
        scalars = training.step(on_gpu)
        training.steps_done += 1
        assert {value.device for value in scalars.values()} == {GPU}
    if hasattr(chosen, "sampler"):
        sampler, conditions = chosen.sampler(training.ema), asked.validation.conditions
        assert draw(sampler, conditions, torch.arange(4), 2, 0).device == compute.CPU
