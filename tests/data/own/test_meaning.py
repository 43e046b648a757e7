"""What the numbers in a set's files mean, and the pixels that come of them."""

import numpy as np
import pytest
from helpers.pair_files import BLUE, GREEN, RED, SIZE, WHITE, noise, plain
from PIL import Image

from pipeline.data.own import meaning, seen
from pipeline.data.own.decode import Pixels, cut
from pipeline.data.own.meaning import VOID, Kind, Meaning
from pipeline.data.own.seen import BLACK
from pipeline.runtime.errors import InputError


def grey(*values: float, kind: type = np.uint8, exact: bool = True) -> Pixels:
    """An image of these numbers, row by row the same."""
    return Pixels(np.tile(np.array(values).astype(kind), (SIZE, 1)), None, exact)


def colour(pixels: np.ndarray, alpha: np.ndarray | None = None, exact: bool = True) -> Pixels:
    return Pixels(pixels, alpha, exact)


def of(*images: Pixels, kind: Kind = "auto", key: str = "values") -> Meaning:
    """What the numbers of a set of these images mean."""
    return meaning.of(seen.together([seen.look(image) for image in images]), kind, key)


def asked(*images: Pixels, kind: Kind = "auto") -> str:
    with pytest.raises(InputError) as caught:
        of(*images, kind=kind, key="a_values")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def areas(values: list[int], seed: int = 0, kind: type = np.uint8) -> Pixels:
    """An image of 10 x 10 areas of 10 x 10 pixels, each of one of these values."""
    chosen = np.random.default_rng(seed).choice(np.array(values, kind), (10, 10))
    return Pixels(np.kron(chosen, np.ones((10, 10), kind)), None, True)


def smooth(levels: int, seed: int = 0, step: int = 1, size: int = 32, kind: type = np.uint8) -> Pixels:
    """A picture of so many levels, without edges."""
    coarse = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (5, 5), np.uint8))
    fine = np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC)).astype(int)
    return Pixels((fine * levels // 256 * step).astype(kind), None, True)


def lines(seed: int = 0) -> Pixels:
    """A drawing in black on white, whose lines are smoothed."""
    drawn = np.full((256, 256), 255, np.uint8)
    for y, x in np.random.default_rng(seed).integers(0, 200, (6, 2)):
        drawn[y : y + 9, x : x + 50] = 0
    small = Image.fromarray(drawn).rotate(20 + seed, fillcolor=255).resize((64, 64), Image.Resampling.LANCZOS)
    return Pixels(np.asarray(small), None, True)


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
    assert [found.blank(seen.look(image)) for image in (dark, bright)] == [True, False]


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


# Maps of labels.


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
