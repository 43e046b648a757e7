"""How a user's folder is laid out: pairs of images, classes, or images and nothing else.

Known are the layouts in which paired sets are commonly published: A|B side by side (pix2pix, Isola et al.
2017, arXiv:1611.07004), trainA and trainB (CycleGAN's), A/train and B/train, file names that differ in a
suffix (Cityscapes' `_leftImg8bit` and `_gtFine_labelIds`); and a folder a class, torchvision's ImageFolder.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from pipeline.data.own.survey import MIN_SIDE, Found, line
from pipeline.runtime.errors import InputError
from pipeline.runtime.own_files import shown

Name = Literal["auto", "side_by_side", "two_folders"]  # of pairs
SPLITS = {"train": "train", "training": "train", "val": "validation", "valid": "validation"}
SPLITS |= {"validation": "validation", "dev": "validation", "test": "test", "testing": "test"}
ROLES = (  # what stands for A, the condition, and for B, the image; in lower case, without a plural's s
    ("a", "b"),
    ("input", "target"),
    ("source", "target"),
    ("condition", "image"),
    ("sketch", "photo"),
    ("edge", "image"),
    ("mask", "image"),
    ("label", "image"),
    ("annotation", "image"),
    ("segmentation", "image"),
    ("gtfine", "leftimg8bit"),
)
BEST_MAP = ("labelids", "labeltrainids", "color")  # of several maps of one photograph
SPLIT = re.compile(rf"({'|'.join(sorted(SPLITS, key=len, reverse=True))})[_-]?(.*)", re.IGNORECASE)
TOKENS = re.compile(r"[^_\-. ]+")


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


class Parsed(NamedTuple):
    """What a path says."""

    found: Found
    split: str | None
    names: tuple[str, ...]  # of the folders that are neither split nor role, and the file's
    roles: frozenset[str]  # all names that might stand for A or B
    more: str  # what follows a role in the file's name


def images(found: Sequence[Found]) -> Layout:
    """Every image an example."""
    items, left_out = unlike(
        Item("/".join(each.path.with_suffix("").parts), (each.path,), parse(each).split) for each in found
    )
    return Layout("every image by itself", items, left_out)


def classes(found: Sequence[Found]) -> Layout:
    """Every folder a class, below those in which all lie; an InputError if there is only one."""
    items, left_out = list[Item](), list[str]()
    folders = [[part for part in each.path.parent.parts if part.lower() not in SPLITS] for each in found]
    levels = enumerate(zip(*folders, strict=False))
    num_shared = next(
        (depth for depth, names in levels if len({*names}) > 1), min(map(len, folders), default=0)
    )
    for each, inside in zip(found, folders, strict=True):
        if len(inside) == num_shared:
            left_out.append(line(each.path, "in no class's folder"))
            continue
        split = next((SPLITS[part.lower()] for part in each.path.parts if part.lower() in SPLITS), None)
        label = inside[num_shared]
        items.append(Item("/".join(each.path.with_suffix("").parts), (each.path,), split, label))
    items, more = unlike(items)
    counts = Counter(item.label for item in items)
    if len(counts) < 2:
        raise InputError(f"{described(found)}; it must hold a folder a class, two at least")
    words = ", ".join(f"{label} ({num})" for label, num in sorted(counts.items()))
    return Layout(f"{len(counts)} classes: {words}", items, [*left_out, *more])


def pairs(found: Sequence[Found], layout: Name, a: str, b: str) -> Layout:
    """Pairs of A, the condition, and B, the image. `a` and `b` name their folders, or the endings of their
    files' names; "" where they have one of the usual names.

    Raises:
        InputError: nobody can tell what belongs to what; the message says what was found, and what to say.
    """
    if a or b:
        if not (a and b):
            raise InputError("a and b: both must be named, or neither")
        return two(found, [(plain(a), plain(b))])
    if layout == "side_by_side":
        return side_by_side(found)
    known = two(found, ROLES)
    if layout == "two_folders" or known.items:
        if not known.items:
            raise InputError(
                f"{described(found)}; none are called A and B, or as other pairs: say a: FOLDER and b: FOLDER"
            )
        return known
    if all(each.width == 2 * each.height for each in found):
        return side_by_side(found)
    if alike := named_alike(found):
        raise InputError(
            f"{described(found)}: which are the conditions, which the images? "
            f"say a: {alike[0]} and b: {alike[1]}, or the other way round"
        )
    shapes = Counter((each.width, each.height) for each in found)
    (width, height), num = shapes.most_common(1)[0]
    advice = "A|B side by side are twice as wide as high; say layout: side_by_side to cut each in two halves"
    raise InputError(
        f"{described(found)}, {num} of them {width} x {height} pixels: no pairs are found in them; {advice}"
    )


def named_alike(found: Sequence[Found]) -> list[str]:
    """The names of two folders that hold most images and files of the same names; [] if there are none."""
    stems: dict[str, set[str]] = defaultdict(set)
    for each in found:
        stems[each.path.parent.name].add(each.path.stem)
    first = sorted(stems, key=lambda name: -len(stems[name]))[:2]
    both = set.intersection(*(stems[name] for name in first)) if len(first) == 2 else set()
    return sorted(first) if 2 * len(both) > max(len(stems[name]) for name in first) else []


def side_by_side(found: Sequence[Found]) -> Layout:
    """Every image cut in two halves."""
    left_out, halved = list[str](), list[Found]()
    for each in found:
        half = f"each half {each.width // 2} x {each.height} pixels"
        if each.width % 2:
            left_out.append(
                line(each.path, f"{each.width} pixels wide: must be even, to hold A|B side by side")
            )
        elif each.width < 2 * MIN_SIDE:
            left_out.append(line(each.path, f"{half}: must be {MIN_SIDE} x {MIN_SIDE} at least"))
        else:
            halved.append(each)
    whole = images(halved)
    return Layout("A|B side by side", whole.items, [*left_out, *whole.left_out], cut=2)


def two(found: Sequence[Found], roles: Iterable[tuple[str, str]]) -> Layout:
    """Pairs of files in two folders, or with two endings, of the roles that most files have."""
    roles = list(roles)
    names = {name for pair in roles for name in pair}
    parsed = [[parse(each, names, endings) for each in found] for endings in (True, False)]
    layouts = (matched(files, *pair) for files in parsed for pair in roles)
    return max(layouts, key=lambda layout: len(layout.items))


def matched(parsed: Sequence[Parsed], a: str, b: str) -> Layout:
    """Files whose paths differ in these two roles alone."""
    sides: dict[str, dict[tuple[str, ...], list[Parsed]]] = {a: defaultdict(list), b: defaultdict(list)}
    left_out = []
    for each in parsed:
        known = [name for name in (a, b) if name in each.roles]
        if len(known) != 1:
            left_out.append(line(each.found.path, f"neither {a} nor {b}"))
            continue
        sides[known[0]][(each.split or "", *each.names)].append(each)
    chosen: dict[str, dict[tuple[str, ...], Parsed]] = {a: {}, b: {}}
    for role, of_key in sides.items():
        for key, several in of_key.items():
            several.sort(key=lambda each: rank(each.more))
            chosen[role][key] = several[0]
            left_out += [
                line(each.found.path, f"{shown(several[0].found.path)} has the same name")
                for each in several[1:]
            ]
    for mine, others, other in ((chosen[a], chosen[b], b), (chosen[b], chosen[a], a)):
        left_out += [
            line(each.found.path, f"no {other} of this name")
            for key, each in mine.items()
            if key not in others
        ]
    items = [
        Item("/".join(key[1:]), (chosen[a][key].found.path, chosen[b][key].found.path), key[0] or None)
        for key in sorted(chosen[a].keys() & chosen[b].keys())
    ]
    return Layout(f"A is {a}, B is {b}", items, left_out)


def rank(more: str) -> int:
    return BEST_MAP.index(more) if more in BEST_MAP else len(BEST_MAP)


def parse(found: Found, roles: Iterable[str] = (), endings: bool = True) -> Parsed:
    """What a path says, where these are roles; without `endings` those of names count only where no folder
    has a role.
    """
    split, names, known, more, wanted = None, list[str](), set[str](), "", set(roles)
    for part in found.path.parent.parts:
        match = SPLIT.fullmatch(part)
        rest = match.group(2) if match else part
        if match and (not rest or plain(rest) in wanted):
            split = split or SPLITS[match.group(1).lower()]
        elif match:
            rest = part
        if rest and plain(rest) in wanted:
            known.add(plain(rest))
        elif rest:
            names.append(rest)
    stem = found.path.stem
    tokens = list(TOKENS.finditer(stem))
    for token in tokens[1:][-2:] if endings or not known else ():
        role = plain(token.group())
        if role in wanted and known <= {role}:
            known, more = {role}, stem[token.end() :].lstrip("_-. ").lower()
            stem = stem[: token.start()].rstrip("_-. ")
            break
    return Parsed(found, split, (*names, stem), frozenset(known), more)


def plain(name: str) -> str:
    """A role's name, in lower case and in the singular."""
    name = name.lower()
    name = {"sketches": "sketch"}.get(name, name)
    return name.removesuffix("s") if len(name) > 2 else name


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
    counts = Counter(each.path.parent for each in found)
    some = [
        f"{num} in {shown(folder)!r}" if folder.parts else f"{num} in it"
        for folder, num in counts.most_common(4)
    ]
    more = f" and {len(counts) - 4} more folders" if len(counts) > 4 else ""
    return f"images found: {', '.join(some) or 'none'}{more}"
