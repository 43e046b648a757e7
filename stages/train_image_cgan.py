"""Stages `train_image_cgan@<name>-<seed>` and `train_ablation@<name>-<seed>`: the conditional GAN of a task
on drawings.
"""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.methods import translation
from pipeline.runtime import params
from pipeline.runtime.errors import InputError
from stages import InputFile, run
from stages.images import job, train

SECTIONS = {"image_cgans": ("train_image_cgan", "cgan"), "ablations": ("train_ablation", "ablation")}
Section = Annotated[str, typer.Argument(help=f"One of: {', '.join(SECTIONS)}.")]


def main(section: Section, name: str, seed: int, prepared: InputFile, observer: InputFile, out: Path) -> None:
    """Train the conditional GAN of SECTION.NAME with this SEED on the drawings in PREPARED; write it to the
    folder OUT.

    The features of OBSERVER show its course.
    """
    if section not in SECTIONS:
        raise InputError(f"SECTION = {section!r}: allowed are {', '.join(SECTIONS)}")
    stage, kind = SECTIONS[section]
    schedule = params.read(f"{section}.{name}", translation.Params, seed=seed)
    names = f"{stage}@{name}-{seed}", f"{kind}-{name}-{seed}"
    train(job(names, translation, schedule, observer), prepared, out)


if __name__ == "__main__":
    run(main)
