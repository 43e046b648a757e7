"""Copies are found, and images like the real ones are not."""

import pytest
import torch
from helpers.synthetic import random_pixels

from pipeline.metrics import memorisation


def test_copies_of_training_images_score_0_and_images_like_the_real_ones_1() -> None:
    train, real = random_pixels(60, 8, 0), random_pixels(40, 8, 1)
    distances = memorisation.nearest(real, train)
    assert memorisation.ratio(train[:40], distances, train) == pytest.approx(0.0, abs=2e-3)
    assert memorisation.ratio(real.flip(0), distances, train) == pytest.approx(1.0)
    assert memorisation.ratio(random_pixels(40, 8, 2), distances, train) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("changes", [{}, {"CHUNK": 1}, {"MOST_NUMBERS": 3}])
def test_memorisation_is_the_ratio_of_distances_to_the_nearest_training_image(
    changes: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in changes.items():
        monkeypatch.setattr(memorisation, name, value)
    train = torch.tensor([[0, 0], [255, 255]], dtype=torch.uint8).view(2, 1, 1, 2)
    drawn = torch.tensor([[51, 0], [255, 153]], dtype=torch.uint8).view(2, 1, 1, 2)
    real = torch.tensor([[102, 0]], dtype=torch.uint8).view(1, 1, 1, 2)
    assert memorisation.nearest(drawn, train).tolist() == pytest.approx([0.2, 0.4])
    assert memorisation.ratio(drawn, memorisation.nearest(real, train), train) == pytest.approx(0.3 / 0.4)
