"""What each question gives and what it asks for, by hand; tasks as they are written, loaded and flipped."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers.small_tasks import digits, drawings, written

from pipeline.data import prepared
from pipeline.runtime.errors import InputError
from pipeline.tasks import make, question, task
from pipeline.tasks.question import Settings
from pipeline.tasks.stored import Stored

OF_DRAWINGS = ("none", "sketch", "colourise", "superres", "inpaint", "semantic", "text", "segment")
of_each_question = pytest.mark.parametrize("condition", OF_DRAWINGS)


# All alike.


@pytest.mark.parametrize(
    ("condition", "kind", "num_conditions", "condition_shape", "channels"),
    [
        ("none", "none", 0, (0,), 3),
        ("sketch", "image", 1, (1, 16, 16), 3),
        ("colourise", "image", 1, (1, 16, 16), 3),
        ("superres", "image", 3, (3, 16, 16), 3),
        ("inpaint", "image", 4, (4, 16, 16), 3),
        ("semantic", "image", 5, (5, 16, 16), 3),
        ("text", "words", 7, (4,), 3),
        ("segment", "image", 3, (3, 16, 16), 5),
    ],
)
def test_a_task_says_the_shapes_of_its_pairs(
    condition: str, kind: str, num_conditions: int, condition_shape: tuple[int, ...], channels: int
) -> None:
    found = task.in_memory("question", condition, drawings(0, 5))
    assert (found.kind, found.num_conditions) == (kind, num_conditions)
    assert (found.x_shape, found.condition_shape) == ((channels, 16, 16), condition_shape)
    x, c = found.train.batch(torch.tensor([2, 0]))
    assert (x.shape[1:], c.shape[1:]) == (found.x_shape, condition_shape)
    assert found.blank(3).shape == (3, *condition_shape)
    assert not found.blank(3).any()


@of_each_question
def test_a_batch_is_its_images_between_minus_one_and_one(condition: str) -> None:
    examples = task.in_memory("question", condition, drawings(0, 9)).train
    chosen = torch.tensor([4, 0, 2])
    (x, c), (pixels, shown) = examples.batch(chosen), examples.images(chosen)
    assert (x.dtype, x.min().item(), x.max().item()) == (torch.float32, -1, 1)
    torch.testing.assert_close(x, pixels / 127.5 - 1)
    assert torch.equal(examples.conditions(chosen), c)
    if shown.ndim == 4:
        assert -1 <= c.min() < 0 < c.max() <= 1
        torch.testing.assert_close(c, shown / 127.5 - 1)
    else:
        assert torch.equal(c, shown)


@of_each_question
def test_pairs_are_those_of_the_data_set_which_stays_as_it_was(condition: str) -> None:
    data, untouched = drawings(1, 8), drawings(1, 8)
    found = task.in_memory("question", condition, data)
    rows = [i for i in range(14) if condition != "text" or i % 3 != 1]
    for split, examples in found.splits.items():
        x, c = examples.images(torch.arange(len(examples)))
        assert len(examples) == len(rows)
        assert torch.equal(
            c if condition == "segment" else x, torch.from_numpy(data.splits[split]["images"])[rows]
        )
        for name, array in untouched.splits[split].items():
            assert np.array_equal(data.splits[split][name], array), name


@of_each_question
def test_with_their_flips_pairs_are_twice_as_many_and_stay_pairs(condition: str) -> None:
    examples = task.in_memory("question", condition, drawings(0, 9)).train
    both, num = examples.augmented(True, 0), len(examples)
    assert len(both) == 2 * num
    mixed = torch.tensor([2, num + 1, 0, num + 2])  # in one batch
    (x, c), (flipped_x, flipped_c) = examples.images(mixed % num), both.images(mixed)
    for before, after in ((x, flipped_x), (c, flipped_c)):
        assert torch.equal(after[::2], before[::2])
        assert torch.equal(after[1::2], before[1::2].flip(3) if before.ndim == 4 else before[1::2])


@of_each_question
def test_moved_pairs_are_those_of_the_moved_images_and_the_first_stay_where_they_are(condition: str) -> None:
    examples = task.in_memory("question", condition, drawings(0, 9)).train
    more, num = examples.augmented(False, 1), len(examples)
    assert len(more) == 9 * num
    row = torch.tensor([2])
    x, c = examples.images(row)
    found = [more.images(row + num * variant) for variant in range(9)]
    assert torch.equal(found[0][0], x)
    assert torch.equal(found[0][1], c)
    padded = F.pad(x.float(), (1, 1, 1, 1), mode="replicate").byte()
    height, width = x.shape[2:]
    cuts = {(i, j): padded[:, :, i : i + height, j : j + width] for i in range(3) for j in range(3)}
    at = [place for each, _ in found for place, cut in cuts.items() if torch.equal(cut, each)]
    assert sorted(at) == sorted(cuts)
    for place, (_, moved) in zip(at, found, strict=True):
        if condition in ("sketch", "segment", "semantic"):
            cut = F.pad(c.float(), (1, 1, 1, 1), mode="replicate").byte()[:, :, place[0] :, place[1] :]
            assert torch.equal(moved, cut[:, :, :height, :width])
        elif condition == "text":
            assert torch.equal(moved, c)
    both = examples.augmented(True, 1)
    assert len(both) == 18 * num
    twice = [both.images(row + num * variant)[0] for variant in range(18)]
    assert torch.equal(torch.cat(twice[::2]), torch.cat([each for each, _ in found]))
    assert torch.equal(torch.cat(twice[1::2]), torch.cat([each for each, _ in found]).flip(3))


# Tasks on disk.


@pytest.mark.parametrize("condition", [*OF_DRAWINGS, "label"])
def test_a_written_task_is_loaded_with_the_examples_it_was_made_of_and_mapped_into_memory(
    condition: str, tmp_path: Path
) -> None:
    data = digits() if condition == "label" else drawings(1, 8)
    loaded, made = written(tmp_path, condition, data), task.in_memory("question", condition, data)
    for name in ("name", "condition", "kind", "x_shape", "condition_shape", "num_conditions"):
        assert getattr(loaded, name) == getattr(made, name), name
    for split, examples in loaded.splits.items():
        expected = made.splits[split]
        chosen = torch.arange(len(expected))
        assert len(examples) == len(expected)
        for found, other in zip(examples.images(chosen), expected.images(chosen), strict=True):
            assert torch.equal(found, other)
    assert loaded.train is loaded.splits["train"]
    assert is_mapped(loaded.train, tmp_path / "question/train_images.npy")


def is_mapped(examples: Stored, file: Path) -> bool:
    """Whether the images' memory is a file's."""
    place = examples.arrays["images"].data_ptr()
    for line in Path("/proc/self/maps").read_text().splitlines():
        start, end = (int(part, 16) for part in line.split()[0].split("-"))
        if start <= place < end:
            return line.endswith(str(file))
    return False


@of_each_question
def test_a_tasks_folder_has_every_array_once(condition: str, tmp_path: Path) -> None:
    written(tmp_path, condition, drawings(1, 8))
    arrays = {path.name: np.load(path) for path in (tmp_path / "question").glob("*.npy")}
    large = {name: array for name, array in arrays.items() if array.ndim > 2}
    contents = [array.tobytes() for array in large.values()]
    assert len(set(contents)) == len(contents)
    needed = {"images", *question.load(condition).needs} - {"tokens"}
    assert {name for name in large if name.startswith("train")} == {f"train_{name}.npy" for name in needed}


def test_what_a_task_keeps_of_a_set_as_it_is_are_the_files_of_the_set(tmp_path: Path) -> None:
    prepared.save(tmp_path / "set", drawings(1, 8))
    sources = {file.stat().st_ino for file in (tmp_path / "set").iterdir()}
    for condition, kept in (("sketch", {"images", "sketches"}), ("inpaint", {"images"}), ("text", set())):
        written(tmp_path / condition, condition, prepared.load(tmp_path / "set"))
        files = {file.stem: file.stat() for file in (tmp_path / condition / "question").glob("*.npy")}
        found = {name.split("_")[1] for name, about in files.items() if about.st_ino in sources}
        assert found & {"images", "sketches", "layers", "tokens"} == kept, condition
        assert "train_images" in files


def test_a_task_knows_labels_captions_and_bases_of_its_own_rows(tmp_path: Path) -> None:
    made = written(tmp_path, "text", drawings(0, 5))
    captions, bases = made.about("test", "captions"), made.about("test", "bases")
    assert captions is not None
    assert captions.tolist() == ["drawing 0", "drawing 2", "drawing 3"]
    assert bases is not None
    assert bases.tolist() == [0, 2, 3]
    assert made.about("test", "labels") is None


def test_a_task_of_other_contents_has_another_identity(tmp_path: Path) -> None:
    first = written(tmp_path / "a", "none", digits())
    assert written(tmp_path / "b", "none", digits()).sha256 == first.sha256
    assert written(tmp_path / "c", "none", digits(39)).sha256 != first.sha256
    assert written(tmp_path / "d", "label", digits()).sha256 != first.sha256


# What is refused, in one line.


@pytest.mark.parametrize(("condition", "field"), [("sketch", "sketches"), ("text", "tokens")])
def test_a_question_the_data_set_cannot_answer_is_refused_by_the_name_of_its_key(
    condition: str, field: str, tmp_path: Path
) -> None:
    settings = Settings(data="digits", condition=condition)
    expected = rf"^tasks\.question\.condition = '{condition}': digits has no {field}$"
    with pytest.raises(InputError, match=expected):
        make.task(tmp_path / "question", settings, digits(), b"")
    assert not (tmp_path / "question").exists()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("task.json", None),
        ("task.json", b"{"),
        ("task.json", b"[]"),
        ("task.json", b"\xff"),
        ("task.json", b'{"condition": "none"}'),
        ("task.json", b'{"condition": "", "facts": {}}'),
        ("test_images.npy", None),
        ("test_images.npy", b"something else"),
        ("test_images.npy", "half"),
        ("train_labels.npy", b""),
    ],
)
def test_a_damaged_folder_is_refused_in_one_line_with_the_command_that_makes_it(
    file: str, content: bytes | str | None, tmp_path: Path
) -> None:
    written(tmp_path, "label", digits())
    path = tmp_path / "question" / file
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content if isinstance(content, bytes) else path.read_bytes()[: -28 * 28 * 30])
    with pytest.raises(InputError) as caught:
        task.load(tmp_path / "question")
    assert str(caught.value).startswith(f"{tmp_path / 'question'}: not a task (")
    assert str(caught.value).endswith("make it with: dvc repro task@question")
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there_is_no_task(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere: not a task \(.*dvc repro task@nowhere$"):
        task.load(tmp_path / "nowhere")
