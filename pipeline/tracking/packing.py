"""An evaluated model as a folder that MLflow loads: a "model from code", with safetensors and no pickle."""

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import torch

from pipeline.data import captions
from pipeline.networks.network import Spec
from pipeline.runtime.errors import InputError
from pipeline.tasks.task import Task
from pipeline.tracking import inputs
from pipeline.tracking.served import ASKED, WEIGHTS, Asked, defaults

CODE = Path(__file__).with_name("model_code.py")
REQUIRED = ("mlflow", "numpy", "pydantic", "safetensors", "torch")  # beside this package


class Evaluated(NamedTuple):
    """A trained and evaluated model, to be registered under its task's name."""

    name: str  # its folder's
    weights: Path
    sha256: str  # of the weights
    spec: Spec
    asked: Asked
    example: Any  # of inputs
    metrics: Mapping[str, float]  # of the test split
    criterion: str  # what models of its task are compared by, on the tuning split
    score: float  # the less, the better

    @property
    def key(self) -> str:
        """The identity of what is registered: another key, another version."""
        signed, code = signature(self.spec).to_dict(), CODE.read_text("utf-8")
        parts = [self.sha256, self.asked.model_dump(), signed, code]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def signature(spec: Spec) -> Any:
    """Inputs, outputs and parameters. MLflow is told that the model checks its inputs itself: it would cast
    300 or 0.5 to a pixel, and refuse lists in a notebook.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema, TensorSpec

    numbers, pixels = np.dtype(np.int64), np.dtype(np.uint8)
    asked: TensorSpec | ColSpec = {
        "image": TensorSpec(pixels, (-1, spec.num_conditions, *spec.image_shape[1:])),
        "words": ColSpec(DataType.string),
        "class": TensorSpec(numbers, (-1,)),
        "none": TensorSpec(numbers, (-1,)),
    }[spec.kind]  # type: ignore[assignment]
    params = [ParamSpec(name, DataType.long, value) for name, value in defaults(spec).items()]
    answer = TensorSpec(pixels, (-1, -1, *spec.image_shape))
    found = ModelSignature(Schema([asked]), Schema([answer]), ParamSchema(params))
    found._is_signature_from_type_hint = True
    return found


def save(folder: Path, model: Evaluated, model_id: str, run_id: str) -> None:
    """Write what MLflow keeps of a model, whose ids it has already, in a new folder."""
    from mlflow.models import Model
    from mlflow.pyfunc import save_model

    with TemporaryDirectory() as temporary:
        asked = Path(temporary) / f"{ASKED}.json"
        asked.write_text(model.asked.model_dump_json(), "utf-8")
        save_model(
            folder,
            python_model=str(CODE),
            artifacts={WEIGHTS: str(model.weights), ASKED: str(asked)},
            signature=signature(model.spec),
            input_example=(model.example, defaults(model.spec)),
            pip_requirements=[f"{name}=={version(name)}" for name in REQUIRED],
            mlflow_model=Model(model_id=model_id, run_id=run_id),
        )


def words_of(task: Task) -> list[str]:
    """The words that captions of a task may have, in the order of their numbers; none if it is not of words.

    Raises:
        InputError: its captions do not come to the numbers that it holds.
    """
    told = task.about("train", "captions") if task.kind == "words" else None
    if told is None:
        return []
    words = captions.vocabulary(told.tolist())
    numbers = captions.tokens(told.tolist(), words)
    if not np.array_equal(numbers, task.splits["train"].arrays["tokens"]):
        raise InputError(f"{task.folder}: its captions are not those that its word numbers were made of")
    return words


def example_of(task: Task, spec: Spec, words: list[str]) -> Any:
    """Inputs such as the task asks: of images and words, the first validation example that can be asked."""
    if task.kind == "image":
        return task.validation.images(torch.tensor([0]))[1].numpy()
    if task.kind != "words":
        return np.arange(2)
    told = task.about("validation", "captions")
    for caption in [] if told is None else told.tolist():
        try:
            inputs.conditions([caption], spec, words)
        except InputError:
            continue
        return [caption]
    return words[:1]
