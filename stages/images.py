"""What the commands that train on drawings share: the job, by a duel or by regression, and what is measured
as it goes.
"""

from pathlib import Path
from types import ModuleType
from typing import cast

import torch
from torch import Tensor, nn

from pipeline.data import drawings
from pipeline.data.digits import Examples
from pipeline.data.drawings import Splits
from pipeline.methods.translators import TranslatorSchedule
from pipeline.metrics import image_features as observed
from pipeline.metrics import image_monitor as picture_course
from pipeline.metrics.monitor import Quality
from pipeline.networks.translators import TranslatorSpec
from pipeline.runtime import compute, params
from pipeline.runtime import distributed as parallel
from pipeline.runtime.files import sha256
from pipeline.sampling import draw as sampling
from pipeline.tasks import drawings as tasks
from pipeline.tasks.conditions import Condition
from pipeline.tasks.drawings import Pairs
from pipeline.training.session import evenly
from stages.training import Data, Job, here, train_on

NUM_CONDITIONS, NUM_DRAWS = 10, 5  # of a frame: columns and rows


def train(job: Job, prepared: Path, out: Path) -> None:
    """Train the model on drawings, or go on where it was killed, and write its weights and history to folder
    OUT.
    """
    data = Data(drawings.load(prepared), str(prepared), sha256(prepared))
    train_on(data, job, params.read("compute", compute.Params), out)


def job(names: tuple[str, str], kind: ModuleType, schedule: TranslatorSchedule, observer: Path) -> Job:
    """The job of training a network on a task; `names` are the stage's and the model's."""
    task = tasks.TASKS[schedule.task]

    def examples(data: Splits) -> tuple[Examples, Condition]:
        pairs = task(data.train)
        pairs = pairs.with_mirrored() if schedule.mirror else pairs
        return pairs, tasks.condition(schedule.task, pairs)

    def spec(generator: nn.Module, image_shape: tuple[int, int, int]) -> TranslatorSpec:
        return TranslatorSpec(
            network=schedule.network,
            num_latents=cast(int, generator.num_latents),
            num_conditions=cast(int, generator.num_conditions),
            task=schedule.task,
            width=schedule.width,
            image_shape=list(image_shape),
            latents_at_every_level=getattr(schedule, "latents_at_every_level", True),
        )

    def quality(data: Splits) -> Quality:
        watcher = observed.load(observer, here())
        return picture_course.quality(watcher.features, task(data.validation))

    return Job(
        *names,
        kind,
        schedule,
        examples,
        spec,
        draw=lambda state, data: frame(state.average, task(data.validation)),
        frame_steps=evenly(schedule.num_steps, schedule.num_snapshots),
        quality=quality,
        quality_every=schedule.fid_every,
        facts={"observer": sha256(observer)},
        processes=params.read("launch", parallel.Params).processes,
    )


def frame(generator: nn.Module, held: Pairs) -> Tensor:
    """Five rows of draws for ten conditions, evenly spread over those held out, (50, 3, H, W) uint8."""
    chosen = torch.arange(NUM_CONDITIONS) * len(held) // NUM_CONDITIONS
    drawn = sampling.draw(generator, held.told(chosen), NUM_DRAWS, 0)  # (10, 5, C, H, W)
    return tasks.visible(drawn.transpose(0, 1).flatten(0, 1))
