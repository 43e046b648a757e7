"""How a user's folder is laid out: classes, or images and nothing else; of pairs see pairing.py.

A folder a class is torchvision's ImageFolder.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.data.own.names import split_folders
from pipeline.data.own.survey import Found, line
from pipeline.runtime.errors import InputError
from pipeline.runtime.own_files import shown


class Item(NamedTuple):
    """An example: the files it is read from."""

    key: str  # unlike that of all others
    files: tuple[Path, ...]  # one, or those of A and B
    split: str | None = None  # where the folders say so
    label: str | None = None  # the class


class Layout(NamedTuple):
    words: str
    items: list[Item]  # in the order of their keys
    left_out: list[str]
    cut: int = 1  # parts that each file is cut into, from left to right
    num_files: int = 0  # of pairs: that belong to one, or have the same name as another that does


def images(found: Sequence[Found]) -> Layout:
    """Every image an example."""
    splits = split_folders(found)
    items, left_out = unlike(
        Item(key(each), (each.path,), next((splits[up] for up in each.name.parents if up in splits), None))
        for each in found
    )
    return Layout("every image by itself", items, left_out)


def classes(found: Sequence[Found]) -> Layout:
    """Every folder a class, below those in which all lie; an InputError if there is only one."""
    items, left_out, splits = list[Item](), list[str](), split_folders(found)
    above = [list(each.name.parents)[-2::-1] for each in found]  # all folders of each, from the first one on
    folders = [[folder.name for folder in ups if folder not in splits] for ups in above]
    levels = enumerate(zip(*folders, strict=False))
    num_shared = next(
        (depth for depth, names in levels if len({*names}) > 1), min(map(len, folders), default=0)
    )
    for each, ups, inside in zip(found, above, folders, strict=True):
        if len(inside) == num_shared:
            left_out.append(line(each.path, "in no class's folder"))
            continue
        split = next((splits[folder] for folder in ups if folder in splits), None)
        items.append(Item(key(each), (each.path,), split, inside[num_shared]))
    items, more = unlike(items)
    counts = Counter(item.label for item in items)
    if len(counts) < 2:
        raise InputError(f"{described(found)}; it must hold a folder a class, two at least")
    words = ", ".join(f"{label} ({num})" for label, num in sorted(counts.items()))
    return Layout(f"{len(counts)} classes: {words}", items, [*left_out, *more])


def key(found: Found) -> str:
    return "/".join(found.name.with_suffix("").parts)


def unlike(items: Iterable[Item]) -> tuple[list[Item], list[str]]:
    """One item of each key, in their order, and what is said of the others."""
    first, left_out = dict[str, Item](), list[str]()
    for item in items:
        if item.key in first:
            left_out.append(line(item.files[0], f"{shown(first[item.key].files[0])} has the same name"))
        else:
            first[item.key] = item
    return [first[key] for key in sorted(first)], left_out


def described(found: Sequence[Found]) -> str:
    """What images were found, folder by folder."""
    counts = Counter(each.name.parent for each in found)
    some = [
        f"{num} in '{folder}'" if folder.parts else f"{num} in it" for folder, num in counts.most_common(4)
    ]
    more = f" and {len(counts) - 4} more folders" if len(counts) > 4 else ""
    return f"images found: {', '.join(some) or 'none'}{more}"
