"""Which images belong together as A, the condition, and B, the image.

Known are the layouts in which paired sets are commonly published: A|B side by side (pix2pix, Isola et al.
2017, arXiv:1611.07004), trainA and trainB (CycleGAN's), A/train and B/train, file names that differ in a
prefix, a suffix (Cityscapes' `_leftImg8bit` and `_gtFine_labelIds`) or their extension (CMP facades').
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Literal

from pipeline.data.own.layouts import Item, Layout, described, images
from pipeline.data.own.names import Parsed, parse, plain, shared_ending, split_of
from pipeline.data.own.survey import MIN_SIDE, Found, line
from pipeline.runtime.errors import InputError
from pipeline.runtime.own_files import shown

Name = Literal["auto", "side_by_side", "two_folders"]
MAPS = ("mask", "label", "annotation", "segmentation")
CONDITIONS = ("input", "source", "condition", "cond", "sketch", "edge", *MAPS, "gtfine", "lr", "low")
IMAGES = ("target", "image", "photo", "img", "output", "leftimg8bit", "hr", "high")
ROLES = [  # what stands for A and for B, in lower case, without a plural's s; "" for what has no such name
    ("a", "b"),
    *((a, b) for a in CONDITIONS for b in IMAGES),
    *((a, "") for a in MAPS),
]
BEST_MAP = ("labelids", "labeltrainids", "color")  # of several maps of one photograph
MOST = 0.75  # of a folder's images, the share that says what they are
Seam = Callable[[Sequence[Found]], bool]


class Unclear(InputError):
    """They may be pairs, but nobody can tell which."""


def pairs(found: Sequence[Found], layout: Name, a: str, b: str, has_seam: Seam) -> Layout:
    """Pairs of A, the condition, and B, the image. `a` and `b` name their folders, or the endings, beginnings
    or extensions of their files' names; "" where they have one of the usual names, or one of them has none.
    `has_seam` is asked of images twice as wide as high.

    Raises:
        InputError: nobody can tell what belongs to what; the message says what was found, and what to say.
    """
    if a or b:
        if plain(a) == plain(b):
            raise InputError(f"a and b are both {a!r}: must differ")
        return two(found, [(plain(a), plain(b))])
    if layout == "side_by_side" or not found:
        return side_by_side(found)
    known = two(found, ROLES)
    if known.items and (layout == "two_folders" or 2 * known.num_files >= len(found)):
        return known
    if layout == "two_folders":
        raise InputError(
            f"{described(found)}; none are called A and B, or as other pairs: say a: FOLDER and b: FOLDER"
        )
    if sum(map(is_wide, found)) > MOST * len(found):
        return wide(found, has_seam)
    if alike := named_alike(found):
        raise Unclear(
            f"{described(found)}: which are the conditions, which the images? "
            f"say a: {alike[0]} and b: {alike[1]}, or the other way round"
        )
    if known.items:
        return known
    (width, height), num = Counter((each.width, each.height) for each in found).most_common(1)[0]
    advice = "A|B side by side are twice as wide as high; say layout: side_by_side to cut each in two halves"
    raise InputError(
        f"{described(found)}, {num} of them {width} x {height} pixels: no pairs are found in them; {advice}"
    )


def is_wide(found: Found) -> bool:
    return found.width == 2 * found.height


def wide(found: Sequence[Found], has_seam: Seam) -> Layout:
    """Images most of which are twice as wide as high: those cut in two halves, if they have a seam."""
    halves, others = list(filter(is_wide, found)), [each for each in found if not is_wide(each)]
    if not has_seam(halves):
        seamless = "twice as wide as high, without a seam in the middle"
        raise Unclear(f"{described(found)}, {seamless}: if they are A|B, say layout: side_by_side")
    reason = "not twice as wide as high, as most are"
    more = [line(each.path, f"{each.width} x {each.height} pixels: {reason}") for each in others]
    layout = side_by_side(halves)
    return layout._replace(left_out=[*layout.left_out, *more])


def named_alike(found: Sequence[Found]) -> list[str]:
    """The names of two folders, or extensions, that most images have, with files of the same names; [] if
    there are none.
    """
    for names in (
        [each.name.parent.name for each in found],
        [each.name.suffix.lower()[1:] for each in found],
    ):
        stems: dict[str, set[str]] = defaultdict(set)
        for name, each in zip(names, found, strict=True):
            stems[name].add(each.name.stem)
        first = sorted(stems, key=lambda name: -len(stems[name]))[:2]
        if len(first) < 2 or not all(first) or all(map(split_of, first)):
            continue
        one, other = (stems[name] for name in first)
        if 2 * len(one & other) > max(len(one), len(other)) and len(one) + len(other) > MOST * len(found):
            return sorted(first)
    return []


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
    more = [*left_out, *whole.left_out]
    return Layout("A|B side by side", whole.items, more, cut=2, num_files=len(whole.items))


def two(found: Sequence[Found], roles: Sequence[tuple[str, str]]) -> Layout:
    """Pairs of files in two folders, or whose names differ, of the roles that most files have.

    Raises:
        Unclear: most are of these, and none belong together.
    """
    wanted = frozenset(name for pair in roles for name in pair if name)
    best, apart, present = Layout("", [], []), "", {""}
    for endings in (True, False):
        parsed = [parse(each, wanted, endings) for each in found]
        present |= {role for each in parsed for role in each.roles}
        for a, b in (pair for pair in roles if present.issuperset(pair)):
            sides = {role: [each for each in parsed if role_of(each, a, b) == role] for role in (a, b)}
            layout = matched(sides, a, b)
            if len(layout.items) > len(best.items):
                strays = [each for each in parsed if role_of(each, a, b) is None]
                neither = [
                    line(each.found.path, f"neither {a} nor {b}".removesuffix(" nor ")) for each in strays
                ]
                best = layout._replace(left_out=[*neither, *layout.left_out])
            if min(map(len, sides.values())) > len(found) / 4:
                apart = apart or " and ".join(shown(side[0].found.path) for side in sides.values())
    if apart and not best.items:
        raise Unclear(f"{described(found)}: A and B have no names in common, such as {apart}")
    if len(roles) == 1 and not best.items:
        missing = " and ".join(repr(name) for name in roles[0] if name not in present)
        raise InputError(f"{described(found)}; no folder, ending or extension is called {missing}")
    return best


def role_of(parsed: Parsed, a: str, b: str) -> str | None:
    """Which of two roles a file has; "", if that is one of them and the other is not its own."""
    known = [name for name in (a, b) if name in parsed.roles]
    if len(known) == 1:
        return known[0]
    return "" if not known and "" in (a, b) else None


def matched(sides: dict[str, list[Parsed]], a: str, b: str) -> Layout:
    """Files whose paths differ in these two roles alone, or in an ending that all of a side have as well."""
    keyed = {role: by_key(files, 0) for role, files in sides.items()}
    if not keyed[a].keys() & keyed[b].keys() and all(sides.values()):
        endings = {role: shared_ending(each.names[-1] for each in files) for role, files in sides.items()}
        keyed = {role: by_key(files, endings[role]) for role, files in sides.items()}
    left_out = [
        line(each.found.path, f"{shown(several[0].found.path)} has the same name")
        for of_side in keyed.values()
        for several in of_side.values()
        for each in several[1:]
    ]
    for mine, other in ((a, b), (b, a)):
        said = f"no {other} of this name" if other else "no other of this name"
        left_out += [
            line(of_key[0].found.path, said) for key, of_key in keyed[mine].items() if key not in keyed[other]
        ]
    both = sorted(keyed[a].keys() & keyed[b].keys())
    items = [
        Item("/".join(key[1:]), (keyed[a][key][0].found.path, keyed[b][key][0].found.path), key[0] or None)
        for key in both
    ]
    words = f"A is {a or 'the others'}, B is {b or 'the others'}"
    return Layout(
        words, items, left_out, num_files=sum(len(keyed[role][key]) for role in (a, b) for key in both)
    )


def by_key(files: Sequence[Parsed], num: int) -> dict[tuple[str, ...], list[Parsed]]:
    """Files by split and names, the best of one name first, without the last `num` characters of them."""
    found: dict[tuple[str, ...], list[Parsed]] = defaultdict(list)
    for each in files:
        *folders, stem = each.names
        found[each.split or "", *folders, stem[: len(stem) - num]].append(each)
    for several in found.values():
        several.sort(key=lambda each: BEST_MAP.index(each.more) if each.more in BEST_MAP else len(BEST_MAP))
    return found
