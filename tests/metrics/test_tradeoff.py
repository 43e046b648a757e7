"""Variety against quality, of a generator that can give some of it up."""

import pytest
import torch
from helpers.small_tasks import digits, written
from torch import Tensor

from pipeline.metrics import frechet, prdc, reference, tradeoff
from pipeline.metrics.reference import Reference
from pipeline.metrics.settings import Settings
from pipeline.networks.network import Sampler, Spec
from pipeline.networks.truncation import Truncated
from pipeline.runtime import compute
from pipeline.sampling.draw import draw

SETTINGS = Settings(num_dial_samples=40, num_neighbours=3, num_samples=40)


class Copies(Sampler):
    """Draws one of the test images of the class asked for, the first ones alone if truncated."""

    def __init__(self, x: Tensor, c: Tensor) -> None:
        super().__init__(Spec(method="adversarial", network="mlp", width=1, image_shape=[1], num_latents=1))
        self.x, self.c = x, c

    def forward(self, z: Tensor, c: Tensor, truncation: float = 1.0) -> Tensor:
        found = []
        for latent, asked in zip(z, c, strict=True):
            images = self.x[(self.c == asked).all(1)]
            kept = max(1, round(truncation * len(images)))
            found.append(images[int(torch.special.ndtr(latent) * kept)])
        return torch.stack(found)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return reference.take(
        written(tmp_path_factory.mktemp("digits"), "label", digits()), SETTINGS, compute.CPU
    )


def test_a_row_is_of_samples_truncated_so_far(real: Reference) -> None:
    generator = Copies(*real.task.test.batch(torch.arange(len(real.pixels))))
    rows = tradeoff.of_truncation(generator, real)
    assert [row["truncation"] for row in rows] == list(tradeoff.SHARES)
    numbers = torch.arange(min(40, len(real.pixels)))
    pixels = draw(Truncated(generator, 0.4), real.task.test.conditions, numbers, 1, 0)[:, 0]
    features, predicted = real.extractor.describe(pixels)
    expected = prdc.prdc(features, real.features, 3, real.arrays["radii"])
    assert rows[4]["fid"] == pytest.approx(frechet.fid(features, real.features), rel=1e-6)
    assert [rows[4][name] for name in ("precision", "recall")] == [expected["precision"], expected["recall"]]
    assert real.labels is not None
    read = (predicted == real.labels[numbers]).double().mean().item()
    assert rows[4]["conditional_accuracy"] == pytest.approx(read)


def test_with_less_variety_recall_falls_and_precision_stays(real: Reference) -> None:
    rows = tradeoff.of_truncation(Copies(*real.task.test.batch(torch.arange(len(real.pixels)))), real)
    assert {row["precision"] for row in rows} == {1.0}
    assert rows[-1]["recall"] < rows[0]["recall"]
    assert rows[-1]["fid"] > rows[0]["fid"]
