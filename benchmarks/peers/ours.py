"""Our own entries of params.yaml, in the loop of the stages, and what the machine can do at most."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from benchmarks import contest
from benchmarks.peers.peer import Names, Peer, Place, Step, Tell
from pipeline.methods import method
from pipeline.methods.method import Training
from pipeline.networks.flow import flow_of
from pipeline.networks.network import num_inputs
from pipeline.runtime import compute
from pipeline.tasks import task as tasks
from pipeline.training import checkpoint, loop

FOREVER = 10**9  # steps
CONVOLVED = 32  # images of contest.convolution


@dataclass(frozen=True)
class Telling:
    """Tells of each step, and writes checkpoints as stages do; nothing is measured on the way."""

    training: Training
    place: Place
    images: int  # of a step
    tell: Tell

    def log(self, step: int, scalars: dict[str, float]) -> None: ...

    def snapshot(self, step: int) -> None:
        self.tell(Step(lambda: vars(self.training), self.images))

    def save(self) -> None:
        checkpoint.save(self.place.folder, "", self.training, {})


def run(place: Place, tell: Tell, name: str, entry: str, task: str) -> None:
    """Train an entry by the method of this name, with as many steps as the images come to; images are those
    that the discriminator sees as real ones, where there is one.
    """
    computing = contest.settings(contest.best_precision(), place.threads)
    asked = tasks.load(place.tasks / task)
    settings = method.read(name, entry, asked.kind, seed=0)
    images = settings.batch_size * getattr(settings, "discriminator_steps", 1)
    steps = FOREVER if math.isinf(place.images) else max(1, math.ceil(place.images / images))
    place.folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    training = method.load(name).start(settings.model_copy(update={"num_steps": steps}), asked)
    tell(Step(lambda: vars(training), 0, time.perf_counter() - start))
    examples = asked.splits["train"].augmented(settings.mirror, settings.max_shift)
    telling = Telling(training, place, images, tell)
    loop.fit(training, examples, partial(compute.autocast, computing), telling)


def draw(names: Names, c: Tensor, name: str) -> Tensor:
    sampler = method.load(name).sampler(names["ema"])
    images: Tensor = sampler(torch.randn(len(c), num_inputs(sampler)), c)
    return images


def evaluated(names: Names) -> nn.Module:
    """A flow's denoiser, else the generator itself."""
    flow = flow_of(names["ema"])
    return flow.network if flow else names["ema"]


def peer(name: str, entry: str, task: str, num_samples: int, scheduled: bool, setting: str) -> Peer:
    return Peer(
        name=f"ours-{entry}",
        setting=f"{entry}: {setting}",
        run=partial(run, name=name, entry=entry, task=task),
        task=task,
        network=lambda names: names["ema"],
        evaluated=evaluated,
        draw=partial(draw, name=name),
        num_samples=num_samples,
        scheduled=scheduled,
        precision="",
    )


def convolve(place: Place, tell: Tell, kind: str) -> None:
    """The convolution that `make bench` takes for the machine's limit, for ever."""
    step: Callable[[], None] = contest.convolution(kind)
    tell(Step(dict, 0))
    while True:
        step()
        tell(Step(dict, CONVOLVED))


DCGAN = peer("adversarial", "gans.dcgan", "digits", 10_000, False, "28 pixels, batch 64, two D steps to one")
SKETCH = peer(
    "adversarial", "cgans.sketch", "sketch", 0, True, "32 pixels, U-Net of 32 to 128 channels, batch 32"
)
FLOW = peer("flow", "flows.digits", "digits", 1_000, True, "28 pixels, U-Net of 32 channels, batch 64")
LIMITS = tuple(
    Peer(f"convolution-{kind}", "256 channels, 28 pixels", partial(convolve, kind=kind), precision=kind)
    for kind in ("fp32", "bf16")
)
