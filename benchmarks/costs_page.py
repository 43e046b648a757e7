"""The page and the figure of the cost model: what was measured, what the fit says, and what it would take to
train on a million pairs of 256 pixels, on paper.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.costs import KINDS, SHARED, Point, fitted, terms
from pipeline.networks import patchgan, unet
from pipeline.networks.network import DiscriminatorSpec, Spec
from pipeline.runtime.size import num_parameters

Measured = Mapping[Point, tuple[float, float]]  # seconds a step, GiB
GIB = 2**30

PAGE = Path(__file__).with_name("costs_template.md")


class Projection(NamedTuple):
    """What is assumed of a training that nobody here has run."""

    side: int = 256
    width: int = 64
    patch: int = 94  # pixels
    pairs: int = 1_000_000
    epochs: int = 20
    batch: int = 16  # of one GPU
    passes: int = 6  # forward passes' worth of a step of both players
    peak: float = 989e12  # FLOP/s in bf16, dense
    reached: float = 0.25
    hbm: float = 3.35e12  # bytes/s
    moved: int = 12  # how often each map is written or read in a step
    link: float = 50e9  # bytes/s between GPUs of different machines
    hidden: float = 0.5  # share of the sending that nobody waits for


def table(measured: Measured) -> str:
    """benchmarks/costs.md."""
    fits = "\n".join(fit_row(measured, stage) for stage in KINDS)
    shares = "\n".join(share_row(measured, stage, size) for stage, size in SHARED)
    return PAGE.read_text("utf-8").format(fits=fits, processes=shares, **projected(Projection()))


def single(measured: Measured, stage: str) -> list[Point]:
    """The points of one thread and process."""
    return [point for point in measured if point.stage == stage and point[4:] == (1, 1)]


def fit_row(measured: Measured, stage: str) -> str:
    """A stage's fitted numbers, and how far off they are."""
    rows = single(measured, stage)
    x_time, x_memory = terms(rows)
    seconds, memory = np.array([measured[row] for row in rows]).T
    t, m = fitted(x_time, seconds), fitted(x_memory, memory)
    off = np.abs(x_time @ t / seconds - 1)
    times = f"{t[0] * 1e3:.1f} | {t[1] * 1e9:.2f} | {t[2] * 1e9:.4f} | {np.median(off):.0%}, {off.max():.0%}"
    return f"| {stage} | {times} | {m[0]:.2f} | {m[1] * GIB:.0f} | {m[2] * GIB:.0f} |"


def share_row(measured: Measured, stage: str, size: tuple[int, int, int]) -> str:
    """Images a second of one thread, two threads, two processes, two stages."""
    ways = ((1, 1), (1, 2), (2, 1))
    rates = [size[0] / measured[Point(stage, *size, *way)][0] for way in ways]
    cells = [stage, ", ".join(map(str, size)), *(f"{rate:.0f}" for rate in [*rates, 2 * rates[0]])]
    return f"| {' | '.join(cells)} |"


def forward_pass(plan: Projection) -> tuple[float, float, float]:
    """Of one image through both players: FLOP, numbers in all maps, and parameters."""
    shape, maps = [3, plan.side, plan.side], []
    spec = Spec(
        method="adversarial",
        network="unet",
        width=plan.width,
        image_shape=shape,
        num_latents=4,
        num_conditions=1,
    )
    with torch.device("meta"):
        G = unet.Generator(spec).eval()
        D = patchgan.Discriminator(DiscriminatorSpec(plan.width, shape, 1, patch_size=plan.patch))
        z, c, x = torch.empty(1, 4), torch.empty(1, 1, *shape[1:]), torch.empty(1, *shape)
    for layer in [*G.modules(), *D.modules()]:
        if not list(layer.children()):
            layer.register_forward_hook(lambda layer, given, made: maps.append(made.numel()))
    with FlopCounterMode(display=False) as counter:
        G(z, c)
        D(x, c)
    return float(counter.get_total_flops()), float(sum(maps)), float(num_parameters(G) + num_parameters(D))


def projected(plan: Projection) -> dict[str, object]:
    """The numbers of the page's last section."""
    flop, numbers, parameters = forward_pass(plan)
    computing = plan.batch * flop * plan.passes / (plan.peak * plan.reached)
    moving = plan.batch * numbers * 2 * plan.moved / plan.hbm
    sending = parameters * 4 * 2 / plan.link * (1 - plan.hidden)
    step, bytes_of_pair = max(computing, moving), plan.side**2 * 4
    rows = []
    for gpus, seconds in ((1, step), (64, step + sending)):
        steps = plan.pairs * plan.epochs / (plan.batch * gpus)
        hours = steps * seconds / 3600
        rows.append(f"| {gpus} | {plan.batch * gpus} | {seconds * 1e3:.1f} | {steps:,.0f} | {hours:.2f} |")
    return plan._asdict() | {
        "gigaflop": flop * plan.passes / 1e9,
        "millions": parameters / 1e6,
        "peak": plan.peak / 1e12,
        "computing": computing * 1e3,
        "hbm": plan.hbm / 1e12,
        "numbers": numbers / 1e6,
        "moving": moving * 1e3,
        "link": plan.link / 1e9,
        "sending": sending * 1e3,
        "gigabytes": plan.pairs * bytes_of_pair / 1e9,
        "share": plan.pairs * bytes_of_pair / 64e9,
        "reading": plan.batch / step * bytes_of_pair / 1e6,
        "gpus": "\n".join(rows),
    }


def figure(measured: Measured) -> Figure:
    """What was measured against what the model says, seconds and memory."""
    drawing = Figure(figsize=(9, 4), layout="constrained")
    for cell, column, unit in zip(drawing.subplots(1, 2), (0, 1), ("seconds a step", "GiB"), strict=True):
        for stage in KINDS:
            rows = single(measured, stage)
            x, y = terms(rows)[column], np.array([measured[row][column] for row in rows])
            cell.plot(x @ fitted(x, y), y, "o", label=stage, markersize=4)
        cell.set(xscale="log", yscale="log", xlabel=f"{unit}, the model", ylabel=f"{unit}, measured")
        cell.axline((1, 1), (2, 2), color="#bbbbbb", linewidth=1, zorder=0)
    drawing.axes[0].legend(fontsize=7)
    return drawing
