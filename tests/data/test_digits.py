"""Raw files become digits, split."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data import idx
from pipeline.data.download import mnist
from pipeline.data.prepared import SPLITS
from pipeline.data.sets import digits
from pipeline.runtime.errors import InputError

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
    given = {"kind": "digits", "folder": "", "dataset": "kmnist", "num_validation": num_validation}
    return digits.prepare(root, digits.Settings(**given, seed=seed), root)


def numbers(data, split):
    """Which images a split holds."""
    return data.splits[split]["images"][:, 0, 0, 0].tolist()


@settings(max_examples=20, deadline=None)
@given(num_validation=st.integers(1, NUM_TRAIN - 1), seed=st.integers(0, 1000))
def test_training_and_validation_share_no_image_and_leave_none_out(root, num_validation, seed):
    data = prepared(root, num_validation, seed)
    train, validation = numbers(data, "train"), numbers(data, "validation")
    assert len(validation) == num_validation
    assert sorted(train + validation) == list(range(NUM_TRAIN))
    assert (train, validation) == (sorted(train), sorted(validation))


def test_images_have_a_channel_and_keep_their_bytes_and_labels(root):
    data = prepared(root)
    assert tuple(data.splits) == SPLITS
    assert numbers(data, "test") == list(range(100, 100 + NUM_TEST))
    for split, num in (("train", 20), ("validation", 10), ("test", NUM_TEST)):
        assert tuple(data.splits[split]) == digits.FIELDS
        images = data.splits[split]["images"]
        assert (images.shape, images.dtype) == ((num, 1, 28, 28), np.uint8)
        assert (images == images[:, :, :1, :1]).all()
        assert data.splits[split]["classes"].tolist() == list(range(10))
        assert data.splits[split]["labels"].tolist() == [number % 10 for number in numbers(data, split)]
    assert (data.facts, data.left_out) == ({"num_classes": 10}, [])


def test_files_of_ones_own_have_a_class_for_each_label_that_there_is(tmp_path):
    raw = mnist.raw_folder(tmp_path, "own")
    raw.mkdir(parents=True)
    for images, labels, highest in ((*mnist.PARTS[0], 3), (*mnist.PARTS[1], 12)):
        idx.write(raw / images, np.zeros((9, 28, 28), np.uint8))
        idx.write(raw / labels, np.arange(9, dtype=np.uint8) % 3 + highest - 2)
    given = {"kind": "digits", "folder": "", "dataset": "own", "num_validation": 3}
    data = digits.prepare(tmp_path, digits.Settings(**given), tmp_path)
    assert data.facts == {"num_classes": 6}
    assert data.splits["train"]["classes"].tolist() == list(range(6))
    assert sorted(data.splits["test"]["labels"].tolist()) == [3, 3, 3, 4, 4, 4, 5, 5, 5]  # 10, 11 and 12


def test_the_split_depends_on_the_seed_alone(root):
    first = numbers(prepared(root, seed=0), "validation")
    torch.manual_seed(3)
    assert numbers(prepared(root, seed=1), "validation") != first
    assert numbers(prepared(root, seed=0), "validation") == first


@pytest.mark.parametrize("num_validation", [NUM_TRAIN, NUM_TRAIN + 1])
def test_a_validation_part_that_leaves_nothing_to_train_on_is_refused(root, num_validation):
    expected = f"num_validation = {num_validation}: must be below {NUM_TRAIN}"
    with pytest.raises(InputError, match=f"^{expected}"):
        prepared(root, num_validation)


def test_preparing_what_was_not_downloaded_is_refused_by_file(tmp_path):
    with pytest.raises(InputError, match=f"{mnist.TRAIN_IMAGES}: cannot be read"):
        prepared(tmp_path)
