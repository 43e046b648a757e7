"""Images drawn for a condition each, the six tones, and how far a spread may be trusted."""

import matplotlib
import numpy as np
import pytest
from helpers.report import noise, opened

from pipeline.report.figures import figures
from pipeline.report.figures import images as figures_images
from pipeline.report.figures import tones as figures_tones

W, F = 255, figures_images.FRAME
# In one plane, so that the plane of the figure shows every distance as it is; the last two are most alike.
TRUE = np.array([[0.9, 0.9, 0.1], [0.9, 0.6, 0.1], [0.1, 0.3, 0.1], [0.5, 0.5, 0.1], [0.2, 0.7, 0.1]])
TRUE = np.vstack([TRUE, [0.2, 0.8, 0.1]])
NEAR = TRUE + np.array([0.01, 0, 0])


def cgan(colours: np.ndarray) -> dict[str, np.ndarray]:
    drawn = noise(len(colours), 3, 8, 8)
    arrays = {"tone_condition": drawn[0], "tone_truth": noise(6, 3, 8, 8), "tone_samples": drawn}
    return arrays | {"tone_true_colours": TRUE, "tone_colours": colours}


REGRESSION = cgan(TRUE.mean(0, keepdims=True))


# images


def test_an_image_is_enlarged_a_whole_number_of_times() -> None:
    image = np.array([[1, 2], [3, 4]], np.uint8) + np.array([0, 10, 20], np.uint8)[:, None, None]
    twice = [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    for side in (4, 5):
        shown = figures_images.fitted(image, side)
        assert shown[0].tolist() == twice
        assert (shown[2] - shown[0] == 20).all()


def test_an_image_too_large_is_reduced_by_means() -> None:
    rows = np.array([[0, 4, 8, 8], [4, 8, 8, 8], [100, 100, 0, 0], [100, 100, 0, 0]], np.uint8)
    shown = figures_images.fitted(np.stack([rows] * 3), 2)
    assert shown[1].tolist() == [[4, 8], [100, 0]]
    assert figures_images.fitted(noise(3, 8, 4), 4).shape == (3, 4, 2)


def test_images_stand_in_rows_each_in_a_frame() -> None:
    images = np.repeat(np.array([[10, 20], [30, 40]], np.uint8)[:, :, None], 3, 2)[..., None, None]
    half = [[W, W, W, W, W], [W, F, F, F, W], [W, F, 10, F, W], [W, F, F, F, W], [W, W, W, W, W]]
    shown = figures_images.sheet(images, 1)[..., 0]
    assert shown.shape == (10, 10)
    assert shown[:5, :5].tolist() == half
    assert [shown[2, 7], shown[7, 2], shown[7, 7]] == [20, 30, 40]


def test_groups_stand_side_by_side_under_their_headings() -> None:
    condition, samples = noise(2, 1, 3, 8, 8), noise(2, 4, 3, 8, 8)
    groups = {"condition": condition, "truth": condition // 2, "samples": samples}
    figure = figures_images.strip(groups)
    assert [cell.get_title() for cell in figure.axes] == list(groups)
    for cell, images in zip(figure.axes, groups.values(), strict=True):
        assert (cell.images[0].get_array() == figures_images.sheet(images, 96)).all()
    width, _ = figure.get_size_inches() * 110
    assert width == pytest.approx(6 * 100 + 2 * 18)  # 96 and a frame on both sides, and two gaps
    lefts = [cell.get_position().x0 * width for cell in figure.axes]
    assert lefts == pytest.approx([0, 118, 236])


def test_in_a_long_row_images_are_smaller() -> None:
    figure = figures_images.strip({"truth": noise(1, 1, 3, 32, 32), "samples": noise(1, 9, 3, 32, 32)})
    assert figure.axes[0].images[0].get_array().shape == (64 + 4, 64 + 4, 3)


def test_the_file_holds_every_pixel_as_a_square_of_equal_pixels() -> None:
    images = noise(2, 2, 3, 32, 32)
    file = opened(figures.png(figures_images.strip({"a": images, "b": images})))[..., :3]
    sheet = figures_images.sheet(images, 96)
    height, width, _ = sheet.shape
    places = [
        (top, left)
        for top in range(file.shape[0] - height + 1)
        for left in range(file.shape[1] - width + 1)
        if (file[top : top + height : 40, left + 2 : left + 98] == sheet[::40, 2:98]).all()
    ]
    (top, left), (other_top, other_left) = places
    assert (other_top, other_left) == (top, left + width + 18)
    for column in (left, other_left):
        assert (file[top : top + height, column : column + width] == sheet).all()


def test_texts_stand_beside_their_images_as_they_are_written() -> None:
    texts = ["cost of $5 or $6", "a name too long for a single line"]
    figure = figures_images.strip({"condition": texts, "truth": noise(2, 1, 3, 8, 8)})
    shown = figure.axes[0].texts
    assert [text.get_text().replace("\n", " ") for text in shown] == texts
    assert [text.get_position()[1] for text in shown] == [0.75, 0.25]
    assert not shown[0].get_parse_math()
    assert "\n" in shown[1].get_text()


def test_standard_deviations_darken_evenly_up_to_the_end_of_their_scale() -> None:
    shown = figures_images.heat(np.linspace(0, 0.4, 9)[:, None, None], 0.3)
    assert shown.shape == (9, 1, 3, 1, 1)
    ends = matplotlib.colormaps["magma_r"]([0.0, 1.0])[:, :3] * 255
    assert shown[0].ravel() == pytest.approx(ends[0], abs=0.5)
    assert (shown[6:, 0, :, 0, 0] == np.rint(ends[1])).all()  # 0.3, 0.35 and 0.4
    luminance = shown[:7, 0, :, 0, 0] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) < -10).all()


def test_the_scale_says_where_it_ends_and_stands_beneath_the_last_group() -> None:
    figure = figures_images.strip({"truth": noise(2, 1, 3, 8, 8), "sd": noise(2, 1, 3, 8, 8)}, 0.35)
    _, last, scale = figure.axes
    assert [text.get_text() for text in scale.texts] == ["0", "0.35"]
    above, below = last.get_position(), scale.get_position()
    assert (below.x0, below.width) == pytest.approx((above.x0, above.width))
    assert below.y1 < above.y0


@pytest.mark.parametrize("side", [32, 128])
def test_a_strip_of_any_size_is_a_small_file_that_fits_the_page(side: int) -> None:
    flat = noise(6, 8, 3, 8, 8).repeat(side // 8, 3).repeat(side // 8, 4)
    uneven = flat // 2 + noise(6, 8, 3, side, side) // 64  # as a network draws it
    content = figures.png(figures_images.strip({"truth": uneven[:, :1], "samples": uneven[:, 1:]}))
    assert len(content) < 400_000
    assert opened(content).shape[1] < 1048  # pixels: the page's width


# tones


def test_a_sample_is_counted_at_the_tone_that_it_hits_and_shown_in_its_colour() -> None:
    colours = np.concatenate([NEAR[[0, 0, 0, 2, 5]], [[0.5, 0.1, 0.9]]])
    swatches = figures_tones.six_tones({"cGAN": cgan(colours)}, REGRESSION).axes[-1]
    words = [text.get_text() for text in swatches.texts]
    assert words[:7] == ["3", "0", "1", "0", "0", "1", "1"]
    assert words[7:] == list(figures_tones.TONES)
    bars = [(image.get_extent(), np.asarray(image.get_array())) for image in swatches.images]
    samples = {round(sum(extent[2:]) / 2): shown for extent, shown in bars if extent[0] == 0}
    assert sorted(samples) == [0, 2, 5, 6]
    assert samples[0] == pytest.approx(NEAR[[0, 0, 0]][None])
    assert samples[6] == pytest.approx(colours[None, -1:])
    known = {round(sum(extent[2:]) / 2): shown for extent, shown in bars if extent[0] < 0}
    assert np.concatenate([known[i][0] for i in range(6)]) == pytest.approx(TRUE)
    assert known[7][0] == pytest.approx(REGRESSION["tone_colours"])


def test_the_plane_keeps_the_distances_of_coplanar_colours_and_rings_reach_as_far_as_a_hit() -> None:
    *_, plane, _ = figures_tones.six_tones({"cGAN": cgan(NEAR)}, REGRESSION).axes
    places = np.array([ring.center for ring in plane.patches])
    apart = np.linalg.norm(places[:, None] - places, axis=2)
    assert apart == pytest.approx(np.linalg.norm(TRUE[:, None] - TRUE, axis=2))
    assert [ring.radius for ring in plane.patches] == pytest.approx([0.05] * 6)  # half of 0.1
    samples, answer = plane.collections
    assert np.linalg.norm(samples.get_offsets() - places, axis=1) == pytest.approx([0.01] * 6)
    assert np.asarray(answer.get_offsets())[0] == pytest.approx(places.mean(0), abs=1e-9)


def test_without_regression_its_answer_is_not_shown() -> None:
    figure = figures_tones.six_tones({"cGAN": cgan(NEAR)}, None)
    titles = [cell.get_title().replace("\n", " ") for cell in figure.axes if cell.get_title()]
    first, second = "cGAN, 6 samples", "cGAN: 6 samples by the tone they hit"
    assert titles == ["condition", "the six true answers", first, "colours of the skin", second]
    assert "regression" not in [text.get_text() for text in figure.axes[-1].texts]


def test_each_method_has_samples_marks_and_swatches_of_its_own() -> None:
    figure = figures_tones.six_tones({"cGAN": cgan(NEAR), "flow": cgan(NEAR[::-1].copy())}, REGRESSION)
    *_, plane, first, second = figure.axes
    assert [marks.get_label() for marks in plane.collections] == ["cGAN", "flow", "regression's one answer"]
    assert first.get_position().x1 <= second.get_position().x0
    assert sum(cell.get_title().startswith(("cGAN, 6", "flow, 6")) for cell in figure.axes) == 2


def test_samples_stand_in_a_square_filled_up_with_white() -> None:
    images = noise(5, 3, 2, 2)
    square = figures_tones.in_square(images)
    assert square.shape == (2, 3, 3, 2, 2)
    assert (square.reshape(6, 3, 2, 2)[:5] == images).all()
    assert (square[1, 2] == 255).all()
    assert figures_tones.in_square(noise(64, 3, 2, 2)).shape[:2] == (8, 8)


# spread


def trusted(ranks: list[float], spread: list[list[float]], gains: dict[int, float]) -> figures_images.Trust:
    return figures_images.Trust(np.array(ranks), np.array(spread), gains, "#123456")


SKETCH = trusted([0.5, 0.125, 0.125, 0.25], [[0.0, 0.1, 0.2], [0.05, 0.12, 0.4]], {2: 1.0, 4: 1.5, 8: 1.9})
NOTHING = trusted([0.5, 0.5], [[0.0, 0.1], [0.1, 0.1]], {})


def test_ranks_are_shown_over_equal_shares_a_row_a_task() -> None:
    figure = figures_images.ranks({"cGAN": {"sketch": SKETCH, "text": NOTHING}, "flow": {"text": NOTHING}})
    cell, absent, below, beside = figure.axes
    assert [bar.get_height() for bar in cell.patches] == [2.0, 0.5, 0.5, 1.0]
    assert list(cell.lines[0].get_ydata()) == [1, 1]
    titles = [each.get_title() for each in (cell, below, beside)]
    assert titles == ["sketch: cGAN", "text: cGAN", "text: flow"]
    assert not absent.axison


def test_gains_stand_beside_what_posterior_samples_would_gain() -> None:
    upper, lower = figures_images.trust({"cGAN": {"sketch": SKETCH, "text": NOTHING}}).axes
    lines = {line.get_label(): line for line in upper.lines}
    assert list(lines["sketch"].get_xdata()) == [0.0, 0.1, 0.2]
    assert list(lines["sketch"].get_ydata()) == [0.05, 0.12, 0.4]
    diagonal = lines["samples of the posterior"]
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata()) == [0, 0.4]
    gained, nothing, theory = lower.lines
    assert (list(gained.get_xdata()), list(gained.get_ydata())) == ([2, 4, 8], [1.0, 1.5, 1.9])
    assert len(nothing.get_xdata()) == 0
    assert list(theory.get_xdata()) == [2, 4, 8, 16, 32]
    assert theory.get_ydata() == pytest.approx([1.25, 2.04, 2.50, 2.75, 2.88], abs=0.006)
    assert [label.get_text() for label in lower.get_xticklabels()] == ["2", "4", "8", "16", "32"]
    for one, other in zip(upper.lines, lower.lines, strict=True):
        assert one.get_color() == other.get_color()


def test_fids_are_drawn_over_how_far_a_model_had_trained() -> None:
    pace = figures_images.Pace([(32, 90.0), (96, 60.0)], "#123456")
    figure = figures_images.paces({str(i): {"flow": pace} for i in range(4)}, "images seen")
    shown = [cell for cell in figure.axes if cell.axison]
    assert [cell.get_title() for cell in shown] == ["0", "1", "2", "3"]
    assert list(shown[0].lines[0].get_xdata()) == [32, 96]
