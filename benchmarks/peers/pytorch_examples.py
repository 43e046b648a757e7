"""PyTorch's own example of a DCGAN: a script; 64 pixels, both players of 64 to 512 channels."""

import torch
from torch import Tensor

from benchmarks.peers import inputs, program
from benchmarks.peers.peer import Names, Peer, Place, Tell
from benchmarks.peers.pytorch_gan import FOREVER


def run(place: Place, tell: Tell) -> None:
    inputs.as_mnist(place.inputs / inputs.DIGITS, place.folder / "data")
    given = {"dataset": "mnist", "dataroot": "data", "niter": FOREVER, "workers": 0}
    arguments = [f"--{name}={value}" for name, value in given.items()]
    program.script(place.clone / "dcgan" / "main.py", arguments, place.folder, tell)


def draw(names: Names, c: Tensor) -> Tensor:
    """As the script draws what it saves: with the statistics of the batch."""
    images: Tensor = names["netG"].train()(torch.randn(len(c), names["nz"], 1, 1))
    return images


PEER = Peer(
    name="pytorch-examples",
    setting="pytorch/examples, DCGAN: 64 pixels, batch 64",
    run=run,
    task="digits",
    repository="pytorch/examples",
    commit="77f55b912142e11fcfdf5b530231fb9c52f181e8",
    network=lambda names: names["netG"],
    draw=draw,
    batch=64,
    pixels=64,
    num_samples=10_000,
)
