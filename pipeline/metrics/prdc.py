"""Fidelity and diversity apart, by nearest neighbours in feature space.

Precision and recall: Kynkaanniemi et al. 2019, arXiv:1904.06991. Density and coverage: Naeem et al. 2020,
arXiv:2002.09797.
"""

import torch
from torch import Tensor

CHUNK = 1000  # rows of the distance matrix held at once


def prdc(
    drawn: Tensor, real: Tensor, num_neighbours: int, real_radii: Tensor | None = None
) -> dict[str, float]:
    """Precision, recall, density and coverage of drawn features (N, D) against real ones (M, D).

    A ball stands around each point of a set, up to its k-th neighbour in the same set; `real_radii` are those
    of the real points where they are known already.

    Returns:
        precision: share of drawn points inside a real ball. recall: share of real points inside a drawn ball.
        density: real balls around a drawn point, over k; may exceed 1. coverage: share of real balls with a
            drawn point inside.
    """
    if real_radii is None:
        real_radii = radii(real, num_neighbours)
    drawn_radii, drawn, real = radii(drawn, num_neighbours), drawn.double(), real.double()
    inside_drawn, real_hit = [], torch.zeros(len(real), dtype=torch.bool)
    num_balls = torch.zeros(len(drawn), dtype=torch.int32)
    for rows, chosen in zip(real.split(CHUNK), torch.arange(len(real)).split(CHUNK), strict=True):
        distance = torch.cdist(rows, drawn)  # (CHUNK, N)
        inside_real = distance < real_radii[chosen, None]
        num_balls += inside_real.sum(0, dtype=torch.int32)  # half the time of int64
        real_hit[chosen] = inside_real.any(1)
        inside_drawn.append((distance < drawn_radii).any(1))
    return {
        "precision": share(num_balls > 0),
        "recall": share(torch.cat(inside_drawn)),
        "density": num_balls.double().mean().item() / num_neighbours,
        "coverage": share(real_hit),
    }


def radii(features: Tensor, num_neighbours: int) -> Tensor:
    """The distance of each point to its k-th neighbour, itself not counted, (N,) float64."""
    features = features.double()
    nearest = [
        torch.cdist(rows, features).topk(num_neighbours + 1, largest=False).values[:, -1]
        for rows in features.split(CHUNK)
    ]
    return torch.cat(nearest)


def share(flags: Tensor) -> float:
    return flags.double().mean().item()
