"""A packed model, loaded by MLflow, draws the pixels of the project's own sampler."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from helpers.evaluated import SPECS, evaluated

from pipeline.methods import method
from pipeline.networks.flow import flow_of, sampling_with
from pipeline.sampling import weights
from pipeline.sampling.draw import draw
from pipeline.tracking import inputs, packing

pytestmark = pytest.mark.filterwarnings("ignore:.*Any type hint is inferred")  # of MLflow's own classes


def load(folder: Path, name: str):
    """The model of one of SPECS as MLflow loads it, and as it was evaluated."""
    from mlflow.pyfunc import load_model

    model = evaluated(folder, name)
    packing.save(folder / "packed", model, "m-0", "r-0")
    return load_model(str(folder / "packed")), model


def own(model, num: int, seed: int, num_steps: int = 0) -> np.ndarray:
    """Samples by the project's sampler."""
    network, spec = weights.load(model.weights)
    sampler = method.load(spec.method).sampler(network)
    c = inputs.conditions(model.example, spec, model.asked.words)
    if not num_steps:
        return draw(sampler, c.__getitem__, torch.arange(len(c)), num, seed).numpy()
    flow = flow_of(sampler)
    with sampling_with(flow, flow.solver, num_steps, flow.guidance, flow.spacing):
        return draw(sampler, c.__getitem__, torch.arange(len(c)), num, seed).numpy()


@pytest.mark.parametrize("name", SPECS)
def test_samples_are_the_pixels_of_the_projects_own_sampler(name, tmp_path):
    loaded, model = load(tmp_path, name)
    before = torch.get_num_threads()
    found = loaded.predict(model.example, params={"num_samples": 3, "seed": 5})
    assert found.dtype == np.uint8
    assert found.shape == (2, 3, *model.spec.image_shape)
    assert np.array_equal(found, own(model, 3, 5))
    as_lists = loaded.predict(np.asarray(model.example).tolist(), params={"num_samples": 3, "seed": 5})
    assert np.array_equal(as_lists, found)
    assert np.array_equal(loaded.predict(model.example), own(model, 1, 0))
    assert torch.get_num_threads() == before


def test_what_is_kept_is_no_pickle_and_says_what_is_asked(tmp_path):
    load(tmp_path, "flow")
    files = {str(file.relative_to(tmp_path / "packed")) for file in (tmp_path / "packed").rglob("*.*")}
    assert {"model_code.py", "artifacts/weights.safetensors", "artifacts/asked.json"} <= files
    assert not [file for file in files if file.endswith((".pkl", ".pt", ".pth"))]
    described = yaml.safe_load((tmp_path / "packed/MLmodel").read_text())
    assert '"dtype": "uint8", "shape": [-1, 1, 16, 16]' in described["signature"]["inputs"]
    assert '"shape": [-1, -1, 3, 16, 16]' in described["signature"]["outputs"]
    assert '"name": "num_steps", "default": 4' in described["signature"]["params"]
    assert described["saved_input_example_info"]["artifact_path"] == "input_example.json"


def test_a_flow_takes_as_many_steps_as_each_request_says_also_when_they_come_at_once(tmp_path):
    loaded, model = load(tmp_path, "flow")
    expected = {steps: own(model, 2, 0, steps) for steps in (1, 2, 7)}
    assert not np.array_equal(expected[1], expected[7])
    asked = [1, 7, 2] * 8

    def ask(steps: int) -> np.ndarray:
        return loaded.predict(model.example, params={"num_samples": 2, "num_steps": steps})

    with ThreadPoolExecutor(4) as pool:
        for steps, found in zip(asked, pool.map(ask, asked), strict=True):
            assert np.array_equal(found, expected[steps])
    assert np.array_equal(loaded.predict(model.example), own(model, 1, 0))


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"num_samples": 0}, "num_samples = 0: allowed are 1 .. 500 for 2 inputs"),
        ({"num_samples": 501}, "num_samples = 501: allowed are 1 .. 500"),
        ({"seed": -1}, "seed = -1: allowed are 0 .. 9223372036854775807"),
        ({"num_steps": 0}, "num_steps = 0: allowed are 1 .. 256"),
        ({"num_steps": 257}, "num_steps = 257"),
    ],
)
def test_a_parameter_outside_its_range_is_refused_in_one_line_with_status_400(params, said, tmp_path):
    from mlflow.exceptions import MlflowException

    loaded, model = load(tmp_path, "flow")
    with pytest.raises(MlflowException, match="allowed are") as error:
        loaded.predict(model.example, params=params)
    assert said in error.value.message
    assert error.value.get_http_status_code() == 400
    error.value.message = f"Failed to predict data '{model.example}'. \nError: {said}"  # as the server does
    assert "Failed" not in error.value.serialize_as_json()


def test_too_many_inputs_and_steps_of_what_is_no_flow_are_refused(tmp_path):
    from mlflow.exceptions import MlflowException

    loaded, _ = load(tmp_path, "none")
    with pytest.raises(MlflowException, match="1001 are too many at once: allowed are 1000"):
        loaded.predict(np.zeros(1001))
    with pytest.raises(MlflowException, match="as this model is no flow"):
        loaded.predict(np.zeros(1), params={"num_steps": 2})
