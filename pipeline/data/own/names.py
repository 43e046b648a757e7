"""What the names of folders and files say: which split an image is of, and whether it is A or B of a pair."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import takewhile
from pathlib import PurePath
from typing import NamedTuple

from pipeline.data.own.survey import Found

SPLITS = {
    "train": ("train", "training", "trn"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "tst", "eval", "evaluation", "holdout"),
}
SPLIT_OF = {word: split for split, words in SPLITS.items() for word in words}
WORDS = "|".join(sorted(SPLIT_OF, key=len, reverse=True))
SPLIT = re.compile(rf"(\d+[_-])?({WORDS})([_-]?(data|set|split))?[_-]?\d*", re.IGNORECASE)  # 1_train, val2017
SPLIT_AND_ROLE = re.compile(rf"({WORDS})[_-]?(.+)", re.IGNORECASE)  # trainA, train_masks
TOKENS = re.compile(r"[^_\-. ]+")


class Parsed(NamedTuple):
    """What a path says."""

    found: Found
    split: str | None
    names: tuple[str, ...]  # of the folders that are neither split nor role, and the file's
    roles: frozenset[str]  # all names that might stand for A or B
    more: str  # what follows a role in the file's name


def split_of(folder: str) -> str | None:
    match = SPLIT.fullmatch(folder)
    return SPLIT_OF[match.group(2).lower()] if match else None


def split_folders(found: Sequence[Found]) -> dict[PurePath, str]:
    """The folders that are called as a split is, and the split. But `train` beside folders that are no
    splits, itself without any, holds trains.
    """
    inside: dict[PurePath, set[PurePath]] = defaultdict(set)
    for each in found:
        for folder in list(each.name.parents)[:-1]:
            inside[folder.parent].add(folder)
    return {
        folder: split
        for beside in list(inside.values())
        for folder in beside
        if (split := split_of(folder.name))
        and (split != "train" or folder in inside or all(split_of(other.name) for other in beside))
    }


def parse(found: Found, wanted: frozenset[str], endings: bool) -> Parsed:
    """What a path says, where roles are `wanted`; without `endings` those of names count only where no folder
    has a role. What is wanted goes before splits; an extension is a role where nothing else is.
    """
    split, names, known, more = None, list[str](), set[str](), ""
    for part in found.name.parent.parts:
        match = SPLIT_AND_ROLE.fullmatch(part)
        if plain(part) in wanted:
            known.add(plain(part))
        elif match and plain(match.group(2)) in wanted:
            split = split or SPLIT_OF[match.group(1).lower()]
            known.add(plain(match.group(2)))
        elif of_part := split_of(part):
            split = split or of_part
        else:
            names.append(part)
    stem = found.name.stem
    tokens = list(TOKENS.finditer(stem)) if endings or not known else []
    for token in (*tokens[1:][-2:], *tokens[:1]) if len(tokens) > 1 else ():
        role = plain(token.group())
        if role in wanted and known <= {role}:
            known = {role}
            before, after = stem[: token.start()].rstrip("_-. "), stem[token.end() :].lstrip("_-. ")
            stem, more = (before, after.lower()) if before else (after, "")
            break
    extension = found.name.suffix.lower().lstrip(".")
    if not known and extension in wanted:
        known = {extension}
    return Parsed(found, split, (*names, stem), frozenset(known), more)


def plain(name: str) -> str:
    """A role's name, in lower case and in the singular."""
    name = name.lower()
    name = {"sketches": "sketch"}.get(name, name)
    return name.removesuffix("s") if len(name) > 2 else name


def shared_ending(stems: Iterable[str]) -> int:
    """The length of what several names all end with, from the first character on that is no digit."""
    turned = {stem[::-1] for stem in stems}
    if len(turned) < 2:
        return 0
    shared = takewhile(lambda each: len({*each}) == 1, zip(*turned, strict=False))
    return len("".join(each[0] for each in shared)[::-1].lstrip("0123456789"))
