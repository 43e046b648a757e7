"""The duel of several members at once over points in the plane: same data, same numbers, other weights and
other noise. Each member is what one seed would be in a training of its own.
"""

from typing import Annotated, Self

import torch
from pydantic import model_validator

from pipeline.methods import adversarial
from pipeline.methods.adversarial import State, train_step
from pipeline.networks import points
from pipeline.runtime import randomness
from pipeline.runtime.params import Count, one_of
from pipeline.runtime.size import num_parameters
from pipeline.tasks.conditions import Condition
from pipeline.tasks.points import TARGETS

__all__ = ["Params", "init_state", "sizes", "train_step"]


class Params(adversarial.Duel):
    target: Annotated[str, one_of(TARGETS)]
    num_members: Count  # S
    width: Count  # units of the networks' layers
    num_snapshots: Count  # clouds of samples kept, evenly spread, to show the training's course
    measure_every: Count  # steps between two counts of the modes

    @model_validator(mode="after")
    def _members_share_the_batch(self) -> Self:
        turn = self.num_members * self.packing
        if self.batch_size % turn:
            raise ValueError(
                f"batch_size = {self.batch_size} must be a multiple of num_members * packing = {turn}"
            )
        return self

    @model_validator(mode="after")
    def _counts_fall_on_history_rows(self) -> Self:
        if self.measure_every % self.log_every:
            raise ValueError(
                f"measure_every = {self.measure_every} must be a multiple of log_every = {self.log_every}"
            )
        return self


def init_state(params: Params, condition: Condition, shape: tuple[int, int, int]) -> State:
    """Networks with the weights that (seed, "weights") gives, and their optimizers."""
    torch.manual_seed(randomness.derive(params.seed, "weights"))
    spec = spec_of(params)
    discriminator = points.Discriminator(
        params.num_members, params.width, params.packing, params.minibatch_stddev
    )
    return adversarial.new_state(params, condition, spec.build(), discriminator)


def spec_of(params: Params) -> points.PointsSpec:
    """How to build the generator."""
    return points.PointsSpec(
        num_members=params.num_members,
        num_latents=params.num_latents,
        width=params.width,
        turn=params.packing,
    )


def sizes(state: State, params: Params, shape: tuple[int, int, int]) -> dict[str, float]:
    """Parameters of one member's players, for the record."""
    return {
        "generator_parameters": num_parameters(state.generator) / params.num_members,
        "discriminator_parameters": num_parameters(state.discriminator) / params.num_members,
    }
