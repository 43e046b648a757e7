"""Which metrics apply to a task, and what the report shows of its models, by the facts the task declares."""

from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from pipeline.metrics import conditional, corruptions, dial, distribution, modes, reference
from pipeline.metrics.entries import Entries
from pipeline.metrics.reference import Reference, by_condition
from pipeline.networks.flow import flow_of
from pipeline.sampling.draw import draw

NUM_SHOWN = 80  # stacked digits


class Result(NamedTuple):
    entries: Entries
    shown: dict[str, np.ndarray]  # for the report; `sheet` (n, C, H, W) uint8 among it
    more: dict[str, object]  # details that are no single numbers


def evaluate(sampler: nn.Module, real: Reference) -> Result:
    """All metrics of a trained network on the test split of its task; of flows the dial, where it is asked
    for.
    """
    entries, shown, more = of_samples(sampler, real)
    if flow_of(sampler) and real.task.name in real.settings.dial_on:
        rows, images = dial.measure(sampler, real)
        more, shown = more | {"dial": rows}, shown | images
    return Result(entries, shown, more)


def of_samples(sampler: nn.Module, real: Reference) -> Result:
    """All metrics of its samples."""
    if by_condition(real.task):
        return Result(*conditional.evaluate(sampler, real))
    if num_modes := real.task.facts.get("num_modes"):
        numbers = torch.arange(real.settings.num_mode_samples)
        c = real.task.blank(len(numbers))
        pixels = draw(sampler, c.__getitem__, numbers, 1, real.settings.seed)[:, 0]
        found = modes.measure(pixels, real.extractor, num_modes)
        return Result(found, {"sheet": pixels[:NUM_SHOWN].numpy()}, {})
    return Result(*distribution.evaluate(sampler, real))


def evaluate_real(real: Reference) -> tuple[Entries, dict[str, float]]:
    """The noise floor of each metric, of validation images as samples; and the FIDs of corrupted ones."""
    task, settings = real.task, real.settings
    if num_modes := task.facts.get("num_modes"):
        numbers = torch.arange(len(task.test))[: settings.num_mode_samples]
        return modes.measure(task.test.images(numbers)[0], real.extractor, num_modes), {}
    pixels = reference.images(task, "validation", settings)
    labels = reference.labels(task, "validation", len(pixels))
    fids = corruptions.fids(pixels, labels, real.features, real.extractor)
    if by_condition(task):
        return conditional.floors(pixels, real), fids
    return distribution.floors(pixels, labels if task.kind == "class" else None, real), fids
