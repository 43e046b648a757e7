"""The bodies of the page's requests."""

from typing import Annotated

from pydantic import Field

from pipeline.methods.losses import ADVERSARIAL_LOSSES
from pipeline.metrics.dial import STEPS
from pipeline.play.asked import Asked
from pipeline.runtime.params import NotNegative, Section, one_of

Name = Annotated[str, Field(max_length=100)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
NumSteps = Annotated[int, Field(ge=1, le=max(STEPS))]
Penalty = Annotated[NotNegative, Field(le=100)]


class Answers(Section):
    """16 samples of each of these methods."""

    task: Name
    methods: Annotated[list[Name], Field(min_length=1, max_length=4)]
    asked: Asked
    seed: Seed = 0
    num_steps: NumSteps = 16  # of a flow


class Walk(Section):
    """From a seed's latents to another's."""

    task: Name
    method: Name
    asked: Asked
    seed: Seed
    towards: Seed
    num_steps: NumSteps = 16


class StartToy(Section):
    """A new training, with another loss and penalties than its entry, where they are given."""

    toy: Name
    seed: Seed = 0
    loss: Annotated[str, one_of(ADVERSARIAL_LOSSES)] | None = None
    r1: Penalty | None = None
    r2: Penalty | None = None
    gradient_penalty: Penalty | None = None

    def changes(self) -> dict[str, float | str]:
        return self.model_dump(exclude_none=True, exclude={"toy", "seed"})


class StepToy(Section):
    num_steps: Annotated[int, Field(ge=1, le=500)]
