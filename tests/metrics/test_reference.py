"""What is taken of the real images once is what every evaluation would take."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.small_tasks import digits, drawings, written

from pipeline.metrics import memorisation, prdc, reference
from pipeline.metrics.settings import Settings
from pipeline.runtime import compute
from pipeline.runtime.errors import InputError
from pipeline.tasks import stacked
from pipeline.tasks.task import Task

SETTINGS = Settings(num_samples=20, num_neighbours=3, memorisation_samples=5)


@pytest.fixture(scope="module")
def label(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return written(tmp_path_factory.mktemp("task"), "label", digits())


def test_of_digits_the_first_test_images_are_taken_with_what_metrics_need(label: Task) -> None:
    found = reference.take(label, SETTINGS, compute.CPU)
    pixels = label.test.images(torch.arange(20))[0]
    assert torch.equal(found.pixels, pixels)
    assert torch.equal(found.features, found.extractor.features(pixels))
    assert torch.equal(found.arrays["predicted"], found.extractor.classes(pixels))
    assert found.labels is not None
    assert found.labels.tolist() == [*range(10)] * 2
    nearest = memorisation.nearest(pixels[:5], label.splits["train"].arrays["images"])
    assert torch.equal(found.arrays["nearest"], nearest)
    assert found.judged.shape == (10, 2)  # of each class there are two
    assert torch.equal(found.labels[found.judged], torch.arange(10)[:, None].expand(-1, 2))
    assert len(found.arrays["expected"]) == 10
    assert torch.equal(found.arrays["radii"], prdc.radii(found.features, 3))


def test_where_there_are_fewer_images_than_asked_for_all_are_taken(label: Task) -> None:
    settings = SETTINGS.model_copy(update={"num_samples": 41})
    assert torch.equal(
        reference.take(label, settings, compute.CPU).pixels, label.test.images(torch.arange(40))[0]
    )


def test_of_many_conditions_as_many_are_asked_as_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = written(tmp_path, "sketch", drawings(0, 30))
    monkeypatch.setattr(reference, "MOST_BYTES", 23 * 3 * 16 * 16)
    taken = reference.take(task, SETTINGS, compute.CPU)
    assert torch.equal(taken.pixels, task.test.images(torch.arange(23))[0])
    assert len(taken.features) == len(taken.arrays["expected"]) == 23


@pytest.mark.parametrize("changes", [{"num_samples": 3}, {"num_neighbours": 40}])
def test_too_few_images_to_have_neighbours_are_refused_by_the_name_of_the_key(
    changes: dict[str, int], label: Task
) -> None:
    settings = SETTINGS.model_copy(update={"num_samples": 41} | changes)
    expected = rf"^evaluate\.num_neighbours = {settings.num_neighbours}: of the test split of question only "
    with pytest.raises(InputError, match=f"{expected}{min(settings.num_samples, 40)} images are compared$"):
        reference.take(label, settings, compute.CPU)


def test_of_a_task_whose_condition_is_an_image_all_are_taken_and_of_stacks_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = written(tmp_path / "a", "sketch", drawings(0, 30))
    found = reference.take(task, SETTINGS, compute.CPU)
    assert torch.equal(found.pixels, task.test.images(torch.arange(30))[0])
    assert found.arrays.keys() == {"features", "expected", "components"}
    assert found.arrays["expected"].shape == (30, 3 * 16 * 16)
    assert found.judged.tolist() == [[i] for i in range(30)]
    assert found.labels is None
    monkeypatch.setattr(stacked, "NUM_HELD_OUT", 50)
    stacks = reference.take(written(tmp_path / "b", "none", digits(), 30), SETTINGS, compute.CPU)
    assert len(stacks.pixels) == len(stacks.features) == 0


@pytest.mark.parametrize("condition", ["label", "sketch"])
def test_what_is_loaded_is_what_was_saved(condition: str, tmp_path: Path) -> None:
    task = written(tmp_path, condition, digits() if condition == "label" else drawings(0, 30))
    saved = reference.take(task, SETTINGS, compute.CPU)
    for name in ("a", "b"):
        reference.save(tmp_path / name, saved, {"fid": 0.25})
    loaded = reference.load(tmp_path / "a", task, SETTINGS)
    assert torch.equal(loaded.pixels, saved.pixels)
    assert loaded.arrays.keys() == saved.arrays.keys()
    for name, array in saved.arrays.items():
        assert loaded.arrays[name].dtype == array.dtype, name
        assert torch.equal(loaded.arrays[name], array), name
    assert loaded.floors == {"fid": 0.25}
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_a_reference_of_other_settings_or_features_is_refused(label: Task, tmp_path: Path) -> None:
    taken = reference.take(label, SETTINGS, compute.CPU)
    reference.save(tmp_path / "real", taken, {})
    expected = r"real: taken with other settings or features; make it with: dvc repro evaluate_real@question$"
    with pytest.raises(InputError, match=expected):
        reference.load(tmp_path / "real", label, SETTINGS.model_copy(update={"num_neighbours": 2}))
    other = dataclasses.replace(taken.extractor, identity={"name": "inception"})
    reference.save(tmp_path / "real", dataclasses.replace(taken, extractor=other), {})
    with pytest.raises(InputError, match=expected):
        reference.load(tmp_path / "real", label, SETTINGS)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("reference.npz", None),
        ("reference.npz", b""),
        ("reference.npz", b"something else"),
        ("reference.npz", "half"),
        ("reference.npz", "other arrays"),
        ("reference.json", None),
        ("reference.json", b"{"),
        ("reference.json", b"[]"),
        ("reference.json", b"{}"),
        ("reference.json", b"\xff"),
    ],
)
def test_a_folder_that_is_no_reference_is_named_in_one_line(
    file: str, content: bytes | str | None, label: Task, tmp_path: Path
) -> None:
    reference.save(tmp_path / "real", reference.take(label, SETTINGS, compute.CPU), {})
    path = tmp_path / "real" / file
    if content is None:
        path.unlink()
    elif content == "half":
        path.write_bytes(path.read_bytes()[:-50])
    elif content == "other arrays":
        np.savez(path, pixels=np.zeros(3))
    else:
        assert isinstance(content, bytes)
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        reference.load(tmp_path / "real", label, SETTINGS)
    assert str(caught.value).startswith(f"{tmp_path / 'real'}: not a reference of real images (")
    assert str(caught.value).endswith("make it with: dvc repro evaluate_real@question")
    assert "\n" not in str(caught.value)
