"""What every method answers to a few questions, recorded for a page that opens from disk: the server's own
replies, the flow's at every number of steps, and every image that appears in them once.
"""

import base64
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pipeline.metrics.dial import STEPS
from pipeline.networks.flow import flow_of
from pipeline.play import asked, examples
from pipeline.play.answers import NUM_SAMPLES
from pipeline.play.bodies import Answers
from pipeline.play.laboratory import METHODS, Laboratory
from pipeline.play.replies import Replies
from pipeline.runtime.files import sha256
from pipeline.sampling import weights
from pipeline.tasks.task import Task

SEED = 0  # of the latents
NUM_CLASSES = 10  # questions of a task of classes
NUM_KNOWN, NUM_OTHERS = 3, 2  # test conditions whose six answers are known, and others
NUM_HASH = 12  # letters of a weights file's SHA-256


@dataclass
class Pool:
    """Images as data URIs, (3 or 1, H, W) uint8 each, equal ones once."""

    uris: dict[str, int] = field(default_factory=dict)  # with their numbers

    def add(self, image: Tensor) -> int:
        """The number of an image."""
        return self.uris.setdefault(uri(image), len(self.uris))


def uri(image: Tensor) -> str:
    """A lossless WebP file, smaller than a PNG by a fifth to a half; more effort makes these no smaller."""
    pixels, buffer = image.permute(1, 2, 0).contiguous().numpy(), BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(
        buffer, "WEBP", lossless=True, method=4
    )
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def recorded(laboratory: Laboratory, tasks: list[str]) -> dict[str, Any]:
    """The section on images: of these tasks all that can be asked, of each the methods that are on it."""
    pool = Pool()
    replies = Replies(laboratory, pool.add)
    asking = [name for name in tasks if asked.ways(laboratory.task(name)) and methods(laboratory, name)]
    found = [of_task(replies, name) for name in asking]
    return {"seed": SEED, "steps": STEPS, "tasks": found, "images": list(pool.uris)} if found else {}


def methods(laboratory: Laboratory, task: str) -> list[str]:
    return [method for method, section in METHODS.items() if task in laboratory.entries[section]]


def of_task(replies: Replies, name: str) -> dict[str, Any]:
    """A task's facts, models and answers."""
    laboratory, facts = replies.laboratory, examples.described(replies.laboratory, name)
    chosen = questions(laboratory.task(name), facts["labels"])
    return {
        **{key: facts[key] for key in ("name", "about", "kind")},
        "models": {method: model(laboratory, method, name) for method in methods(laboratory, name)},
        "examples": [{"title": title} | example(replies, name, given) for title, given in chosen],
    }


def model(laboratory: Laboratory, method: str, task: str) -> dict[str, str]:
    """Which model it is that answers."""
    name = laboratory.name(method, task)
    laboratory.model(method, laboratory.task(task))  # an InputError if it is not trained
    return {"name": name, "weights": sha256(laboratory.models / name / weights.FILE)[:NUM_HASH]}


def questions(task: Task, labels: list[str]) -> list[tuple[str, dict[str, int]]]:
    """What is asked, with what to call it: classes; else test conditions, those with known answers first."""
    if task.kind == "class":
        return [(label, {"label": k}) for k, label in enumerate(labels[:NUM_CLASSES])]
    known, variants = examples.known(task)[:NUM_KNOWN], task.test.arrays.get("variants", torch.empty(0, 6))
    others = np.setdiff1d(np.arange(len(task.test)), variants.numpy())
    num = NUM_KNOWN + NUM_OTHERS - len(known)
    evenly = others[np.linspace(0, len(others) - 1, num).round().astype(int)] if len(others) else []
    captions = asked.lines(task, "test")
    numbers = [*known.tolist(), *map(int, evenly)]
    return [((captions[k] if captions else "") or f"test example {k}", {"condition": k}) for k in numbers]


def example(replies: Replies, name: str, given: dict[str, int]) -> dict[str, Any]:
    """The reply to one question, and the flow's answers along the dial."""
    on, task = methods(replies.laboratory, name), replies.laboratory.task(name)
    flows = [each for each in on if flow_of(replies.laboratory.model(each, task))]
    body = Answers(
        task=name, methods=on, asked=asked.Asked.model_validate(given), seed=SEED, num_steps=STEPS[-1]
    )
    found = replies.answers(body)
    along = [
        replies.answers(body.model_copy(update={"methods": flows, "num_steps": num}))["answers"]
        for num in (STEPS[:-1] if flows else ())
    ]
    last = [each for each in found["answers"] if each["method"] in flows]
    found["answers"] = [short(each) for each in found["answers"] if each["method"] not in flows]
    return found | {"dial": [short(each) for answers in (*along, last) for each in answers]}


def short(answer: dict[str, Any]) -> dict[str, Any]:
    """With one command in place of 16, which differ in their last word, the sample's number."""
    first = answer.pop("commands")[0]
    num = len(answer["images"])
    assert num in (1, NUM_SAMPLES)
    return answer | {"command": first.removesuffix("0") if num > 1 else first}
