"""Weights on disk."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pipeline.networks.network import Spec
from pipeline.runtime.errors import InputError
from pipeline.sampling import weights

SIZES = {"width": 4, "image_shape": [1, 8, 8], "num_latents": 3, "num_conditions": 10}
SPEC = Spec(method="adversarial", task="digit", network="dcgan", **SIZES)


def generator() -> torch.nn.Module:
    """A generator that has seen one batch, laid out as in training."""
    torch.manual_seed(0)
    network = SPEC.build().to(memory_format=torch.channels_last)
    network(torch.randn(4, 3), torch.randn(4, 10))  # moves the batch statistics
    return network


def test_equal_networks_are_equal_bytes(tmp_path: Path) -> None:
    contents = set()
    for number in range(4):
        weights.save(tmp_path / str(number), generator(), SPEC)
        contents.add((tmp_path / str(number)).read_bytes())
    assert len(contents) == 1
    other = generator()
    with torch.no_grad():
        next(other.parameters()).add_(1e-6)
    weights.save(tmp_path / "other", other, SPEC)
    assert (tmp_path / "other").read_bytes() not in contents


def test_what_is_loaded_is_what_was_saved_frozen_and_ready_to_use(tmp_path: Path) -> None:
    network = generator()
    weights.save(tmp_path / "weights", network, SPEC)
    loaded, spec = weights.load(tmp_path / "weights")
    assert spec == SPEC
    before, after = network.state_dict(), loaded.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not any(module.training for module in loaded.modules())
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    z, c = torch.randn(2, 3), torch.randn(2, 10)
    assert torch.equal(loaded(z, c), network.eval()(z, c))


def test_hidden_groups_keep_their_shares(tmp_path: Path) -> None:
    spec = SPEC.model_copy(update={"network": "mlp", "clusters": 2})
    network = spec.build()
    network.set_shares(torch.rand(10, 2))
    weights.save(tmp_path / "weights", network, spec)
    loaded, found = weights.load(tmp_path / "weights")
    assert found == spec
    z, c = torch.randn(4, 4), torch.eye(10)[:4]  # the last number of z picks the group
    assert torch.equal(loaded.upper, network.upper)
    assert torch.equal(loaded(z, c), network.eval()(z, c))


def test_the_file_has_one_metadata_key_of_sorted_json_and_no_pickle(tmp_path: Path) -> None:
    weights.save(tmp_path / "weights", generator(), SPEC)
    content = (tmp_path / "weights").read_bytes()
    length = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    said = {"method": "adversarial", "task": "digit", "network": "dcgan", **SIZES}  # defaults are left out
    assert metadata == {"spec": json.dumps(said, sort_keys=True)}
    size = sum(tensor.numel() * tensor.element_size() for tensor in generator().state_dict().values())
    assert len(content) == 8 + length + size  # header and numbers, nothing else


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        weights.load(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: not the weights of a network: ")
    return message


def test_a_missing_file_is_refused_in_one_line(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "missing")


@pytest.mark.parametrize("length", [0, 4, 100, -7])
def test_a_truncated_file_is_refused_in_one_line(tmp_path: Path, length: int) -> None:
    weights.save(tmp_path / "weights", generator(), SPEC)
    (tmp_path / "weights").write_bytes((tmp_path / "weights").read_bytes()[:length])
    refusal(tmp_path / "weights")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"width": 5}, "size mismatch"),
        ({"network": "abacus"}, "abacus"),
        ({"image_shape": [1, 8]}, ""),
        ({"network": "classifier"}, ""),
    ],
)
def test_a_spec_that_does_not_fit_the_weights_is_refused_in_one_line(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    weights.save(tmp_path / "weights", generator(), SPEC.model_copy(update=change))
    assert said in refusal(tmp_path / "weights")


def test_tensors_without_a_spec_are_refused_in_one_line(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "bare")
    refusal(tmp_path / "bare")
    save_file({"a": torch.zeros(1)}, tmp_path / "other", metadata={"format": "pt"})
    assert "spec" in refusal(tmp_path / "other")
    save_file({"a": torch.zeros(1)}, tmp_path / "strange", metadata={"spec": '{"width": 4}'})
    assert "method" in refusal(tmp_path / "strange")
