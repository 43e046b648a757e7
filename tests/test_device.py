"""On a GPU: no tensor of a step's forward passes stays behind on the processor.

Nothing is computed here, and no GPU is needed: PyTorch's fake tensors have a device, a type and a shape, and
operations on them refuse tensors of different devices as a GPU would.
"""

from types import ModuleType

import pytest
import torch
from torch import nn
from torch._subclasses import FakeTensorMode

from pipeline.data.digits import Pictures
from pipeline.methods import adversarial, contrastive, ema, regression, translation
from pipeline.methods import classification as classifier
from pipeline.methods.generators import GeneratorSchedule
from pipeline.methods.translators import TranslatorSchedule
from pipeline.runtime import compute, params, randomness
from pipeline.sampling import draw as sampling
from pipeline.tasks import clusters
from pipeline.tasks import drawings as tasks
from pipeline.tasks.conditions import TASKS, UNCONDITIONAL
from pipeline.tasks.drawings import Pairs
from pipeline.tasks.stacked import Stacked

GPU = torch.device("cuda", 0)
SECTIONS = {"gans": adversarial.Params, "cgans": adversarial.ConditionalParams, "judge": classifier.Params}
SECTIONS |= {"regressions": GeneratorSchedule, "image_regressions": TranslatorSchedule}
SECTIONS |= {"image_cgans": translation.Params, "observer": contrastive.Params, "stacked": adversarial.Params}
STEPS = {"gans": adversarial, "cgans": adversarial, "stacked": adversarial, "judge": classifier}
STEPS |= {"regressions": regression, "image_regressions": regression, "image_cgans": translation}
STEPS |= {"observer": contrastive}
DIGITS = Pictures(torch.zeros(300, 1, 28, 28, dtype=torch.uint8), torch.arange(300) % 10)
PICTURES = torch.zeros(300, 3, 32, 32, dtype=torch.uint8)
SKETCHES = Pairs(PICTURES[:, :1], PICTURES, torch.arange(300), 1)
CAPTIONS = Pairs(torch.ones(300, 6, dtype=torch.long), PICTURES, torch.arange(300), 9)
MODELS = [f"gans.{name}" for name in ("mlp", "dcgan", "wgan-gp", "hinge-spectral", "r3gan", "style")]
MODELS += ["gans.clustered", "cgans.digit", "regressions.digit", "stacked.pacdcgan2", "judge", "observer"]
MODELS += ["image_cgans.sketch", "image_cgans.text", "image_regressions.sketch"]


@pytest.mark.parametrize("model", MODELS)
def test_a_step_on_a_gpu_mixes_no_devices(model, monkeypatch):
    # what fake tensors cannot: be moved or copied as parameters, and without a GPU, run backwards
    monkeypatch.setattr(nn.Module, "to", lambda self, *_, **__: self)
    monkeypatch.setattr(ema, "follower", lambda network: network)
    monkeypatch.setattr(torch.Tensor, "backward", lambda self: None)
    monkeypatch.setattr(torch.autograd, "grad", lambda y, x, **_: (torch.zeros_like(x),))
    monkeypatch.setattr(adversarial, "gradient_norm", lambda network: torch.zeros((), device=GPU))
    monkeypatch.setattr(
        classifier, "shifted", lambda pixels, *_: pixels
    )  # reads two numbers, of the processor
    kind = model.split(".")[0]
    given = {} if kind in ("judge", "observer") else {"seed": 0}
    numbers = params.read(model, SECTIONS[kind], **given)
    if "augment" in type(numbers).model_fields:
        changes = {"augment": ["brightness", "contrast", "translation", "cutout"]}
        numbers = numbers.model_copy(update=changes)
    examples, condition = data(model, numbers)
    randomness.permutation.cache_clear()
    with FakeTensorMode(allow_non_fake_inputs=True):
        two_steps(STEPS[kind], numbers, examples, condition)
    randomness.permutation.cache_clear()


def two_steps(kind: ModuleType, numbers, examples, condition) -> None:
    with GPU:  # where `place` moves them
        if condition.shares is not None:
            condition = condition._replace(shares=condition.shares.to(GPU))
        state = kind.init_state(numbers, condition, examples.shape)
    on_gpu = examples.to(GPU)
    for _ in range(2):
        scalars = kind.train_step(state, on_gpu, numbers)
        state.step += 1
        assert {value.device for value in scalars.values()} == {GPU}
    if hasattr(state, "generator"):
        c = condition.encode(examples.batch(torch.arange(4))[1])
        assert sampling.draw(state.average, c, 2, 0).device == compute.CPU


def data(model: str, numbers):
    if model.startswith(("image", "observer")):
        pairs = CAPTIONS if model.endswith("text") else SKETCHES
        return pairs, tasks.condition("text" if model.endswith("text") else "sketch", pairs)
    if model.startswith("stacked"):
        return Stacked(DIGITS, 400, 0), UNCONDITIONAL
    condition = TASKS["digit"] if "digit" in model else UNCONDITIONAL
    if getattr(numbers, "clusters", 0):
        return clusters.split(DIGITS, condition, 3, 0)
    return DIGITS, condition
