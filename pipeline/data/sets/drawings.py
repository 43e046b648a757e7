"""OpenMoji's drawings: raw files -> images with what each was made of, split so that no
variant of a drawing for testing was trained on, nor the same image under another name.
"""

from pathlib import Path

import networkx as nx
import numpy as np

from pipeline.data import captions, openmoji
from pipeline.data.download import openmoji as source
from pipeline.data.download.choice import ImageEntry, Source
from pipeline.data.prepared import Arrays, DataSet
from pipeline.runtime.errors import InputError
from pipeline.runtime.randomness import permutation

FIELDS = (
    "images",  # (N, 3, S, S) uint8
    "sketches",  # (N, C, S, S) uint8: the line layer
    "layers",  # (N, S, S) uint8: the kind of layer seen at each pixel, below NUM_LABELS
    "captions",  # (N,); "" where a drawing has no name
    "tokens",  # (N, L) int64: the captions' word numbers
    "names",  # (N,), of the files
    "bases",  # (N,) int64, a number for each base drawing: the same for all its variants
    "tones",  # (N,) int64: 0 .. 5 for drawings that come in exactly six tones, else NO_TONE
)
NO_TONE = -1
LEARNER = "contrastive", "none"
SPLIT = "drawings split"  # purpose of random numbers


class Settings(ImageEntry, Source):
    pass


def fetch(settings: Settings, root: Path) -> None:
    source.fetch(settings, root)


def prepare(folder: Path, settings: Settings, work: Path) -> DataSet:
    """Read OpenMoji's drawings in `folder`, and split them.

    Raises:
        InputError: a file is damaged, or a split would be empty.
    """
    arrays = rendered(folder, settings)
    numbers = np.unique(arrays["bases"], return_inverse=True)[1]
    chosen, leading = split(numbers.max() + 1, settings), alike(arrays["images"], numbers)
    rows = {part: np.flatnonzero(np.isin(leading, bases)) for part, bases in chosen.items()}
    if not all(map(len, rows.values())):
        found = f"validation_share = {settings.validation_share}, test_share = {settings.test_share}"
        empty = f"of {len(np.unique(leading))} base drawings a split is left empty; each needs one at least"
        raise InputError(f"{found}: {empty}")
    vocabulary = captions.vocabulary(arrays["captions"][rows["train"]].tolist())
    arrays |= {"tokens": captions.tokens(arrays["captions"].tolist(), vocabulary), "bases": numbers}
    splits = {part: {field: arrays[field][rows[part]] for field in FIELDS} for part in rows}
    facts = {"source": "openmoji", "num_words": captions.num_words(vocabulary)}
    return DataSet(splits, facts)


def alike(images: np.ndarray, bases: np.ndarray) -> np.ndarray:
    """For each drawing (N,) the first of the bases that it shares an image with, perhaps by way of others:
    OpenMoji draws some people and flags in one way under two names. They all go where the first one goes.
    """
    seen: dict[bytes, int] = {}
    graph: nx.Graph[int] = nx.Graph()
    for image, base in zip(images, bases.tolist(), strict=True):
        graph.add_edge(base, seen.setdefault(image.tobytes(), base))
    first = {base: min(group) for group in nx.connected_components(graph) for base in group}
    return np.array([first[base] for base in bases.tolist()])


def split(num_bases: int, settings: Settings) -> dict[str, np.ndarray]:
    """Which base drawings are in which split."""
    order = permutation(num_bases, settings.seed, SPLIT).numpy()
    sizes = [round(share * num_bases) for share in (settings.validation_share, settings.test_share)]
    validation, test, train = np.split(order, np.cumsum(sizes))
    return {"train": train, "validation": validation, "test": test}


def rendered(folder: Path, settings: Settings) -> Arrays:
    """All of OpenMoji's drawings: bases by name, no tokens yet.

    Raises:
        InputError: a drawing is damaged, or one of the six-toned differs from its kin in its line layer.
    """
    files = {path.stem: path for path in sorted((folder / "svg").glob("*.svg"))}
    if not files:
        raise InputError(f"{folder}: no SVG files in its folder svg")
    images_of, lines = [], {}
    for name, path in files.items():
        content = path.read_bytes()
        try:
            images_of.append(openmoji.render(content, settings.image_size))
            lines[name] = openmoji.line_layer(content)
        except (InputError, ValueError) as error:
            raise InputError(f"{path}: {error}") from error
    tones = dict.fromkeys(files, NO_TONE)
    for variants in openmoji.six_tones(files).values():
        if len({lines[name] for name in variants}) > 1:
            raise InputError(f"{folder}: the six tones of {variants[0]} differ in their line layer")
        tones |= {name: tone for tone, name in enumerate(variants)}
    images, sketches, layers = (np.stack(parts) for parts in zip(*images_of, strict=True))
    return {
        "images": images,
        "sketches": sketches,
        "layers": layers,
        "captions": np.array([openmoji.caption(name) for name in files]),
        "names": np.array(list(files)),
        "bases": np.array([openmoji.base(name) for name in files]),
        "tones": np.array(list(tones.values())),
    }
