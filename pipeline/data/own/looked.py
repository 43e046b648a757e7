"""The first reading of a user's files: every pixel is looked at, to find out what the numbers of the whole
set mean. No pixels are kept, and what is seen of an image is small, see looks.py.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import compress
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pipeline.data.own import decode, looks, meaning, seen
from pipeline.data.own.layouts import Item, Layout
from pipeline.data.own.looks import Looks
from pipeline.data.own.meaning import Meaning
from pipeline.data.own.seen import Look
from pipeline.data.own.survey import line
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import new_file
from pipeline.runtime.own_files import shown
from pipeline.runtime.progress import Bar
from pipeline.runtime.threads import in_order

FEWEST = 10  # examples
SIDES = ("a", "images")  # of pairs; what is alone is the image
PART = 256  # items whose looks are kept in a file

Kinds = dict[str, tuple[str, meaning.Kind]]  # by side


@dataclass(frozen=True)
class Looked:
    """A layout whose files have all been looked at."""

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


class Part(NamedTuple):
    """Some items that have been looked at."""

    read: np.ndarray  # (n,) which of them could be
    refused: np.ndarray  # what is said of files that could not
    sides: list[Looks]  # of those read

    @classmethod
    def of(cls, found: Sequence[tuple[list[Look], list[str]]], num_sides: int) -> Self:
        looks_of = [each for each, refused in found if not refused]
        refused = [each for _, lines in found for each in lines]
        sides = [Looks.of([each[side] for each in looks_of]) for side in range(num_sides)]
        return cls(np.array([not lines for _, lines in found]), np.array(refused, np.str_), sides)

    def save(self, path: Path) -> None:
        arrays = {
            f"{side}/{name}": array
            for side, each in enumerate(self.sides)
            for name, array in each._asdict().items()
        }
        with new_file(path) as part:
            np.savez(part, read=self.read, refused=self.refused, **arrays)

    @classmethod
    def load(cls, path: Path) -> Self:
        with np.load(path, allow_pickle=False) as found:
            num_sides = (len(found.files) - 2) // len(Looks._fields)
            sides = [Looks(*(found[f"{side}/{name}"] for name in Looks._fields)) for side in range(num_sides)]
            return cls(found["read"], found["refused"], sides)


def look(
    folder: Path,
    layout: Layout,
    kinds: Kinds,
    no_images: Sequence[str] = (),
    work: Path | None = None,
) -> Looked:
    """Look at every pixel of a layout's files. `kinds` are what the settings say of each side's values, with
    their keys; `no_images` is what was left out before. What is seen is kept in the folder `work`, if there
    is one, and not looked at again.

    Raises:
        InputError: too few can be read, or nobody can tell what their numbers mean.
    """
    num_sides = layout.cut * len(layout.items[0].files) if layout.items else 1
    parts = list(looked_at(folder, layout, num_sides, work))
    items = list(compress(layout.items, (read for part in parts for read in part.read)))
    left_out = [*no_images, *layout.left_out, *(said for part in parts for said in part.refused.tolist())]
    check_enough(folder, len(items), left_out)
    sides = [Looks.joined(part.sides[side] for part in parts) for side in range(num_sides)]
    meanings, blank = dict[str, Meaning](), dict[str, list[str]]()
    for side, each in zip(SIDES[-num_sides:], sides, strict=True):
        key, kind = kinds[side]
        try:
            meanings[side] = meaning.of(looks.together(each), kind, key)
        except InputError as error:
            raise InputError(f"{shown(folder)}: {side}: {error}") from error
        blank[side] = [items[i].key for i in np.flatnonzero(meanings[side].blank(each))]
        if len(blank[side]) == len(items):
            raise InputError(
                f"{shown(folder)}: {side}: all {len(items)} images are blank, of one value all over"
            )
    num_several = np.count_nonzero(np.any([each.each["num_images"] > 1 for each in sides], axis=0))
    return Looked(folder, layout, items, meanings, alike(sides), blank, left_out, int(num_several))


def looked_at(folder: Path, layout: Layout, num_sides: int, work: Path | None) -> Iterator[Part]:
    """All items, PART by part."""
    num, done = len(layout.items), 0
    at = partial(looks_at, folder, num_parts=layout.cut, num_sampled=looks.num_sampled(num))
    for path in sorted(work.glob("looks-*.npz")) if work else ():
        yield (kept := Part.load(path))
        done += len(kept.read)
    some = list[tuple[list[Look], list[str]]]()
    with decode.quietly(), Bar(f"reading {shown(folder)}", done, num) as bar:
        for found in in_order(at, layout.items[done:]):
            some.append(found)
            done += 1
            bar.log(done, {})
            if len(some) == PART or done == num:
                part = Part.of(some, num_sides)
                if work:
                    part.save(work / f"looks-{done:09}.npz")
                yield part
                some.clear()


def looks_at(folder: Path, item: Item, num_parts: int, num_sampled: int) -> tuple[list[Look], list[str]]:
    """The looks at an item's parts, and what is said of its files that cannot be read."""
    found, refused = list[Look](), list[str]()
    for path in item.files:
        try:
            for part in decode.cut(decode.pixels(folder / path), num_parts):
                found.append(seen.look(part, num_sampled))
        except InputError as error:
            refused.append(line(path, str(error)))
    return found, refused


def check_enough(folder: Path, num: int, left_out: Sequence[str]) -> None:
    """An InputError with the first reason if these are too few examples."""
    if num < FEWEST:
        first = f" (the first: {left_out[0]})" if left_out else ""
        counts = f"examples found: {num}, files left out: {len(left_out)}{first}"
        raise InputError(f"{shown(folder)}: {counts}; it must hold {FEWEST} at least")


def alike(sides: Sequence[Looks]) -> np.ndarray:
    """A number for each example, the same for those that share an image that is not blank, perhaps by way of
    others: several answers to one condition, or copies. It is that of the first of them.
    """
    num, edges = len(sides[0].each), list[tuple[np.ndarray, np.ndarray]]()
    for each in sides:
        seen_there = np.flatnonzero(~(each.blank(seen.WHITE) & each.blank(seen.BLACK)))
        digests = each.each["digest"][seen_there]
        _, first, which = np.unique(digests, return_index=True, return_inverse=True)
        edges.append((seen_there, seen_there[first[which]]))
    ends = tuple(np.concatenate(each) for each in zip(*edges, strict=True))
    graph = coo_array((np.ones(len(ends[0]), np.int8), ends), shape=(num, num))
    labels = connected_components(graph, directed=False)[1]
    return np.unique(labels, return_index=True)[1][labels]
