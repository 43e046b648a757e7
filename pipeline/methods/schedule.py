"""What every model's section of params.yaml says, whichever way it is trained."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import model_validator

from pipeline.networks import network
from pipeline.networks.network import Network, Spec
from pipeline.runtime.params import Count, NotNegative, NotNegativeCount, Positive, Section, Seed, one_of
from pipeline.tasks.task import Task


class Schedule(Section):
    num_steps: Count  # of the training, before `budget` multiplies them
    batch_size: Count  # images
    log_every: Count = 50  # steps; the mean over these is one row of the history
    save_every: Count  # steps between checkpoints
    learning_rate: Positive  # Adam's
    ema_halflife: NotNegative  # images after which old weights count half in the moving average; 0: none
    seed: Seed = 0  # of weights, batches and latents

    @property
    def together(self) -> int:
        """Images of a batch that one process must see together."""
        return 1

    @model_validator(mode="after")
    def _checkpoints_fall_on_history_rows(self) -> Self:
        self.check_multiple("save_every", of="log_every")
        return self

    def scaled(self, budget: float) -> Self:
        """The same with so many times as many steps, and as many between logs, checkpoints and metrics."""
        log = max(1, round(self.log_every * budget))
        changes = {"num_steps": max(1, round(self.num_steps * budget)), "log_every": log}
        for key in ("save_every", "monitor_every"):
            if value := getattr(self, key, 0):
                changes[key] = value // self.log_every * log
        return self.model_copy(update=changes)


Budget = Positive  # the key `budget`: how many times as long all generators train


NetworkName = Annotated[str, one_of(network.available())]  # a module of pipeline/networks


class ModelSettings(Schedule):
    """Settings of a model of a task. `kind` is that of the task's conditions, set by the class."""

    kind: ClassVar[str]
    denoises: ClassVar[bool] = False  # whether the network is a flow's denoiser

    network: NetworkName  # a module of pipeline/networks
    width: Count  # channels (mlp, line, points: units) of the layers; see the network
    mirror: bool = False  # random horizontal flips of images and their conditions; captions stay
    max_shift: NotNegativeCount = 0  # random moves of both, by up to so many pixels along each side
    latents_at_every_level: bool = True  # of a U-Net's way up; false: at the smallest map alone, as pix2pix
    num_members: Count = 1  # networks of points, as many seeds, trained side by side
    num_snapshots: Count  # grids of samples kept, evenly spread
    monitor_every: Count  # steps between the cheap metrics of the training curve

    @model_validator(mode="after")
    def _metrics_fall_on_history_rows(self) -> Self:
        self.check_multiple("monitor_every", of="log_every")
        return self

    @model_validator(mode="after")
    def _network_takes_the_condition(self) -> Self:
        if not self.takes(network.load(self.network)):
            allowed = [name for name in network.available() if self.takes(network.load(name))]
            found = f"network = {self.network!r} takes no condition of kind {self.kind!r}"
            raise ValueError(f"{found}; allowed are {', '.join(allowed)}")
        return self

    @model_validator(mode="after")
    def _members_share_the_batch(self) -> Self:
        num = self.num_members * self.together
        if self.num_members > 1 and self.batch_size % num:
            found = f"batch_size = {self.batch_size}: of {self.num_members} members"
            raise ValueError(f"{found}, each must see {self.together} together: a multiple of {num}")
        return self

    @classmethod
    def takes(cls, found: Network) -> bool:
        """Whether this network answers conditions of this kind, in the way of the method."""
        return cls.kind in found.conditions and found.denoises == cls.denoises

    @model_validator(mode="after")
    def _keys_mean_something(self) -> Self:
        for key, kinds in self.only().items():
            default = type(self).model_fields[key].default
            if self.kind not in kinds and getattr(self, key) != default:
                found = f"{key} = {getattr(self, key)!r} means nothing for conditions of kind {self.kind!r}"
                raise ValueError(f"{found}; allowed is {default!r}")
        return self

    def spec(self, method: str, task: Task, **more: Any) -> Spec:
        """The spec of a method's network for this task."""
        return Spec(
            method=method,
            task=task.name,
            kind=task.kind,
            network=self.network,
            width=self.width,
            image_shape=list(task.x_shape),
            num_conditions=task.num_conditions,
            latents_at_every_level=self.latents_at_every_level,
            num_members=self.num_members,
            **more,
        )

    @classmethod
    def only(cls) -> dict[str, tuple[str, ...]]:
        """Keys that only some kinds of condition know, with these."""
        images = ("image", "words")
        of_images = dict.fromkeys(("mirror", "max_shift", "latents_at_every_level"), images)
        return of_images | {"num_members": ("points",)}


class OfImages(Section):
    """What all methods have as defaults where the condition is an image."""

    kind: ClassVar[str] = "image"

    network: NetworkName = "unet"
    mirror: bool = True
    batch_size: Count = 32
    num_steps: Count = 1000
    save_every: Count = 500
    num_snapshots: Count = 6
    monitor_every: Count = 250


class OfWords(Section):
    """The same where it is a caption, beside the defaults of images."""

    kind: ClassVar[str] = "words"

    network: NetworkName = "caption"
    mirror: bool = False


class OfNumbers(Section):
    """The same where it is a number."""

    kind: ClassVar[str] = "numbers"

    network: NetworkName = "line"
    batch_size: Count = 512
    num_steps: Count = 1000
    monitor_every: Count = 1000


class OfPoints(Section):
    """The same where points in the plane are drawn; of points are also the batch and the halflife, of all
    members together.
    """

    kind: ClassVar[str] = "points"

    target: Literal["ring", "grid"] = "ring"  # a mixture of pipeline/tasks/points.py
    num_members: Count = 5
    network: NetworkName = "points"
    width: Count = 64
    batch_size: Count = 320
    ema_halflife: NotNegative = 20_000.0
    num_steps: Count = 4000
    save_every: Count = 1000
    num_snapshots: Count = 6  # clouds of samples kept, evenly spread
    monitor_every: Count = 100
