"""The trainings of points in the plane as they were recorded, for a page that opens from disk."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.methods.adversarial_settings import PointSettings as Gan
from pipeline.metrics import points as metrics
from pipeline.play import packed
from pipeline.play.recording import NUM_HASH
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import sha256
from pipeline.sampling import weights
from pipeline.tasks.points import TARGETS, Target
from pipeline.training.trainer import SNAPSHOTS

NUM_SHOWN = 300  # of a cloud's 1000 points
SIDE = 32  # places along a discriminator's surface
PENALTIES = {"r1": "R1", "r2": "R2", "gradient_penalty": "gradient penalty"}
LABELS = {"adversarial": "GAN", "engression": "engression", "flow": "flow matching"}


def recorded(models: Path, entries: Mapping[str, tuple[str, Any]]) -> dict[str, Any]:
    """The section on points: the snapshots of each entry of `toys:`, a method and its settings each."""
    toys = [of_toy(models / f"toy-{name}", name, *entry) for name, entry in entries.items()]
    targets = {toy["target"] for toy in toys}
    windows = {name: window(target) for name, target in TARGETS.items() if name in targets}
    return {"targets": windows, "toys": toys} if toys else {}


def window(target: Target) -> dict[str, Any]:
    return {"centres": target.centres.tolist(), "extent": target.extent, "sigma": target.sigma}


def of_toy(folder: Path, name: str, method: str, settings: Any) -> dict[str, Any]:
    """All frames of all members. Points are two uint16 each, over the window; the logits a byte each, from
    the least of a frame to the greatest.
    """
    try:
        snapshots = dict(np.load(folder / SNAPSHOTS))
        identity = sha256(folder / weights.FILE)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder}: not a training of points; train it with: dvc repro train_toy@{name}"
        ) from error
    target, clouds = TARGETS[settings.target], snapshots["clouds"]
    surfaces = snapshots.get("landscapes", np.full(clouds.shape[:2], None))
    members = [
        [frame(*seen, target) for seen in zip(clouds[:, k], surfaces[:, k], strict=True)]
        for k in range(clouds.shape[1])
    ]
    about = {"name": name, "method": method, "title": title(method, settings), "target": settings.target}
    about |= {"model": folder.name, "weights": identity[:NUM_HASH], "seed": settings.seed}
    return about | {"steps": snapshots["steps"].tolist(), "members": members}


def frame(cloud: np.ndarray, surface: np.ndarray | None, target: Target) -> dict[str, Any]:
    """One member at one step: what it drew, (N, 2), and its discriminator's logits, (side, side)."""
    figures = metrics.measure(torch.from_numpy(cloud)[None], target)[0]
    found: dict[str, Any] = {"modes": int(figures["modes"]), "good_share": round(figures["good_share"], 4)}
    found["points"] = packed.shares(cloud[:NUM_SHOWN], -target.extent, target.extent, "<u2")
    if surface is not None:
        side = len(surface) // SIDE
        coarse = surface.astype(np.float32).reshape(SIDE, side, SIDE, side).mean((1, 3))
        found["surface"] = packed.shares(coarse, coarse.min(), coarse.max(), "u1")
    return found


def title(method: str, settings: Any) -> str:
    """How it was trained, in words."""
    if not isinstance(settings, Gan):
        return LABELS.get(method, method)
    held = [
        f"{label} {getattr(settings, key):g}" for key, label in PENALTIES.items() if getattr(settings, key)
    ]
    return ", ".join([f"GAN, {settings.loss.replace('_', ' ')} loss", *held])
