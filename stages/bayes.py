"""Stage `bayes`: the exact posterior of a flipper's length, and what regression and a cGAN make of it."""

import time
from pathlib import Path

import numpy as np
import torch

from pipeline import tracking
from pipeline.data import penguins
from pipeline.runtime import params
from pipeline.runtime.files import new_file, write_json
from pipeline.theory import answers
from stages import InputFile, run, took


def main(table: InputFile, out: Path, curves: Path) -> None:
    """Answer "how long is it?" in four ways for the penguins in TABLE (.csv); write the numbers to OUT
    (.json) and what figures show to CURVES (.npz).
    """
    settings = params.read("bayes", answers.Params)
    lengths = penguins.flipper_lengths(table)
    torch.set_num_threads(1)  # the networks are too small to share
    tracking.send(tracking.connect)
    start = time.perf_counter()
    networks = answers.train(lengths, settings)
    write_json(out, answers.measure(lengths, networks, settings))
    arrays = answers.curves(networks, settings)
    with new_file(curves) as part:
        np.savez_compressed(part, **arrays)  # type: ignore[arg-type]
    took("bayes", time.perf_counter() - start)


if __name__ == "__main__":
    run(main)
