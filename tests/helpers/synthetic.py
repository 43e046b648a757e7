"""Numbers and images where any will do."""

import torch
from torch import Tensor


def normal(num: int, width: int, seed: int) -> Tensor:
    return torch.randn(num, width, generator=torch.Generator().manual_seed(seed))


def noise(*shape: int, seed: int) -> Tensor:
    """Images of noise, uint8."""
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(seed)).byte()


def random_pixels(num: int, size: int, seed: int) -> Tensor:
    """Grey ones, (num, 1, size, size)."""
    return noise(num, 1, size, size, seed=seed)


def like_the_classifiers(num: int, seed: int) -> Tensor:
    """Features like the classifier's, (num, 128): none negative, correlated, a quarter that never fire."""
    mixing = normal(12, 128, 100)
    features = torch.relu(normal(num, 12, seed) @ mixing + 0.3 * normal(num, 128, seed + 1000))
    return features * (torch.arange(128) % 4 > 0)
