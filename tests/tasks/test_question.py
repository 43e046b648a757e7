"""What each question gives of an image, and asks for."""

import pytest
import torch
from helpers.synthetic import noise
from torch import Tensor

from pipeline.data.prepared import DataSet
from pipeline.runtime.errors import InputError
from pipeline.tasks import question, task

OF_DRAWINGS = ("none", "sketch", "colourise", "superres", "inpaint", "semantic", "text", "segment")
of_each_question = pytest.mark.parametrize("condition", OF_DRAWINGS)


def put(condition: str, **arrays: Tensor) -> task.Task:
    """The question put to a data set of these arrays."""
    split = {name: array.numpy() for name, array in arrays.items()}
    data = DataSet(dict.fromkeys(("train", "validation", "test"), split), {"num_words": 7})
    return task.in_memory("question", condition, data)


def pairs(condition: str, **arrays: Tensor) -> tuple[Tensor, Tensor]:
    """Target and condition of all rows of a data set of these arrays, uint8."""
    examples = put(condition, **arrays).test
    return examples.images(torch.arange(len(examples)))


def condition_of(condition: str, **arrays: Tensor) -> Tensor:
    return pairs(condition, **arrays)[1]


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
    labels, classes = (torch.tensor(found, dtype=torch.uint8) for found in ([3, 0, 9], range(12)))
    c = condition_of("label", images=noise(3, 1, 8, 8, seed=0), labels=labels, classes=classes)
    expected = torch.zeros(3, 12)
    expected[0, 3] = expected[1, 0] = expected[2, 9] = 1
    assert torch.equal(c, expected)
    assert c.dtype == torch.float32


def test_the_condition_of_ab_is_a_and_ba_is_the_other_way_round() -> None:
    images, a = noise(4, 3, 8, 8, seed=0), noise(4, 3, 8, 8, seed=1)
    for condition, expected in (("ab", (images, a)), ("ba", (a, images))):
        for found, each in zip(pairs(condition, images=images, a=a), expected, strict=True):
            assert torch.equal(found, each)


@pytest.mark.parametrize("side", ["a", "images"])
def test_maps_of_labels_among_pairs_have_a_channel_a_label_and_their_colours_are_known(side: str) -> None:
    other = "images" if side == "a" else "a"
    labels, colours = noise(4, 8, 8, seed=2) % 3, noise(3, 3, seed=3)
    shown = colours[labels.long()].permute(0, 3, 1, 2)
    arrays = {side: shown, other: noise(4, 3, 8, 8, seed=0), f"{side}_labels": labels}
    asked = {
        condition: put(condition, **arrays, **{f"{side}_colours": colours}) for condition in ("ab", "ba")
    }
    rows = torch.arange(4)
    for condition, found in asked.items():
        x, c = found.test.images(rows)
        of_labels, plain = (c, x) if (side == "a") == (condition == "ab") else (x, c)
        assert torch.equal(plain, arrays[other])
        assert of_labels.shape == (4, 3, 8, 8)
        assert torch.equal(of_labels.argmax(1), labels.long())
        part = "condition" if of_labels is c else "target"
        assert {key: value for key, value in found.facts.items() if "colours" in key} == {
            f"{part}_colours": colours.tolist()
        }
        assert torch.equal(found.shown_conditions(c) if of_labels is c else found.shown(x), shown)
        assert torch.equal(found.shown(x) if of_labels is c else found.shown_conditions(c), plain)


def test_the_condition_of_edges_is_dark_where_grey_changes_and_white_elsewhere() -> None:
    """A step of 60 is 60 levels from either side of it, of 128 that would be black; one of 200 is."""
    x = torch.full((2, 3, 6, 8), 20, dtype=torch.uint8)
    x[0, :, :, 4:] += 60
    x[1, :, 3:] += 200
    c = condition_of("edges", images=x)
    assert (c.shape, c.dtype) == ((2, 1, 6, 8), torch.uint8)
    line = round(255 * (1 - 60 / 128))
    assert c[0, 0].tolist() == [[255, 255, 255, line, line, 255, 255, 255]] * 6
    assert c[1, 0].tolist() == [[255] * 8] * 2 + [[0] * 8] * 2 + [[255] * 8] * 2


def test_an_unknown_condition_is_refused_with_those_there_are() -> None:
    every = "ab, ba, colourise, edges, inpaint, label, none, segment, semantic, sketch, stacked, superres"
    with pytest.raises(InputError, match=rf"^condition = 'digits': allowed are {every}, text, tones$"):
        question.load("digits")
