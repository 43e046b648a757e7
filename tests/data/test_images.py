"""[-1, 1] in memory, uint8 on disk."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data.images import as_rgb, downsampled, grey, grid, one_hot_maps, to_float, to_uint8

ALL = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)


def test_every_byte_survives_the_way_to_floats_and_back():
    assert torch.equal(to_uint8(to_float(ALL)), ALL)


def test_bytes_lie_evenly_between_minus_one_and_one():
    x = to_float(ALL)
    assert x.dtype == torch.float32
    assert x.flatten().tolist() == pytest.approx([i / 127.5 - 1 for i in range(256)], abs=1e-6)
    assert (x.min().item(), x.max().item()) == (-1, 1)


def test_conversion_leaves_its_input_as_it_was():
    pixels, x = ALL.clone(), torch.tensor([-2.0, 0.3])
    to_float(pixels)
    to_uint8(x)
    assert torch.equal(pixels, ALL)
    assert torch.equal(x, torch.tensor([-2.0, 0.3]))


@pytest.mark.parametrize(
    ("value", "expected"), [(-1.01, 0), (-float("inf"), 0), (1.01, 255), (7.0, 255), (float("inf"), 255)]
)
def test_what_lies_outside_is_clipped(value, expected):
    assert to_uint8(torch.tensor([value])).tolist() == [expected]


@settings(deadline=None)
@given(st.floats(-1, 1))
def test_a_float_becomes_the_nearest_byte(value):
    found = to_uint8(torch.tensor([value])).item()
    assert abs(found - (value + 1) * 127.5) <= 0.5 + 1e-4


def test_half_precision_images_are_converted_too():
    assert to_uint8(torch.tensor([-1.0, 1.0], dtype=torch.bfloat16)).tolist() == [0, 255]


def test_grey_is_the_luma_of_the_standard():
    pixels = torch.tensor([[255, 0, 0], [0, 255, 0], [0, 0, 255], [90, 90, 90]], dtype=torch.uint8)
    found = grey(pixels[:, :, None, None])
    assert (found.shape, found.dtype) == ((4, 1, 1, 1), torch.uint8)
    assert found.flatten().tolist() == [76, 150, 29, 90]  # 0.299, 0.587 and 0.114 of 255


def test_an_image_is_downsampled_to_the_means_of_its_blocks():
    pixels = torch.tensor([[0, 10, 1, 1], [20, 31, 1, 2]], dtype=torch.uint8)[None, None]
    found = downsampled(pixels, 2)
    assert found.dtype == torch.uint8
    assert found.tolist() == [[[[15, 15, 1, 1]] * 2]]  # 15.25 and 1.25, rounded


def test_label_maps_have_a_channel_for_each_label():
    labels = torch.tensor([[[0, 4], [2, 2]]], dtype=torch.uint8)
    found = one_hot_maps(labels)
    assert (found.shape, found.dtype) == ((1, 5, 2, 2), torch.uint8)
    assert torch.equal(found.argmax(1), labels.long())
    assert torch.equal(found.sum(1), torch.full((1, 2, 2), 255))
    assert torch.equal(one_hot_maps(labels, 7)[:, :5], found)
    assert not one_hot_maps(labels, 7)[:, 5:].any()


def test_whatever_a_condition_is_it_is_shown_in_three_channels():
    pixels = torch.arange(16, dtype=torch.uint8).view(1, 4, 2, 2)
    assert torch.equal(as_rgb(pixels[:, :1]), pixels[:, [0, 0, 0]])  # grey
    assert torch.equal(as_rgb(pixels[:, :3]), pixels[:, :3])
    assert torch.equal(as_rgb(pixels), pixels[:, :3])  # without its mask


@pytest.mark.parametrize("num_labels", [1, 3, 5, 9])
def test_maps_of_any_number_of_labels_are_shown_in_the_colours_given(num_labels):
    colours = torch.randint(256, (num_labels, 3), generator=torch.Generator().manual_seed(0)).tolist()
    labels = torch.arange(6).view(1, 2, 3) % num_labels
    shown = as_rgb(one_hot_maps(labels, num_labels), colours).permute(0, 2, 3, 1)
    assert shown.dtype == torch.uint8
    assert shown.tolist() == [[[colours[label] for label in row] for row in labels[0].tolist()]]


def test_a_grid_is_filled_row_by_row_and_the_rest_is_black():
    pixels = torch.tensor([1, 2, 3], dtype=torch.uint8).view(3, 1, 1, 1)
    assert grid(pixels, columns=2).tolist() == [[[1, 2], [3, 0]]]
    assert grid(pixels, columns=3).tolist() == [[[1, 2, 3]]]
    assert grid(pixels, columns=1).tolist() == [[[1], [2], [3]]]


def test_a_grid_keeps_each_image_upright_and_whole_and_the_channels_apart():
    pixels = torch.arange(1, 13, dtype=torch.uint8).view(2, 1, 2, 3)
    assert grid(pixels, columns=2).tolist() == [[[1, 2, 3, 7, 8, 9], [4, 5, 6, 10, 11, 12]]]
    pixels = torch.tensor([[1, 10], [2, 20]], dtype=torch.uint8).view(2, 2, 1, 1)
    assert grid(pixels, columns=1).tolist() == [[[1], [2]], [[10], [20]]]


def test_without_a_number_of_columns_the_grid_is_a_square():
    pixels = torch.arange(1, 6, dtype=torch.uint8).view(5, 1, 1, 1)
    assert grid(pixels).tolist() == [[[1, 2, 3], [4, 5, 0]]]
    assert grid(torch.ones(9, 1, 2, 2, dtype=torch.uint8)).tolist() == [[[1] * 6] * 6]
