"""The authors' pix2pix: a script, on our drawings at 32 pixels.

Its command line knows U-Nets that halve an image seven or eight times. Their class takes the number as an
argument; here it is 5, which is the same shape for 32 pixels: down to one.
"""

import importlib
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest import mock

import torch
from torch import Tensor

from benchmarks.peers import inputs, program
from benchmarks.peers.peer import Names, Peer, Place, Tell

PIXELS, HALVINGS = 32, 5
FOREVER = 10**6  # epochs


def run(place: Place, tell: Tell, batch_size: int) -> None:
    """Train; the second half of all epochs is that of the decay, as by default."""
    drawings = (place.inputs / inputs.DRAWINGS).resolve()
    epochs = place.images / len(list((drawings / "train").iterdir()))
    half = FOREVER if math.isinf(epochs) else max(1, math.ceil(epochs / 2))
    given = {"model": "pix2pix", "dataroot": drawings, "netG": "unet_128", "input_nc": 1}
    given |= {"load_size": PIXELS, "crop_size": PIXELS, "batch_size": batch_size, "num_threads": 0}
    given |= {"n_epochs": half, "n_epochs_decay": half}
    with shallow(place):
        arguments = [f"--{name}={value}" for name, value in given.items()]
        program.script(place.clone / "train.py", arguments, place.folder, tell)


@contextmanager
def shallow(place: Place) -> Iterator[None]:
    """While it lasts, their U-Nets halve an image five times."""
    with mock.patch.object(sys, "path", [str(place.clone), *sys.path]):
        networks: Any = importlib.import_module("models.networks")
    unet = networks.UnetGenerator
    plain = unet.__init__

    def built(self: Any, input_nc: int, output_nc: int, num_downs: int, *rest: Any, **named: Any) -> None:
        plain(self, input_nc, output_nc, HALVINGS, *rest, **named)

    with mock.patch.object(unet, "__init__", built):
        yield


def draw(names: Names, c: Tensor) -> Tensor:
    """As their test script does by default: one at a time, dropout and the image's own statistics in use."""
    generator = names["model"].netG.train()
    return torch.cat([generator(one) for one in c.split(1)])


def peer(batch_size: int) -> Peer:
    return Peer(
        name=f"pix2pix-{batch_size}",
        setting=f"pix2pix: 32 pixels, U-Net of 64 to 512 channels, batch {batch_size}",
        run=partial(run, batch_size=batch_size),
        task="sketch",
        repository="junyanz/pytorch-CycleGAN-and-pix2pix",
        commit="2a7afba2895d52556dd5dfe07e8555ef657ced6f",
        network=lambda names: names["model"].netG,
        draw=draw,
        scheduled=True,
    )


PEERS = (peer(1), peer(16))  # 1 is its default
