"""Stages `evaluate_gan@`, `evaluate_regression@`, `evaluate_cgan@<name>`: score one model's images against
the test images.
"""

import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pipeline import tracking
from pipeline.data import digits
from pipeline.data.images import grid
from pipeline.metrics import classes
from pipeline.metrics import suite as measure
from pipeline.metrics.entries import read_floors, with_floors
from pipeline.metrics.features import Reader
from pipeline.metrics.reference import load as load_reference
from pipeline.networks import TRUNCATING, num_inputs
from pipeline.networks.truncation import Truncated
from pipeline.runtime import compute, params, size
from pipeline.runtime.files import new_file, sha256, write_json
from pipeline.sampling import draw as sampling
from pipeline.sampling import weights
from pipeline.tasks import conditions
from pipeline.tasks.conditions import Condition
from stages import InputFile, run, took

NUM_ROWS = 8  # of ten images: the sheet the report shows
NUM_PATHS, PATH_STEPS = 5, 10  # interpolations between latents


def main(
    model: Path,
    prepared: InputFile,
    judge: InputFile,
    real: InputFile,
    reference: InputFile,
    out: Path,
    samples: Path,
) -> None:
    """Score the generator in folder MODEL on the test images in PREPARED.

    The features are JUDGE's, the noise floors those in REAL (.json), what is known of the test images is in
    REFERENCE (.npz). Writes the metrics to OUT (.json) and the drawn images to SAMPLES (.npz).
    """
    settings = params.read("evaluate", measure.Params)
    compute.configure(params.read("compute", compute.Params))
    generator, spec, truncation = load(model / "weights.safetensors", settings.truncation)
    data, floors = digits.load(prepared), read_floors(real)
    tracking.send(tracking.connect)
    start = time.perf_counter()
    reader = Reader(judge, settings.features)
    condition = conditions.find(spec.task)
    truth = load_reference(reference, data.test, measure.origin(settings, reader))
    c = condition.encode(truth.labels)
    pixels = sampling.draw(generator, c, 1, settings.seed)[:, 0]
    drawn = reader.describe(pixels, truth.labels if condition.width else None)
    values = measure.measure(drawn, truth, data.train, settings)
    widths = (spec.num_latents, num_inputs(generator) - spec.num_latents)
    values |= measure.of_paths(generator, c, widths, reader.judge, settings)
    seconds = time.perf_counter() - start

    weights_hash = sha256(model / "weights.safetensors")
    z = torch.zeros(1, num_inputs(generator))
    context = measure.context(model.name, settings, reader) | {
        "weights": weights_hash,
        "network": spec.network,
        "truncation": truncation,
        "num_parameters": size.num_parameters(generator),
        "flops": size.num_flops(lambda: generator(z, c[:1])),  # for one image
    }
    if drawn.labels is not None:
        context["conditional_accuracy_by_class"] = classes.accuracy_by_class(drawn.read, drawn.labels)
    write_json(out, context | {"metrics": with_floors(values, floors)})
    arrays = {"pixels": pixels.numpy(), **show(generator, condition, settings.seed)}
    with new_file(samples) as part:
        np.savez_compressed(part, **arrays)  # type: ignore[arg-type]
    scalars = {f"test_{name}": entry["value"] for name, entry in values.items()}
    sheet = grid(torch.from_numpy(arrays["sheet"]), 10).permute(1, 2, 0).numpy()
    tracking.add_evaluation(model.name, weights_hash, scalars, {"sheet": sheet})
    took(f"evaluate@{model.name}", seconds)


def load(file: Path, truncation: float) -> tuple[nn.Module, sampling.GeneratorSpec, float]:
    """The generator, its spec, and how far its latents are truncated; 1 where they can't be."""
    generator, spec = weights.load(file, sampling.GeneratorSpec)
    if truncation == 1 or spec.network not in TRUNCATING or spec.clusters:
        return generator, spec, 1.0
    return Truncated(generator, truncation), spec, truncation


def show(generator: nn.Module, condition: Condition, seed: int) -> dict[str, np.ndarray]:
    """What the report shows: `sheet`, (8 x 10 images), class k in column k if there are classes, and `paths`
    between latents.
    """
    labels = torch.arange(10)
    sheet = sampling.draw(generator, condition.encode(labels), NUM_ROWS, seed + 1)  # (10, 8, C, H, W)
    paths = sampling.interpolate(generator, condition.encode(labels[:NUM_PATHS]), PATH_STEPS, seed)
    return {"sheet": sheet.transpose(0, 1).flatten(0, 1).numpy(), "paths": paths.numpy()}


if __name__ == "__main__":
    run(main)
