"""What a line can say of an image from its condition: ridge regression in closed form. It knows no model, and
so can be what samples of all of them are held against; and the directions in which images differ most.
"""

import math
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.data.images import to_float
from pipeline.tasks.stored import Stored
from pipeline.tasks.task import Task

SIDE = 16  # pixels: conditions that are images are made as small
RIDGES = tuple(10.0**k for k in range(-4, 6))  # those tried
NUM_COMPONENTS = 3
MOST_NUMBERS = 2**26  # of images that lie in memory at once
WIDEST = 4096  # numbers of an image, up to which there is a matrix of them all by all


def answers(task: Task, chosen: Tensor) -> Tensor:
    """The expected images for the chosen test conditions (N,), (N, C H W) float32 in [0, 1]; it learns from
    the training split.
    """
    train, (mean_in, mean) = task.splits["train"], means(task)
    between, across, total = torch.zeros(()), torch.zeros(()), torch.zeros(())
    for inputs, x in parts(task):
        a, residual = inputs - mean_in, x - mean
        between, across = between + a.T @ a, across + a.T @ residual
        total = total + residual.square().sum()
    squares, directions = torch.linalg.eigh(between)
    squares = squares.clamp(min=0)
    products = directions.T @ across
    ridge = least_ridge(squares, products.square().sum(1), total, len(train))
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


def means(task: Task) -> tuple[Tensor, Tensor]:
    """Of conditions and images of the training split, (A,) and (C H W,) float64."""
    sums = [(inputs.sum(0), x.sum(0)) for inputs, x in parts(task)]
    of_inputs, of_x = zip(*sums, strict=True)
    num = len(task.splits["train"])
    return torch.stack(of_inputs).sum(0) / num, torch.stack(of_x).sum(0) / num


def parts(task: Task) -> Iterator[tuple[Tensor, Tensor]]:
    """Conditions (n, A) and images (n, C H W), float64, of the training split, as many at a time as fit."""
    train = task.splits["train"]
    for chosen in torch.arange(len(train)).split(max(1, MOST_NUMBERS // 4 // math.prod(task.x_shape))):
        yield numbers(train, task, chosen), flat(train, chosen).double()


def components(task: Task) -> Tensor:
    """The first principal components of the training images, (NUM_COMPONENTS, C H W) float32, of length 1; of
    each the largest number is positive. If they have more than MOST_NUMBERS, they are those of some, evenly
    spread.
    """
    from scipy.sparse.linalg import eigsh  # a quarter of a second, of every evaluation

    train, width = task.splits["train"], math.prod(task.x_shape)
    num = min(len(train), MOST_NUMBERS // width)
    x = flat(train, torch.arange(num) * len(train) // num)
    x -= x.mean(0)
    products = x @ x.T if width > WIDEST else x.T @ x  # of images, or pixels: the eigenvalues are the same
    found = eigsh(products.double().numpy(), NUM_COMPONENTS, v0=np.ones(len(products)))[1]
    directions = torch.from_numpy(found[:, ::-1].T.copy())
    if width > WIDEST:
        directions = F.normalize(directions.float() @ x).double()
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    return (directions * largest.sign()).float()


def flat(examples: Stored, chosen: Tensor) -> Tensor:
    """Targets, (n, C H W) float32 in [0, 1]."""
    return examples.images(chosen)[0].flatten(1).float() / 255


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
