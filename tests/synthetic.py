"""Numbers and images that stand for features and pictures where any will do."""

import torch
from torch import Tensor


def normal(num: int, width: int, seed: int) -> Tensor:
    return torch.randn(num, width, generator=torch.Generator().manual_seed(seed))


def random_pixels(num: int, size: int, seed: int) -> Tensor:
    """Grey images, (num, 1, size, size) uint8."""
    source = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (num, 1, size, size), generator=source).byte()


def like_the_judges(num: int, seed: int) -> Tensor:
    """Features like a judge's, (num, 128): none negative, correlated, a quarter that never fire."""
    mixing = normal(12, 128, 100)
    features = torch.relu(normal(num, 12, seed) @ mixing + 0.3 * normal(num, 128, seed + 1000))
    return features * (torch.arange(128) % 4 > 0)
