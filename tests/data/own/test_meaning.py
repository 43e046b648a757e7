"""What the numbers in a set's files mean, and the pixels that come of them."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from helpers.pair_files import BLUE, GREEN, RED, SIZE, WHITE, noise, plain, save

from pipeline.data.own import meaning
from pipeline.data.own.decode import Pixels
from pipeline.data.own.meaning import BLACK, VOID, Kind, Meaning, Seen
from pipeline.runtime.errors import InputError


def grey(*values: float, kind: type = np.uint8, exact: bool = True) -> Pixels:
    """An image of these numbers, row by row the same."""
    return Pixels(np.tile(np.array(values).astype(kind), (SIZE, 1)), None, exact)


def colour(pixels: np.ndarray, alpha: np.ndarray | None = None, exact: bool = True) -> Pixels:
    return Pixels(pixels, alpha, exact)


def seen(*images: Pixels) -> Seen:
    return meaning.together(meaning.look(image).seen for image in images)


def of(*images: Pixels, kind: Kind = "auto") -> Meaning:
    """What the numbers of a set of these images mean."""
    return meaning.of(seen(*images), kind)


def row(found: Pixels, means: Meaning) -> list[int]:
    """The first row of an image that needs no resizing."""
    return means.applied(found, SIZE)[0, 0].tolist()


def wide(*values: float, kind: type = np.uint8) -> Pixels:
    """An image whose first row begins with these numbers, and goes on with the last."""
    return grey(*values, *[values[-1]] * (SIZE - len(values)), kind=kind)


# Pictures.


def test_pictures_of_8_bits_stay_as_they_are() -> None:
    levels = list(range(0, 256, 16))
    found = of(wide(*levels))
    assert (found.labels, found.words) == ((), "pictures")
    assert row(wide(*levels), found) == levels


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_the_whole_set_says_how_many_bits_are_used(bits: int) -> None:
    """One dark file among them is dark, and not taken for one of fewer bits."""
    most = 2**bits - 1
    dark, bright = wide(0, 1, most // 16, kind=np.uint16), wide(0, most, kind=np.uint16)
    found = of(dark, bright)
    assert found.words == f"pictures of {bits} bits"
    assert row(bright, found)[:2] == [0, 255]
    assert row(dark, found)[:3] == [0, 0, round(255 * (most // 16) / most)]


def test_grey_of_16_bits_is_rounded_to_8_and_not_cut_off() -> None:
    levels = [0, 128, 129, 255, 257, 32767, 32768, 65535]
    expected = [0, 0, 1, 1, 1, 127, 128, 255]  # level / 257: 0, 0.498, 0.502, 0.99, 1, 127.498, 127.502, 255
    found = of(wide(*levels, kind=np.uint16))
    assert row(wide(*levels, kind=np.uint16), found)[:8] == expected


def test_a_narrow_range_in_all_files_is_stretched_to_black_and_white() -> None:
    images = wide(*range(100, 111), kind=np.uint16), wide(*range(110, 121), kind=np.uint16)
    found = of(*images, kind="picture")
    assert (found.low, found.high) == (100, 120)
    assert "go from 100 to 120 in all files, stretched" in found.words
    assert row(images[0], found)[::10] == [0, 128]  # 127.5
    assert row(images[1], found)[:11:10] == [128, 255]


def test_one_file_that_uses_the_range_keeps_all_from_being_stretched() -> None:
    assert of(wide(100, 110), wide(0, 255), kind="picture") == Meaning()


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [((0.0, 0.25, 1.0), 0, 1), ((0.5, 0.9), 0, 1), ((0.5, 0.6), 0.5, 0.6), ((-1.0, 3.0), -1, 3)],
)
def test_numbers_that_are_no_integers_go_from_0_to_1_or_as_far_as_they_go(
    values: tuple[float, ...], low: float, high: float
) -> None:
    found = of(wide(*values, kind=np.float32))
    assert (found.low, found.high) == pytest.approx((low, high))
    assert not found.labels
    scaled = [255 * (value - low) / (high - low) for value in values]
    assert row(wide(*values, kind=np.float32), found)[: len(values)] == pytest.approx(scaled, abs=0.51)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(value: float) -> None:
    with pytest.raises(InputError, match=r"^numbers that are infinite or none$"):
        of(wide(0.5, value, kind=np.float32))


def test_grey_of_more_than_8_bits_beside_colours_is_refused() -> None:
    with pytest.raises(InputError, match="more than 8 bits beside files in colour"):
        of(wide(0, 4000, kind=np.uint16), colour(noise(SIZE, SIZE, 0)))
    assert of(grey(*range(256)), colour(noise(SIZE, SIZE, 0))) == Meaning()


def test_a_set_of_one_value_is_of_pictures() -> None:
    assert of(wide(255)) == of(wide(0)) == Meaning()


def test_what_is_transparent_lies_on_white_and_on_black_where_most_would_be_lost_on_white() -> None:
    alpha = np.tile(np.array([0, 255], np.uint8), (SIZE, SIZE // 2))
    red, white = colour(plain(RED), alpha), colour(plain(WHITE), alpha)
    assert of(red, white).ground == WHITE[0]
    lost = of(red, white, white)
    assert lost.ground == BLACK
    assert lost.words == "pictures, on black (on white 2 of 3 transparent ones would be blank)"
    assert lost.applied(white, SIZE)[:, 0, :2].tolist() == [[0, 255]] * 3
    assert of(red).applied(red, SIZE)[:, 0, :2].tolist() == [[255, 255], [255, 0], [255, 0]]


@pytest.mark.parametrize("share", range(0, 256, 51))
def test_what_is_half_transparent_is_mixed_with_its_ground(share: int) -> None:
    found = colour(plain((200, 100, 0)), np.full((SIZE, SIZE), share, np.uint8))
    for ground in (0, 255):
        mixed = meaning.on_ground(found, ground)[0, 0]
        assert mixed.tolist() == [
            round((each * share + ground * (255 - share)) / 255) for each in (200, 100, 0)
        ]


# Maps of labels.


@pytest.mark.parametrize(
    "images",
    [
        [wide(0, 1)],
        [wide(0, 1), wide(7)],
        [wide(3, 63, VOID)],
        [wide(0, 5, kind=np.uint16), wide(2, kind=np.uint16)],
        [colour(plain(RED)), colour(plain(BLUE))],
        [colour(plain(RED)), colour(plain(BLUE)), colour(plain(WHITE))],
        [colour(plain((0, 0, 0))), colour(plain((1, 1, 1)))],
    ],
)
def test_few_small_numbers_or_colours_in_all_files_are_labels(images: list[Pixels]) -> None:
    found = of(*images)
    numbers = {int(each) for image in images for each in meaning.as_numbers(image.values).flat}
    assert found.labels == tuple(sorted(numbers))
    assert found.coloured == (images[0].values.ndim == 3)
    assert found.words.startswith(f"maps of {len(numbers)} labels (")
    assert of(*images, kind="picture").labels == ()


@pytest.mark.parametrize(
    "images",
    [
        [wide(0, 255)],
        [colour(plain((0, 0, 0))), colour(plain(WHITE))],
        [wide(0, 100, 200)],
        [wide(0, 64)],
        [grey(*range(64)), wide(0, 65)],
        [wide(0, 1)._replace(exact=False)],
        [wide(0, 1), colour(plain(RED))],
        [wide(0.0, 1.0, kind=np.float32)],
        [colour(plain(RED)), colour(plain(BLUE), np.full((SIZE, SIZE), 9, np.uint8))],
        [wide(0, 1), grey(*range(64)), wide(-1, 3, kind=np.int32)],
        [colour(noise(SIZE, SIZE, 0))],
    ],
)
def test_black_and_white_many_values_and_files_that_do_not_keep_them_are_pictures(
    images: list[Pixels],
) -> None:
    assert of(*images).labels == ()


def test_what_is_said_to_be_labels_is_labels_or_refused() -> None:
    assert of(wide(0, 100, 200), kind="labels").labels == (0, 100, 200)
    assert of(wide(0, 100)._replace(exact=False), kind="labels").labels == (0, 100)
    with pytest.raises(InputError, match=r"^labels: the files have more than 64 values"):
        of(grey(*range(65)), kind="labels")
    with pytest.raises(InputError, match=r"^labels: the files have more than 64 values, or are not of whole"):
        of(wide(0.0, 1.0, kind=np.float32), kind="labels")
    with pytest.raises(InputError, match=r"^labels: some files are grey and some are coloured$"):
        of(wide(0, 1), colour(plain(RED)), kind="labels")


def test_a_label_is_stored_as_its_number_in_order_and_void_as_one_more() -> None:
    found = of(wide(7, 0, VOID, 33))
    applied = found.applied(wide(7, 0, VOID, 33), SIZE)
    assert (applied.shape, applied.dtype) == ((SIZE, SIZE), np.uint8)
    assert applied[0, :4].tolist() == [1, 0, 3, 2]


@pytest.mark.parametrize(("height", "width"), [(40, 60), (9, 11), (16, 16), (33, 8)])
def test_resized_maps_have_no_label_that_the_file_does_not_have(height: int, width: int) -> None:
    """Between two labels there is none, though between their numbers there are others."""
    values = np.random.default_rng(0).choice([0, 20, 63], (height, width)).astype(np.uint8)
    found = of(wide(*range(0, 64, 5)), grey(20, 63), Pixels(values, None, True))
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


# One size.


@pytest.mark.parametrize(("height", "width"), [(8, 40), (15, 17), (200, 90)])
def test_flat_colours_stay_exact_at_any_size(height: int, width: int) -> None:
    found = Meaning().applied(colour(plain((250, 3, 128), height, width)), SIZE)
    assert np.array_equal(found.transpose(1, 2, 0), plain((250, 3, 128)))


def test_reducing_averages_over_the_pixels_rather_than_picking_some() -> None:
    """One black line in eight, of one pixel: all reduced rows mix it with the rest alike."""
    striped = plain(WHITE, 8 * SIZE, 8 * SIZE)
    striped[3::8] = 0
    found, turned = (
        Meaning().applied(colour(each), SIZE).transpose(1, 2, 0) for each in (striped, striped.swapaxes(0, 1))
    )
    assert found.mean() == pytest.approx(255 * 7 / 8, abs=1)
    assert np.ptp(found[2:-2]) <= 1
    assert np.array_equal(turned, found.transpose(1, 0, 2))


def test_an_image_that_is_not_square_is_stretched_to_a_square() -> None:
    """The upper half red, the lower green, whatever the shape; Lanczos blurs near their border alone."""
    tall = plain(GREEN, 80, 40)
    tall[:40] = RED
    found = Meaning().applied(colour(tall), SIZE).transpose(1, 2, 0)
    assert np.array_equal(found[: SIZE // 2 - 3], plain(RED)[: SIZE // 2 - 3])
    assert np.array_equal(found[SIZE // 2 + 3 :], plain(GREEN)[SIZE // 2 + 3 :])
    assert np.array_equal(found, found[:, :1].repeat(SIZE, axis=1))


# Looking at files.


def test_an_image_of_one_value_all_over_is_blank_on_the_ground_where_it_is() -> None:
    half = np.tile(np.array([0, 255], np.uint8), (SIZE, SIZE // 2))
    assert meaning.look(wide(3)).blank == {255: True, 0: True}
    assert meaning.look(wide(3, 4)).blank == {255: False, 0: False}
    assert meaning.look(colour(plain(WHITE), half)).blank == {255: True, 0: False}
    assert meaning.look(colour(plain((0, 0, 0)), half)).blank == {255: False, 0: True}


def test_equal_pixels_have_equal_hashes_and_others_have_not() -> None:
    pixels = noise(SIZE, SIZE, 0)
    same, alpha = colour(pixels.copy(), exact=False), colour(pixels, np.full((SIZE, SIZE), 7, np.uint8))
    digests = [
        meaning.look(each).digest for each in (colour(pixels), same, alpha, colour(pixels[::-1].copy()))
    ]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_parts_are_cut_before_anything_is_resized_so_that_neither_reaches_into_the_other() -> None:
    whole = colour(np.concatenate([plain(RED, 30, 30), plain(BLUE, 30, 30)], 1), np.ones((30, 60), np.uint8))
    left, right = meaning.cut(whole, 2)
    assert left.alpha is not None
    assert left.alpha.shape == (30, 30)
    for part, expected in ((left, RED), (right, BLUE)):
        applied = Meaning().applied(part._replace(alpha=None), SIZE)
        assert np.array_equal(applied.transpose(1, 2, 0), plain(expected))


def test_of_a_file_that_cannot_be_read_the_reason_is_given(tmp_path: Path) -> None:
    save(tmp_path / "1.png", noise(SIZE, 2 * SIZE, 0))
    (tmp_path / "2.png").write_bytes(b"no image")
    with ThreadPoolExecutor(2) as pool:
        first, second = meaning.looked([tmp_path / "1.png", tmp_path / "2.png"], 2, pool)
    assert not isinstance(first, str)
    assert [part.seen.num for part in first] == [1, 1]
    assert second == "cannot be read as BMP, GIF, JPEG, PNG, PPM, TIFF, WEBP"
