"""What each question gives and what it asks for, by hand; tasks as they are written, loaded and flipped."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.small_tasks import digits, drawings, written
from helpers.synthetic import noise
from torch import Tensor

from pipeline.data.prepared import DataSet
from pipeline.runtime.errors import InputError
from pipeline.tasks import make, question, task
from pipeline.tasks.question import Settings
from pipeline.tasks.task import Stored

torch.set_num_threads(1)

OF_DRAWINGS = ("none", "sketch", "colourise", "superres", "inpaint", "semantic", "text", "segment")
of_each_question = pytest.mark.parametrize("condition", OF_DRAWINGS)


def pairs(condition: str, **arrays: Tensor) -> tuple[Tensor, Tensor]:
    """Target and condition of all rows of a data set of these arrays, uint8."""
    split = {name: array.numpy() for name, array in arrays.items()}
    data = DataSet(dict.fromkeys(("train", "validation", "test"), split), {"num_words": 7})
    examples = task.in_memory("question", condition, data).test
    return examples.images(torch.arange(len(examples)))


def condition_of(condition: str, **arrays: Tensor) -> Tensor:
    return pairs(condition, **arrays)[1]


# One question after the other.


@pytest.mark.parametrize(
    ("rgb", "expected"),
    [
        ((0, 0, 0), 0),
        ((255, 255, 255), 255),
        ((255, 0, 0), 76),  # 76.245
        ((0, 255, 0), 150),  # 149.685
        ((0, 0, 255), 29),  # 29.07
        ((10, 200, 30), 124),  # 2.99 + 117.4 + 3.42
        ((77, 77, 77), 77),
    ],
)
def test_the_condition_of_colourise_is_the_luma(rgb: tuple[int, int, int], expected: int) -> None:
    image = torch.tensor(rgb, dtype=torch.uint8).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    c = condition_of("colourise", images=image)
    assert c.tolist() == [[[[expected] * 4] * 4]]
    assert c.dtype == torch.uint8


def test_the_condition_of_superres_is_the_means_of_blocks_of_four_by_four() -> None:
    x = torch.zeros(1, 3, 8, 12, dtype=torch.uint8)
    x[0, 0, :4, :4] = torch.arange(16).view(4, 4)
    x[0, 0, 0, 0] = 5  # sum 125, mean 7.8
    x[0, 1, 7, 11] = 16 * 9
    x[0, 2, :4, 4:8] = 255
    expected = torch.zeros_like(x)
    expected[0, 0, :4, :4] = 8
    expected[0, 1, 4:, 8:] = 9
    expected[0, 2, :4, 4:8] = 255
    assert torch.equal(condition_of("superres", images=x), expected)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (32, 32), (8, 24)])
def test_inpaint_hides_a_box_of_half_the_side_and_nothing_else(height: int, width: int) -> None:
    x = noise(50, 3, height, width, seed=0)
    c = condition_of("inpaint", images=x)
    hole = c[:, 3] == 255
    assert c.shape == (50, 4, height, width)
    assert set(c[:, 3].unique().tolist()) == {0, 255}
    for image, seen, inside in zip(x, c[:, :3], hole, strict=True):
        rows, columns = inside.any(1), inside.any(0)
        assert (rows.sum(), columns.sum()) == (height // 2, width // 2)
        assert rows.nonzero()[-1] - rows.nonzero()[0] == height // 2 - 1  # in one piece
        assert columns.nonzero()[-1] - columns.nonzero()[0] == width // 2 - 1
        assert inside.sum() == height // 2 * (width // 2)
        assert torch.equal(seen[:, ~inside], image[:, ~inside])
        assert (seen[:, inside] == 128).all()


def test_holes_are_at_every_place_equally_often() -> None:
    """Of 9 x 9 places; so every pixel is hidden sometimes."""
    num = 9000
    images = noise(1, 1, 16, 16, seed=0).expand(num, 1, 16, 16)
    holes = condition_of("inpaint", images=images)[:, 1] == 255
    tops, lefts = holes.any(2).int().argmax(1), holes.any(1).int().argmax(1)
    for places in (tops, lefts, (tops + lefts) % 9):
        counts = places.bincount(minlength=9)
        assert len(counts) == 9
        assert counts.tolist() == pytest.approx([num / 9] * 9, rel=0.15)  # five standard deviations


def test_an_images_hole_is_a_function_of_its_number() -> None:
    x = noise(40, 3, 16, 16, seed=0)
    c = condition_of("inpaint", images=x)
    torch.rand(3)
    for num in (1, 7, 25, 40):
        assert torch.equal(condition_of("inpaint", images=x[:num]), c[:num])
    assert torch.equal(condition_of("inpaint", images=255 - x)[:, 3], c[:, 3])


def test_the_condition_of_semantic_has_a_channel_a_kind_of_layer() -> None:
    layers = torch.tensor([[[0, 3], [4, 0]]], dtype=torch.uint8)
    c = condition_of("semantic", images=noise(1, 3, 2, 2, seed=0), layers=layers)
    empty = [[0, 0], [0, 0]]
    assert c.tolist() == [[[[255, 0], [0, 255]], empty, empty, [[0, 255], [0, 0]], [[0, 0], [255, 0]]]]
    assert c.dtype == torch.uint8


def test_segment_is_semantic_the_other_way_round() -> None:
    images, layers = noise(4, 3, 8, 8, seed=0), noise(4, 8, 8, seed=2) % 5
    x, c = pairs("semantic", images=images, layers=layers)
    back_x, back_c = pairs("segment", images=images, layers=layers)
    assert torch.equal(back_c, x)
    assert torch.equal(back_x, c)
    assert torch.equal(back_x.argmax(1), layers.long())


@pytest.mark.parametrize("channels", [1, 3])
def test_the_condition_of_sketch_is_the_sketch(channels: int) -> None:
    sketches = noise(4, channels, 8, 8, seed=5)
    assert torch.equal(condition_of("sketch", images=noise(4, 3, 8, 8, seed=0), sketches=sketches), sketches)


def test_the_condition_of_text_is_the_words_and_what_has_no_name_is_left_out() -> None:
    images = noise(6, 3, 8, 8, seed=0)
    tokens = torch.tensor([[2, 5, 1, 0], [0, 0, 0, 0], [6, 0, 0, 0]] * 2)
    x, c = pairs("text", images=images, tokens=tokens)
    assert torch.equal(x, images[[0, 2, 3, 5]])
    assert c.tolist() == [[2, 5, 1, 0], [6, 0, 0, 0]] * 2
    assert c.dtype == torch.int64


def test_the_condition_of_label_is_a_one_at_the_classs_place() -> None:
    labels = torch.tensor([3, 0, 9], dtype=torch.uint8)
    c = condition_of("label", images=noise(3, 1, 8, 8, seed=0), labels=labels)
    expected = torch.zeros(3, 10)
    expected[0, 3] = expected[1, 0] = expected[2, 9] = 1
    assert torch.equal(c, expected)
    assert c.dtype == torch.float32


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
    both, num = examples.with_flips(), len(examples)
    assert len(both) == 2 * num
    mixed = torch.tensor([2, num + 1, 0, num + 2])  # in one batch
    (x, c), (flipped_x, flipped_c) = examples.images(mixed % num), both.images(mixed)
    for before, after in ((x, flipped_x), (c, flipped_c)):
        assert torch.equal(after[::2], before[::2])
        assert torch.equal(after[1::2], before[1::2].flip(3) if before.ndim == 4 else before[1::2])


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


def test_an_unknown_condition_is_refused_with_those_there_are() -> None:
    every = "colourise, inpaint, label, none, segment, semantic, sketch, stacked, superres, text, tones"
    with pytest.raises(InputError, match=rf"^condition = 'digits': allowed are {every}$"):
        question.load("digits")


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
