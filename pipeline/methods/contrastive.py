"""SimCLR (Chen et al. 2020, arXiv:2002.05709): two views of an image should lie together, those of different
images apart. Views differ in place, size, side and sometimes in colour; never in sharpness, which the
features are to show.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.methods.classification import FeatureSettings, begin
from pipeline.methods.method import Scalars
from pipeline.methods.one_network import OneNetwork
from pipeline.runtime import randomness
from pipeline.runtime.params import Count, NotNegative, Positive
from pipeline.tasks.examples import Examples
from pipeline.tasks.task import Task

SMALLEST = 0.6  # of an image's side, that a view shows
GREY_SHARE = 0.03  # of views without colour
VIEWS = "views"  # purpose of random numbers


class Settings(FeatureSettings):
    learning_rate: Positive = 0.002
    weight_decay: NotNegative = 0.01  # AdamW's
    temperature: Positive = 0.1  # of the loss
    batch_size: Count = 128
    num_steps: Count = 600
    save_every: Count = 200


SETTINGS = {"none": Settings}


@dataclass
class Contrastive(OneNetwork):
    settings: Settings

    def step(self, examples: Examples) -> Scalars:
        """One step down the contrastive loss."""
        _, x, _ = self.take(examples, self.settings.batch_size)
        source = randomness.generator(self.settings.seed, VIEWS, self.steps_done)
        points = self.network(torch.cat([view(x, source), view(x, source)]))
        loss, accuracy = contrast(points, self.settings.temperature)
        self.descend(loss)
        return {"loss": loss.detach(), "accuracy": accuracy}


def start(settings: Settings, task: Task) -> Contrastive:
    return begin(Contrastive, "contrastive", "simclr", settings, task)


def contrast(points: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """NT-Xent (arXiv:2002.05709, equation 1), the cross-entropy of finding a view's partner among all others,
    and how often it is the nearest; points (2 N, D) on the unit sphere are one view of each image, then
    another.
    """
    num = len(points) // 2
    similar = points @ points.T / temperature
    similar = similar.masked_fill(torch.eye(2 * num, dtype=torch.bool, device=points.device), -torch.inf)
    partner = torch.arange(2 * num, device=points.device).roll(num)
    accuracy = (similar.detach().argmax(1) == partner).float().mean()
    return F.cross_entropy(similar, partner), accuracy


def view(x: Tensor, source: torch.Generator) -> Tensor:
    """The images (N, C, H, W) seen otherwise: a part of each, perhaps flipped, perhaps grey."""
    num = len(x)
    u = torch.rand(5, num, generator=source).to(x.device)
    scale = SMALLEST + (1 - SMALLEST) * u[0]
    side = torch.where(u[1] < 0.5, scale, -scale)
    right, down = (2 * u[2:4] - 1) * (1 - scale)
    zero = torch.zeros_like(scale)
    affine = torch.stack([torch.stack([side, zero, right], 1), torch.stack([zero, scale, down], 1)], 1)
    grid = F.affine_grid(affine, list(x.shape), align_corners=False)
    seen = F.grid_sample(x, grid, padding_mode="border", align_corners=False)
    grey = (u[4] < GREY_SHARE).view(-1, 1, 1, 1)
    return torch.where(grey, seen.mean(1, keepdim=True), seen)
