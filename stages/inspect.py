"""Command `inspect`: what would be done with a folder of one's own files, before anything is trained.

python -m stages.inspect path/to/folder
"""

import json
import re
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.data.own import layouts, load, pairing, splits
from pipeline.data.own.seam import has_seam
from pipeline.data.own.survey import Survey, survey
from pipeline.data.sets import images, kind, labelled, pairs
from pipeline.runtime import own_files, params
from pipeline.runtime.errors import InputError
from pipeline.runtime.own_files import shown
from stages import InputFolder, run

MOST_SHOWN = 10  # files that are left out
KINDS: dict[str, Any] = {"pairs": pairs, "labelled": labelled, "images": images}
ALBUM = re.compile(r"DCIM|\d{3}[A-Z0-9_]{5}|(19|20)\d\d([-_]?\d\d)*|[01]\d", re.IGNORECASE)  # of cameras
QUESTIONS = {"pairs": "ab", "labelled": "label", "images": "colourise"}  # to begin with


def main(
    folder: InputFolder,
    as_kind: Annotated[
        str, typer.Option("--kind", help="pairs, labelled or images; else it is guessed.")
    ] = "",
    name: Annotated[
        str, typer.Option(help="Of the data set, an entry of `datasets:` whose keys count.")
    ] = "",
) -> None:
    """Say what is in FOLDER, what it is taken for, what is left out and why; and what to write into
    params.yaml.
    """
    found = survey(folder)
    sizes = sorted({(each.width, each.height) for each in found.images})
    print(f"{shown(folder)}: {len(found.images)} images, {len(found.left_out)} files left out")
    if sizes:
        more = f" and {len(sizes) - 4} more" if len(sizes) > 4 else ""
        print(f"sizes: {', '.join(f'{width} x {height}' for width, height in sizes[:4])}{more}")
    try:
        own_files.check_folder("folder", str(folder))
    except InputError as error:
        print(f"to be mended before anything is trained: {error}")
    given = kind.of(name)[1] if name else None
    said = given.kind if given else as_kind
    chosen, doubt = (said, "") if said else guessed(found, folder)
    params.check_name("kind", chosen, KINDS)
    settings = given or KINDS[chosen].Settings(kind=chosen, folder=str(folder))
    print(f"kind: {chosen}{'' if said else ', as it seems'}")
    if doubt:
        print(f"or pairs? {doubt}")
    looked = KINDS[chosen].look(found, folder, settings)
    for line in looked.words():
        print(f"  {line}")
    split, alike = load.split(looked, settings)
    print(f"  {splits.words(looked.items, split)}")
    left_out = [*looked.left_out, *alike]
    for line in left_out[:MOST_SHOWN]:
        print(f"left out: {line}")
    if (num := len(left_out) - MOST_SHOWN) > 0:
        print(f"left out: {num} more")
    if not name:
        print(entries(chosen, folder))


def entries(chosen: str, folder: Path) -> str:
    """What to write into params.yaml."""
    place = shown(folder)
    if not re.fullmatch(r"[\w./-]+", place):
        place = json.dumps(place, ensure_ascii=False)
    return f"""
In params.yaml:

datasets:
  mine: {{kind: {chosen}, source: folder, folder: {place}}}
tasks:
  mine: {{data: mine, condition: {QUESTIONS[chosen]}}}
regressions:
  mine: {{}}
cgans:
  mine: {{}}"""


def guessed(found: Survey, folder: Path) -> tuple[str, str]:
    """The kind that accounts for most of a folder's images, and what else they may be: pairs, if that is to
    be said.
    """
    if not found.images:
        first = f"; left out, the first: {found.left_out[0]}" if found.left_out else ""
        raise InputError(f"no images in it{first}")
    doubt = ""
    try:
        layout = pairing.pairs(found.images, "auto", "", "", partial(has_seam, folder))
        if layout.num_files > pairing.MOST * len(found.images):
            return "pairs", ""
        doubt = f"{layout.words}: {len(layout.items)} pairs"
    except pairing.Unclear as error:
        doubt = str(error)
    except InputError:
        pass  # nothing speaks for pairs
    try:
        labels = {str(item.label) for item in layouts.classes(found.images).items}
    except InputError:
        return "images", doubt
    return "images" if all(map(ALBUM.fullmatch, labels)) else "labelled", doubt


if __name__ == "__main__":
    run(main)
