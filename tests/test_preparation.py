"""Raw files become prepared digits, split; prepared digits become tensors."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data import digit_preparation as preparation
from pipeline.data import digits, idx
from pipeline.data.download import mnist
from pipeline.runtime.errors import InputError

torch.set_num_threads(1)
NUM_TRAIN, NUM_TEST = 30, 8


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Raw files in which the image number i has the value i in each pixel, and the class i mod 10."""
    root = tmp_path_factory.mktemp("raw")
    raw = mnist.raw_folder(root, "kmnist")
    raw.mkdir(parents=True)
    for images, labels, first, num in (
        (mnist.TRAIN_IMAGES, mnist.TRAIN_LABELS, 0, NUM_TRAIN),
        (mnist.TEST_IMAGES, mnist.TEST_LABELS, 100, NUM_TEST),
    ):
        numbers = np.arange(first, first + num, dtype=np.uint8)
        idx.write(raw / images, np.broadcast_to(numbers[:, None, None], (num, 28, 28)))
        idx.write(raw / labels, numbers % 10)
    return root


def prepared(root, num_validation=10, seed=0):
    params = preparation.Params(dataset="kmnist", num_validation=num_validation, seed=seed)
    return preparation.prepare(root, params)


def numbers(arrays, split):
    """Which images a split holds."""
    return arrays[f"{split}_pixels"][:, 0, 0, 0].tolist()


@settings(max_examples=20, deadline=None)
@given(num_validation=st.integers(1, NUM_TRAIN - 1), seed=st.integers(0, 1000))
def test_training_and_validation_share_no_image_and_leave_none_out(root, num_validation, seed):
    arrays = prepared(root, num_validation, seed)
    train, validation = numbers(arrays, "train"), numbers(arrays, "validation")
    assert len(validation) == num_validation
    assert sorted(train + validation) == list(range(NUM_TRAIN))
    assert (train, validation) == (sorted(train), sorted(validation))


def test_the_test_images_are_the_raw_ones_in_their_order(root):
    arrays = prepared(root)
    assert numbers(arrays, "test") == list(range(100, 100 + NUM_TEST))


def test_each_image_keeps_its_label(root):
    arrays = prepared(root)
    for split in digits.SPLITS:
        assert arrays[f"{split}_labels"].tolist() == [number % 10 for number in numbers(arrays, split)]


def test_prepared_images_have_a_channel_and_keep_their_bytes(root):
    arrays = prepared(root)
    for split, num in (("train", 20), ("validation", 10), ("test", NUM_TEST)):
        pixels = arrays[f"{split}_pixels"]
        assert (pixels.shape, pixels.dtype) == ((num, 1, 28, 28), np.uint8)
        assert (pixels == pixels[:, :, :1, :1]).all()


def test_the_split_depends_on_the_seed_alone(root):
    first = prepared(root, seed=0)
    torch.manual_seed(3)
    prepared(root, seed=1)
    again = prepared(root, seed=0)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert numbers(prepared(root, seed=1), "validation") != numbers(first, "validation")


@pytest.mark.parametrize("num_validation", [NUM_TRAIN, NUM_TRAIN + 1])
def test_a_validation_part_that_leaves_nothing_to_train_on_is_refused(root, num_validation):
    expected = f"digits.num_validation = {num_validation}: must be below {NUM_TRAIN}"
    with pytest.raises(InputError, match=f"^{expected}"):
        prepared(root, num_validation)


def test_preparing_what_was_not_downloaded_is_refused_by_file(tmp_path):
    with pytest.raises(InputError, match=f"{mnist.TRAIN_IMAGES}: cannot be read"):
        prepared(tmp_path)


def test_what_was_prepared_is_loaded_as_tensors(root, tmp_path):
    arrays = prepared(root)
    np.savez(tmp_path / "digits.npz", **arrays)
    loaded = digits.load(tmp_path / "digits.npz")
    for split in digits.SPLITS:
        pictures = getattr(loaded, split)
        assert len(pictures) == len(arrays[f"{split}_labels"])
        assert pictures.shape == (1, 28, 28)
        assert (pictures.pixels.dtype, pictures.labels.dtype) == (torch.uint8, torch.int64)
        assert np.array_equal(pictures.pixels.numpy(), arrays[f"{split}_pixels"])
        assert np.array_equal(pictures.labels.numpy(), arrays[f"{split}_labels"])


def test_the_shape_of_pictures_is_channels_rows_columns():
    pictures = digits.Pictures(torch.zeros(5, 3, 2, 4, dtype=torch.uint8), torch.zeros(5).long())
    assert (len(pictures), pictures.shape) == (5, (3, 2, 4))
    with pytest.raises(dataclasses.FrozenInstanceError):
        pictures.labels = None


def refusal(path):
    with pytest.raises(InputError) as caught:
        digits.load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: not the prepared digits (")
    assert message.endswith("; make them with: dvc repro prepare@digits")
    assert "\n" not in message
    return message


def test_a_missing_archive_is_refused(tmp_path):
    assert "No such file" in refusal(tmp_path / "digits.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04N.", b"some text", bytes(100)])
def test_what_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "digits.npz").write_bytes(content)
    refusal(tmp_path / "digits.npz")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_an_archive_cut_short_is_refused(root, tmp_path, share):
    path = tmp_path / "digits.npz"
    np.savez(path, **prepared(root))
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    refusal(path)


def test_an_archive_with_a_changed_byte_is_refused(root, tmp_path):
    path = tmp_path / "digits.npz"
    np.savez(path, **prepared(root))
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)
    assert "CRC" in refusal(path)


def test_an_archive_of_something_else_is_refused_by_the_name_it_lacks(tmp_path):
    np.savez(tmp_path / "digits.npz", pixels=np.zeros(3))
    assert "train_pixels" in refusal(tmp_path / "digits.npz")


def test_an_archive_that_lacks_one_array_is_refused(root, tmp_path):
    arrays = prepared(root)
    del arrays["test_labels"]
    np.savez(tmp_path / "digits.npz", **arrays)
    assert "test_labels" in refusal(tmp_path / "digits.npz")


def test_pickled_objects_are_not_loaded(root, tmp_path):
    arrays = prepared(root) | {"train_labels": np.array([print], object)}
    np.savez(tmp_path / "digits.npz", **arrays)
    assert "allow_pickle" in refusal(tmp_path / "digits.npz")


def test_a_single_array_is_refused(tmp_path):
    with open(tmp_path / "digits.npz", "wb") as file:
        np.save(file, np.zeros(3))
    refusal(tmp_path / "digits.npz")
