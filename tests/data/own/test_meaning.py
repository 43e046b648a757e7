"""What the numbers of a set mean: pictures."""

import numpy as np
import pytest
from helpers.pair_files import BLUE, GREEN, RED, SIZE, WHITE, noise, plain
from helpers.pixels import areas, asked, colour, grey, of, row, smooth, wide

from pipeline.data.own import seen
from pipeline.data.own.decode import Pixels, cut
from pipeline.data.own.looks import Looks
from pipeline.data.own.meaning import Meaning
from pipeline.data.own.seen import BLACK
from pipeline.runtime.errors import InputError


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
    found = of(dark, bright, kind="picture")
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


def test_files_of_more_than_8_bits_beside_files_of_8_are_refused() -> None:
    """What is white in one of them would be black beside the other."""
    for image in (colour(noise(SIZE, SIZE, 0)), smooth(256)):
        said = asked(smooth(256, kind=np.uint16, step=257), image)
        assert said == "files of uint16 beside files of uint8: save all with as many bits"
    assert of(grey(*range(256)), colour(noise(SIZE, SIZE, 0))) == Meaning()


def test_files_of_1_bit_are_black_and_white_beside_grey_ones() -> None:
    scan = Pixels(areas([0, 1]).values.astype(bool), None, True)
    found = of(scan, smooth(256))
    assert found == Meaning()
    assert {*found.applied(scan, 100).flat} == {0, 255}


@pytest.mark.parametrize("num_hot", [1, 14])
def test_a_few_pixels_far_beyond_all_others_do_not_make_a_set_black(num_hot: int) -> None:
    """12 bits in files of 16, of which some have a hot pixel."""
    images = [smooth(4096, seed, size=64, kind=np.uint16) for seed in range(14)]
    for image in images[:num_hot]:
        image.values[5, 5] = 65535
    found = of(*images)
    assert (found.low, found.high) == (0, 4095)
    assert found.words.startswith("pictures of 12 bits, of whose numbers 0.2 % lie beyond ")
    assert found.words.endswith(" to 65535, and are cut off")
    assert np.quantile(found.applied(images[0], 64), 0.9) > 150
    assert found.applied(images[0], 64)[0, 5, 5] == 255


def test_8_bits_are_never_cut_off_but_it_is_said_that_they_are_dark() -> None:
    images = [smooth(40, seed) for seed in range(14)]
    images[0].values[5, 5] = 255
    found = of(*images)
    assert (found.low, found.high) == (0, 255)
    assert found.words == "pictures, of whose numbers 0.2 % lie beyond 0 to 39"


def test_dark_lines_on_nothing_stay_dark_lines_on_white() -> None:
    """What the file hides below what is transparent has no say in the range."""
    pixels, alpha = np.zeros((SIZE, SIZE, 3), np.uint8), np.zeros((SIZE, SIZE), np.uint8)
    pixels[4:6], alpha[4:6] = 50, 255
    found = of(*[colour(pixels, alpha)] * 3)
    assert found == Meaning()
    assert found.applied(colour(pixels, alpha), SIZE)[0, :, 0].tolist() == [255] * 4 + [50] * 2 + [255] * 10


def test_colours_of_16_bits_of_which_too_few_can_be_read_are_refused() -> None:
    fine, dark = noise(SIZE, SIZE, 0), noise(SIZE, SIZE, 0) // 16
    assert of(colour(fine)._replace(coarse=True)) == Meaning()
    hot = dark.copy()
    hot[3, 3] = 255
    refused = asked(*(colour(each)._replace(coarse=True) for each in [hot, *[dark] * 9]))
    assert refused.startswith(
        "colours of 16 bits a channel: only the upper 8 are read, and these go no further"
    )


def test_what_is_of_one_value_only_once_it_is_scaled_is_blank() -> None:
    dark, bright = wide(3, 7, kind=np.uint16), wide(0, 4095, kind=np.uint16)
    found = of(*[bright] * 4, dark, kind="picture")
    assert found.blank(Looks.of([seen.look(image) for image in (dark, bright)])).tolist() == [True, False]


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
        mixed = seen.on_ground(found, ground)[0, 0]
        assert mixed.tolist() == [
            round((each * share + ground * (255 - share)) / 255) for each in (200, 100, 0)
        ]


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
    for image, expected in (
        (wide(3), [True, True]),
        (wide(3, 4), [False, False]),
        (colour(plain(WHITE), half), [True, False]),
        (colour(plain((0, 0, 0)), half), [False, True]),
        (colour(plain(RED)), [True, True]),
    ):
        assert [seen.look(image).blank(ground) for ground in (255, 0)] == expected


def test_equal_pixels_have_equal_hashes_and_others_have_not() -> None:
    pixels = noise(SIZE, SIZE, 0)
    same, alpha = colour(pixels.copy(), exact=False), colour(pixels, np.full((SIZE, SIZE), 7, np.uint8))
    digests = [seen.look(each).digest for each in (colour(pixels), same, alpha, colour(pixels[::-1].copy()))]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_parts_are_cut_before_anything_is_resized_so_that_neither_reaches_into_the_other() -> None:
    whole = colour(np.concatenate([plain(RED, 30, 30), plain(BLUE, 30, 30)], 1), np.ones((30, 60), np.uint8))
    left, right = cut(whole, 2)
    assert left.alpha is not None
    assert left.alpha.shape == (30, 30)
    for part, expected in ((left, RED), (right, BLUE)):
        applied = Meaning().applied(part._replace(alpha=None), SIZE)
        assert np.array_equal(applied.transpose(1, 2, 0), plain(expected))
