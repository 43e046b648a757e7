"""torchcfm's MNIST example: the first part of a notebook, flow matching with minibatch optimal transport."""

import torch
from torch import Tensor

from benchmarks.peers import inputs, program
from benchmarks.peers.peer import Names, Peer, Place, Tell
from benchmarks.peers.pytorch_gan import FOREVER

CELLS = 4  # imports, data, model, training


def run(place: Place, tell: Tell) -> None:
    inputs.as_mnist(place.inputs / inputs.DIGITS, place.folder / "data")
    file, folder = place.clone / "examples" / "images" / "mnist_example.ipynb", place.folder / "images"
    program.notebook(file, CELLS, {"n_epochs": FOREVER}, folder, place.clone, tell)


def draw(names: Names, c: Tensor) -> Tensor:
    """As the notebook does: an adaptive solver, from 0 to 1."""
    noise, ends = torch.randn(len(c), 1, 28, 28), torch.linspace(0, 1, 2)
    images: Tensor = names["node"].trajectory(noise, t_span=ends)[-1]
    return images


PEER = Peer(
    name="torchcfm",
    setting="torchcfm, MNIST example: 28 pixels, U-Net of 32 channels with attention, batch 128",
    run=run,
    task="digits",
    repository="atong01/conditional-flow-matching",
    commit="cacd4dc8a5b6f50de63780e8f73754c9371f15db",
    network=lambda names: names["model"],
    draw=draw,
    batch=100,
    num_samples=1_000,
)
