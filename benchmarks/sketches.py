"""The task of sketches as benchmarks take it: enlarged, and as tutorials read pairs."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pipeline.tasks import task as tasks
from pipeline.tasks.stored import Stored
from pipeline.tasks.task import Task


def task(folder: Path, size: int) -> Task:
    """The task of sketches; how long a step takes does not hang on what they show, so that other sizes are
    these, enlarged.
    """
    task = tasks.load(folder)
    train = task.splits["train"]
    arrays = {
        name: enlarged(array, size) if array.ndim == 4 else array for name, array in train.arrays.items()
    }
    train = replace(train, arrays=arrays, files={})
    x_shape, condition_shape = ((shape[0], size, size) for shape in (task.x_shape, task.condition_shape))
    return replace(
        task, x_shape=x_shape, condition_shape=condition_shape, train=train, splits={"train": train}
    )


def enlarged(images: Tensor, size: int) -> Tensor:
    return images if images.shape[2] == size else F.interpolate(images, (size, size))


class SideBySide(Dataset[tuple[Tensor, Tensor]]):
    """Condition and image as pix2pix's sets hold them: one image, which is cut in two and transformed."""

    def __init__(self, pairs: Stored) -> None:
        from torchvision import transforms

        x, c = pairs.images(torch.arange(len(pairs)))
        both = torch.cat([c.expand_as(x), x], 3)
        self.images = np.ascontiguousarray(both.permute(0, 2, 3, 1).numpy())
        self.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.5, 0.5)])

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image = Image.fromarray(self.images[index])
        size = image.height
        left, right = image.crop((0, 0, size, size)).convert("L"), image.crop((size, 0, 2 * size, size))
        return self.transform(left), self.transform(right)


def batches(folder: Path, size: int, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches (c, x) without end, as tutorials' loops read them."""
    data_set = SideBySide(task(folder, size).splits["train"])
    while True:
        yield from DataLoader(data_set, batch_size, shuffle=True, drop_last=True)
