"""Does a picture answer to its condition? What the picture says of the condition, beside the condition."""

from collections.abc import Callable

import torch
from torch import Tensor

from pipeline.tasks.drawings import grey, reduced

INK = 128  # darker pixels of a sketch are lines


def of_grey(given: Tensor, drawn: Tensor) -> Tensor:
    """How far the picture's grey is from the grey given."""
    return (grey(drawn).float() - given).abs().mean()


def of_reduced(given: Tensor, drawn: Tensor) -> Tensor:
    """How far the reduced picture is from the one given."""
    return (reduced(drawn).float() - given).abs().mean()


def of_kept(given: Tensor, drawn: Tensor) -> Tensor:
    """How far the picture is from the one given, where there was no hole."""
    kept = (given[:, 3:] == 0).expand(-1, 3, -1, -1)
    return (drawn.float() - given[:, :3])[kept].abs().mean()


def of_lines(given: Tensor, drawn: Tensor) -> Tensor:
    """How far the picture's grey is from the sketch on its lines."""
    ink = grey(given.expand(-1, 3, -1, -1)) < INK
    difference = (grey(drawn).float() - grey(given.expand(-1, 3, -1, -1)))[ink].abs()
    return difference.mean() if len(difference) else torch.zeros(())


AGREEMENTS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "colourise": of_grey,
    "superres": of_reduced,
    "inpaint": of_kept,
    "sketch": of_lines,
}


def disagreement(task: str, given: Tensor, drawn: Tensor) -> dict[str, float]:
    """The mean absolute difference, in [0, 1], between conditions (N, K, H, W) and what pictures (N, 3, H, W)
    say of them, all uint8; nothing for tasks whose condition cannot be read off a picture.
    """
    if task not in AGREEMENTS:
        return {}
    return {"condition_error": AGREEMENTS[task](given, drawn).item() / 255}


def recognition(drawn: Tensor, truth: Tensor, bases: Tensor) -> float:
    """How often a drawn picture lies nearer to its own truth than to that of another drawing, in features
    (N, D); 0.5 is chance. `bases` (N,) say which truths are of one drawing, and not compared.
    """
    distances = torch.cdist(drawn.double(), truth.double())
    others = bases[:, None] != bases
    farther = (distances > distances.diagonal()[:, None]) & others
    return (farther.sum() / others.sum()).item()
