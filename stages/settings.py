"""Command `settings`: what a section of params.yaml, or an entry of one, comes to with all defaults.

python -m stages.settings cgans.sketch
"""

from typing import Annotated

import typer

from pipeline.runtime.errors import InputError
from stages import run, sections

Key = Annotated[str, typer.Argument(help="Such as cgans.sketch, or evaluate.")]


def main(key: Key) -> None:
    """Print the effective values of KEY, those that params.yaml says and the defaults of the rest."""
    if key not in (allowed := sections.keys()):
        raise InputError(f"KEY = {key!r}: allowed are {', '.join(allowed)}")
    for name, value in sections.settings(key).model_dump().items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    run(main)
