"""Threads and precision."""

import pytest
import torch
from pydantic import ValidationError

from pipeline.runtime import compute
from pipeline.runtime.errors import InputError


@pytest.mark.parametrize("threads", [2, 3])
def test_configuring_sets_the_number_of_threads(threads: int) -> None:
    compute.configure(compute.Settings(threads=threads, device="cpu", precision="fp32"))
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("supported", [True, False])
@pytest.mark.parametrize(
    ("asked", "with_bf16", "without"),
    [("fp32", "fp32", "fp32"), ("bf16", "bf16", "bf16"), ("auto", "bf16", "fp32")],
)
def test_only_auto_asks_the_processor_what_it_computes_in(
    monkeypatch: pytest.MonkeyPatch, supported: bool, asked: str, with_bf16: str, without: str
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: supported)
    settings = compute.Settings(threads=1, device="cpu", precision=asked)
    assert compute.precision(settings) == (with_bf16 if supported else without)


@pytest.mark.parametrize(("asked", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_products_are_computed_in_the_precision_over_weights_that_stay_fp32(
    asked: str, dtype: torch.dtype
) -> None:
    network = torch.nn.Linear(2, 2)
    with compute.autocast(compute.Settings(threads=1, device="cpu", precision=asked)):
        assert network(torch.ones(1, 2)).dtype == dtype
    assert network.weight.dtype == torch.float32
    assert network(torch.ones(1, 2)).dtype == torch.float32


@pytest.mark.parametrize(
    "wrong", [{"threads": 0}, {"precision": "fp16"}, {"threads": "2"}, {"device": "gpu"}]
)
def test_impossible_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        compute.Settings(**({"threads": 1, "device": "cpu", "precision": "auto"} | wrong))


def on(device: str) -> compute.Settings:
    return compute.Settings(threads=1, device=device, precision="auto")


def test_auto_is_the_processor_where_there_is_no_gpu_and_the_gpu_where_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for present, found in ((False, "cpu"), (True, "cuda")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda present=present: present)
        assert compute.device(on("auto")).type == found
        assert compute.device(on("cpu")).type == "cpu"


def test_a_gpu_that_is_not_there_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"^compute.device = 'cuda': .* allowed are auto, cpu$"):
        compute.device(on("cuda"))


def test_each_process_of_a_machine_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert compute.device(on("cuda")) == torch.device("cuda", 3)


@pytest.mark.parametrize(("supported", "precision"), [(True, "bf16"), (False, "fp32")])
def test_on_a_gpu_the_gpu_says_what_it_computes_in(
    monkeypatch: pytest.MonkeyPatch, supported: bool, precision: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: supported)
    assert compute.precision(on("cuda")) == precision
