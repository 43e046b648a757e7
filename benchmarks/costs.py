"""What a stage costs: seconds and memory as functions of images, pixels, width, steps and processes.

    python -m benchmarks.costs measure    -> benchmarks/costs.csv, some minutes on a quiet machine
    python -m benchmarks.costs fit        -> benchmarks/costs.md and benchmarks/costs.svg

Each point of the csv is one process that takes a few steps at one size and says how long a step took and how
much memory it had at most. The model of a step of n images of p pixels by networks of width w,

    seconds = t0 + n p (a w + b w^2)        memory = m0 + c n p w + d w^2,

says that layers without weights cost in proportion to their maps (a, c), convolutions to their products (b)
and weights to their number (d); t0 is what a step costs however small. All are fitted, none below 0, by least
squares of relative errors.
"""

import csv
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
import typer

from benchmarks import contest
from pipeline.data.prepared import DataSet
from pipeline.methods import method
from pipeline.methods.schedule import ModelSettings
from pipeline.runtime import compute
from pipeline.tasks import task as tasks
from stages import sections

CSV, TABLE, FIGURE = (Path("benchmarks") / name for name in ("costs.csv", "costs.md", "costs.svg"))
NUM_IMAGES = 600  # to choose from; a step's cost does not hang on what they show
SECONDS = 2.0  # of steps, a point


class Point(NamedTuple):
    stage: str
    images: int  # of a step, over all processes
    side: int  # pixels
    width: int
    processes: int
    threads: int  # of each process


class Kind(NamedTuple):
    method: str
    section: str  # of params.yaml
    condition: str
    channels: int
    sizes: tuple[tuple[int, int, int], ...]  # images, side, width


DIGITS = ((64, 28, 16), (64, 28, 32), (64, 28, 64), (16, 28, 32), (256, 28, 32), (64, 56, 32), (32, 112, 16))
DRAWINGS = ((32, 32, 16), (32, 32, 32), (32, 32, 64), (8, 32, 32), (128, 32, 32), (32, 64, 32), (16, 128, 32))
KINDS = {
    "train_features@digits": Kind("classification", "datasets.digits", "label", 1, DIGITS[:5]),
    "train_gan": Kind("adversarial", "gans.cluster-conditioned", "none", 1, DIGITS),
    "train_regression@digit": Kind("regression", "regressions.digit", "label", 1, DIGITS),
    "train_features@drawings": Kind("contrastive", "datasets.drawings", "none", 3, DRAWINGS),
    "train_regression@sketch": Kind("regression", "regressions.sketch", "sketch", 3, DRAWINGS),
    "train_cgan@sketch": Kind("adversarial", "cgans.sketch", "sketch", 3, DRAWINGS),
}
SHARED = (
    ("train_gan", (64, 28, 32)),
    ("train_cgan@sketch", (32, 32, 32)),
    ("train_cgan@sketch", (32, 64, 32)),
)


def points() -> list[Point]:
    """All that is measured: each kind at its sizes, some with two threads or two processes."""
    found = [Point(stage, *size, 1, 1) for stage, kind in KINDS.items() for size in kind.sizes]
    found += [Point(stage, *size, 1, 2) for stage, size in SHARED]
    return found + [Point(stage, *size, 2, 1) for stage, size in SHARED]


def step_of(point: Point) -> Callable[[], None]:
    """The training step of a point, as the stage takes it, in this process."""
    kind = KINDS[point.stage]
    settings, task = contest.settings(contest.best_precision(), point.threads), task_of(point)
    part, _, name = kind.section.partition(".")
    section = sections.learner(name)[2] if part == "datasets" else sections.entry(part, name).settings
    changes = {"batch_size": point.images, "width": point.width, "clusters": 0}
    section = section.model_copy(
        update={name: value for name, value in changes.items() if name in type(section).model_fields}
    )
    training, examples = method.load(kind.method).start(section, task), task.splits["train"]
    if isinstance(section, ModelSettings):
        examples = examples.augmented(section.mirror, section.max_shift)

    def step() -> None:
        with compute.autocast(settings):
            training.step(examples)
        training.steps_done += 1

    return step


def task_of(point: Point) -> tasks.Task:
    """Noise of the point's size, asked about as the stage asks."""
    kind = KINDS[point.stage]
    shape = (NUM_IMAGES, kind.channels, point.side, point.side)
    images = np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)
    labels = np.arange(NUM_IMAGES, dtype=np.uint8) % 10
    arrays = {"images": images, "sketches": images[:, :1], "labels": labels}
    arrays["classes"] = np.arange(10, dtype=np.uint8)
    return tasks.in_memory("noise", kind.condition, DataSet({"train": arrays, "test": arrays}))


def work(point: Point, rank: int, meeting: str, answers: "Queue[tuple[float, float]]") -> None:
    """One process of a point: seconds a step, and GiB at most."""
    if point.processes > 1:
        torch.distributed.init_process_group(
            "gloo", init_method=f"file://{meeting}", rank=rank, world_size=point.processes
        )
    step = step_of(point)
    for _ in range(contest.WARM_UP):
        step()
    start = time.perf_counter()
    step()
    one = torch.tensor(time.perf_counter() - start)
    if point.processes > 1:
        torch.distributed.broadcast(one, 0)  # all take as many
    calls = max(4, round(SECONDS / one.item()))
    start = time.perf_counter()
    for _ in range(calls):
        step()
    seconds = (time.perf_counter() - start) / calls
    answers.put((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20))


def measured(point: Point) -> tuple[float, float]:
    """Seconds a step and GiB of all processes together."""
    context = multiprocessing.get_context("spawn")
    answers: Queue[tuple[float, float]] = context.Queue()
    with tempfile.TemporaryDirectory() as folder:
        workers = [
            context.Process(target=work, args=(point, rank, f"{folder}/meeting", answers))
            for rank in range(point.processes)
        ]
        for worker in workers:
            worker.start()
        found = [answers.get(timeout=300) for _ in workers]
        for worker in workers:
            worker.join()
    return max(seconds for seconds, _ in found), sum(memory for _, memory in found)


def terms(rows: list[Point]) -> tuple[np.ndarray, np.ndarray]:
    """What seconds and memory are sums of, (R, 3) each."""
    n, p, w = (np.array(column, float) for column in zip(*(row[1:4] for row in rows), strict=True))
    n_p = n * p**2
    ones = np.ones(len(rows))
    return np.stack([ones, n_p * w, n_p * w**2], 1), np.stack([ones, n_p * w, w**2], 1)


def fitted(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The weights, none below 0, with the least relative errors: x (R, K), y (R,) -> (K,)."""
    from scipy.optimize import nnls

    scale = np.abs(x / y[:, None]).max(0)
    weights, _ = nnls(x / y[:, None] / scale, np.ones(len(y)))
    return weights / scale


app = typer.Typer(add_completion=False)


@app.command()
def measure(out: Annotated[Path, typer.Argument()] = CSV) -> None:
    """Measure every point, one after the other, into OUT (.csv)."""
    with out.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow([*Point._fields, "seconds", "gibibytes"])
        for point in points():
            seconds, memory = measured(point)
            table.writerow([*point, f"{seconds:.4f}", f"{memory:.2f}"])
            file.flush()
            print(*point, f"{seconds * 1000:.1f} ms, {memory:.2f} GiB", flush=True)


def read(path: Path) -> dict[Point, tuple[float, float]]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    return {Point(row[0], *map(int, row[1:6])): (float(row[6]), float(row[7])) for row in rows}


@app.command()
def fit(measured: Annotated[Path, typer.Argument(exists=True)] = CSV) -> None:
    """Fit the model to MEASURED (.csv); write its table and its figure."""
    import matplotlib

    from benchmarks import costs_page

    TABLE.write_text(costs_page.table(read(measured)), "utf-8")
    with matplotlib.rc_context({"svg.hashsalt": FIGURE.name}):  # the same names of parts each time
        costs_page.figure(read(measured)).savefig(FIGURE, metadata={"Date": None})


if __name__ == "__main__":
    app()
