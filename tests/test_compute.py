"""Threads and precision."""

from collections.abc import Iterator

import pytest
import torch
from pydantic import ValidationError

from pipeline import compute

torch.set_num_threads(1)


@pytest.fixture
def _same_threads_afterwards() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("_same_threads_afterwards")
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_configuring_sets_the_number_of_threads(threads: int) -> None:
    compute.configure(compute.Params(threads=threads, precision="fp32"))
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("supported", [True, False])
@pytest.mark.parametrize(
    ("asked", "with_bf16", "without"),
    [
        ("fp32", "fp32", "fp32"),
        ("bf16", "bf16", "bf16"),
        ("auto", "bf16", "fp32"),
    ],
)
def test_only_auto_asks_the_processor_what_it_computes_in(
    monkeypatch: pytest.MonkeyPatch, supported: bool, asked: str, with_bf16: str, without: str
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: supported)
    params = compute.Params(threads=1, precision=asked)
    assert compute.precision(params) == (with_bf16 if supported else without)


@pytest.mark.parametrize(("asked", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_products_are_computed_in_the_precision_over_weights_that_stay_fp32(
    asked: str, dtype: torch.dtype
) -> None:
    network = torch.nn.Linear(2, 2)
    with compute.autocast(compute.Params(threads=1, precision=asked)):
        assert network(torch.ones(1, 2)).dtype == dtype
    assert network.weight.dtype == torch.float32
    assert network(torch.ones(1, 2)).dtype == torch.float32


@pytest.mark.parametrize("wrong", [{"threads": 0}, {"precision": "fp16"}, {"threads": "2"}])
def test_impossible_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        compute.Params(**({"threads": 1, "precision": "auto"} | wrong))
