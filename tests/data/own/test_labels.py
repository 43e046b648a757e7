"""What the numbers of a set mean: maps of labels, or pictures, or nobody can tell."""

import numpy as np
import pytest
from helpers.pair_files import BLUE, GREEN, RED, SIZE, WHITE, noise, plain
from helpers.pixels import areas, asked, colour, grey, lines, of, smooth, wide

from pipeline.data.own import seen
from pipeline.data.own.decode import Pixels
from pipeline.data.own.meaning import VOID, Meaning


@pytest.mark.parametrize(
    "images",
    [
        [wide(0, 1)],
        [wide(0, 1), wide(7)],
        [wide(3, 63, VOID)],
        [wide(0, 5, kind=np.uint16), wide(2, kind=np.uint16)],
        [Pixels(np.eye(SIZE, dtype=np.uint8), None, True)],
        [colour(plain(RED)), colour(plain(BLUE))],
        [colour(plain(RED)), colour(plain(BLUE)), colour(plain(WHITE))],
        [colour(plain((0, 0, 0))), colour(plain((1, 1, 1)))],
        [areas([0, 127, 254])],
        [areas(list(range(35)), seed) for seed in range(4)],
        [areas(list(range(0, 34000, 1000)), seed, np.uint16) for seed in range(4)],
    ],
)
def test_few_numbers_or_colours_in_flat_areas_are_labels(images: list[Pixels]) -> None:
    found = of(*images)
    numbers = {int(each) for image in images for each in seen.as_numbers(image.values).flat}
    assert found.labels == tuple(sorted(numbers))
    assert bool(found.colours) == (images[0].values.ndim == 3)
    assert found.words.startswith(f"maps of {len(numbers)} labels (")
    assert of(*images, kind="picture").labels == ()


@pytest.mark.parametrize(
    "images",
    [
        [wide(0, 255)],
        [wide(0, 65535, kind=np.uint16)],
        [Pixels(areas([0, 1]).values.astype(bool), None, True)],
        [colour(plain((0, 0, 0))), colour(plain(WHITE))],
        [wide(0, 1)._replace(exact=False)],
        [wide(0.0, 1.0, kind=np.float32)],
        [colour(plain(RED)), colour(plain(BLUE), np.full((SIZE, SIZE), 9, np.uint8))],
        [colour(noise(SIZE, SIZE, 0))],
        [smooth(256), smooth(256, 1)],
        [smooth(52), smooth(52, 1)],
        [smooth(43, size=200)],
        [lines(0), lines(1)],
        [smooth(256), smooth(256, 1), areas([0, 255]), areas([0, 9])],
    ],
)
def test_pictures_are_none_however_few_values_they_have(images: list[Pixels]) -> None:
    """Neither are black and white, dark photographs, smoothed lines, and files that do not keep values."""
    assert of(*images).labels == ()


def posterised() -> Pixels:
    """A picture of 16 greys with edges."""
    return Pixels(
        np.concatenate([smooth(16, size=100).values, areas([0, 8, 15]).values]) * np.uint8(17), None, True
    )


ASKS = "; say a_values: labels or a_values: picture"


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        ([posterised()], f"16 values that lie as in pictures and as in maps of labels{ASKS}"),
        (
            [areas(list(range(151)), i) for i in range(12)],
            f"maps of 151 labels, which are a channel each{ASKS}",
        ),
        (
            [areas(list(range(300)), i, np.uint16) for i in range(9)],
            "maps of more than 256 labels, which are a channel each; say a_values: picture",
        ),
        (
            [areas([0, 5, 9]), colour(np.repeat(areas([0, 5, 9]).values[..., None], 3, 2))],
            "maps of labels, of which some are colour and some are grey; say a_values: picture",
        ),
    ],
)
def test_where_the_numbers_do_not_tell_it_is_asked(images: list[Pixels], expected: str) -> None:
    assert asked(*images) == expected
    assert of(*images, kind="picture").labels == ()


def test_what_is_said_to_be_labels_is_labels_or_refused() -> None:
    assert of(wide(0, 100, 200), kind="labels").labels == (0, 100, 200)
    assert of(wide(0, 100)._replace(exact=False), kind="labels").labels == (0, 100)
    assert len(of(grey(*range(256)), kind="labels").labels) == 256
    many = "labels: the files have more than 256 values, or are not of whole numbers"
    assert asked(grey(*range(257), kind=np.uint16), kind="labels") == many
    assert asked(wide(0.0, 1.0, kind=np.float32), kind="labels") == many
    assert asked(wide(0, 1), colour(plain(RED)), kind="labels") == (
        "labels: some files are colour and some are grey"
    )


def test_masks_of_1_bit_beside_masks_of_0_and_1_are_not_three_labels() -> None:
    masks = areas([0, 1]), Pixels(areas([0, 1], 1).values.astype(bool), None, True)
    for kind in ("auto", "labels"):
        assert asked(*masks, kind=kind) == "labels: some files are of 1 bit and some of more"


def indexed(colours: dict[int, tuple[int, int, int]], seed: int = 0) -> Pixels:
    """A map of areas of these indices, whose palette has these colours."""
    palette = np.zeros((256, 3), np.uint8)
    for index, each in colours.items():
        palette[index] = each
    return areas(list(colours), seed)._replace(palette=palette)


def test_a_palettes_indices_are_the_labels_and_its_colours_theirs() -> None:
    found = of(indexed({0: RED, 4: BLUE, 9: GREEN}), indexed({0: RED, 4: BLUE, 9: GREEN}, 1))
    assert found.labels == (0, 4, 9)
    assert found.palette.tolist() == [list(RED), list(BLUE), list(GREEN)]


def test_two_labels_of_one_colour_are_two_and_shown_in_two() -> None:
    found = of(indexed({0: RED, 4: RED, 9: GREEN}))
    assert found.labels == (0, 4, 9)
    assert len(np.unique(found.palette, axis=0)) == 3


def test_palettes_that_differ_are_asked_about() -> None:
    images = indexed({0: RED, 4: BLUE}), indexed({0: GREEN, 4: BLUE}, 1)
    assert asked(*images) == (
        f"maps of labels whose palettes differ: a number has one colour here and another there{ASKS}"
    )
    assert of(*images, kind="labels").labels == (0, 4)
    found = of(*images, kind="picture").applied(images[1], 100)
    assert {*map(tuple, found.reshape(3, -1).T.tolist())} == {GREEN, BLUE}


def test_a_label_is_stored_as_its_number_in_order_and_void_as_one_more() -> None:
    found = of(wide(7, 0, VOID, 33))
    applied = found.applied(wide(7, 0, VOID, 33), SIZE)
    assert (applied.shape, applied.dtype) == ((SIZE, SIZE), np.uint8)
    assert applied[0, :4].tolist() == [1, 0, 3, 2]


@pytest.mark.parametrize(("height", "width"), [(40, 60), (9, 11), (16, 16), (33, 8)])
def test_resized_maps_have_no_label_that_the_file_does_not_have(height: int, width: int) -> None:
    """Between two labels there is none, though between their numbers there are others."""
    values = np.random.default_rng(0).choice([0, 20, 63], (height, width)).astype(np.uint8)
    found = of(wide(*range(0, 64, 5)), grey(20, 63), Pixels(values, None, True), kind="labels")
    applied = found.applied(Pixels(values, None, True), SIZE)
    assert {found.labels[each] for each in np.unique(applied)} == {0, 20, 63}


def test_a_large_area_stays_where_it_is_in_a_resized_map() -> None:
    values = np.zeros((40, 40), np.uint8)
    values[:20, 20:] = 1
    found = of(Pixels(values, None, True)).applied(Pixels(values, None, True), SIZE)
    assert found[: SIZE // 2, SIZE // 2 :].all()
    assert found.sum() == SIZE * SIZE // 4


def test_coloured_labels_are_shown_in_their_own_colours_and_numbers_in_colours_that_differ() -> None:
    found = of(colour(plain(RED)), colour(plain(BLUE)), colour(plain(GREEN)))
    assert found.palette.tolist() == [list(BLUE), list(GREEN), list(RED)]
    for num in (1, 2, 5, 64):
        palette = Meaning(labels=tuple(range(num))).palette
        assert (palette.shape, palette.dtype) == ((num, 3), np.uint8)
        assert len(np.unique(palette, axis=0)) == num
