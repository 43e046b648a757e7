"""Stage `theory`: what is known exactly, beside what the code does: two facts about the losses; and the
posterior of a flipper's length, beside what regression, engression, a cGAN and a flow make of it.
"""

from functools import reduce
from operator import getitem
from pathlib import Path

import numpy as np
import torch

from pipeline.data import penguins as table
from pipeline.methods.schedule import Budget
from pipeline.metrics.entries import write
from pipeline.runtime import params
from pipeline.runtime.files import new_folder, rounded
from pipeline.theory import game, learned, penguins
from stages import InputFile, run, timed

SCORES = {  # in the metrics file -> where it stands among all numbers
    "value_deviation": "losses/value_at_optimal_discriminator/deviation",
    "trained_relative_error": "losses/value_at_trained_discriminator/relative_error",
    "jsd_relative_error": "losses/jsd_from_trained_discriminator/relative_error",
    "saturating_gradient_deviation": "losses/gradients/saturating/largest_deviation",
    "nonsaturating_gradient_deviation": "losses/gradients/nonsaturating/largest_deviation",
    "regression_largest_error": "bayes/regression/largest_error",
    "engression_wasserstein": "bayes/engression/wasserstein",
    "engression_mean_error": "bayes/engression/mean_error",
    "engression_sd_error": "bayes/engression/sd_error",
    "cgan_wasserstein": "bayes/cgan/wasserstein",
    "cgan_mean_error": "bayes/cgan/mean_error",
    "cgan_sd_error": "bayes/cgan/sd_error",
    "flow_wasserstein": "bayes/flow/wasserstein",
    "flow_mean_error": "bayes/flow/mean_error",
    "flow_sd_error": "bayes/flow/sd_error",
    "rmse_posterior_mean": "bayes/rmse_held_out/posterior_mean",
    "rmse_regression": "bayes/rmse_held_out/regression",
    "rmse_one_engression_draw": "bayes/rmse_held_out/one_engression_draw",
    "rmse_one_cgan_draw": "bayes/rmse_held_out/one_cgan_draw",
    "rmse_one_flow_draw": "bayes/rmse_held_out/one_flow_draw",
}


def main(lengths: InputFile, reports: Path) -> None:
    """Compare the gradients of G's losses with their closed forms, and the value of the game with the
    divergence that it should be; answer "how long is it?" in five ways for the penguins in LENGTHS (.csv).

    Writes what things are off by to REPORTS/metrics, all numbers to details, what figures show to theory.
    """
    losses, budget = params.read("theory", game.Settings), params.read("budget", Budget)
    bayes = params.read("bayes", learned.Settings).scaled(budget)
    measured = table.flipper_lengths(lengths)
    torch.set_num_threads(1)  # the networks are too small to share
    with timed("theory"):
        results = {"losses": game.measure(losses), "bayes": penguins.measure(measured, bayes)}
        found = rounded({name: numbers for name, (numbers, _) in results.items()})
        with new_folder(reports / "theory") as folder:
            for name, (_, shown) in results.items():
                np.savez_compressed(folder / f"{name}.npz", **shown)  # type: ignore[arg-type]
        metrics = {name: reduce(getitem, place.split("/"), found) for name, place in SCORES.items()}
        write(reports, "theory", metrics, found)


if __name__ == "__main__":
    run(main)
