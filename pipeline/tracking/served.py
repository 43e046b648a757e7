"""A trained network as MLflow serves it: conditions -> samples, the same pixels as the project's own sampler.

Loaded from safetensors and JSON alone, by a module of this package that MLflow runs: model_code.py.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.methods import method
from pipeline.networks.flow import flow_of, sampling_with
from pipeline.networks.network import Spec
from pipeline.runtime import compute
from pipeline.runtime.errors import InputError
from pipeline.runtime.params import Count, Section
from pipeline.sampling import weights
from pipeline.sampling.draw import draw
from pipeline.tracking import inputs

WEIGHTS, ASKED = "weights", "asked"  # artifacts of a registered model
MOST_SAMPLES = 1000  # of all rows of a request together
MOST_STEPS = 256


class Asked(Section):
    """What asking needs, beside the weights."""

    words: list[str] = []  # that captions may have, in the order of their numbers
    threads: Count = 1  # that samples are drawn with; another number may give another bit


class Served:
    """A sampler, with the seed, the number of samples and of steps as each request says; MLflow calls
    `load_context` and `predict`.

    Requests are answered one after the other: the number of steps is a state of the network.
    """

    def load_context(self, context: Any) -> None:
        self.load(Path(context.artifacts[WEIGHTS]), Path(context.artifacts[ASKED]))

    def load(self, weights_file: Path, asked_file: Path) -> None:
        network, self.spec = weights.load(weights_file, compute.device(compute.Settings()))
        self.sampler = method.load(self.spec.method).sampler(network)
        self.asked = Asked.model_validate_json(asked_file.read_text("utf-8"))
        self.lock = threading.Lock()

    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        """Samples of each condition, (N, num_samples, C, H, W) uint8. MLflow takes type hints for schemas."""
        try:
            return self.answer(model_input, defaults(self.spec) | dict(params or {}))
        except InputError as error:
            raise refusal(str(error)) from None

    def answer(self, given: Any, params: Mapping[str, Any]) -> np.ndarray:
        """The same; an InputError for inputs that `inputs.conditions` refuses, or parameters out of range."""
        c = inputs.conditions(given, self.spec, self.asked.words)
        inputs.check(len(c) <= MOST_SAMPLES, f"{len(c)} are too many at once: allowed are {MOST_SAMPLES}")
        num, seed, num_steps = (int(params[name]) for name in ("num_samples", "seed", "num_steps"))
        check("num_samples", num, 1, MOST_SAMPLES // len(c), f" for {len(c)} inputs")
        check("seed", seed, 0, 2**63 - 1)
        most = MOST_STEPS if flow_of(self.sampler) else 1
        check("num_steps", num_steps, 1, most, "" if most > 1 else ", as this model is no flow")
        with self.lock, threads(self.asked.threads), self.steps(num_steps):
            return draw(self.sampler, c.__getitem__, torch.arange(len(c)), num, seed).numpy()

    def steps(self, num_steps: int) -> AbstractContextManager[None]:
        """A context in which a flow takes so many steps."""
        if (flow := flow_of(self.sampler)) is None:
            return nullcontext()
        return sampling_with(flow, flow.solver, num_steps, flow.guidance, flow.spacing)


def defaults(spec: Spec) -> dict[str, int]:
    """The parameters of a request, and what they are where it does not say."""
    return {"num_samples": 1, "seed": 0, "num_steps": spec.solver_steps}


def check(name: str, value: int, least: int, most: int, of: str = "") -> None:
    if not least <= value <= most:
        raise InputError(f"{name} = {value}: allowed are {least} .. {most}{of}")


@contextmanager
def threads(num: int) -> Iterator[None]:
    """While the context lasts, PyTorch computes with so many."""
    before = torch.get_num_threads()
    torch.set_num_threads(num)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def refusal(line: str) -> Exception:
    """What MLflow's server answers with status 400: one line, and not the inputs, which it would repeat."""
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE

    class Refusal(MlflowException):
        def serialize_as_json(self) -> str:
            return json.dumps({"error_code": self.error_code, "message": line})

    return Refusal(line, error_code=INVALID_PARAMETER_VALUE)


def announce() -> None:
    """Tell MLflow, which is loading a model, what it is."""
    from mlflow.models import set_model
    from mlflow.pyfunc.model import PythonModel

    class Model(Served, PythonModel):
        """`predict` is not in its own body, where MLflow would want type hints of it."""

    set_model(Model())
