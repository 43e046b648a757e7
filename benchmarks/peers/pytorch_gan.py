"""PyTorch-GAN's DCGAN: a script; 32 pixels, G of 128 and 64 channels, D of 16 to 128."""

import torch
from torch import Tensor

from benchmarks.peers import inputs, program
from benchmarks.peers.peer import Names, Peer, Place, Tell

FOREVER = 10**6  # epochs


def run(place: Place, tell: Tell) -> None:
    folder = place.folder / "implementations" / "dcgan"
    inputs.as_mnist(place.inputs / inputs.DIGITS, place.folder / "data" / "mnist")
    script = place.clone / "implementations" / "dcgan" / "dcgan.py"
    program.script(script, ["--n_epochs", str(FOREVER)], folder, tell)


def draw(names: Names, c: Tensor) -> Tensor:
    """As the script draws what it saves: with the statistics of the batch."""
    images: Tensor = names["generator"].train()(torch.randn(len(c), names["opt"].latent_dim))
    return images


PEER = Peer(
    name="pytorch-gan",
    setting="PyTorch-GAN, DCGAN: 32 pixels, batch 64",
    run=run,
    task="digits",
    repository="eriklindernoren/PyTorch-GAN",
    commit="36d3c77e5ff20ebe0aeefd322326a134a279b93e",
    network=lambda names: names["generator"],
    draw=draw,
    batch=64,
    pixels=32,
    num_samples=10_000,
)
