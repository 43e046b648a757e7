"""What the sections of all generators say, whichever way they are trained."""

from collections.abc import Mapping
from types import ModuleType
from typing import Annotated, ClassVar, Self

from pydantic import model_validator

from pipeline.methods.schedule import Schedule
from pipeline.networks import NETWORKS
from pipeline.runtime.params import Count, NotNegative, Positive, one_of


class GeneratorSchedule(Schedule):
    networks: ClassVar[Mapping[str, ModuleType]] = NETWORKS  # of which `network` names one

    network: Annotated[str, one_of(NETWORKS)]
    width: Count  # channels or units of the networks' layers
    learning_rate: Positive  # Adam's
    ema_halflife: (
        NotNegative  # images after which old weights count half in the moving average; 0: no averaging
    )
    num_snapshots: Count  # grids of samples kept, evenly spread, to show the training's course
    fid_every: Count  # steps between the cheap FIDs of the training's course

    @model_validator(mode="after")
    def _fids_fall_on_history_rows(self) -> Self:
        if self.fid_every % self.log_every:
            raise ValueError(
                f"fid_every = {self.fid_every} must be a multiple of log_every = {self.log_every}"
            )
        return self
