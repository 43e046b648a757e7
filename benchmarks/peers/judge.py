"""What samples score in a task's test split, and what real images score in their place."""

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.data.images import to_uint8
from pipeline.metrics import features, frechet, posterior
from pipeline.runtime import compute
from pipeline.tasks import task as tasks


class Judge:
    """Of a task, whose conditions it hands out."""

    def __init__(self, folder: Path) -> None:
        self.task = tasks.load(folder)
        self.conditional = self.task.condition_shape != (0,)
        self.pixels = self.task.test.images(torch.arange(len(self.task.test)))[0]
        self.extractor = features.of_task(self.task, "own", compute.CPU)
        self.real = self.extractor.features(self.pixels)

    @torch.no_grad()
    def samples(self, draw: Callable[[Tensor], Tensor], num: int, batch: int) -> Tensor:
        """So many without a condition, or one for each of so many test conditions, 0: of all; (N, C, H, W)
        uint8 of the task's size.
        """
        chosen = torch.arange(len(self.task.test))[: num or None]
        c = self.task.test.conditions(chosen) if self.conditional else self.task.blank(num)
        return torch.cat([self.resized(draw(part).float().clamp(-1, 1)) for part in c.split(batch)])

    def resized(self, x: Tensor) -> Tensor:
        """Images in [-1, 1] of any size as the task's, uint8."""
        return to_uint8(reduced(x, self.pixels.shape[-1]))

    def scores(self, samples: Tensor) -> dict[str, float]:
        """FID and, where each has an image that it should be, the mean squared error of pixels in [0, 1]."""
        found = {"fid": frechet.fid(self.extractor.features(samples), self.real)}
        if self.conditional:
            found["mse"] = posterior.errors(samples[:, None], self.pixels[: len(samples)])["sample_mse"]
        return found

    def floor(self, num: int, pixels: int) -> float:
        """The FID of so many real images of another split, 0: as many as test images, sent through a size."""
        num = num or len(self.pixels)
        examples = self.task.validation if num <= len(self.task.validation) else self.task.splits["train"]
        x = examples.batch(torch.linspace(0, len(examples) - 1, num).long())[0]
        samples = self.resized(enlarged(x, pixels or x.shape[-1]))
        return frechet.fid(self.extractor.features(samples), self.real)


def enlarged(x: Tensor, size: int) -> Tensor:
    """Images (N, C, H, H) with so many pixels a side, as torchvision's Resize enlarges them."""
    return x if x.shape[-1] == size else F.interpolate(x, (size, size), mode="bilinear")


def reduced(x: Tensor, size: int) -> Tensor:
    """The images (N, C, size, size) whose enlargement comes nearest to these, by least squares: what has been
    enlarged comes back as it was. Bilinear interpolation both ways blurs, which costs real digits 60 of FID.
    """
    if x.shape[-1] == size:
        return x
    one_side = F.interpolate(torch.eye(size)[None, None], (x.shape[-1], size), mode="bilinear")[0, 0]
    inverse = torch.linalg.pinv(one_side)
    return inverse @ x @ inverse.T
