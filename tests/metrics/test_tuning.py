"""The number that models of a task are compared by, on the half of the validation split that may steer."""

from types import SimpleNamespace

import pytest
import torch
from helpers.small_tasks import digits, drawings, written
from torch import nn

from pipeline.metrics import monitor, posterior, tuning


class Answers(nn.Module):
    """A sampler that says what the condition, an image, says, off by its latents' share."""

    num_noise, num_evaluations = 0, 1

    def __init__(self, num_latents: int, shift: float) -> None:
        super().__init__()
        self.num_latents, self.shift = num_latents, shift

    def forward(self, z, c):
        return c.repeat_interleave(len(z) // len(c), 0).expand(-1, 3, -1, -1) * self.shift


def test_a_regressor_is_scored_by_the_error_of_its_one_answer(tmp_path):
    task = written(tmp_path, "sketch", drawings(0, 30))
    numbers = task.halves()[0]
    x, c = task.validation.images(numbers)
    answers = c.expand(-1, 3, -1, -1)
    error = (answers.double() - x.double()).flatten(1).square().mean(1).sqrt().mean().item() / 255
    assert tuning.criterion(task) == "energy_score"
    assert tuning.score(Answers(0, 1.0), task) == pytest.approx(error, rel=1e-6)
    assert posterior.energy_score(answers[:, None], x) == pytest.approx(error, rel=1e-6)


def test_samples_that_do_not_differ_are_scored_as_one_answer(tmp_path):
    task = written(tmp_path, "sketch", drawings(0, 30))
    assert tuning.score(Answers(4, 1.0), task) == pytest.approx(tuning.score(Answers(0, 1.0), task))
    assert tuning.score(Answers(0, -1.0), task) != pytest.approx(tuning.score(Answers(0, 1.0), task))


class Noise(nn.Module):
    num_noise, num_evaluations, num_latents = 0, 1, 28 * 28

    def forward(self, z, c):
        return torch.tanh(z).view(-1, 1, 28, 28)


def test_without_conditions_it_is_the_fid_that_training_watches(tmp_path):
    task = written(tmp_path, "none", digits())
    training = SimpleNamespace(spec=SimpleNamespace(method="adversarial"), ema=Noise())
    assert tuning.criterion(task) == "fid"
    assert tuning.score(Noise(), task) == pytest.approx(monitor.of_task(task).measure(training)["fid"])
