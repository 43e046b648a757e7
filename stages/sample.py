"""Command `sample`: a trained model's answers to one question, as a PNG file.

python -m stages.sample models/flow-sketch-0 data/tasks/sketch sample.png --condition 17 --num-steps 8
"""

from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from pipeline.data.images import grid
from pipeline.methods import method as methods
from pipeline.play import answers, asked
from pipeline.play.asked import Asked
from pipeline.play.laboratory import answers as fits
from pipeline.play.png import png
from pipeline.runtime import params
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import new_file
from pipeline.sampling import weights
from pipeline.tasks import task as tasks
from pipeline.tasks.stored import encoded
from stages import InputFolder, run


def option(text: str, **more: Any) -> Any:
    return typer.Option(help=text, **more)


def main(
    model: InputFolder,
    task: InputFolder,
    out: Path,
    condition: Annotated[int | None, option("Number of a test example.", min=0)] = None,
    hole: Annotated[tuple[int, int] | None, option("Row and column of its corner.")] = None,
    drawing: Annotated[str | None, option("Base64, as the playground copies it.")] = None,
    caption: Annotated[str | None, option("For captions to images.")] = None,
    label: Annotated[int | None, option("Number of a class.", min=0)] = None,
    seed: Annotated[int, option("Of the latents.", min=0)] = 0,
    sample: Annotated[int | None, option("Number of one; else all, as a grid.", min=0)] = None,
    num_steps: Annotated[int | None, option("Euler's, of a flow; else as it was trained.", min=1)] = None,
    towards: Annotated[int | None, option("Another seed, to walk to.", min=0)] = None,
) -> None:
    """Write to OUT what MODEL answers when asked of the TASK: 16 samples, or the way between two seeds."""
    given = {"condition": condition, "hole": list(hole) if hole else None, "drawing": drawing}
    question = params.checked("options", given | {"caption": caption, "label": label}, Asked, Path("command"))
    torch.set_num_threads(1)  # as the playground
    known, (network, spec) = tasks.load(task), weights.load(model / weights.FILE)
    if not fits(spec, known):
        raise InputError(f"{model}: not a model of the task {known.name}")
    sampler, c = methods.load(spec.method).sampler(network), encoded(asked.condition(question, known))
    if towards is None:
        num = answers.NUM_SAMPLES if sampler.num_latents else 1
        drawn = answers.samples(sampler, c, num, seed, num_steps)
    else:
        drawn = answers.walk(sampler, c, seed, towards, num_steps)
    if sample is not None:
        asked.check_below("sample", sample, len(drawn))
        drawn = drawn[sample : sample + 1]
    with new_file(out) as part:
        part.write_bytes(png(grid(known.shown(drawn))))


if __name__ == "__main__":
    run(main)
