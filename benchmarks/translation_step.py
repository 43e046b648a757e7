"""Images per second of this project's steps from image to image at 32 and at 64 pixels, beside the plain loop
of tutorials and the machine's limit: pix2pix, U-Net against PatchGAN; engression; flow matching.

    make bench

A plain loop is written as the tutorials write it: a DataLoader over PIL images, condition and image side by
side, NCHW, fp32, PyTorch's own operations, a discriminator run on real and on fakes one after the other,
an Adam that is not fused, `.item()` at every step. Networks, losses, batch size and learning rate are the
same; those of pix2pix are Isola et al.'s (2017, arXiv:1611.07004), ten times L1 beside the adversarial loss.
"""

import os
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import torch
import torch.nn.functional as F
import typer
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import contest, sketches
from benchmarks.contest import Step
from pipeline.methods import ablation, adversarial, energy, engression, flow
from pipeline.networks import patchgan, unet
from pipeline.networks.network import DiscriminatorSpec, Spec
from pipeline.runtime import compute, params
from pipeline.tasks.examples import Examples

WIDTH, BATCH_SIZE, NUM_LATENTS, L1, NUM_DRAWS = 32, 32, 4, 10.0, 2
PATCH_SIZES = {32: 10, 64: 22}  # of a logit, for each side of an image: about a third of it
LEARNING_RATE, BETAS = 0.001, (0.5, 0.999)


def of_pix2pix(folder: Path, size: int, fresh_latents: bool = True) -> tuple[Any, Examples]:
    """Our training, on the section ablations.l1-cgan of params.yaml with the plain loop's discriminator and
    latents at the smallest map alone, without penalties.
    """
    sizes: dict[str, object] = {"batch_size": BATCH_SIZE, "width": WIDTH, "num_latents": NUM_LATENTS}
    sizes |= {"l1": L1, "r1": 0.0, "r2": 0.0, "discriminator_norm": "batch", "patch_size": PATCH_SIZES[size]}
    sizes["fresh_latents"] = fresh_latents
    section = params.read("ablations.l1-cgan", ablation.Settings).model_copy(update=sizes)
    task = sketches.task(folder, size)
    return adversarial.start(section, task), task.train


def of_engression(folder: Path, size: int) -> tuple[Any, Examples]:
    sizes = {"batch_size": BATCH_SIZE, "width": WIDTH, "num_draws": NUM_DRAWS}
    section = params.read("engressions.sketch", engression.SETTINGS["image"]).model_copy(update=sizes)
    task = sketches.task(folder, size)
    return engression.start(section, task), task.train


def of_flow(folder: Path, size: int) -> tuple[Any, Examples]:
    sizes = {"batch_size": BATCH_SIZE, "width": WIDTH}
    section = params.read("flows.sketch", flow.SETTINGS["image"]).model_copy(update=sizes)
    task = sketches.task(folder, size)
    return flow.start(section, task), task.train


def ours(make: Any, folder: Path, size: int, precision: str, threads: int) -> Step:
    """One step as the stages take it."""
    settings, (training, examples) = contest.settings(precision, threads), make(folder, size)

    def step() -> None:
        with compute.autocast(settings):
            training.step(examples)
        training.steps_done += 1

    return step


def plain_pix2pix(folder: Path, size: int) -> Step:
    contest.plainly()
    generator, discriminator = of_tutorials(size)
    g_optimizer, d_optimizer = (
        torch.optim.Adam(network.parameters(), LEARNING_RATE, BETAS) for network in (generator, discriminator)
    )
    batches = sketches.batches(folder, size, BATCH_SIZE)

    def adversarial_loss(logits: Tensor, real: bool) -> Tensor:
        return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))

    def step() -> None:
        c, x = next(batches)
        fakes = generator(torch.randn(BATCH_SIZE, NUM_LATENTS), c)
        discriminator.zero_grad()
        of_real, of_fakes = discriminator(x, c), discriminator(fakes.detach(), c)
        d_loss = (adversarial_loss(of_real, True) + adversarial_loss(of_fakes, False)) / 2
        d_loss.backward()
        d_optimizer.step()
        generator.zero_grad()
        g_loss, l1 = adversarial_loss(discriminator(fakes, c), True), F.l1_loss(fakes, x)
        (g_loss + L1 * l1).backward()
        g_optimizer.step()
        d_loss.item(), g_loss.item(), l1.item()

    return step


def of_tutorials(size: int) -> tuple[nn.Module, nn.Module]:
    """Both players of pix2pix."""
    shape = [3, size, size]
    generator = Spec(
        method="adversarial",
        network="unet",
        width=WIDTH,
        image_shape=shape,
        num_latents=NUM_LATENTS,
        num_conditions=1,
        latents_at_every_level=False,
    )
    discriminator = DiscriminatorSpec(WIDTH, shape, 1, batch_norm=True, patch_size=PATCH_SIZES[size])
    return unet.Generator(generator), contest.as_in_tutorials(patchgan.Discriminator(discriminator))


def plain_engression(folder: Path, size: int) -> Step:
    contest.plainly()
    training, _ = of_engression(folder, size)
    settings = training.settings
    generator = training.network.to(memory_format=torch.contiguous_format)
    optimizer = torch.optim.Adam(generator.parameters(), LEARNING_RATE)
    batches = sketches.batches(folder, size, BATCH_SIZE // NUM_DRAWS)

    def step() -> None:
        c, x = next(batches)
        z = torch.randn(BATCH_SIZE, settings.num_latents)
        drawn = generator(z, c).unflatten(0, (-1, NUM_DRAWS))
        error, spread = energy.score(drawn, x[:, None], settings.exponent, 1.0, settings.patch_sizes)
        optimizer.zero_grad()
        loss = error - spread / 2
        loss.backward()
        optimizer.step()
        loss.item()

    return step


def plain_flow(folder: Path, size: int) -> Step:
    contest.plainly()
    training, _ = of_flow(folder, size)
    network = training.network.to(memory_format=torch.contiguous_format)
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    batches = sketches.batches(folder, size, BATCH_SIZE)

    def step() -> None:
        c, x = next(batches)
        t = torch.randn(BATCH_SIZE).sigmoid()
        x_t = torch.lerp(torch.randn_like(x), x, t[:, None, None, None])
        errors = (network.denoise(x_t, t, c) - x).square().flatten(1).mean(1)
        optimizer.zero_grad()
        loss = (errors / (1 - t).clamp(min=flow.NEAREST).square()).mean()
        loss.backward()
        optimizer.step()
        loss.item()

    return step


def flop_of_pix2pix(folder: Path, size: int) -> float:
    """Floating-point operations of the plain step for one image, a multiply-add counting two."""
    generator, discriminator = of_tutorials(size)
    z, c, x = torch.randn(2, NUM_LATENTS), torch.randn(2, 1, size, size), torch.randn(2, 3, size, size)
    with FlopCounterMode(display=False) as counter:
        fakes = generator(z, c)
        for images in (x, fakes.detach(), fakes):
            discriminator(images, c).sum().backward()
    return float(counter.get_total_flops()) / 2


def flop_of_one(make: Any, folder: Path, size: int) -> float:
    """The same of a step of one network, for one of the images that it makes."""
    training, examples = make(folder, size)
    with FlopCounterMode(display=False) as counter:
        training.step(examples)
    return float(counter.get_total_flops()) / BATCH_SIZE


METHODS: dict[str, tuple[Any, Any, Any]] = {
    "pix2pix": (of_pix2pix, plain_pix2pix, flop_of_pix2pix),
    "engression": (of_engression, plain_engression, partial(flop_of_one, of_engression)),
    "flow matching": (of_flow, plain_flow, partial(flop_of_one, of_flow)),
}


def main(
    task: Annotated[Path, typer.Argument(exists=True, file_okay=False)] = Path("data/tasks/sketch"),
    threads: int = os.cpu_count() or 1,
    rounds: int = 5,
    seconds: float = 4.0,
) -> None:
    """Time the contenders in turn, on THREADS threads, ROUNDS times for about SECONDS each, on the drawings
    of the TASK's folder.
    """
    best = contest.best_precision()
    for name, (make, plain, flop) in METHODS.items():
        for size in PATCH_SIZES:
            contenders: dict[str, Any] = {
                contest.PLAIN: (plain, (task, size)),
                "ours fp32": (ours, (make, task, size, "fp32", threads)),
                f"ours {best} (as trained)": (ours, (make, task, size, best, threads)),
            }
            if make is of_pix2pix:
                shared = partial(of_pix2pix, fresh_latents=False)
                contenders[f"ours {best}, fakes shared"] = (ours, (shared, task, size, best, threads))
            taken = contest.hold({**contenders, **contest.LIMITS}, threads, rounds, seconds)
            title = f"{name}, {size}x{size}, width {WIDTH}, batch {BATCH_SIZE}, {threads} threads"
            contest.show(title, taken, BATCH_SIZE, flop(task, size))


if __name__ == "__main__":
    typer.run(main)
