"""A set on disk against the same set in memory: how long a training step takes, in turns, and its memory.

    python -m benchmarks.larger_than_memory write FOLDER    100,000 generated pairs, files A|B of 64 pixels
    python -m benchmarks.larger_than_memory hold PREPARED   the table, of what `prepare` made of them

Three contenders train the same regression from A to B, each in a process of its own: with all arrays as
tensors in memory, with arrays that are mapped, and with these and a thread that reads the next batch, as
stages do.
"""

import multiprocessing
import statistics
from dataclasses import replace
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import numpy as np
import typer
from PIL import Image, ImageDraw

from benchmarks import contest
from benchmarks.contest import Step
from pipeline.data import prepared
from pipeline.methods import method
from pipeline.methods.regression import ImageSettings
from pipeline.runtime import compute
from pipeline.runtime.progress import Bar
from pipeline.runtime.threads import in_order
from pipeline.tasks import task as tasks
from pipeline.tasks.examples import ReadAhead

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

IN_MEMORY, MAPPED, AHEAD = "tensors in memory", "mapped", "mapped, read ahead"
MEMORY = ("VmHWM", "RssAnon", "RssFile")  # at most, and at the end of its own and of files
IN_A_FOLDER = 1000  # files
NUM_SHAPES = 3


def pair(number: int, size: int) -> Image.Image:
    """A|B: the outlines of some shapes on white, and the shapes in colours, on a ground that fades from one
    colour into another.
    """
    source = np.random.default_rng(number)
    along = np.add.outer(np.arange(size), np.arange(size))[:, :, None] / (2 * size)
    first, last = source.integers(0, 256, (2, 3))
    ground = Image.fromarray((first + along * (last - first)).astype(np.uint8))
    sides = [Image.new("RGB", (size, size), (255, 255, 255)), ground]
    a, b = map(ImageDraw.Draw, sides)
    for _ in range(NUM_SHAPES):
        left, top = source.integers(0, size // 2, 2).tolist()
        width, height = source.integers(size // 4, size // 2, 2).tolist()
        box, colour = (left, top, left + width, top + height), tuple(source.integers(0, 256, 3).tolist())
        if source.random() < 0.5:
            a.ellipse(box, outline=(0, 0, 0), fill=(255, 255, 255))
            b.ellipse(box, fill=colour)
        else:
            a.rectangle(box, outline=(0, 0, 0), fill=(255, 255, 255))
            b.rectangle(box, fill=colour)
    whole = Image.new("RGB", (2 * size, size))
    for place, side in enumerate(sides):
        whole.paste(side, (place * size, 0))
    return whole


@app.command()
def write(folder: Path, num: int = 100_000, size: int = 64) -> None:
    """Write NUM generated pairs below FOLDER, a thousand files a folder; those that are there stay."""

    def save(number: int) -> None:
        path = folder / f"{number // IN_A_FOLDER:04}" / f"{number:07}.png"
        if not path.exists():
            pair(number, size).save(path, compress_level=1)

    for first in range(0, num, IN_A_FOLDER):
        (folder / f"{first // IN_A_FOLDER:04}").mkdir(parents=True, exist_ok=True)
    with Bar(f"writing {folder}", 0, num) as bar:
        for _ in in_order(save, range(num)):
            bar.advance(1)


def training(folder: Path, how: str, precision: str, batch_size: int) -> Step:
    """What trains on a prepared set for a step."""
    section = contest.settings(precision, 1)
    task = tasks.in_memory("pairs", "ab", prepared.load(folder))
    examples = task.splits["train"].augmented(True, 0)
    if how == IN_MEMORY:
        arrays = {name: array.clone() for name, array in examples.arrays.items()}
        examples = replace(examples, arrays=arrays, files={})
    read = ReadAhead(examples) if how == AHEAD else examples
    model = method.load("regression").start(ImageSettings(batch_size=batch_size), task)

    def step() -> None:
        with compute.autocast(section):
            model.step(read)
        model.steps_done += 1

    return step


def remember(answers: "Queue[dict[str, int]]", num_steps: int, *given: Any) -> None:
    """The process of a contender that takes so many steps and says how much memory it has, in MB."""
    step = training(*given)
    for _ in range(num_steps):
        step()
    lines = Path("/proc/self/status").read_text().splitlines()
    found = {line.split(":")[0]: line.split()[1] for line in lines if line.endswith("kB")}
    answers.put({name: int(found[name]) // 1024 for name in MEMORY})


@app.command()
def hold(
    folder: Path, rounds: int = 12, seconds: float = 5.0, steps: int = 600, batch_size: int = 32
) -> None:
    """Time steps on the prepared set in FOLDER in turns, on one thread; take STEPS of each for its memory."""
    precision, context = contest.best_precision(), multiprocessing.get_context("spawn")
    given = {how: (folder, how, precision, batch_size) for how in (IN_MEMORY, MAPPED, AHEAD)}
    taken = contest.hold({how: (training, each) for how, each in given.items()}, 1, rounds, seconds)
    print(
        f"| {batch_size} pairs a step, {precision} | ms a step | x in memory | {', MB | '.join(MEMORY)}, MB |"
    )
    print(f"|---|{'---|' * (2 + len(MEMORY))}")
    for how, each in given.items():
        answers: Queue[dict[str, int]] = context.Queue()
        process = context.Process(target=remember, args=(answers, steps, *each))
        process.start()
        process.join()
        memory = " | ".join(str(number) for number in answers.get(timeout=1).values())
        ratio = statistics.median(
            mine / theirs for mine, theirs in zip(taken[how], taken[IN_MEMORY], strict=True)
        )
        print(f"| {how} | {1000 * statistics.median(taken[how]):.1f} | {ratio:.3f} | {memory} |", flush=True)


if __name__ == "__main__":
    app()
