"""What is measured of a generator while it trains."""

import pytest
import torch
from torch import Tensor, nn

from pipeline.data.digits import Pictures
from pipeline.metrics import frechet, modes
from pipeline.metrics import monitor as course
from pipeline.metrics.features import Reader
from pipeline.networks.classifier import JudgeSpec
from pipeline.sampling import draw as sampling
from pipeline.sampling import weights
from pipeline.tasks.conditions import TASKS, UNCONDITIONAL

torch.set_num_threads(1)

SOURCE = torch.Generator().manual_seed(0)
HELD = Pictures(torch.randint(0, 256, (200, 1, 28, 28), generator=SOURCE).byte(), torch.arange(200) % 10)


class Smears(nn.Module):
    """Images whose columns are mixtures of the latents, and of the class if there is one."""

    num_latents, num_noise = 4, 0

    def __init__(self, num_channels: int = 1) -> None:
        super().__init__()
        self.num_channels = num_channels

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        wave = torch.linspace(0, 6, 28)
        rows = torch.cat([z, c], 1).cumsum(1)[:, -1:] + z[:, :1] * wave  # (N, 28)
        channels = [torch.sin(rows * (k + 1) + k)[:, None, None, :] for k in range(self.num_channels)]
        return torch.cat(channels, 1).expand(-1, -1, 28, -1)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """An untrained judge: it reads something, and always the same."""
    file = tmp_path_factory.mktemp("judge") / "weights.safetensors"
    spec = JudgeSpec(width=2, num_classes=10)
    torch.manual_seed(0)
    weights.save(file, spec.build(), spec)
    return Reader(file, "judge")


@pytest.mark.parametrize("condition", [UNCONDITIONAL, TASKS["digit"]], ids=["unconditional", "digit"])
def test_the_course_s_fid_is_the_fid_of_the_same_samples(reader, condition) -> None:
    found = course.fid(reader, HELD, condition)(Smears())
    pixels = sampling.draw(Smears(), condition.encode(HELD.labels), 1, course.SEED).squeeze(1)
    expected = frechet.fid(reader.features(pixels), reader.features(HELD.pixels))
    assert found.keys() == {"fid"}
    assert found["fid"] == pytest.approx(expected, rel=1e-3)
    assert found["fid"] > 0


def test_no_more_samples_are_drawn_than_the_course_can_afford(reader, monkeypatch) -> None:
    monkeypatch.setattr(course, "NUM_SAMPLES", 40)
    measure = course.fid(reader, HELD, UNCONDITIONAL)
    pixels = sampling.draw(Smears(), torch.empty(40, 0), 1, course.SEED).squeeze(1)
    real, few = (frechet.statistics(reader.features(x)) for x in (HELD.pixels, pixels))
    assert measure(Smears())["fid"] == pytest.approx(frechet.distance(few, real), rel=1e-6)


def test_measuring_twice_gives_the_same_number_whatever_ran_in_between(reader) -> None:
    measure = course.fid(reader, HELD, UNCONDITIONAL)
    first = measure(Smears())
    before = torch.get_rng_state()
    assert measure(Smears()) == first
    assert torch.equal(torch.get_rng_state(), before), "measuring drew from the global source"


def test_the_modes_of_stacked_digits_are_read_channel_by_channel(reader, monkeypatch) -> None:
    monkeypatch.setattr(course, "NUM_SAMPLES", 60)
    pixels = sampling.draw(Smears(3), torch.empty(60, 0), 1, course.SEED).squeeze(1)
    read = torch.stack([reader.read(pixels[:, k : k + 1]) for k in range(3)], 1)
    assert course.num_modes(reader)(Smears(3)) == {"modes": float(modes.count(read))}
