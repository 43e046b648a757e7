"""The page and the figure of the cost model: what was measured, what the fit says, and what it would take to
train on a million pairs of 256 pixels, on paper.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.costs import KINDS, SHARED, Point, fitted, terms

Measured = Mapping[Point, tuple[float, float]]

# of the projection
SIDE, WIDTH, NUM_PAIRS, EPOCHS = 256, 64, 1_000_000, 20
BATCH = 16  # of one GPU
PEAK, REACHED = 989e12, 0.25  # FLOP/s of an H100 in bf16, dense; the share that convolutions of a GAN reach
HBM, PASSES = 3.35e12, 12  # bytes/s; how often each map of a step is written or read, forwards and back
LINK, OVERLAPPED = (
    50e9,
    0.5,
)  # bytes/s between GPUs of different machines; share of the sending that is hidden
STEPS_OF_D = 3  # forward passes' worth of a backward pass of both, beside the forward one


def table(measured: Measured) -> str:
    """benchmarks/costs.md."""
    return "\n".join([*introduction(), *fits(measured), *processes(measured), *projection()]) + "\n"


def single(measured: Measured, stage: str) -> list[Point]:
    return [point for point in measured if point.stage == stage and point[4:] == (1, 1)]


def introduction() -> list[str]:
    return [
        "# What a stage costs",
        "",
        "Written by `python -m benchmarks.costs fit` from benchmarks/costs.csv, which `measure` took on one core of an",
        "AMD EPYC (Zen 5), one thread, bf16. n images a step, of p pixels, networks of width w:",
        "",
        "    seconds of a step = t0 + n p (a w + b w^2)      GiB = m0 + c n p w + d w^2",
        "",
        "A training takes num_steps times that, some four seconds to start, and its looks at itself (`fid_every`). Data lies in",
        "memory as bytes, channels times pixels times images, twice with `mirror`.",
        "",
    ]


def fits(measured: Measured) -> list[str]:
    """The fitted numbers of each stage and how far off they are."""
    lines = [
        "| stage | t0, ms | a, ns | b, ns | off by, median and most | m0, GiB | c, bytes | d, bytes |",
        "|---" * 8 + "|",
    ]
    for stage in KINDS:
        rows = single(measured, stage)
        x_time, x_memory = terms(rows)
        seconds, memory = (np.array(column) for column in zip(*(measured[row] for row in rows), strict=True))
        t, m = fitted(x_time, seconds), fitted(x_memory, memory)
        off = np.abs(x_time @ t / seconds - 1)
        gib = 2**30
        lines.append(
            f"| {stage} | {t[0] * 1e3:.1f} | {t[1] * 1e9:.2f} | {t[2] * 1e9:.4f} | {np.median(off):.0%}, {off.max():.0%}"
            f" | {m[0]:.2f} | {m[1] * gib:.1f} | {m[2] * gib:.0f} |"
        )
    return [*lines, "", "![Measured steps against the model](costs.svg)", ""]


def processes(measured: Measured) -> list[str]:
    """Two cores spent in three ways."""
    lines = [
        "Two cores, images a second: one thread on one of them; two threads; two processes that share each batch",
        "(`launch.processes`); and, last, two stages side by side, twice the first column, which is what `make repro` does.",
        "",
        "| stage | images, side, width | one core | two threads | two processes | two stages |",
        "|---" * 6 + "|",
    ]
    for stage, size in SHARED:
        rates = [size[0] / measured[Point(stage, *size, *how)][0] for how in ((1, 1), (1, 2), (2, 1))]
        numbers = " | ".join(f"{rate:.0f}" for rate in [*rates, 2 * rates[0]])
        lines.append(f"| {stage} | {', '.join(map(str, size))} | {numbers} |")
    return [*lines, ""]


def flop(side: int, width: int) -> tuple[float, float, float]:
    """Of one pix2pix step for one picture: FLOP, numbers in all maps of one forward pass, and parameters."""
    import torch

    from pipeline.networks import patch, unet
    from pipeline.size import num_parameters

    shape = (3, side, side)
    with torch.device("meta"):
        G, D = unet.Generator(4, 1, width, shape), patch.Discriminator(1, width, shape, patch_size=94)
        z, c, x = torch.empty(1, 4), torch.empty(1, 1, side, side), torch.empty(1, *shape)
    numbers = 0
    for layer in [*G.modules(), *D.modules()]:
        if not list(layer.children()):
            layer.register_forward_hook(lambda *given: count.append(given[2].numel()))
    count: list[int] = []
    with FlopCounterMode(display=False) as counter:
        G.eval()(z, c), D(x, c)
    numbers = sum(count)
    forward = float(counter.get_total_flops())
    return forward * STEPS_OF_D * 2, float(numbers), float(num_parameters(G) + num_parameters(D))


def projection() -> list[str]:
    """A million pairs of 256 pixels on 1 and 64 GPUs."""
    work, numbers, parameters = flop(SIDE, WIDTH)
    computing = BATCH * work / (PEAK * REACHED)
    moving = BATCH * numbers * 2 * PASSES / HBM
    step = max(computing, moving)
    sending = parameters * 4 * 2 / LINK * (1 - OVERLAPPED)
    images = NUM_PAIRS * EPOCHS
    gigabytes = NUM_PAIRS * SIDE**2 * 4 / 1e9
    lines = [
        f"## On paper: {NUM_PAIRS:,} pairs of {SIDE} pixels",
        "",
        f"The U-Net of width {WIDTH} against a PatchGAN of 94 pixels, {EPOCHS} epochs, {BATCH} pairs a GPU and step. Assumed, none of it measured here:",
        "",
        f"- A step of both players is {STEPS_OF_D * 2} times their forward pass: {work / 1e9:.0f} GFLOP a pair; parameters {parameters / 1e6:.1f} million.",
        f"- An H100 computes {PEAK / 1e12:.0f} TFLOP/s in bf16 and convolutions of this kind reach {REACHED:.0%} of it: {computing * 1e3:.1f} ms a step.",
        f"- Its memory moves {HBM / 1e12:.2f} TB/s and each map ({numbers / 1e6:.0f} million numbers a pair, 2 bytes) passes {PASSES} times: {moving * 1e3:.1f} ms a step. The larger of the two counts.",
        f"- 64 GPUs send gradients of 4 bytes a parameter twice around a ring at {LINK / 1e9:.0f} GB/s, {OVERLAPPED:.0%} of it behind the backward pass: {sending * 1e3:.1f} ms a step.",
        f"- The pairs, as bytes, are {gigabytes:.0f} GB: more than one GPU or most machines hold. This pipeline keeps its data in memory: on 64 GPUs a share of {gigabytes / 64:.1f} GB each would fit, which `Pairs` cannot do yet; on one, files would have to be read in the background, at {BATCH / step * SIDE**2 * 4 / 1e6:.0f} MB/s.",
        "- Evaluation, 10,000 conditions times 32 draws, is a generator's forward pass each: minutes.",
        "",
        "| GPUs | pairs a step | ms a step | steps | hours |",
        "|---|---|---|---|---|",
    ]
    for gpus in (1, 64):
        seconds = step + (sending if gpus > 1 else 0)
        steps = images / (BATCH * gpus)
        lines.append(
            f"| {gpus} | {BATCH * gpus} | {seconds * 1e3:.1f} | {steps:,.0f} | {steps * seconds / 3600:.1f} |"
        )
    lines += [
        "",
        "64 times the batch wants another learning rate, and whether a GAN bears it is a question of quality, not of cost; with 16 pairs a step in all, 64 GPUs would mostly wait.",
    ]
    return lines


def figure(measured: Measured) -> Figure:
    """What was measured against what the model says, seconds and memory."""
    drawing = Figure(figsize=(9, 4), layout="constrained")
    for cell, what, unit, column in zip(
        drawing.subplots(1, 2), (0, 1), ("seconds a step", "GiB"), (0, 1), strict=True
    ):
        for stage in KINDS:
            rows = single(measured, stage)
            y = np.array([measured[row][column] for row in rows])
            x = terms(rows)[what]
            cell.plot(x @ fitted(x, y), y, "o", label=stage, markersize=4)
        low, high = cell.get_xlim()
        cell.plot([low, high], [low, high], color="#bbbbbb", linewidth=1, zorder=0)
        cell.set(xscale="log", yscale="log", xlabel=f"{unit}, the model", ylabel=f"{unit}, measured")
    drawing.axes[0].legend(fontsize=7)
    return drawing
