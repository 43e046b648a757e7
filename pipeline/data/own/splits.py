"""The split of each of a user's images: what is alike is in one, and each class in all."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.data.own.layouts import Item
from pipeline.data.own.survey import line
from pipeline.data.prepared import SPLITS
from pipeline.runtime.errors import InputError
from pipeline.runtime.randomness import permutation

PURPOSE = "own split"  # of random numbers


def split(
    items: Sequence[Item], groups: np.ndarray, shares: Mapping[str, float], seed: int
) -> tuple[np.ndarray, list[str]]:
    """The split of each item, (N,), "" for those left out, and what is said of these: what folders call
    training, validation and test stays that; a split that they do not have is taken from the training part,
    a share of each class.

    Raises:
        InputError: a split would be empty, or have no image of a class.
    """
    chosen = np.array([item.split or "train" for item in items], dtype=object)
    left_out = list[str]()
    order = np.argsort(groups, kind="stable")
    for of_group in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        highest = max(chosen[of_group], key=SPLITS.index)
        for i in of_group[chosen[of_group] != highest]:
            left_out.append(line(items[i].files[-1], f"shows the same as an image of the {highest} split"))
            chosen[i] = ""
    missing = [name for name in shares if name not in chosen]
    label_of = {group: item.label or "" for group, item in zip(groups.tolist(), items, strict=True)}
    free = np.unique(groups[chosen == "train"])
    labels = np.array([label_of[group] for group in free.tolist()], dtype=object)
    for label in sorted({*label_of.values()}):
        order = free[labels == label]
        order = order[permutation(len(order), seed, PURPOSE).numpy()]
        sizes = [max(1, round(shares[name] * len(order))) for name in missing]
        for name, some in zip(missing, np.split(order, np.cumsum(sizes)), strict=False):
            chosen[np.isin(groups, some) & (chosen == "train")] = name
    check(items, chosen)
    return chosen, left_out


def check(items: Sequence[Item], chosen: np.ndarray) -> None:
    """An InputError where a split is empty, or has no image of a class: nothing could be said of that."""
    counts = Counter(item.label for item in items)
    for name in SPLITS:
        there = {item.label for item, each in zip(items, chosen, strict=True) if each == name}
        if not there:
            raise InputError(f"{len(items)} examples leave no {name} split; there must be more")
        if absent := [f"{label} ({num})" for label, num in sorted(counts.items()) if label not in there]:
            some = ", ".join(absent[:3]) + (", ..." if len(absent) > 3 else "")
            raise InputError(
                f"the {name} split has no image of {some}; each class must have one in each split"
            )


def words(items: Sequence[Item], chosen: np.ndarray) -> str:
    """The sizes of the splits, and where they come from."""
    own = {item.split for item in items if item.split}
    sources = {
        name: "" if name == "train" else " (its folder)" if name in own else " (at random)" for name in SPLITS
    }
    sizes = [f"{name} {np.count_nonzero(chosen == name)}{source}" for name, source in sources.items()]
    return f"splits: {', '.join(sizes)}"
