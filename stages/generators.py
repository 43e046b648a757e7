"""What the commands that train a generator share: the job, by a duel or by regression."""

from types import ModuleType
from typing import Any

from torch import Tensor

from pipeline import sampling
from pipeline.conditions import Condition
from pipeline.sampling import GeneratorSpec
from pipeline.training.generators import GeneratorSchedule
from pipeline.training.session import evenly
from stages.training import Job


def generator_job(
    names: tuple[str, str],
    kind: ModuleType,
    schedule: GeneratorSchedule,
    num_latents: int,
    condition: Condition,
) -> Job:
    """The job of training a generator; `names` are the stage's and the model's."""

    def spec(image_shape: tuple[int, int, int]) -> GeneratorSpec:
        return GeneratorSpec(
            network=schedule.network,
            num_latents=num_latents,
            task=condition.task,
            width=schedule.width,
            image_shape=list(image_shape),
        )

    def draw(state: Any) -> Tensor:
        return sampling.preview(state.average, num_latents, condition)

    frame_steps = evenly(schedule.num_steps, schedule.num_snapshots)
    return Job(*names, kind, schedule, condition, spec, draw, frame_steps)
