"""Fidelity and diversity apart, by nearest neighbours in feature space.

Precision and recall: Kynkaanniemi et al. 2019, arXiv:1904.06991. Density and coverage: Naeem et al. 2020,
arXiv:2002.09797.
"""

import torch
from torch import Tensor

CHUNK = 1000  # rows of the distance matrix held at once


def prdc(drawn: Tensor, real: Tensor, num_neighbours: int, real_radii: Tensor) -> dict[str, float]:
    """Precision, recall, density and coverage of drawn features (N, D) against real ones (M, D).

    A ball stands around each point of a set, up to its k-th neighbour in the same set; `real_radii` are those
    of the real points, as `radii` gives them.

    Returns:
        precision: share of drawn points inside a real ball. recall: share of real points inside a drawn ball.
        density: real balls around a drawn point, over k; may exceed 1. coverage: share of real balls with a
            drawn point inside.
    """
    drawn_radii, drawn, real = radii(drawn, num_neighbours), drawn.double(), real.double()
    num_balls, inside_drawn, real_hit = torch.zeros(len(drawn), dtype=torch.int32), [], []
    for rows, row_radii in zip(real.split(CHUNK), real_radii.split(CHUNK), strict=True):
        distance = torch.cdist(rows, drawn)  # (CHUNK, N)
        inside_real = distance < row_radii[:, None]
        num_balls += inside_real.sum(0, dtype=torch.int32)  # half the time of int64
        real_hit.append(inside_real.any(1))
        inside_drawn.append((distance < drawn_radii).any(1))
    return {
        "precision": mean(num_balls > 0),
        "recall": mean(torch.cat(inside_drawn)),
        "density": mean(num_balls) / num_neighbours,
        "coverage": mean(torch.cat(real_hit)),
    }


def radii(features: Tensor, num_neighbours: int) -> Tensor:
    """The distance of each point to its k-th neighbour, itself not counted, (N,) float64."""
    features, num = features.double(), num_neighbours + 1
    parts = [torch.cdist(rows, features).topk(num, largest=False) for rows in features.split(CHUNK)]
    return torch.cat([part.values[:, -1] for part in parts])


def mean(values: Tensor) -> float:
    return values.double().mean().item()
