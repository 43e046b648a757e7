"""Every random number is a function of (seed, purpose, step), never of what ran before.

So a run that was killed goes on from its step number alone, and a log line more changes nothing.
"""

import hashlib
from functools import lru_cache

import torch
from torch import Tensor

ORDER = "order"  # purpose: of the images in an epoch


def derive(seed: int, purpose: str, step: int = 0) -> int:
    """A 63-bit number that stands for (seed, purpose, step)."""
    digest = hashlib.blake2b(f"{seed}/{purpose}/{step}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator(seed: int, purpose: str, step: int = 0) -> torch.Generator:
    """A fresh source of random numbers for this purpose at this step."""
    return torch.Generator().manual_seed(derive(seed, purpose, step))


def normal(num: int, width: int, seed: int, purpose: str, step: int = 0) -> Tensor:
    """Standard normal numbers, (num, width)."""
    return torch.randn(num, width, generator=generator(seed, purpose, step))


def uniform(num: int, seed: int, purpose: str, step: int = 0) -> Tensor:
    """Numbers evenly spread over [0, 1), (num,)."""
    return torch.rand(num, generator=generator(seed, purpose, step))


@lru_cache(maxsize=2)
def permutation(num: int, seed: int, purpose: str, step: int = 0) -> Tensor:
    """The numbers 0 .. num - 1 in a random order, (num,)."""
    return torch.randperm(num, generator=generator(seed, purpose, step))


def batch_indices(num_images: int, batch_size: int, seed: int, index: int) -> Tensor:
    """Rows of the batch number `index`, (batch_size,): each image once an epoch, newly ordered each epoch; a
    batch larger than the data set is of several epochs.
    """
    if batch_size > num_images:
        epochs = -(-batch_size // num_images)
        orders = [permutation(num_images, seed, ORDER, index * epochs + epoch) for epoch in range(epochs)]
        return torch.cat(orders)[:batch_size]
    epoch, position = divmod(index, num_images // batch_size)
    order = permutation(num_images, seed, ORDER, epoch)
    return order[position * batch_size : (position + 1) * batch_size]
