"""What the sections of all networks that turn a condition into a picture say, whichever way they are
trained.
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Annotated, ClassVar, Self

from pydantic import model_validator

from pipeline.methods.generators import GeneratorSchedule
from pipeline.networks.translators import TRANSLATORS
from pipeline.runtime.params import one_of
from pipeline.tasks import drawings as tasks


class TranslatorSchedule(GeneratorSchedule):
    """A regression has no key more; its `learning_rate` is the highest, as in regression.Params."""

    networks: ClassVar[Mapping[str, ModuleType]] = TRANSLATORS

    task: Annotated[str, one_of(tasks.TASKS)]
    network: Annotated[str, one_of(TRANSLATORS)]
    mirror: bool  # each pair is seen from behind, too

    @model_validator(mode="after")
    def _network_can_be_told(self) -> Self:
        needed = tasks.NETWORK_OF.get(self.task, "unet")
        if self.network != needed:
            raise ValueError(f"network = {self.network!r}: task {self.task!r} needs {needed!r}")
        return self
