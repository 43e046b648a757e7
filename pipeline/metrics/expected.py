"""What a line can say of an image from its condition: ridge regression in closed form. It knows no model, and
so can be what samples of all of them are held against; and the directions in which images differ most.
"""

import numpy as np
import torch
import torch.nn.functional as F
from scipy.sparse.linalg import eigsh
from torch import Tensor

from pipeline.data.images import to_float
from pipeline.tasks.stored import Stored
from pipeline.tasks.task import Task

SIDE = 16  # pixels: conditions that are images are made as small
RIDGES = tuple(10.0**k for k in range(-4, 6))  # those tried
NUM_COMPONENTS = 3


def answers(task: Task, chosen: Tensor) -> Tensor:
    """The expected images for the chosen test conditions (N,), (N, C H W) float32 in [0, 1]; it learns from
    the training split.
    """
    train = task.splits["train"]
    inputs, x = numbers(train, task, torch.arange(len(train))), flat(train).double()
    mean_in, mean = inputs.mean(0), x.mean(0)
    a = inputs - mean_in
    squares, directions = torch.linalg.eigh(a.T @ a)
    squares = squares.clamp(min=0)
    products = directions.T @ (a.T @ (x - mean))
    ridge = least_ridge(squares, products.square().sum(1), (x - mean).square().sum(), len(x))
    weights = directions @ (products / (squares + ridge)[:, None])
    return (mean + (numbers(task.test, task, chosen) - mean_in) @ weights).clamp(0, 1).float()


def least_ridge(squares: Tensor, products: Tensor, total: Tensor, num: int) -> float:
    """The one of RIDGES, times the mean of the `squares` of singular values, that is best by generalised
    cross-validation (Golub et al. 1979, doi:10.1080/00401706.1979.10489751), of those that use up at most 9
    of 10 examples; `products` (A,) are sums of squares of products with what is to be found, `total`
    that of itself.
    """
    ridges = squares.mean() * torch.tensor(RIDGES, dtype=torch.float64)
    kept = squares / (squares + ridges[:, None])  # (R, A)
    explained = (kept * (2 - kept) * products / squares.clamp(min=1e-9 * float(squares.max()))).sum(1)
    left = num - 1 - kept.sum(1)
    risks = ((total - explained) / left.square()).where(left > num / 10, torch.inf)
    return ridges[risks.argmin()].item()


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
