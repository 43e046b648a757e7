"""Command `inspect`: what would be done with a folder of one's own files, before anything is trained.

python -m stages.inspect path/to/folder
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.data.own import layouts
from pipeline.data.own.survey import Found, Survey, survey
from pipeline.data.sets import images, kind, labelled, pairs
from pipeline.runtime import params
from pipeline.runtime.errors import InputError
from pipeline.runtime.own_files import shown
from stages import InputFolder, run

MOST_SHOWN = 10  # files that are left out
GUESSES: dict[str, Callable[[list[Found]], layouts.Layout]] = {  # in this order
    "pairs": lambda found: layouts.pairs(found, "auto", "", ""),
    "labelled": layouts.classes,
    "images": layouts.images,
}
KINDS: dict[str, Any] = {"pairs": pairs, "labelled": labelled, "images": images}
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
    given = kind.of(name)[1] if name else None
    said = given.kind if given else as_kind
    chosen = said or guessed(found)
    params.check_name("kind", chosen, KINDS)
    settings = given or KINDS[chosen].Settings(kind=chosen, folder=str(folder))
    looked = KINDS[chosen].look(found, folder, settings)
    print(f"kind: {chosen}{'' if said else ', as it seems'}")
    for line in looked.words():
        print(f"  {line}")
    for line in looked.left_out[:MOST_SHOWN]:
        print(f"left out: {line}")
    if (num := len(looked.left_out) - MOST_SHOWN) > 0:
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


def guessed(found: Survey) -> str:
    """The first kind that a folder can be of."""
    for each, layout in GUESSES.items():
        try:
            if layout(found.images).items:
                return each
        except InputError:
            continue
    first = f"; left out, the first: {found.left_out[0]}" if found.left_out else ""
    raise InputError(f"no images in it{first}")


if __name__ == "__main__":
    run(main)
