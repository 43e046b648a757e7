"""Images per second of this project's pix2pix step, U-Net against PatchGAN, at 32 and at 64 pixels, beside
the plain loop of tutorials and the machine's limit.

    make bench

The plain loop is written as the tutorials write it: a DataLoader over PIL images, condition and image side
by side, NCHW, fp32, the discriminator run on real and on fake images one after the other, an Adam that is
not fused, `.item()` at every step. Networks, losses (Isola et al. 2017, arXiv:1611.07004: the adversarial
one and ten times L1), batch size and learning rate are the same.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated
from unittest import mock

import numpy as np
import torch
import torch.nn.functional as F
import typer
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import contest
from benchmarks.contest import Contenders, Step
from pipeline.methods import ablation, adversarial
from pipeline.networks import patchgan, unet
from pipeline.networks.network import DiscriminatorSpec, Spec
from pipeline.runtime import compute, params
from pipeline.tasks import task as tasks
from pipeline.tasks.stored import Stored
from pipeline.tasks.task import Task

WIDTH, BATCH_SIZE, NUM_LATENTS, L1 = 32, 32, 4, 10.0
PATCH_SIZES = {32: 10, 64: 22}  # of a logit, for each side of an image: about a third of it
LEARNING_RATE, BETAS = 0.001, (0.5, 0.999)


def sketches(folder: Path, size: int) -> Task:
    """The task of sketches; how long a step takes does not hang on what they show, so that other sizes are
    these, enlarged.
    """
    task = tasks.load(folder)
    train = task.splits["train"]
    arrays = {
        name: enlarged(array, size) if array.ndim == 4 else array for name, array in train.arrays.items()
    }
    train = replace(train, arrays=arrays)
    x_shape, condition_shape = ((shape[0], size, size) for shape in (task.x_shape, task.condition_shape))
    return replace(
        task, x_shape=x_shape, condition_shape=condition_shape, train=train, splits={"train": train}
    )


def enlarged(images: Tensor, size: int) -> Tensor:
    return images if images.shape[2] == size else F.interpolate(images, (size, size))


class SideBySide(Dataset[tuple[Tensor, Tensor]]):
    """Condition and image as pix2pix's sets hold them: one image, which is cut in two and transformed."""

    def __init__(self, pairs: Stored) -> None:
        from torchvision import transforms

        x, c = pairs.images(torch.arange(len(pairs)))
        both = torch.cat([c.expand_as(x), x], 3)
        self.images = np.ascontiguousarray(both.permute(0, 2, 3, 1).numpy())
        self.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.5, 0.5)])

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image = Image.fromarray(self.images[index])
        size = image.height
        left, right = image.crop((0, 0, size, size)).convert("L"), image.crop((size, 0, 2 * size, size))
        return self.transform(left), self.transform(right)


def networks(size: int) -> tuple[unet.Generator, patchgan.Discriminator]:
    """Both players as tutorials write them, but for what stands side by side: see `concatenated`."""
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


def concatenated(step: Step) -> Step:
    """The step with torch.cat where this project's networks put maps side by side."""

    def plain() -> None:
        with mock.patch.multiple(unet, side_by_side=cat), mock.patch.multiple(patchgan, side_by_side=cat):
            step()

    def cat(*maps: Tensor) -> Tensor:
        return torch.cat(maps, 1)

    return plain


def plain_loop(task: Path, size: int) -> Step:
    """One step of the tutorials' loop."""
    generator, discriminator = networks(size)
    g_optimizer, d_optimizer = (
        torch.optim.Adam(network.parameters(), LEARNING_RATE, BETAS) for network in (generator, discriminator)
    )
    data_set = SideBySide(sketches(task, size).splits["train"])

    def endless() -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            yield from DataLoader(data_set, BATCH_SIZE, shuffle=True, drop_last=True)

    batches = endless()

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

    return concatenated(step)


def our_step(task: Path, size: int, precision: str, threads: int) -> Step:
    """One step as the stages take it, on the section ablations.l1-cgan of params.yaml with the plain loop's
    discriminator and without penalties.
    """
    settings, pairs = contest.settings(precision, threads), sketches(task, size)
    plain: dict[str, object] = {"batch_size": BATCH_SIZE, "width": WIDTH, "num_latents": NUM_LATENTS}
    plain |= {"l1": L1, "r1": 0.0, "r2": 0.0, "discriminator_norm": "batch", "patch_size": PATCH_SIZES[size]}
    section = params.read("ablations.l1-cgan", ablation.Settings).model_copy(update=plain)
    training = adversarial.start(section, pairs)

    def step() -> None:
        with compute.autocast(settings):
            training.step(pairs.train)
        training.steps_done += 1

    return step


def flop_per_image(size: int) -> float:
    """Floating-point operations of the plain step for one image, a multiply-add counting two."""
    generator, discriminator = networks(size)
    z, c, x = torch.randn(2, NUM_LATENTS), torch.randn(2, 1, size, size), torch.randn(2, 3, size, size)
    with FlopCounterMode(display=False) as counter:
        fakes = generator(z, c)
        for images in (x, fakes.detach(), fakes):
            discriminator(images, c).sum().backward()
    return float(counter.get_total_flops()) / 2


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
    for size, patch_size in PATCH_SIZES.items():
        contenders: Contenders = {
            contest.PLAIN: (plain_loop, (task, size)),
            "ours fp32": (our_step, (task, size, "fp32", threads)),
            f"ours {best} (as trained)": (our_step, (task, size, best, threads)),
        }
        taken = contest.hold({**contenders, **contest.LIMITS}, threads, rounds, seconds)
        sizes = f"width {WIDTH}, patches of {patch_size}, batch {BATCH_SIZE}, {threads} threads"
        contest.show(f"pix2pix, {size}x{size}, {sizes}", taken, BATCH_SIZE, flop_per_image(size))


if __name__ == "__main__":
    typer.run(main)
