"""Flow matching: the network learns by squared error what data to expect behind data and noise mixed in any
share; a solver goes from noise to data along its answers (Lipman et al. 2022, arXiv:2210.02747; Liu et al.
2022, arXiv:2209.03003).

    x_t = (1 - t) noise + t x,  loss |x-hat(x_t, t, c) - x|^2 / (1 - t)^2

which is the squared error of the velocity. The network predicts the data, as small networks can (Li and He
2025, arXiv:2511.13720). At t = 0 it sees noise alone, so that its optimum is regression's: E[x | c].
"""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

import torch
import torch.nn.functional as F
from pydantic import model_validator
from torch import Tensor

from pipeline.methods import regression
from pipeline.methods.method import Scalars, itself
from pipeline.methods.one_network import OneNetwork
from pipeline.methods.schedule import NetworkName, OfImages, OfNumbers, OfPoints, OfWords
from pipeline.networks.flow import PREDICTIONS, Flow
from pipeline.networks.mixture import Mixture
from pipeline.networks.solvers import SOLVERS
from pipeline.runtime import compute, distributed, randomness
from pipeline.runtime.params import Count, Fraction, NotNegative, NotNegativeCount, Positive, one_of
from pipeline.tasks import clusters
from pipeline.tasks.examples import Examples
from pipeline.tasks.task import Task

# purposes of random numbers
NOISE, TIMES, DROPPED = "noise", "times", "dropped conditions"
NEAREST = 0.05  # 1 - t in the loss, at least


class Settings(regression.Settings):
    """Defaults of digits without a condition."""

    kind: ClassVar[str] = "none"
    denoises: ClassVar[bool] = True

    network: NetworkName = "denoiser"
    clusters: NotNegativeCount = 0  # hidden groups in each class, by k-means, that condition the network
    learning_rate: Positive = 0.012
    solver: Annotated[str, one_of(SOLVERS)] = "adams_bashforth"  # from noise to data
    solver_steps: Count = 16  # of a sample; N
    spacing: Positive = 1.0  # of these steps; 1: even, below 1: more of them near the noise
    prediction: Annotated[str, one_of(PREDICTIONS)] = "data"  # what the network's output is
    times: Literal["logit_normal", "uniform"] = "logit_normal"  # from which t are drawn in training
    shift: float = 0.0  # of the logit of t: below 0 towards noise
    share_at_zero: Fraction = 0.1  # of a batch that is at t = 0, where the answer is the mean
    dropout: Fraction = 0.0  # of the numbers in the denoiser's maps, in training
    guidance: Positive = 1.0  # of classes, captions, groups, in sampling; 1: none. Others bend the posterior
    drop_condition: Fraction = 0.0  # share of a batch whose condition is blank; guidance needs some

    @model_validator(mode="after")
    def _guidance_has_something_to_guide_from(self) -> Self:
        if self.guidance != 1 and not self.drop_condition:
            need = "guidance leads away from the answer to a blank condition, which drop_condition trains"
            raise ValueError(f"guidance = {self.guidance}: {need}; with it drop_condition must be above 0")
        if self.drop_condition and self.kind == "none" and not self.clusters:
            found = f"drop_condition = {self.drop_condition}"
            raise ValueError(f"{found}: there is none to drop; with clusters there is")
        return self

    @classmethod
    def only(cls) -> dict[str, tuple[str, ...]]:
        guided = dict.fromkeys(("guidance", "drop_condition"), ("none", "class", "words"))
        some = {"clusters": ("none", "class"), "dropout": ("none", "class", "image", "words")}
        return super().only() | some | guided


class ClassSettings(Settings):
    kind: ClassVar[str] = "class"


class ImageSettings(OfImages, Settings):
    network: NetworkName = "denoiser"
    learning_rate: Positive = 0.007
    shift: float = -0.6
    spacing: Positive = 0.5
    dropout: Fraction = 0.1


class WordSettings(OfWords, ImageSettings):
    network: NetworkName = "denoiser"


class NumberSettings(OfNumbers, Settings):
    network: NetworkName = "denoiser_line"
    solver: Annotated[str, one_of(SOLVERS)] = "euler"
    learning_rate: Positive = 0.005
    ema_halflife: NotNegative = 50_000.0


class PointSettings(OfPoints, Settings):
    network: NetworkName = "denoiser_points"
    learning_rate: Positive = 0.005
    solver_steps: Count = 32


SETTINGS = {
    "none": Settings,
    "class": ClassSettings,
    "image": ImageSettings,
    "words": WordSettings,
    "numbers": NumberSettings,
    "points": PointSettings,
}


@dataclass
class FlowMatching(OneNetwork):
    settings: Settings
    groups: clusters.Groups | None = None

    @property
    def flow(self) -> Flow:
        found = self.network.generator if isinstance(self.network, Mixture) else self.network
        assert isinstance(found, Flow)
        return found

    def step(self, examples: Examples) -> Scalars:
        """One step down the squared error of the velocity, averaged over numbers and examples; logged beside
        it, that of x-hat.
        """
        distributed.seed_dropout(self.settings.seed, self.steps_done)
        chosen, x, c = self.take(examples, self.settings.batch_size)
        if self.groups is not None:
            c = self.groups.beside(c, chosen)
        noise, t, kept = self.drawn(compute.device_of(self.network))
        c = torch.where(kept.view(-1, *[1] * (c.ndim - 1)), c, torch.zeros_like(c)) if kept is not None else c
        share = t.view(-1, *[1] * (x.ndim - 1))
        x_t = (1 - share) * noise.view_as(x) + share * x
        found = self.flow.denoise(x_t, t, c, distributed.replica(self.flow.network)).float()
        errors = F.mse_loss(found, x, reduction="none").flatten(1).mean(1)
        loss = (errors / (1 - t).clamp(min=NEAREST).square()).mean()
        self.descend(loss)
        return {"loss": loss.detach(), "error": errors.mean().detach()}

    def drawn(self, device: torch.device) -> tuple[Tensor, Tensor, Tensor | None]:
        """Noise (n, D), times (n,) and which conditions are kept (n,), of this process's share of a step."""
        settings, step = self.settings, self.steps_done
        num, seed = settings.batch_size, settings.seed
        noise = randomness.normal(num, self.flow.num_latents, seed, NOISE, step)
        if settings.times == "uniform":
            t = randomness.uniform(num, seed, TIMES, step)
        else:
            t = (randomness.normal(num, 1, seed, TIMES, step)[:, 0] + settings.shift).sigmoid()
        t[: round(settings.share_at_zero * num)] = 0
        noise, t = (distributed.shard(rows).to(device) for rows in (noise, t))
        if not settings.drop_condition:
            return noise, t, None
        kept = randomness.uniform(num, seed, DROPPED, step) >= settings.drop_condition
        return noise, t, distributed.shard(kept).to(device)


def start(settings: Settings, task: Task) -> FlowMatching:
    """The denoiser with the weights that (seed, "weights") gives, and its optimizer."""
    named = ("clusters", "solver", "solver_steps", "prediction", "guidance", "spacing", "dropout")
    spec = settings.spec("flow", task, **{name: getattr(settings, name) for name in named})
    groups, blank = clusters.of_task(task, settings.clusters, settings.seed), task.blank(1)
    num = settings.num_members
    z = torch.zeros(num, math.prod(task.x_shape) + bool(groups))
    training = FlowMatching.begin(settings, spec, z, blank, num=num)
    if groups is not None:
        training.groups = groups
        for network in (training.network, training.ema):
            assert isinstance(network, Mixture)
            network.set_shares(groups.shares)
    return training


sampler = itself
