"""What every model's section of params.yaml says, and what its steps report."""

from typing import Self

from pydantic import model_validator
from torch import Tensor

from pipeline.runtime.params import Count, Section, Seed

Scalars = dict[str, Tensor]  # what a step reports: names and scalars, detached


class Schedule(Section):
    num_steps: Count
    batch_size: Count  # images
    log_every: Count  # steps; the mean over these is one row of the history
    save_every: Count  # steps between checkpoints
    seed: Seed

    @property
    def together(self) -> int:
        """Images of a batch that one process must see together."""
        return 1

    @model_validator(mode="after")
    def _checkpoints_fall_on_history_rows(self) -> Self:
        if self.save_every % self.log_every:
            raise ValueError(
                f"save_every = {self.save_every} must be a multiple of log_every = {self.log_every}"
            )
        return self
