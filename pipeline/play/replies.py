"""What the server says when it is asked for images: files, and the commands that make the same pixels."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from pipeline.networks.flow import flow_of
from pipeline.play import answers, asked
from pipeline.play.answers import NUM_FRAMES, NUM_SAMPLES, Truth
from pipeline.play.asked import Asked
from pipeline.play.bodies import Answers, Walk
from pipeline.play.laboratory import Laboratory, Unknown
from pipeline.play.png import uri
from pipeline.runtime.errors import InputError
from pipeline.tasks.stored import encoded
from pipeline.tasks.task import Task


@dataclass
class Replies:
    laboratory: Laboratory
    encode: Callable[[Tensor], Any] = uri  # what stands for an image, (3 or 1, H, W) uint8

    def answers(self, body: Answers) -> dict[str, Any]:
        """Each method's answers; where its model is missing, what to do about it."""
        task = self.laboratory.task(body.task)
        condition = asked.condition(body.asked, task)
        known = answers.truth(body.asked, task)
        found: dict[str, Any] = {
            "truth": self.encoded(task.shown(known.images)),
            "known": known.skin is not None,
        }
        if condition.ndim == 4:
            found["condition"] = self.encode(task.shown_conditions(condition)[0])
        if "corners" in task.test.arrays and body.asked.condition is not None:
            found["hole"] = body.asked.hole or task.test.arrays["corners"][body.asked.condition].tolist()
        if body.asked.caption is not None:
            found["unknown"] = asked.unknown(body.asked.caption, task)
        found["answers"] = [self.answer(method, body, task, condition, known) for method in body.methods]
        return found

    def answer(self, method: str, body: Answers, task: Task, c: Tensor, known: Truth) -> dict[str, Any]:
        """One method's."""
        try:
            sampler = self.laboratory.model(method, task)
        except Unknown:
            raise
        except InputError as error:
            return {"method": method, "problem": str(error)}
        num, num_steps = (NUM_SAMPLES if sampler.num_latents else 1), body.num_steps
        steps = num_steps if flow_of(sampler) else None
        drawn = answers.samples(sampler, encoded(c), num, body.seed, steps)
        shown = task.shown(drawn)
        spread, rms = answers.deviation(shown)
        options = self.options(method, task.name, body.asked, sampler, body.seed, steps)
        numbers = [["--sample", i] for i in range(num)] if num > 1 else [[]]
        return {
            "method": method,
            "images": self.encoded(shown),
            "mean": self.encode(answers.mean(shown)[0]),
            "deviation": self.encode(spread[0]),
            "rms": rms,
            "hits": answers.hits(drawn, known),
            "commands": [written(options, *number) for number in numbers],
        }

    def walk(self, body: Walk) -> dict[str, Any]:
        """The images between two."""
        task = self.laboratory.task(body.task)
        sampler = self.laboratory.model(body.method, task)
        c = encoded(asked.condition(body.asked, task))
        steps = body.num_steps if flow_of(sampler) else None
        frames = answers.walk(sampler, c, body.seed, body.towards, steps)
        options = self.options(body.method, task.name, body.asked, sampler, body.seed, steps)
        options += ["--towards", str(body.towards)]
        commands = [written(options, "--sample", i) for i in range(NUM_FRAMES)]
        return {"images": self.encoded(task.shown(frames)), "commands": commands}

    def encoded(self, images: Tensor) -> list[Any]:
        """Of images (N, 3 or 1, H, W) uint8."""
        return [self.encode(image) for image in images]

    def options(
        self, method: str, task: str, question: Asked, sampler: nn.Module, seed: int, num_steps: int | None
    ) -> list[str]:
        """The words of the command but for the sample's number."""
        places = [self.laboratory.models / self.laboratory.name(method, task), self.laboratory.tasks / task]
        latents = ["--seed", str(seed)] if sampler.num_latents else []
        steps = [] if num_steps is None else ["--num-steps", str(num_steps)]
        return [*map(str, places), "sample.png", *question.options(), *latents, *steps]


def written(options: list[str], *more: object) -> str:
    return shlex.join(["python", "-m", "stages.sample", *options, *map(str, more)])
