"""smalldiffusion's example with a U-Net, a function of a script, on digits instead of FashionMNIST.

Beside the data, two things are as its users would set them for digits on a processor: a batch of 128 instead
of 1,024, by the function's argument, and no horizontal flips, which digits do not stand.
"""

import importlib
import sys
from unittest import mock

from torch import Tensor
from torchvision.transforms import RandomHorizontalFlip as Flips

from benchmarks.peers import inputs, program
from benchmarks.peers.peer import Names, Peer, Place, State, Tell
from benchmarks.peers.pytorch_gan import FOREVER

BATCH = 128
STEPS, GAM = 20, 1.6  # of its sampler, in the example


def run(place: Place, tell: Tell) -> None:
    inputs.as_mnist(place.inputs / inputs.DIGITS, place.folder / "datasets", "FashionMNIST")
    library = place.clone / "src"
    with mock.patch.object(sys, "path", [str(library), *sys.path]):
        transform = importlib.import_module("smalldiffusion").img_train_transform
    transform.transforms = [each for each in transform.transforms if not isinstance(each, Flips)]
    file, given = place.clone / "examples" / "fashion_mnist_unet.py", {"train_batch_size": BATCH}
    program.function(file, "main", {**given, "epochs": FOREVER}, place.folder, library, tell)


def averaged(names: Names) -> State:
    """The weights that the example draws with: their moving average."""
    with names["ema"].average_parameters():
        return {name: value.clone() for name, value in names["model"].state_dict().items()}


def draw(names: Names, c: Tensor) -> Tensor:
    model, sigmas = names["model"], names["schedule"].sample_sigmas(STEPS)
    *_, images = names["samples"](model, sigmas, gam=GAM, batchsize=len(c), accelerator=names["a"])
    found: Tensor = images.detach()
    return found


PEER = Peer(
    name="smalldiffusion",
    setting=f"smalldiffusion: 28 pixels, U-Net of 64 to 128 channels with attention, batch {BATCH}",
    run=run,
    task="digits",
    repository="yuanchenyang/smalldiffusion",
    commit="7f607a84f5c554da121eff1eae42ccdcc17fbf9b",
    network=lambda names: names["model"],
    weights=averaged,
    draw=draw,
    batch=64,
    num_samples=1_000,
)
