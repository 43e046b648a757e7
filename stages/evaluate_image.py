"""Stages `evaluate_image_regression@`, `evaluate_image_cgan@`, `evaluate_ablation@<name>-<seed>`: score what
a network draws for the conditions of the test drawings.
"""

import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pipeline import tracking
from pipeline.data import drawings
from pipeline.data.drawings import Drawings
from pipeline.data.images import grid
from pipeline.metrics import image_features as observed
from pipeline.metrics import image_suite as pictures
from pipeline.metrics import posterior, tones
from pipeline.metrics.entries import Entry, read_floors
from pipeline.networks import num_inputs
from pipeline.networks.translators import TranslatorSpec
from pipeline.runtime import compute, params, size
from pipeline.runtime.files import new_file, sha256, write_json
from pipeline.sampling import draw as sampling
from pipeline.sampling import weights
from pipeline.tasks import drawings as tasks
from pipeline.tasks.drawings import Pairs
from stages import InputFile, run, took

NUM_SHOWN, DRAWS_SHOWN = 8, 4


def main(
    model: Path, prepared: InputFile, observer: InputFile, real: InputFile, out: Path, samples: Path
) -> None:
    """Score the network in folder MODEL on the test drawings in PREPARED.

    The features are OBSERVER's and the noise floors those in REAL (.json). Writes the metrics to OUT (.json)
    and pictures and curves for the report to SAMPLES (.npz).
    """
    settings = params.read("evaluate_images", pictures.Params)
    computing = params.read("compute", compute.Params)
    compute.configure(computing)
    device = compute.device(computing)
    file = model / "weights.safetensors"
    generator, spec = weights.load(file, TranslatorSpec, device)
    data, floors, watcher = drawings.load(prepared).test, read_floors(real), observed.load(observer, device)
    tracking.send(tracking.connect)
    start = time.perf_counter()
    pairs = tasks.TASKS[spec.task](data)
    drawn = draw(generator, pairs, torch.arange(len(pairs)), settings.num_draws, settings.seed)
    values = pictures.measure(drawn, pairs, data, spec.task, watcher, settings)
    arrays = show(drawn, pairs, data, settings.seed)
    if len(six := with_known_answers(pairs, data)):
        found, shown = of_tones(generator, pairs, data, six, settings)
        values, arrays = values | found, arrays | shown
    if spec.task != "segment":  # which draws no pictures
        values = {
            name: entry | ({"floor": floors[name]} if name in floors else {})
            for name, entry in values.items()
        }
    seconds = time.perf_counter() - start

    z, c = torch.zeros(1, num_inputs(generator), device=device), pairs.told(torch.zeros(1, dtype=torch.long))
    context = pictures.context(model.name, spec.task, settings, watcher) | {
        "weights": sha256(file),
        "network": spec.network,
        "num_draws": drawn.shape[1],
        "num_parameters": size.num_parameters(generator),
        "flops": size.num_flops(lambda: generator(z, c.to(device))),  # for one picture
    }
    write_json(out, context | {"metrics": values})
    with new_file(samples) as part:
        np.savez_compressed(part, **arrays)  # type: ignore[arg-type]
    scalars = {f"test_{name}": entry["value"] for name, entry in values.items()}
    sheet = torch.from_numpy(arrays["drawn"]).flatten(0, 1)
    tracking.add_evaluation(
        model.name, context["weights"], scalars, {"sheet": grid(sheet, DRAWS_SHOWN).permute(1, 2, 0).numpy()}
    )
    took(f"evaluate_image@{model.name}", seconds)


def draw(generator: nn.Module, pairs: Pairs, chosen: Tensor, num_draws: int, seed: int) -> Tensor:
    """M pictures for each of the chosen conditions, (n, M, C, H, W) uint8; one where there are no latents."""
    num_draws = num_draws if num_inputs(generator) else 1
    return sampling.draw_told(generator, pairs.told, chosen, num_draws, seed)


def show(drawn: Tensor, pairs: Pairs, data: Drawings, seed: int) -> dict[str, np.ndarray]:
    """What the report shows of some drawings, evenly spread, and the curves of all."""
    chosen = torch.arange(NUM_SHOWN) * len(pairs) // NUM_SHOWN
    some, truth = drawn[chosen], tasks.visible(pairs.pictures[chosen])
    given = torch.full_like(truth, 255)
    if pairs.conditions.ndim == 4:
        given = tasks.visible(pairs.conditions[chosen])
    flat = tasks.visible(some[:, :DRAWS_SHOWN].flatten(0, 1))
    found = {
        "given": given,
        "truth": truth,
        "drawn": flat.unflatten(0, (NUM_SHOWN, -1)),
        "sd": posterior.spread_maps(some),
        "ranks": posterior.ranks(drawn, pairs.pictures, seed),
        **pictures.calibration_curve(drawn, pairs.pictures),
    }
    captions = np.array([data.captions[int(row)] for row in pairs.rows[chosen]])
    return {name: value.numpy() for name, value in found.items()} | {"captions": captions}


def with_known_answers(pairs: Pairs, data: Drawings) -> Tensor:
    """The drawings of which all right answers are known, (B, 6): numbers of those in six tones that have one
    picture as their condition in common, and show skin.
    """
    six = data.six_tones()
    if pairs.conditions.ndim < 4 or pairs.shape[0] != 3:  # a caption does not say where skin is
        return six[:0]
    conditions = pairs.conditions[six].flatten(2)
    alike = (conditions == conditions[:, :1]).flatten(1).all(1)
    shows_skin = (data.kinds[six[:, 0]] == pictures.SKIN).flatten(1).any(1)
    return six[alike & shows_skin]


def of_tones(
    generator: nn.Module, pairs: Pairs, data: Drawings, six: Tensor, settings: pictures.Params
) -> tuple[dict[str, Entry], dict[str, np.ndarray]]:
    """The metrics of the drawings `six`, (B, 6), and what the report shows of one."""
    truth, masks = data.pictures[six], data.kinds[six[:, 0]] == pictures.SKIN
    drawn = draw(generator, pairs, six[:, 0], settings.num_tone_draws, settings.seed)
    i = int(masks.flatten(1).sum(1).argmax())  # the one with most skin
    colours, true_colours = tones.skin_colours(drawn, masks), tones.skin_colours(truth, masks)
    shown = {
        "tone_given": tasks.visible(pairs.conditions[six[i, :1]])[0],
        "tone_truth": truth[i],
        "tone_drawn": drawn[i],
        "tone_colours": colours[i],
        "tone_true_colours": true_colours[i],
    }
    arrays = {name: value.numpy() for name, value in shown.items()}
    return pictures.of_tones(drawn, truth, masks), arrays


if __name__ == "__main__":
    run(main)
