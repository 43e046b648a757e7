"""What the commands that train a generator share: the job, by a duel or by regression, and what is measured
as it goes.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import cast

from torch import nn

from pipeline.data.digits import Digits, Examples
from pipeline.methods.generators import GeneratorSchedule
from pipeline.metrics import monitor as course
from pipeline.metrics.features import Reader
from pipeline.runtime import distributed as parallel
from pipeline.runtime import params
from pipeline.runtime.files import sha256
from pipeline.sampling import draw as sampling
from pipeline.sampling.draw import GeneratorSpec
from pipeline.tasks import clusters
from pipeline.tasks.conditions import UNCONDITIONAL, Condition
from pipeline.tasks.stacked import Stacked
from pipeline.training.session import evenly
from stages.training import Job, here


def digits_job(
    names: tuple[str, str], kind: ModuleType, schedule: GeneratorSchedule, condition: Condition, judge: Path
) -> Job:
    """The job of training a generator of digits; `names` are the stage's and the model's."""
    num_clusters = getattr(schedule, "clusters", 0)  # regression has none

    def examples(data: Digits) -> tuple[Examples, Condition]:
        if num_clusters:
            return clusters.split(data.train, condition, num_clusters, schedule.seed)
        return data.train, condition

    def quality(data: Digits) -> course.Quality:
        return course.fid(Reader(judge, "judge", here()), data.validation, condition)

    job = generator_job(names, kind, schedule, condition, (examples, quality))
    return replace(job, facts={"judge": sha256(judge)})


def stacked_job(
    names: tuple[str, str], kind: ModuleType, schedule: GeneratorSchedule, num_pictures: int, judge: Path
) -> Job:
    """The job of training a generator of stacked digits, of which there are `num_pictures`."""

    def examples(data: Digits) -> tuple[Examples, Condition]:
        return Stacked(data.train, num_pictures, schedule.seed), UNCONDITIONAL

    def quality(data: Digits) -> course.Quality:
        return course.num_modes(Reader(judge, "judge", here()))

    job = generator_job(names, kind, schedule, UNCONDITIONAL, (examples, quality))
    return replace(job, facts={"judge": sha256(judge), "num_pictures": num_pictures})


def generator_job(
    names: tuple[str, str],
    kind: ModuleType,
    schedule: GeneratorSchedule,
    condition: Condition,
    data: tuple[Callable[[Digits], tuple[Examples, Condition]], Callable[[Digits], course.Quality]],
) -> Job:
    """The job of training any generator; `data` says what on, and how it is measured as it goes."""
    examples, quality = data

    def spec(generator: nn.Module, image_shape: tuple[int, int, int]) -> GeneratorSpec:
        return GeneratorSpec(
            network=schedule.network,
            num_latents=cast(int, generator.num_latents),
            task=condition.task,
            clusters=getattr(schedule, "clusters", 0),
            width=schedule.width,
            image_shape=list(image_shape),
        )

    return Job(
        *names,
        kind,
        schedule,
        examples,
        spec,
        draw=lambda state, data: sampling.preview(state.average, condition),
        frame_steps=evenly(schedule.num_steps, schedule.num_snapshots),
        quality=quality,
        quality_every=schedule.fid_every,
        processes=params.read("launch", parallel.Params).processes,
    )
