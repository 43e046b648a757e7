"""How long a training is: as its settings say, times the budget."""

from pathlib import Path

import pytest
from helpers.adversarial import settings

from pipeline.methods import method
from pipeline.methods.schedule import Schedule
from stages import sections

INTERVALS = {"log_every": 20, "save_every": 200, "monitor_every": 100}


@pytest.mark.parametrize("budget", [10.0, 0.5, 0.13, 0.001])
def test_a_budget_lengthens_the_steps_and_all_intervals_which_stay_multiples_of_each_other(
    budget: float,
) -> None:
    before = settings(**INTERVALS, num_steps=1200)
    after = before.scaled(budget)
    assert after.num_steps == max(1, round(1200 * budget))
    assert after.log_every == max(1, round(20 * budget))
    assert (after.save_every, after.monitor_every) == (10 * after.log_every, 5 * after.log_every)
    changed = {key for key, value in before if getattr(after, key) != value}
    assert changed == {"num_steps", *INTERVALS}
    type(after).model_validate(after.model_dump())


def test_a_budget_of_one_changes_nothing() -> None:
    assert settings(**INTERVALS).scaled(1.0) == settings(**INTERVALS)
    given = {"batch_size": 4, "learning_rate": 0.1, "ema_halflife": 0.0}
    plain = Schedule(num_steps=7, log_every=3, save_every=6, **given)  # without metrics
    assert plain.scaled(1.0) == plain


def test_generators_train_as_many_times_as_long_as_the_budget_says_and_feature_networks_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "gans: {mlp: {network: mlp, num_steps: 600}}\n"
    text += "datasets: {mine: {kind: digits, folder: mine, features: {num_steps: 700}}}\n"
    text += "toys: {ring: {method: flow, num_steps: 500}}\nbudget: 3.0\n"
    (tmp_path / "params.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert method.read("adversarial", "gans.mlp", "none", seed=0).num_steps == 1800
    assert sections.toy("ring")[1].num_steps == 1500
    assert sections.learner("mine")[2].num_steps == 700
