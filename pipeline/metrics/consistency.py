"""Is an image consistent with its condition? What the image says of the condition, beside the condition."""

from collections.abc import Callable

import torch
from torch import Tensor

from pipeline.data.images import as_rgb, downsampled, grey
from pipeline.tasks.superres import FACTOR

INK = 128  # darker pixels of a sketch are lines


def of_grey(c: Tensor, drawn: Tensor) -> Tensor:
    """How far the image's grey is from the condition."""
    return grey(drawn).float() - c


def of_reduced(c: Tensor, drawn: Tensor) -> Tensor:
    """How far the reduced image is from the condition."""
    return downsampled(drawn, FACTOR).float() - c


def of_kept(c: Tensor, drawn: Tensor) -> Tensor:
    """How far the image is from the condition, where there was no hole."""
    return (drawn.float() - c[:, :3])[(c[:, 3:] == 0).expand(-1, 3, -1, -1)]


def of_lines(c: Tensor, drawn: Tensor) -> Tensor:
    """How far the image's grey is from the sketch on its lines."""
    sketch = grey(as_rgb(c))
    return (grey(drawn).float() - sketch)[sketch < INK]


CONSISTENCY: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "colourise": of_grey,
    "superres": of_reduced,
    "inpaint": of_kept,
    "sketch": of_lines,
}


def condition_error(condition: str, c: Tensor, drawn: Tensor) -> dict[str, float]:
    """The mean absolute difference, in [0, 1], between conditions (N, K, H, W) and what images (N, 3, H, W)
    say of them, all uint8; nothing for tasks whose condition cannot be told from an image.
    """
    if condition not in CONSISTENCY:
        return {}
    differences = CONSISTENCY[condition](c, drawn).abs()
    return {"condition_error": differences.mean().item() / 255 if differences.numel() else 0.0}


def matching_accuracy(drawn: Tensor, truth: Tensor, bases: Tensor) -> float:
    """How often a drawn image lies nearer to its own truth than to that of another drawing, in features
    (N, D); 0.5 is chance. `bases` (N,) say which truths are of one drawing, and not compared.
    """
    distances = torch.cdist(drawn.double(), truth.double())
    others = bases[:, None] != bases
    farther = (distances > distances.diagonal()[:, None]) & others
    return (farther.sum() / others.sum()).item()
