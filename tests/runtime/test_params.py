"""One section of params.yaml becomes a typed, frozen object, or one line that says what is wrong."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.data.download import mnist
from pipeline.methods.adversarial import Settings
from pipeline.methods.losses import ADVERSARIAL_LOSSES
from pipeline.methods.schedule import Schedule
from pipeline.networks import network as networks
from pipeline.runtime import params
from pipeline.runtime.errors import InputError


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("params") / "params.yaml"


def read(path: Path, text: str) -> Settings:
    path.write_text(f"gans: {{tiny: {{{text}}}}}")
    return params.read("gans.tiny", Settings, path)


def refusal(path: Path, text: str) -> str:
    with pytest.raises(InputError) as caught:
        read(path, text)
    message = str(caught.value)
    assert message.startswith(f"{path}: gans.tiny")
    assert "\n" not in message
    return message


def test_a_section_is_read_with_the_values_it_holds_and_defaults_for_the_rest(path):
    expected = Settings().model_dump() | {"network": "mlp", "seed": 7, "augment": ["cutout"], "beta1": 0.25}
    assert read(path, "network: mlp, seed: 7, augment: [cutout], beta1: 0.25").model_dump() == expected
    assert read(path, "") == Settings()


def test_a_section_cannot_be_changed_after_it_was_read(path):
    found = read(path, "seed: 7")
    with pytest.raises(ValidationError, match="frozen"):
        found.seed = 8
    assert found.seed == 7


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("learning_rate: 0", ["learning_rate = 0", "greater than 0"]),
        ("learning_rate: fast", ["learning_rate = 'fast'", "valid number"]),
        ("learning_rate: '0.001'", ["learning_rate = '0.001'", "valid number"]),
        ("learning_rate: .inf", ["learning_rate = inf", "finite"]),
        ("learning_rate: .nan", ["learning_rate = nan", "finite"]),
        ("ema_halflife: .inf", ["ema_halflife = inf", "finite"]),
        ("ema_halflife: -1", ["ema_halflife = -1", "greater than or equal to 0"]),
        ("beta1: .nan", ["beta1 = nan", "less than 1"]),
        ("beta1: 1.0", ["beta1 = 1.0", "less than 1"]),
        ("beta1: -0.5", ["beta1 = -0.5", "greater than or equal to 0"]),
        ("decay_from: 0", ["decay_from = 0", "greater than 0"]),
        ("decay_from: 1.5", ["decay_from = 1.5", "less than or equal to 1"]),
        ("batch_size: '64'", ["batch_size = '64'", "valid integer"]),
        ("batch_size: true", ["batch_size = True", "valid integer"]),
        ("batch_size: 64.0", ["batch_size = 64.0", "valid integer"]),
        ("seed: -1", ["seed = -1", "greater than or equal to 0"]),
        ("network: 3", ["network = 3", "valid string"]),
        ("save_every: 70", ["save_every = 70", "multiple of log_every = 50"]),
        ("monitor_every: 120", ["monitor_every = 120", "multiple of log_every = 50"]),
        ("clusters: -1", ["clusters = -1", "greater than or equal to 0"]),
        ("packing: 0", ["packing = 0", "greater than 0"]),
        ("packing: 3", ["batch_size = 64", "multiple of packing = 3"]),
        ("penalty_every: 0", ["penalty_every = 0", "greater than 0"]),
        ("minibatch_stddev: 1", ["minibatch_stddev = 1", "valid boolean"]),
        ("discriminator_norm: layer", ["discriminator_norm = 'layer'", "'none', 'batch' or 'spectral'"]),
        ("augment: cutout", ["augment = 'cutout'", "valid list"]),
        (
            "augment: [cutout, contrst]",
            ["augment.1 = 'contrst'", "brightness, contrast, cutout, translation", "mean 'contrast'?"],
        ),
    ],
)
def test_a_wrong_value_is_refused_with_its_key_the_value_and_what_is_allowed(path, text, words):
    message = refusal(path, text)
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize("penalty", ["r1", "r2", "gradient_penalty"])
def test_batch_norm_is_refused_beside_penalties_of_single_images(path, penalty):
    message = refusal(path, f"discriminator_norm: batch, {penalty}: 0.1")
    assert message.startswith(f"{path}: gans.tiny: discriminator_norm = 'batch' mixes the images of a batch")
    assert "allowed with them are none, spectral" in message
    assert read(path, f"discriminator_norm: spectral, {penalty}: 0.1").penalised


@pytest.mark.parametrize("network", ["mlp", "r3gan", "stylegan2", "biggan"])
def test_batch_norm_is_refused_for_a_network_that_has_none(path, network):
    assert refusal(path, f"discriminator_norm: batch, network: {network}") == (
        f"{path}: gans.tiny: discriminator_norm = 'batch': {network} has none; allowed are none, spectral"
    )
    assert read(path, "discriminator_norm: batch").network == "dcgan"


def test_a_key_that_comes_from_elsewhere_is_checked_and_must_not_be_in_the_file(path):
    path.write_text("gans: {tiny: {width: 5}, seeded: {seed: 0}}")
    assert params.read("gans.tiny", Settings, path, seed=7) == Settings(width=5, seed=7)
    with pytest.raises(InputError, match=r"gans\.tiny\.seed = -1: .*greater than or equal to 0"):
        params.read("gans.tiny", Settings, path, seed=-1)
    with pytest.raises(InputError) as caught:
        params.read("gans.seeded", Settings, path, seed=7)
    assert str(caught.value) == f"{path}: gans.seeded.seed = 0: does not belong here"


def test_an_unknown_key_is_refused_and_a_near_one_suggested(path):
    message = refusal(path, "learning_rat: 0.1")
    assert "gans.tiny.learning_rat = 0.1: unknown key; did you mean 'learning_rate'? allowed are" in message
    assert all(key in message for key in Settings.model_fields)
    assert "gans.tiny.xyzzy = 1: unknown key; allowed are" in refusal(path, "xyzzy: 1")


def test_an_unknown_name_is_refused_with_the_valid_ones_and_a_guess(path):
    message = refusal(path, "loss: nonsaturatin")
    assert f"gans.tiny.loss = 'nonsaturatin': allowed are {', '.join(sorted(ADVERSARIAL_LOSSES))}" in message
    assert message.endswith("(did you mean 'nonsaturating'?)")
    message = refusal(path, "network: transformer")
    assert f"gans.tiny.network = 'transformer': allowed are {', '.join(networks.available())}" in message


def test_a_missing_key_without_a_default_is_named(path):
    path.write_text("judge: {num_steps: 10, save_every: 50, learning_rate: 0.1, ema_halflife: 0.0}")
    with pytest.raises(InputError) as caught:
        params.read("judge", Schedule, path)
    assert str(caught.value) == f"{path}: judge.batch_size is missing"


def test_all_problems_of_a_section_stand_in_one_message(path):
    message = refusal(path, "batch_size: 0, num_steps: -3")
    assert "gans.tiny.batch_size = 0" in message
    assert "gans.tiny.num_steps = -3" in message


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("gans.huge", ["'gans.huge' is missing", "gans has: tiny"]),
        ("judge", ["'judge' is missing", "the top level has: gans"]),
        ("gans.tiny.seed.more", ["'gans.tiny.seed.more' is missing", "gans.tiny.seed has: 0"]),
    ],
)
def test_a_missing_section_is_refused_with_what_is_there_instead(path, section, words):
    path.write_text("gans: {tiny: {seed: 0}}")
    with pytest.raises(InputError) as caught:
        params.read(section, Settings, path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert [word for word in words if word not in message] == []


def test_an_empty_section_is_refused_by_name(path):
    path.write_text("gans:\n  tiny:\n")
    for more in ({}, {"seed": 0}):
        with pytest.raises(InputError, match=r"gans\.tiny = None: .*valid dictionary"):
            params.read("gans.tiny", Settings, path, **more)


UNREADABLE = [b"gans: [", b"gans:\n\ttiny: 1", b"a: 1\na: 2", b"a: *unknown", b"\xff\xfe", b"\0"]
UNREADABLE += [b"a: !!python/object/apply:os.getcwd []", b"gans: 2024-99-99", b"gans: !!int many"]


@pytest.mark.parametrize("content", UNREADABLE)
def test_what_is_not_yaml_is_refused_in_one_line(path, content):
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        params.read("gans.tiny", Settings, path)
    assert str(caught.value).startswith(f"{path}: cannot be read: ")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_refused_by_name(tmp_path):
    absent = tmp_path / "params.yaml"
    with pytest.raises(InputError, match="No such file") as caught:
        params.read("gans.tiny", Settings, absent)
    assert str(caught.value).startswith(f"{absent}: cannot be read: ")


def test_the_file_is_looked_for_in_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "params.yaml").write_text("gans: {tiny: {width: 5}}")
    monkeypatch.chdir(tmp_path)
    assert params.read("gans.tiny", Settings).width == 5


def test_a_number_without_a_point_before_its_exponent_is_a_number(path):
    assert read(path, "learning_rate: 1e-4").learning_rate == 1e-4


def test_a_whole_number_is_accepted_where_a_fraction_may_stand(path):
    found = read(path, "learning_rate: 2").learning_rate
    assert (found, type(found)) == (2.0, float)


@settings(max_examples=25, deadline=None)
@given(rate=st.floats(min_value=0, exclude_min=True, allow_nan=False, allow_infinity=False))
def test_every_positive_learning_rate_is_read_as_it_was_written(path, rate):
    assert read(path, f"learning_rate: {rate!r}").learning_rate == rate


def test_a_single_value_can_be_read_and_is_checked_like_a_section(path):
    path.write_text("digits: {dataset: kmnist, other: mnst}")
    assert params.read("digits.dataset", mnist.DatasetName, path) == "kmnist"
    with pytest.raises(InputError) as caught:
        params.read("digits.other", mnist.DatasetName, path)
    allowed = "allowed are fashion_mnist, kmnist, mnist, own (did you mean 'mnist'?)"
    assert str(caught.value) == f"{path}: digits.other = 'mnst': {allowed}"
