"""A user's folder -> images, by split, each with what it is paired with or its class.

Every file is read twice: once to find out what the numbers of the whole set mean, once into the arrays that
are kept; no more than these lie in memory.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, Self

import networkx as nx
import numpy as np
from pydantic import model_validator

from pipeline.data.download.choice import Entry
from pipeline.data.own import decode, meaning, seen, splits
from pipeline.data.own.layouts import Item, Layout
from pipeline.data.own.meaning import Meaning
from pipeline.data.own.seen import Look
from pipeline.data.own.survey import line
from pipeline.data.prepared import SPLITS, Arrays, DataSet
from pipeline.runtime.errors import InputError
from pipeline.runtime.own_files import shown
from pipeline.runtime.params import Count, Fraction, Positive, Seed
from pipeline.runtime.progress import Bar

FEWEST = 10  # examples
SIDES = ("a", "images")  # of pairs; what is alone is the image


class Settings(Entry):
    """What all kinds of the user's sets have."""

    source: Literal["folder", "url"] = "folder"  # url: an archive to be downloaded
    folder: str  # for source folder: where the files are; no stage's output
    url: str = ""  # for source url: of a zip or tar archive
    sha256: str = ""  # of that archive
    timeout: Positive = 30.0  # seconds without an answer after which a server counts as dead
    image_size: Count = 32  # pixels a side; a multiple of 8, and of what the networks halve
    validation_share: Fraction = 0.15  # of what is alike; where folders say what is for testing, they count
    test_share: Fraction = 0.15  # of the images
    seed: Seed = 0  # which ones

    @model_validator(mode="after")
    def _leaves_images_to_train_on(self) -> Self:
        if not 0 < (shares := self.validation_share + self.test_share) < 1:
            raise ValueError(f"validation_share + test_share = {shares}: must be below 1")
        if self.image_size % 8 or self.image_size < 16:
            raise ValueError(f"image_size = {self.image_size}: must be a multiple of 8, 16 at least")
        if self.source == "url" and not (self.url and self.sha256):
            raise ValueError("source = 'url': url and sha256 must be given, those of an archive")
        return self

    def files(self, raw: Path) -> Path:
        """Where the files are: in the user's folder, or in that of what was downloaded."""
        return Path(self.folder) if self.source == "folder" else raw


@dataclass(frozen=True)
class Looked:
    """A layout whose files have all been looked at; no pixels are kept."""

    folder: Path
    layout: Layout
    items: list[Item]  # those that can be read
    meanings: dict[str, Meaning]  # by side
    groups: np.ndarray  # (N,) the same number for items that share an image
    blank: dict[str, list[str]]  # by side, the keys of images of one value
    left_out: list[str]
    num_several: int = 0  # items of whose files some hold several images

    def words(self) -> Iterator[str]:
        """What was found out, a line each."""
        yield self.layout.words
        for side, found in self.meanings.items():
            name = {"a": "A", "images": "B"}[side] if len(self.meanings) > 1 else side
            yield f"{name}: {found.words}"
            if blank := self.blank[side]:
                some = ", ".join(blank[:3]) + (", ..." if len(blank) > 3 else "")
                yield f"{name}: {len(blank)} of {len(self.items)} are blank, of one value all over: {some}"
        if self.num_several:
            yield f"{self.num_several} are of files that hold several images: the first is taken"
        if doubles := len(self.items) - len(np.unique(self.groups)):
            yield f"{doubles} share an image with another, and go into one split with it"


def look(
    folder: Path, layout: Layout, kinds: dict[str, tuple[str, meaning.Kind]], no_images: Sequence[str] = ()
) -> Looked:
    """Look at every pixel of a layout's files, in as many threads as there are cores. `kinds` are what the
    settings say of each side's values, with their keys; `no_images` is what was left out before.

    Raises:
        InputError: too few can be read, or nobody can tell what their numbers mean.
    """
    num_parts = layout.cut * len(layout.items[0].files) if layout.items else 1
    items, looks, left_out = list[Item](), list[list[Look]](), [*no_images, *layout.left_out]
    with (
        decode.quietly(),
        ThreadPoolExecutor(os.cpu_count()) as pool,
        Bar(f"reading {shown(folder)}", 0, len(layout.items)) as bar,
    ):
        read = pool.map(partial(looks_at, folder, num_parts=layout.cut), layout.items)
        for done, (item, (parts, refused)) in enumerate(zip(layout.items, read, strict=True), 1):
            if not refused:
                items.append(item)
                looks.append(parts)
            left_out += refused
            bar.log(done, {})
    check_enough(folder, len(items), left_out)
    meanings, blank = dict[str, Meaning](), dict[str, list[str]]()
    for k, side in enumerate(SIDES[-num_parts:]):
        (key, kind), of_side = kinds[side], [parts[k] for parts in looks]
        try:
            meanings[side] = meaning.of(seen.together(of_side), kind, key)
        except InputError as error:
            raise InputError(f"{shown(folder)}: {side}: {error}") from error
        blank[side] = [
            item.key for item, each in zip(items, of_side, strict=True) if meanings[side].blank(each)
        ]
        if len(blank[side]) == len(items):
            raise InputError(
                f"{shown(folder)}: {side}: all {len(items)} images are blank, of one value all over"
            )
    num_several = sum(any(part.num_images > 1 for part in parts) for parts in looks)
    return Looked(folder, layout, items, meanings, alike(looks), blank, left_out, num_several)


def looks_at(folder: Path, item: Item, num_parts: int) -> tuple[list[Look], list[str]]:
    """The looks at an item's parts, and what is said of its files that cannot be read."""
    looks, refused = list[Look](), list[str]()
    for path in item.files:
        try:
            looks += map(seen.look, decode.cut(decode.pixels(folder / path), num_parts))
        except InputError as error:
            refused.append(line(path, str(error)))
    return looks, refused


def check_enough(folder: Path, num: int, left_out: Sequence[str]) -> None:
    """An InputError with the first reason if these are too few examples."""
    if num < FEWEST:
        first = f" (the first: {left_out[0]})" if left_out else ""
        counts = f"examples found: {num}, files left out: {len(left_out)}{first}"
        raise InputError(f"{shown(folder)}: {counts}; it must hold {FEWEST} at least")


def alike(looks: Sequence[Sequence[Look]]) -> np.ndarray:
    """A number for each example, the same for those that share an image that is not blank, perhaps by way of
    others: several answers to one condition, or copies.
    """
    graph: nx.Graph[int] = nx.Graph()
    first: dict[tuple[int, bytes], int] = {}
    for i, parts in enumerate(looks):
        graph.add_node(i)
        for side, part in enumerate(parts):
            if not (part.blank(seen.WHITE) and part.blank(seen.BLACK)):
                graph.add_edge(i, first.setdefault((side, part.digest), i))
    groups = np.empty(len(looks), np.int64)
    for group in nx.connected_components(graph):
        groups[list(group)] = min(group)
    return groups


def split(looked: Looked, settings: Settings) -> tuple[np.ndarray, list[str]]:
    """The split of each item, (N,), "" for those left out, and what is said of these; see splits.py."""
    shares = {"validation": settings.validation_share, "test": settings.test_share}
    try:
        return splits.split(looked.items, looked.groups, shares, settings.seed)
    except InputError as error:
        raise InputError(f"{shown(looked.folder)}: {error}") from error


def data_set(looked: Looked, settings: Settings) -> DataSet:
    """The images themselves, read straight into the arrays of their splits."""
    chosen, left_out = split(looked, settings)
    arrays = {name: of_split(looked, np.flatnonzero(chosen == name), settings.image_size) for name in SPLITS}
    said = [*looked.words(), splits.words(looked.items, chosen)]
    return DataSet(arrays, {"source": "own"}, [*looked.left_out, *left_out], said)


def of_split(looked: Looked, rows: np.ndarray, size: int) -> Arrays:
    """The arrays of these items."""
    arrays: Arrays = {
        "names": np.array([looked.items[i].key for i in rows]),
        "bases": looked.groups[rows],
    }
    for side, found in looked.meanings.items():
        arrays[side] = np.empty((len(rows), 3, size, size), np.uint8)
        if found.labels:
            arrays |= {
                f"{side}_labels": np.empty((len(rows), size, size), np.uint8),
                f"{side}_colours": found.palette,
            }

    def fill(row: int) -> None:
        item = looked.items[rows[row]]
        parts = [
            part
            for path in item.files
            for part in decode.cut(decode.pixels(looked.folder / path), looked.layout.cut)
        ]
        for (side, found), part in zip(looked.meanings.items(), parts, strict=True):
            values = found.applied(part, size)
            if found.labels:
                arrays[f"{side}_labels"][row] = values
                values = found.palette[values].transpose(2, 0, 1)
            arrays[side][row] = values

    with decode.quietly(), ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(fill, range(len(rows))))
    return arrays
