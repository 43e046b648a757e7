"""Images per second of this project's DCGAN training step, against the plain loop of tutorials and the
machine's limit.

    make bench

The plain loop is written as the tutorials write it: a DataLoader over PIL images, NCHW, fp32, the
discriminator run on real and on fake images one after the other, an Adam that is not fused, `.item()` at
every step. Networks, losses, batch size and learning rate are the same.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import torch
import torch.nn.functional as F
import typer
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import contest
from benchmarks.contest import Contenders, Step
from pipeline.methods import adversarial
from pipeline.networks import dcgan
from pipeline.networks.network import DiscriminatorSpec, Spec
from pipeline.runtime import compute, params
from pipeline.tasks import task as tasks
from pipeline.tasks.stored import Stored

WIDTH, BATCH_SIZE, SHAPE = 64, 128, (1, 28, 28)


class PilDigits(Dataset[Tensor]):
    """Digits as torchvision's MNIST gives them: one at a time, as a PIL image that is then transformed."""

    def __init__(self, digits: Stored) -> None:
        from torchvision import transforms

        self.pixels = digits.arrays["images"][:, 0]
        self.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.5, 0.5)])

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int) -> Tensor:
        image: Tensor = self.transform(Image.fromarray(self.pixels[index].numpy()))
        return image


def networks() -> tuple[dcgan.Generator, dcgan.Discriminator]:
    """Both players as tutorials write them."""
    spec = Spec(method="adversarial", network="dcgan", width=WIDTH, image_shape=list(SHAPE), num_latents=64)
    generator = contest.as_in_tutorials(dcgan.Generator(spec))
    discriminator = dcgan.Discriminator(DiscriminatorSpec(WIDTH, SHAPE, batch_norm=True))
    return generator, contest.as_in_tutorials(discriminator)


def plain_loop(task: Path) -> Step:
    """One step of the tutorials' loop."""
    contest.plainly()
    generator, discriminator = networks()
    g_optimizer, d_optimizer = (
        torch.optim.Adam(network.parameters(), 0.001, (0.5, 0.999)) for network in (generator, discriminator)
    )
    ones, zeros, nothing = torch.ones(BATCH_SIZE), torch.zeros(BATCH_SIZE), torch.empty(BATCH_SIZE, 0)
    data_set = PilDigits(tasks.load(task).splits["train"])

    def endless() -> Iterator[Tensor]:
        while True:
            yield from DataLoader(data_set, BATCH_SIZE, shuffle=True, drop_last=True)

    batches = endless()

    def step() -> None:
        discriminator.zero_grad()
        real_loss = F.binary_cross_entropy_with_logits(discriminator(next(batches), nothing), ones)
        real_loss.backward()
        fakes = generator(torch.randn(BATCH_SIZE, 64), nothing)
        fake_loss = F.binary_cross_entropy_with_logits(discriminator(fakes.detach(), nothing), zeros)
        fake_loss.backward()
        d_optimizer.step()
        generator.zero_grad()
        g_loss = F.binary_cross_entropy_with_logits(discriminator(fakes, nothing), ones)
        g_loss.backward()
        g_optimizer.step()
        (real_loss + fake_loss).item(), g_loss.item()

    return step


def our_step(task: Path, precision: str, threads: int, fresh_latents: bool = True) -> Step:
    """One step as the stages take it, on the section gans.dcgan of params.yaml at the benchmark's width and
    batch size, with one step of D to one of G as in the plain loop, and its fakes for both if so asked.
    """
    settings, digits = contest.settings(precision, threads), tasks.load(task)
    sizes: dict[str, object] = {"width": WIDTH, "batch_size": BATCH_SIZE, "num_latents": 64}
    sizes |= {"discriminator_steps": 1, "fresh_latents": fresh_latents}
    section = params.read("gans.dcgan", adversarial.Settings).model_copy(update=sizes)
    training = adversarial.start(section, digits)

    def step() -> None:
        with compute.autocast(settings):
            training.step(digits.train)
        training.steps_done += 1

    return step


def flop_per_image() -> float:
    """Floating-point operations of the plain step for one image, a multiply-add counting two."""
    generator, discriminator = networks()
    z, x, nothing = torch.randn(2, 64), torch.randn(2, *SHAPE), torch.empty(2, 0)
    with FlopCounterMode(display=False) as counter:
        fakes = generator(z, nothing)
        for images in (x, fakes.detach(), fakes):
            discriminator(images, nothing).sum().backward()
    return float(counter.get_total_flops()) / 2


def main(
    task: Annotated[Path, typer.Argument(exists=True, file_okay=False)] = Path("data/tasks/digits"),
    threads: int = os.cpu_count() or 1,
    rounds: int = 5,
    seconds: float = 4.0,
) -> None:
    """Time the contenders in turn, on THREADS threads, ROUNDS times for about SECONDS each, on the digits of
    the TASK's folder.
    """
    best = contest.best_precision()
    contenders: Contenders = {
        contest.PLAIN: (plain_loop, (task,)),
        "ours fp32": (our_step, (task, "fp32", threads)),
        f"ours {best} (as trained)": (our_step, (task, best, threads)),
        f"ours {best}, fakes shared": (our_step, (task, best, threads, False)),
    }
    taken = contest.hold({**contenders, **contest.LIMITS}, threads, rounds, seconds)
    contest.show(
        f"DCGAN, 28x28, width {WIDTH}, batch {BATCH_SIZE}, {threads} threads",
        taken,
        BATCH_SIZE,
        flop_per_image(),
    )


if __name__ == "__main__":
    typer.run(main)
