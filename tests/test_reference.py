"""What is taken of the real images once is what every evaluation would take."""

from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic import normal, random_pixels

from pipeline.data.digits import Pictures
from pipeline.metrics import memorisation, reference
from pipeline.metrics import prdc as manifold
from pipeline.metrics.features import Described
from pipeline.metrics.reference import Reference
from pipeline.runtime.errors import InputError

torch.set_num_threads(1)

SETTINGS = {"evaluate": {"num_neighbours": 3}, "extractor": {"name": "judge"}}
TRAIN = Pictures(random_pixels(50, 6, 9), torch.arange(50) % 10)
TEST = Pictures(random_pixels(30, 6, 1), torch.arange(30) % 10)
FIELDS = ("pixels", "features", "read", "labels", "radii", "nearest")


def taken() -> Reference:
    real = Described(TEST.pixels[:20], normal(20, 4, 0), torch.arange(20), TEST.labels[:20])
    return reference.take(real, TRAIN, num_neighbours=3, num_compared=5)


def test_radii_and_nearest_training_images_are_those_of_the_metrics() -> None:
    found, drawn = taken(), normal(25, 4, 1)
    assert found.nearest.tolist() == memorisation.nearest(TEST.pixels[:5], TRAIN.pixels).tolist()
    known = manifold.prdc(drawn, found.features, 3, found.radii)
    assert known == manifold.prdc(drawn, found.features, 3)
    assert known["coverage"] > 0
    assert manifold.prdc(drawn, found.features, 3, 0 * found.radii)["coverage"] == 0, "radii are not used"


def test_what_is_loaded_is_what_was_saved(tmp_path: Path) -> None:
    saved = taken()
    for name in ("a", "b"):
        reference.save(tmp_path / f"{name}.npz", saved, SETTINGS)
    loaded = reference.load(tmp_path / "a.npz", TEST, SETTINGS)
    for name in FIELDS:
        assert torch.equal(getattr(loaded, name), getattr(saved, name)), name
        assert getattr(loaded, name).dtype == getattr(saved, name).dtype, name
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_a_reference_of_other_settings_or_images_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "reference.npz"
    reference.save(path, taken(), SETTINGS)
    few = Pictures(TEST.pixels[:19], TEST.labels[:19])
    for pictures, settings in ((TEST, SETTINGS | {"extractor": {"name": "inception"}}), (few, SETTINGS)):
        with pytest.raises(InputError, match=r"reference\.npz: taken with other .* dvc repro evaluate_real$"):
            reference.load(path, pictures, settings)


def test_a_file_that_is_no_reference_is_named(tmp_path: Path) -> None:
    path = tmp_path / "reference.npz"
    reference.save(path, taken(), SETTINGS)
    whole = path.read_bytes()
    np.savez(tmp_path / "other.npz", pixels=np.zeros(3))
    for content in (whole[:-50], b"something else", (tmp_path / "other.npz").read_bytes()):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"reference\.npz: not a reference of real images"):
            reference.load(path, TEST, SETTINGS)
    with pytest.raises(InputError, match=r"nowhere\.npz: not a reference"):
        reference.load(tmp_path / "nowhere.npz", TEST, SETTINGS)
