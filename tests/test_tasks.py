"""What each task gives and what it asks for, against values worked out by hand."""

import dataclasses

import pytest
import torch
from torch import Tensor

from pipeline.data.drawings import NO_TONE, Drawings
from pipeline.tasks import drawings as tasks

torch.set_num_threads(1)

each_task = pytest.mark.parametrize("task", tasks.TASKS)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(seed)).byte()


def drawings(pictures: Tensor, **changes: object) -> Drawings:
    """Drawings with these pictures, (N, 3, H, W); every third has no name."""
    num, _, height, width = pictures.shape
    named = torch.arange(num) % 3 != 1
    tokens = torch.tensor([[2, 5, 1, 0], [0, 0, 0, 0], [6, 0, 0, 0]]).repeat(num, 1)[:num]
    parts: dict[str, object] = {
        "pictures": pictures,
        "sketches": noise(num, 1, height, width, seed=1),
        "kinds": noise(num, height, width, seed=2) % 5,
        "captions": tuple("some name" if name else "" for name in named),
        "tokens": tokens,
        "names": tuple(map(str, range(num))),
        "bases": torch.arange(num),
        "tones": torch.full((num,), NO_TONE),
        "num_kinds": 5,
        "num_words": 7,
    }
    return Drawings(**(parts | changes))


def colour(red: int, green: int, blue: int) -> Tensor:
    return torch.tensor([red, green, blue], dtype=torch.uint8).view(1, 3, 1, 1).expand(1, 3, 4, 4)


# One task after the other.


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
def test_colourise_is_given_the_luma(rgb: tuple[int, int, int], expected: int) -> None:
    pairs = tasks.colourise(drawings(colour(*rgb)))
    assert pairs.conditions.tolist() == [[[[expected] * 4] * 4]]
    assert pairs.conditions.dtype == torch.uint8


def test_superres_is_given_the_means_of_blocks_of_four_by_four() -> None:
    x = torch.zeros(1, 3, 8, 12, dtype=torch.uint8)
    x[0, 0, :4, :4] = torch.arange(16).view(4, 4)
    x[0, 0, 0, 0] = 5  # sum 125, mean 7.8
    x[0, 1, 7, 11] = 16 * 9
    x[0, 2, :4, 4:8] = 255
    expected = torch.zeros_like(x)
    expected[0, 0, :4, :4] = 8
    expected[0, 1, 4:, 8:] = 9
    expected[0, 2, :4, 4:8] = 255
    assert torch.equal(tasks.superres(drawings(x)).conditions, expected)


def test_superres_keeps_the_size_and_has_one_colour_a_block() -> None:
    x = noise(3, 3, 16, 24)
    found = tasks.superres(drawings(x)).conditions
    assert found.shape == x.shape
    assert torch.equal(found, found[:, :, ::4, ::4].repeat_interleave(4, 2).repeat_interleave(4, 3))
    error = found[:, :, ::4, ::4].double() - x.double().unflatten(3, (6, 4)).unflatten(2, (4, 4)).mean((3, 5))
    assert error.abs().max() <= 0.5


@pytest.mark.parametrize(("height", "width"), [(16, 16), (32, 32), (8, 24)])
def test_inpaint_hides_a_box_of_half_the_side_and_nothing_else(height: int, width: int) -> None:
    x = noise(50, 3, height, width)
    given = tasks.inpaint(drawings(x)).conditions
    hole = given[:, 3] == 255
    assert given.shape == (50, 4, height, width)
    assert set(given[:, 3].unique().tolist()) == {0, 255}
    for picture, seen, inside in zip(x, given[:, :3], hole, strict=True):
        rows, columns = inside.any(1), inside.any(0)
        assert (rows.sum(), columns.sum()) == (height // 2, width // 2)
        assert rows.nonzero()[-1] - rows.nonzero()[0] == height // 2 - 1  # in one piece
        assert columns.nonzero()[-1] - columns.nonzero()[0] == width // 2 - 1
        assert inside.sum() == height // 2 * (width // 2)
        assert torch.equal(seen[:, ~inside], picture[:, ~inside])
        assert (seen[:, inside] == 128).all()


def test_holes_are_at_every_place_equally_often() -> None:
    """Of 9 x 9 places; so every pixel is hidden sometimes."""
    num = 9000
    holes = tasks.inpaint(drawings(noise(1, 3, 16, 16).expand(num, 3, 16, 16))).conditions[:, 3] == 255
    tops, lefts = holes.any(2).int().argmax(1), holes.any(1).int().argmax(1)
    for places in (tops, lefts, (tops + lefts) % 9):
        counts = places.bincount(minlength=9)
        assert len(counts) == 9
        assert counts.tolist() == pytest.approx([num / 9] * 9, rel=0.15)  # five standard deviations


def test_a_drawings_hole_is_a_function_of_its_number() -> None:
    x = noise(40, 3, 16, 16)
    given = tasks.inpaint(drawings(x)).conditions
    torch.rand(3)
    assert torch.equal(tasks.inpaint(drawings(x)).conditions, given)
    for num in (1, 7, 25):
        assert torch.equal(tasks.inpaint(drawings(x[:num])).conditions, given[:num])
    assert torch.equal(tasks.inpaint(drawings(255 - x)).conditions[:, 3], given[:, 3])


def test_semantic_is_given_a_channel_a_kind() -> None:
    kinds = torch.tensor([[[0, 3], [4, 0]]], dtype=torch.uint8)
    pairs = tasks.semantic(drawings(noise(1, 3, 2, 2), kinds=kinds))
    empty = [[0, 0], [0, 0]]
    assert pairs.conditions.tolist() == [
        [[[255, 0], [0, 255]], empty, empty, [[0, 255], [0, 0]], [[0, 0], [255, 0]]]
    ]
    assert pairs.conditions.dtype == torch.uint8


def test_semantic_has_a_channel_for_each_kind_there_could_be() -> None:
    kinds = torch.zeros(2, 4, 4, dtype=torch.uint8)
    pairs = tasks.semantic(drawings(noise(2, 3, 4, 4), kinds=kinds, num_kinds=7))
    assert pairs.num_conditions == 7
    assert pairs.conditions.sum((0, 2, 3)).tolist() == [2 * 16 * 255] + [0] * 6


@pytest.mark.parametrize("channels", [1, 3])
def test_sketch_is_given_the_sketch(channels: int) -> None:
    sketches = noise(4, channels, 8, 8, seed=5)
    pairs = tasks.sketch(drawings(noise(4, 3, 8, 8), sketches=sketches))
    assert torch.equal(pairs.conditions, sketches)
    assert pairs.num_conditions == channels


def test_text_is_given_the_words_and_leaves_out_what_has_no_name() -> None:
    x = noise(6, 3, 8, 8)
    pairs = tasks.text(drawings(x))
    assert pairs.rows.tolist() == [0, 2, 3, 5]
    assert torch.equal(pairs.pictures, x[[0, 2, 3, 5]])
    assert pairs.conditions.tolist() == [[2, 5, 1, 0], [6, 0, 0, 0]] * 2
    assert pairs.num_conditions == 7  # words
    _, c = pairs.batch(torch.tensor([1, 2]))
    assert c.tolist() == [[6, 0, 0, 0], [2, 5, 1, 0]]
    assert c.dtype == torch.int64


def test_segment_is_semantic_the_other_way_round() -> None:
    all_drawings = drawings(noise(4, 3, 8, 8))
    there, back = tasks.semantic(all_drawings), tasks.segment(all_drawings)
    assert torch.equal(back.conditions, there.pictures)
    assert torch.equal(back.pictures, there.conditions)
    assert torch.equal(back.pictures.argmax(1), all_drawings.kinds.long())
    assert (back.num_conditions, back.shape) == (3, (5, 8, 8))


# All tasks alike.


@each_task
def test_pairs_belong_to_the_drawings_that_they_name(task: str) -> None:
    x = noise(9, 3, 16, 16)
    pairs = tasks.TASKS[task](drawings(x))
    assert len(pairs) == len(pairs.conditions) == len(pairs.rows)
    assert pairs.rows.tolist() == ([0, 2, 3, 5, 6, 8] if task == "text" else list(range(9)))
    if task != "segment":
        assert torch.equal(pairs.pictures, x[pairs.rows])
    assert pairs.shape == tuple(pairs.pictures.shape[1:])


@each_task
def test_a_batch_lies_between_minus_one_and_one(task: str) -> None:
    pairs = tasks.TASKS[task](drawings(noise(9, 3, 16, 16)))
    chosen = torch.tensor([4, 0, 2])
    x, c = pairs.batch(chosen)
    assert (x.dtype, x.shape) == (torch.float32, (3, *pairs.shape))
    assert (x.min().item(), x.max().item()) == (-1, 1)
    torch.testing.assert_close(x, pairs.pictures[chosen] / 127.5 - 1)
    assert torch.equal(c, pairs.told(chosen))
    if task == "text":
        assert torch.equal(c, pairs.conditions[chosen])
    else:
        assert c.shape == (3, pairs.num_conditions, 16, 16)
        assert -1 <= c.min() < 0 < c.max() <= 1
        torch.testing.assert_close(c, pairs.conditions[chosen] / 127.5 - 1)


@each_task
def test_a_task_leaves_the_drawings_as_they_were(task: str) -> None:
    before = drawings(noise(5, 3, 16, 16))
    tasks.TASKS[task](before)
    after = drawings(noise(5, 3, 16, 16))
    for field in dataclasses.fields(Drawings):
        mine, other = getattr(before, field.name), getattr(after, field.name)
        assert torch.equal(mine, other) if isinstance(mine, Tensor) else mine == other


@each_task
def test_a_tasks_condition_is_told_as_it_is(task: str) -> None:
    pairs = tasks.TASKS[task](drawings(noise(6, 3, 16, 16)))
    condition = tasks.condition(task, pairs)
    c = pairs.told(torch.arange(3))
    assert condition.task == task
    assert condition.width == pairs.num_conditions
    assert torch.equal(condition.encode(c), c)
    assert condition.blank(3).shape == c.shape
    assert not condition.blank(3).any()


@pytest.mark.parametrize(
    ("task", "num_conditions", "channels"),
    [
        ("colourise", 1, 3),
        ("superres", 3, 3),
        ("inpaint", 4, 3),
        ("semantic", 5, 3),
        ("sketch", 1, 3),
        ("text", 7, 3),
        ("segment", 3, 5),
    ],
)
def test_what_tasks_are_told_and_make(task: str, num_conditions: int, channels: int) -> None:
    pairs = tasks.TASKS[task](drawings(noise(3, 3, 16, 16)))
    assert (pairs.num_conditions, pairs.shape) == (num_conditions, (channels, 16, 16))
    assert tasks.NETWORK_OF.get(task, "unet") == ("caption" if task == "text" else "unet")


def test_there_are_six_tasks_and_a_control() -> None:
    assert set(tasks.TASKS) == {"colourise", "superres", "inpaint", "semantic", "sketch", "text", "segment"}


@pytest.mark.parametrize("task", tasks.TASKS)
def test_with_their_mirrored_ones_pairs_are_twice_as_many_and_stay_pairs(task: str) -> None:
    data = drawings(noise(3, 3, 16, 16))
    pairs = tasks.TASKS[task](data)
    both, num = pairs.with_mirrored(), len(pairs)
    assert len(both) == 2 * num
    assert both.rows.tolist() == pairs.rows.tolist() * 2
    assert torch.equal(both.pictures[:num], pairs.pictures)
    assert torch.equal(both.pictures[num:].flip(3), pairs.pictures)
    turned = both.conditions[num:].flip(3) if pairs.conditions.ndim == 4 else both.conditions[num:]
    assert torch.equal(turned, pairs.conditions)


# To be looked at.


def test_grey_is_shown_as_grey_and_colours_as_they_are() -> None:
    grey, coloured = noise(2, 1, 4, 6), noise(2, 3, 4, 6)
    assert all(torch.equal(tasks.visible(grey)[:, i : i + 1], grey) for i in range(3))
    assert torch.equal(tasks.visible(coloured), coloured)


def test_a_picture_with_a_hole_is_shown_without_the_map_of_the_hole() -> None:
    x = noise(2, 4, 4, 6)
    assert torch.equal(tasks.visible(x), x[:, :3])


def test_kinds_are_shown_in_colours_of_their_own() -> None:
    kinds = torch.tensor([[[0, 1, 2], [3, 4, 0]]], dtype=torch.uint8)
    found = tasks.visible(tasks.semantic(drawings(noise(1, 3, 2, 3), kinds=kinds)).conditions)
    assert found.dtype == torch.uint8
    assert found.shape == (1, 3, 2, 3)
    seen = {tuple(found[0, :, i, j].tolist()): int(kinds[0, i, j]) for i in range(2) for j in range(3)}
    assert sorted(seen.values()) == list(range(5))
    assert found[0, :, 0, 0].tolist() == [255] * 3  # the background


def test_the_likeliest_kind_is_shown_where_several_are_possible() -> None:
    x = torch.tensor([10, 30, 200, 199, 0], dtype=torch.uint8).view(1, 5, 1, 1)
    sure = torch.tensor([0, 0, 255, 0, 0], dtype=torch.uint8).view(1, 5, 1, 1)
    assert torch.equal(tasks.visible(x), tasks.visible(sure))
