"""Stage `theory`: what is known exactly, beside what the code does: two facts about the losses; and the
posterior of a flipper's length, beside what regression and a cGAN make of it.
"""

from pathlib import Path

import numpy as np
import torch

from pipeline.data import penguins as table
from pipeline.runtime import params
from pipeline.runtime.files import new_folder, rounded, write_json
from pipeline.theory import game, penguins
from stages import InputFile, run, timed


def main(lengths: InputFile, scores: Path, details: Path, curves: Path) -> None:
    """Compare the gradients of G's losses with their closed forms, and the value of the game with the
    divergence that it should be; answer "how long is it?" in four ways for the penguins in LENGTHS (.csv).

    Writes what things are off by to SCORES (.json), all numbers to DETAILS (.json) and what figures show to
    the folder CURVES.
    """
    losses, bayes = params.read("theory", game.Settings), params.read("bayes", penguins.Settings)
    measured = table.flipper_lengths(lengths)
    torch.set_num_threads(1)  # the networks are too small to share
    with timed("theory"):
        gradients, derivatives = game.gradients(losses)
        values, lines = game.value(losses)
        networks = penguins.train(measured, bayes)
        found = {
            "losses": rounded({"gradients": gradients} | values),
            "bayes": rounded(penguins.measure(measured, networks, bayes)),
        }
        arrays = {"losses": derivatives | lines, "bayes": penguins.curves(networks, bayes)}
        with new_folder(curves) as folder:
            for name, shown in arrays.items():
                np.savez_compressed(folder / f"{name}.npz", **shown)  # type: ignore[arg-type]
        write_json(details, found)
        write_json(scores, game.flat(found["losses"]) | penguins.flat(found["bayes"]))


if __name__ == "__main__":
    run(main)
