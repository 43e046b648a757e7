"""What a line can say of an image from its condition: ridge regression in closed form. It knows no model, and
so can be what samples of all of them are held against; and the directions in which images differ most.
"""

import numpy as np
import torch
import torch.nn.functional as F
from scipy.sparse.linalg import eigsh
from torch import Tensor

from pipeline.data.images import to_float
from pipeline.tasks.task import Stored, Task

SIDE = 16  # pixels: conditions that are images are made as small
RIDGE = 0.01  # beside inputs' mean square
NUM_COMPONENTS = 3


def answers(task: Task, chosen: Tensor) -> Tensor:
    """The expected images for the chosen test conditions (N,), (N, C H W) float32 in [0, 1]; it learns from
    the training split.
    """
    train = task.splits["train"]
    inputs, x = numbers(train, task, torch.arange(len(train))), flat(train).double()
    mean_in, mean = inputs.mean(0), x.mean(0)
    a = inputs - mean_in
    gram = a.T @ a
    gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=torch.float64)
    weights = torch.linalg.solve(gram, a.T @ (x - mean))
    return (mean + (numbers(task.test, task, chosen) - mean_in) @ weights).clamp(0, 1).float()


def components(task: Task) -> Tensor:
    """The first principal components of the training images, (NUM_COMPONENTS, C H W) float32, of length 1; of
    each the largest number is positive.
    """
    x = flat(task.splits["train"])
    x = x - x.mean(0)
    found = eigsh((x.T @ x).double().numpy(), NUM_COMPONENTS, v0=np.ones(x.shape[1]))[1]
    directions = torch.from_numpy(found[:, ::-1].T.copy())
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    return (directions * largest.sign()).float()


def flat(examples: Stored) -> Tensor:
    """All targets, (N, C H W) float32 in [0, 1]."""
    return examples.images(torch.arange(len(examples)))[0].flatten(1).float() / 255


def numbers(examples: Stored, task: Task, chosen: Tensor) -> Tensor:
    """Conditions as rows, (N, A) float64: images made small, words as which there are."""
    c = examples.images(chosen)[1]
    if task.kind == "words":
        return F.one_hot(c.long(), task.num_conditions).amax(1)[:, 1:].double()  # 0 is no word
    if task.kind == "image":
        c = (
            F.adaptive_avg_pool2d(to_float(c), SIDE).flatten(1)
            if max(c.shape[2:]) > SIDE
            else to_float(c).flatten(1)
        )
    return c.double()
