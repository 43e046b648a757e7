"""Images per second of this project's DCGAN training step, against the plain loop of tutorials and the
machine's limit.

    make bench

The plain loop is written as the tutorials write it: a DataLoader over PIL images, NCHW, fp32, the
discriminator run on real and on fake images one after the other, an Adam that is not fused, `.item()` at
every step. Networks, losses, batch size and learning rate are the same. Each contender lives in a process of
its own (how memory is kept is a setting of the process), and they run in turn, again and again, so that what
else the machine does touches all alike: read the ratios.
"""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Annotated

import torch
import torch.nn.functional as F
import typer
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from pipeline import compute, digits, params
from pipeline.conditions import UNCONDITIONAL
from pipeline.digits import Pictures
from pipeline.networks import dcgan
from pipeline.training import adversarial

WIDTH, BATCH_SIZE, SHAPE = 64, 128, (1, 28, 28)
CONVOLUTION_FLOP = 2 * 32 * 28 * 28 * 256 * 256 * 9  # of `convolution` below


class PilDigits(Dataset[Tensor]):
    """Digits as torchvision's MNIST gives them: one at a time, as a PIL image that is then transformed."""

    def __init__(self, pictures: Pictures) -> None:
        from torchvision import transforms

        self.pixels = pictures.pixels[:, 0]
        self.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.5, 0.5)])

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int) -> Tensor:
        image: Tensor = self.transform(Image.fromarray(self.pixels[index].numpy()))
        return image


def plain_loop(pictures: Pictures, precision: str) -> Callable[[], None]:
    """One step of the tutorials' loop."""
    generator = dcgan.Generator(64, 0, WIDTH, SHAPE)
    discriminator = dcgan.Discriminator(0, WIDTH, SHAPE, batch_norm=True)
    g_optimizer, d_optimizer = (
        torch.optim.Adam(network.parameters(), 0.001, (0.5, 0.999)) for network in (generator, discriminator)
    )
    ones, zeros, nothing = torch.ones(BATCH_SIZE), torch.zeros(BATCH_SIZE), torch.empty(BATCH_SIZE, 0)
    data_set = PilDigits(pictures)

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


def our_step(pictures: Pictures, precision: str) -> Callable[[], None]:
    """One step as the stages take it, on the section gans.dcgan of params.yaml at the benchmark's width and
    batch size, with one step of D to one of G as in the plain loop.
    """
    settings = params.read("compute", compute.Params).model_copy(update={"precision": precision})
    compute.configure(settings)
    sizes = {"width": WIDTH, "batch_size": BATCH_SIZE, "num_latents": 64, "discriminator_steps": 1}
    section = params.read("gans.dcgan", adversarial.Params, seed=0).model_copy(update=sizes)
    state = adversarial.init_state(section, UNCONDITIONAL, pictures.shape)

    def step() -> None:
        with compute.autocast(settings):
            adversarial.train_step(state, pictures, section)
        state.step += 1

    return step


def convolution(pictures: Pictures, precision: str) -> Callable[[], None]:
    """A convolution large enough to show what the processor can do."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    layer = nn.Conv2d(256, 256, 3, padding=1, dtype=dtype).to(memory_format=torch.channels_last)
    x = torch.randn(32, 256, 28, 28, dtype=dtype).to(memory_format=torch.channels_last)

    def step() -> None:
        with torch.inference_mode():
            layer(x)

    return step


def flop_per_image() -> float:
    """Floating-point operations of the plain step for one image, a multiply-add counting two."""
    from torch.utils.flop_counter import FlopCounterMode

    generator = dcgan.Generator(64, 0, WIDTH, SHAPE)
    discriminator = dcgan.Discriminator(0, WIDTH, SHAPE, batch_norm=True)
    z, x, nothing = torch.randn(2, 64), torch.randn(2, *SHAPE), torch.empty(2, 0)
    with FlopCounterMode(display=False) as counter:
        fakes = generator(z, nothing)
        for images in (x, fakes.detach(), fakes):
            discriminator(images, nothing).sum().backward()
    return float(counter.get_total_flops()) / 2


def serve(
    pipe: Connection, make: Callable[[Pictures, str], Callable[[], None]], prepared: Path, precision: str
) -> None:
    """A contender's process: whenever it is sent a number of seconds, it steps so long and answers seconds a
    step.
    """
    torch.set_num_threads(params.read("compute", compute.Params).threads)
    step = make(digits.load(prepared).train, precision)
    for _ in range(3):
        step()
    pipe.send(0.0)
    while seconds := pipe.recv():
        start, calls = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            step()
            calls += 1
        pipe.send((time.perf_counter() - start) / calls)


def main(
    prepared: Annotated[Path, typer.Argument(exists=True, dir_okay=False)] = Path("data/prepared/digits.npz"),
    rounds: int = 5,
    seconds: float = 4.0,
) -> None:
    """Time the contenders in turn, ROUNDS times for about SECONDS each, on the digits in PREPARED."""
    best = compute.precision(params.read("compute", compute.Params))
    contenders = {
        "plain loop": (plain_loop, "fp32"),
        "ours fp32": (our_step, "fp32"),
        f"ours {best} (as trained)": (our_step, best),
        "convolution fp32": (convolution, "fp32"),
        "convolution bf16": (convolution, "bf16"),
    }
    context = multiprocessing.get_context("spawn")
    pipes: dict[str, Connection] = {}
    for name, (make, precision) in contenders.items():
        pipes[name], theirs = context.Pipe()
        context.Process(target=serve, args=(theirs, make, prepared, precision), daemon=True).start()
        pipes[name].recv()
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, pipe in pipes.items():
            pipe.send(seconds)
            taken[name].append(pipe.recv())
    for pipe in pipes.values():
        pipe.send(0.0)
    show(taken)


def show(taken: dict[str, list[float]]) -> None:
    """Print rates, ratios within a round, and the share of the convolution's rate that the plain step's
    arithmetic makes.
    """
    flop = flop_per_image()
    peak = {
        kind: CONVOLUTION_FLOP / statistics.median(taken[f"convolution {kind}"]) for kind in ("fp32", "bf16")
    }
    print(f"DCGAN, 28x28, width {WIDTH}, batch {BATCH_SIZE}; plain step: {flop / 1e6:.0f} MFLOP an image")
    print(f"convolution peak: {peak['fp32'] / 1e9:.0f} GFLOP/s fp32, {peak['bf16'] / 1e9:.0f} bf16")
    for name in [name for name in taken if not name.startswith("convolution")]:
        rate = BATCH_SIZE / statistics.median(taken[name])
        pairs = zip(taken["plain loop"], taken[name], strict=True)
        ratio = statistics.median(plain / ours for plain, ours in pairs)
        share = rate * flop / peak["bf16" if "bf16" in name else "fp32"]
        print(f"{name:24} {rate:6.0f} images/s   {ratio:.2f} x plain   {share:4.0%} of its precision's peak")


if __name__ == "__main__":
    typer.run(main)
