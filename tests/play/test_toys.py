"""Points that are trained while one looks."""

import pytest
import torch
from helpers import play

from pipeline.play import toys
from pipeline.play.laboratory import Unknown
from pipeline.play.toys import Toys
from pipeline.runtime.errors import InputError


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch):
    monkeypatch.setattr(toys, "SECONDS", 60)


@pytest.mark.parametrize("method", ["adversarial", "engression", "flow"])
def test_a_training_goes_on_by_the_steps_it_is_told_and_stops_at_its_end(method):
    trainings = Toys(play.toys())
    toy = trainings.find(trainings.start(f"ring-{method}", {}, 0))
    before = toys.look(toy)
    assert (before["steps"], before["num_modes"], len(before["points"])) == (0, 8, toys.NUM_SHOWN)
    logged = toys.advance(toy, 2)
    assert logged
    after = toys.look(toy)
    assert after["steps"] == 2
    assert after["points"] != before["points"]
    assert ("surface" in after) == (method == "adversarial")
    toys.advance(toy, 500)
    assert (toy.done, toys.look(toy)["steps"]) == (True, 30)
    assert toys.advance(toy, 1) == {}


def test_equal_seeds_train_alike_and_others_otherwise():
    trainings = Toys(play.toys())
    points = []
    for seed in (0, 0, 1):
        toy = trainings.find(trainings.start("ring-flow", {}, seed))
        toys.advance(toy, 3)
        points.append(toys.look(toy)["points"])
    assert points[0] == points[1] != points[2]


def test_one_member_sees_what_it_would_see_among_the_others():
    settings = play.toys()["ring-adversarial"][1].model_copy(update={"r1": 0.3})
    found = toys.alone("toys.ring", settings, {"seed": 4})
    assert (found.num_members, found.batch_size, found.ema_halflife) == (1, 32, settings.ema_halflife / 2)
    assert (found.r1, found.seed, found.width) == (0.3, 4, 8)
    changed = toys.alone("toys.ring", settings, {"loss": "hinge", "r2": 0.1})
    assert (changed.loss, changed.r1, changed.r2) == ("hinge", 0.0, 0.1)


def test_what_does_not_go_is_told():
    trainings = Toys(play.toys())
    with pytest.raises(InputError, match="ring-flow is trained by flow"):
        trainings.start("ring-flow", {"loss": "hinge"}, 0)
    with pytest.raises(InputError, match="loss = 'hing'"):
        trainings.start("ring-adversarial", {"loss": "hing"}, 0)
    with pytest.raises(Unknown):
        trainings.start("ring", {}, 0)


def test_the_oldest_training_gives_way():
    trainings = Toys(play.toys())
    numbers = [trainings.start("ring-flow", {}, 0) for _ in range(toys.MOST + 1)]
    assert numbers == [1, 2, 3, 4, 5]
    with pytest.raises(Unknown, match="number 1 any more"):
        trainings.find(1)
    assert trainings.find(2)


def test_a_training_that_diverged_says_so():
    trainings = Toys(play.toys())
    toy = trainings.find(trainings.start("ring-flow", {}, 0))
    with torch.no_grad():
        for network in (toy.training.network, toy.training.ema):
            next(network.parameters()).fill_(torch.nan)
    with pytest.raises(InputError, match="diverged at step 1"):
        toys.advance(toy, 1)
    with pytest.raises(InputError, match="diverged"):
        toys.look(toy)
