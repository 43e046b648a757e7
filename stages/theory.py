"""Stage `theory`: two facts about the losses, held against the code that trains."""

import time
from pathlib import Path

import numpy as np
import torch

from pipeline import tracking
from pipeline.runtime import params
from pipeline.runtime.files import new_file, write_json
from pipeline.theory import game
from stages import run, took


def main(out: Path, curves: Path) -> None:
    """Compare the gradients of G's losses with their closed forms, and the value of the game with the
    divergence that it should be; write the numbers to OUT (.json) and what figures show to CURVES (.npz).
    """
    settings = params.read("theory", game.Params)
    torch.set_num_threads(1)  # the network is too small to share
    tracking.send(tracking.connect)
    start = time.perf_counter()
    gradients, slopes = game.gradients(settings)
    values, lines = game.value(settings)
    write_json(out, {"gradients": gradients} | values)
    arrays = slopes | lines
    with new_file(curves) as part:
        np.savez_compressed(part, **arrays)  # type: ignore[arg-type]
    took("theory", time.perf_counter() - start)


if __name__ == "__main__":
    run(main)
