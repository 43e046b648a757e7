"""What the discriminator sees of an image, by hand, and that the generator can learn through it."""

import pytest
import torch
from torch import Generator, Tensor

from pipeline.methods import augmentation
from pipeline.methods.augmentation import AUGMENTATIONS, augment

X = torch.rand(6, 2, 16, 8, generator=Generator().manual_seed(0)) * 1.6 - 0.8

every_name = pytest.mark.parametrize("name", AUGMENTATIONS)


def source(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


@every_name
def test_the_same_source_makes_the_same_change_and_another_another(name: str) -> None:
    first = AUGMENTATIONS[name](X, source())
    torch.rand(5)
    assert torch.equal(AUGMENTATIONS[name](X, source()), first)
    assert not torch.equal(AUGMENTATIONS[name](X, source(1)), first)


@every_name
def test_a_change_keeps_the_shape_changes_images_and_each_in_its_own_way(name: str) -> None:
    x = X[:1].expand(6, -1, -1, -1)
    before = x.clone()
    found = AUGMENTATIONS[name](x, source())
    assert found.shape == x.shape
    assert torch.equal(x, before)
    assert len(found.flatten(1).unique(dim=0)) > 3


@every_name
def test_a_change_is_differentiable_as_finite_differences_say(name: str) -> None:
    x = X[:2, :1, :8, :4].double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: AUGMENTATIONS[name](x, source(3)), [x])


def test_brightness_adds_one_number_below_a_half_to_all_of_an_image() -> None:
    added = (augmentation.brightness(X.repeat(50, 1, 1, 1), source()) - X.repeat(50, 1, 1, 1)).flatten(1)
    assert (added - added[:, :1]).abs().max() < 1e-6
    assert -0.5 <= added.min() < -0.45
    assert 0.45 < added.max() <= 0.5


def test_contrast_scales_the_distance_from_the_images_mean() -> None:
    x = X.repeat(50, 1, 1, 1)
    found = augmentation.contrast(x, source())
    mean = x.flatten(1).mean(1)
    assert found.flatten(1).mean(1).tolist() == pytest.approx(mean.tolist(), abs=1e-6)
    ratios = found.flatten(1).std(1) / x.flatten(1).std(1)
    assert 0.5 <= ratios.min() < 0.55
    assert 1.45 < ratios.max() < 1.5001
    centred = [(images - mean.view(-1, 1, 1, 1)).flatten(1) for images in (found, x)]
    assert torch.allclose(centred[0], centred[1] * ratios[:, None], atol=1e-5)


def moved(x: Tensor, down: int, right: int) -> Tensor:
    """Images whose pixels come from `down` rows below and `right` columns to the right, black where none."""
    height, width = x.shape[2:]
    padded = torch.full((len(x), x.shape[1], 3 * height, 3 * width), -1.0)
    padded[:, :, height : 2 * height, width : 2 * width] = x
    return padded[:, :, height + down : 2 * height + down, width + right : 2 * width + right]


def test_translation_moves_by_at_most_an_eighth_each_way_and_fills_with_black() -> None:
    x = X[:1].expand(200, -1, -1, -1)
    found = augmentation.translation(x, source())
    places = {}  # an eighth of 16 rows is 2, of 8 columns 1
    for down in range(-2, 3):
        for right in range(-1, 2):
            equal = (found == moved(x, down, right)).flatten(1).all(1)
            places[down, right] = int(equal.sum())
    assert sum(places.values()) == 200
    assert min(places.values()) > 0
    assert len(places) == 15


def test_cutout_makes_a_grey_hole_of_half_the_side_and_touches_nothing_else() -> None:
    x = torch.full((300, 2, 16, 8), 0.5)
    found = augmentation.cutout(x, source())
    assert set(found.unique().tolist()) == {0.0, 0.5}
    assert torch.equal(found[:, 0], found[:, 1])
    hole = found[:, 0] == 0
    rows, columns = hole.any(2), hole.any(1)  # (N, 16), (N, 8)
    assert torch.equal(hole, rows[:, :, None] & columns[:, None, :])  # a rectangle
    assert (rows.sum(1).max(), columns.sum(1).max()) == (8, 4)
    assert (rows.sum(1).min(), columns.sum(1).min()) <= (5, 3)  # partly outside
    assert rows.any(0).all()
    assert columns.any(0).all()
    for places in (rows, columns):  # without gaps
        assert (places.int().diff(dim=1).abs().sum(1) <= 2).all()


def test_changes_are_made_one_after_another_in_the_order_named() -> None:
    one = source()
    by_hand = augmentation.cutout(augmentation.brightness(X, one), one)
    assert torch.equal(augment(X, ["brightness", "cutout"], source()), by_hand)
    other = augment(X, ["cutout", "brightness"], source())
    assert not torch.equal(other, by_hand)


def test_without_names_images_are_seen_as_they_are() -> None:
    assert augment(X, [], source()) is X
