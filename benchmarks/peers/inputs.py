"""Our data in the files that others read: MNIST's, and pictures side by side."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from pipeline.data import idx
from pipeline.runtime.files import new_folder
from pipeline.tasks import task as tasks

DIGITS, DRAWINGS = "digits", "drawings"  # folders
PARTS = {"train": "train", "test": "t10k"}  # of MNIST, by split


def digits(task: Path, out: Path) -> None:
    """Training and test digits of a task in the four files of MNIST."""
    asked = tasks.load(task)
    with new_folder(out) as folder:
        for split, part in PARTS.items():
            arrays = asked.splits[split].arrays
            idx.write(folder / f"{part}-images-idx3-ubyte", arrays["images"][:, 0].numpy())
            idx.write(folder / f"{part}-labels-idx1-ubyte", arrays["labels"].numpy())


def drawings(task: Path, out: Path) -> None:
    """Training pairs of a task as pix2pix's sets have them: condition left, picture right."""
    examples = tasks.load(task).splits["train"]
    with new_folder(out) as folder:
        (folder / "train").mkdir()
        for number in range(len(examples)):
            x, c = examples.images(torch.tensor([number]))
            both = torch.cat([c.expand_as(x), x], 3)[0].permute(1, 2, 0)
            Image.fromarray(np.ascontiguousarray(both)).save(folder / "train" / f"{number:06}.png")


def made(tasks_folder: Path, out: Path) -> Path:
    """The folder OUT with all of these, which may be there already."""
    for make, task, name in ((digits, "digits", DIGITS), (drawings, "sketch", DRAWINGS)):
        if not (out / name).exists():
            out.mkdir(parents=True, exist_ok=True)
            make(tasks_folder / task, out / name)
    return out


def as_mnist(folder: Path, root: Path, name: str = "MNIST") -> None:
    """Have torchvision's data set of this name find the digits of a folder under its root."""
    raw = root / name / "raw"
    raw.parent.mkdir(parents=True, exist_ok=True)
    if not raw.exists():
        raw.symlink_to(folder.resolve(), target_is_directory=True)
