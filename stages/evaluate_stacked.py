"""Stage `evaluate_stacked@<name>-<seed>`: how many of the thousand modes of stacked digits a GAN hits."""

import time
from pathlib import Path

import numpy as np
import torch

from pipeline import tracking
from pipeline.data.images import grid
from pipeline.metrics import modes
from pipeline.metrics.features import Reader
from pipeline.runtime import compute, params, size
from pipeline.runtime.files import new_file, sha256, write_json
from pipeline.runtime.params import Count, Seed
from pipeline.sampling import draw as sampling
from pipeline.sampling import weights
from pipeline.tasks import stacked
from stages import InputFile, run, took

NUM_SHOWN = 80


def main(model: Path, judge: InputFile, out: Path, samples: Path) -> None:
    """Draw from the generator in folder MODEL, let JUDGE read the three digits of each picture, write the
    counts to OUT (.json) and some of the pictures to SAMPLES (.npz).
    """
    compute.configure(params.read("compute", compute.Params))
    num_samples = params.read("stacked_digits.num_samples", Count)
    seed = params.read("evaluate.seed", Seed)
    file = model / "weights.safetensors"
    generator, spec = weights.load(file, sampling.GeneratorSpec)
    tracking.send(tracking.connect)
    start = time.perf_counter()
    pixels = sampling.draw(generator, torch.empty(num_samples, 0), 1, seed).squeeze(1)
    digits = modes.readings(pixels, Reader(judge, "judge").read)
    values = {"modes": modes.count(digits), "kl": modes.divergence_from_uniform(digits)}
    seconds = time.perf_counter() - start

    metrics = {name: {"value": value, "num_samples": num_samples} for name, value in values.items()}
    context = {"model": model.name, "network": spec.network, "seed": seed, "weights": sha256(file)}
    context["num_parameters"] = size.num_parameters(generator)
    write_json(out, context | {"num_modes": stacked.NUM_MODES, "metrics": metrics})
    with new_file(samples) as part:
        np.savez_compressed(part, sheet=pixels[:NUM_SHOWN].numpy())
    sheet = grid(pixels[:NUM_SHOWN], 10).permute(1, 2, 0).numpy()
    tracking.add_evaluation(
        model.name, sha256(file), {f"test_{k}": float(v) for k, v in values.items()}, {"sheet": sheet}
    )
    took(f"evaluate_stacked@{model.name.removeprefix('stacked-')}", seconds)


if __name__ == "__main__":
    run(main)
