"""One section of params.yaml becomes a typed, frozen object, or one line that says what is wrong."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.data.download import mnist
from pipeline.methods import adversarial
from pipeline.methods.losses import ADVERSARIAL_LOSSES
from pipeline.networks import NETWORKS
from pipeline.runtime import params
from pipeline.runtime.errors import InputError

GAN = """\
gans:
  tiny:
    network: dcgan
    num_latents: 64
    width: 32
    clusters: 0
    loss: nonsaturating
    discriminator_norm: none
    minibatch_stddev: false
    packing: 1
    augment: []
    r1: 0.0
    r2: 0.0
    gradient_penalty: 0.0
    penalty_every: 1
    orthogonal: 0.0
    discriminator_steps: 1
    learning_rate: 0.001
    beta1: 0.5
    beta2: 0.9
    decay_from: 0.5
    ema_halflife: 10000
    batch_size: 64
    num_steps: 300
    log_every: 50
    save_every: 100
    num_snapshots: 8
    fid_every: 100
    seed: 0
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("params") / "params.yaml"


def read_changed(path: Path, old: str, new: str) -> adversarial.Params:
    assert old in GAN
    path.write_text(GAN.replace(old, new))
    return params.read("gans.tiny", adversarial.Params, path)


def refusal(path: Path, old: str, new: str) -> str:
    with pytest.raises(InputError) as caught:
        read_changed(path, old, new)
    return str(caught.value)


def test_a_section_is_read_with_the_values_it_holds(path):
    found = read_changed(path, "seed: 0", "seed: 7")
    assert found.model_dump() == {
        "network": "dcgan",
        "num_latents": 64,
        "width": 32,
        "clusters": 0,
        "discriminator_norm": "none",
        "minibatch_stddev": False,
        "packing": 1,
        "augment": [],
        "r1": 0.0,
        "r2": 0.0,
        "gradient_penalty": 0.0,
        "penalty_every": 1,
        "orthogonal": 0.0,
        "loss": "nonsaturating",
        "discriminator_steps": 1,
        "learning_rate": 0.001,
        "beta1": 0.5,
        "beta2": 0.9,
        "decay_from": 0.5,
        "ema_halflife": 10000.0,
        "batch_size": 64,
        "num_steps": 300,
        "log_every": 50,
        "save_every": 100,
        "num_snapshots": 8,
        "fid_every": 100,
        "seed": 7,
    }


def test_a_section_cannot_be_changed_after_it_was_read(path):
    found = read_changed(path, "seed: 0", "seed: 7")
    with pytest.raises(ValidationError, match="frozen"):
        found.seed = 8
    assert found.seed == 7


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("learning_rate: 0.001", "learning_rate: -0.001", ["learning_rate = -0.001", "greater than 0"]),
        ("learning_rate: 0.001", "learning_rate: 0", ["learning_rate = 0", "greater than 0"]),
        ("learning_rate: 0.001", "learning_rate: fast", ["learning_rate = 'fast'", "valid number"]),
        ("learning_rate: 0.001", "learning_rate: '0.001'", ["learning_rate = '0.001'", "valid number"]),
        ("learning_rate: 0.001", "learning_rate: true", ["learning_rate = True", "valid number"]),
        ("learning_rate: 0.001", "learning_rate:", ["learning_rate = None", "valid number"]),
        ("learning_rate: 0.001", "learning_rate: .inf", ["learning_rate = inf", "finite"]),
        ("learning_rate: 0.001", "learning_rate: .nan", ["learning_rate = nan", "finite"]),
        ("ema_halflife: 10000", "ema_halflife: .inf", ["ema_halflife = inf", "finite"]),
        ("ema_halflife: 10000", "ema_halflife: .nan", ["ema_halflife = nan", "finite"]),
        ("ema_halflife: 10000", "ema_halflife: -1", ["ema_halflife = -1", "greater than or equal to 0"]),
        ("beta1: 0.5", "beta1: .nan", ["beta1 = nan", "less than 1"]),
        ("beta1: 0.5", "beta1: 1.0", ["beta1 = 1.0", "less than 1"]),
        ("beta1: 0.5", "beta1: -0.5", ["beta1 = -0.5", "greater than or equal to 0"]),
        ("batch_size: 64", "batch_size: 0", ["batch_size = 0", "greater than 0"]),
        ("batch_size: 64", "batch_size: '64'", ["batch_size = '64'", "valid integer"]),
        ("batch_size: 64", "batch_size: true", ["batch_size = True", "valid integer"]),
        ("batch_size: 64", "batch_size: 64.0", ["batch_size = 64.0", "valid integer"]),
        ("batch_size: 64", "batch_size: [64]", ["batch_size = [64]", "valid integer"]),
        ("seed: 0", "seed: -1", ["seed = -1", "greater than or equal to 0"]),
        ("network: dcgan", "network: 3", ["network = 3", "valid string"]),
        ("save_every: 100", "save_every: 70", ["save_every = 70", "multiple of log_every = 50"]),
        ("fid_every: 100", "fid_every: 120", ["fid_every = 120", "multiple of log_every = 50"]),
        ("clusters: 0", "clusters: -1", ["clusters = -1", "greater than or equal to 0"]),
        ("packing: 1", "packing: 0", ["packing = 0", "greater than 0"]),
        ("packing: 1", "packing: 3", ["batch_size = 64", "multiple of packing = 3"]),
        ("r1: 0.0", "r1: -1", ["r1 = -1", "greater than or equal to 0"]),
        ("penalty_every: 1", "penalty_every: 0", ["penalty_every = 0", "greater than 0"]),
        ("beta2: 0.9", "beta2: 1.0", ["beta2 = 1.0", "less than 1"]),
        ("minibatch_stddev: false", "minibatch_stddev: 1", ["minibatch_stddev = 1", "valid boolean"]),
        ("norm: none", "norm: layer", ["discriminator_norm = 'layer'", "'none', 'batch' or 'spectral'"]),
        ("augment: []", "augment: cutout", ["augment = 'cutout'", "valid list"]),
        (
            "augment: []",
            "augment: [cutout, contrst]",
            ["augment.1 = 'contrst'", "brightness, contrast, cutout, translation", "mean 'contrast'?"],
        ),
    ],
)
def test_a_wrong_value_is_refused_with_its_key_the_value_and_what_is_allowed(path, old, new, words):
    message = refusal(path, old, new)
    assert message.startswith(f"{path}: gans.tiny")
    assert "\n" not in message
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize("penalty", ["r1", "r2", "gradient_penalty"])
def test_batch_norm_is_refused_beside_penalties_of_single_images(path, penalty):
    text = GAN.replace("norm: none", "norm: batch").replace(f"    {penalty}: 0.0", f"    {penalty}: 0.1")
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        params.read("gans.tiny", adversarial.Params, path)
    message = str(caught.value)
    assert message.startswith(f"{path}: gans.tiny: discriminator_norm = 'batch' mixes the images of a batch")
    assert "allowed with them are none, spectral" in message
    assert "\n" not in message
    path.write_text(text.replace("norm: batch", "norm: spectral"))
    assert params.read("gans.tiny", adversarial.Params, path).penalised


@pytest.mark.parametrize("network", NETWORKS)
def test_batch_norm_is_refused_for_a_network_that_has_none(path, network):
    path.write_text(GAN.replace("norm: none", "norm: batch").replace("network: dcgan", f"network: {network}"))
    if NETWORKS[network].BATCH_NORM:
        assert params.read("gans.tiny", adversarial.Params, path).discriminator_norm == "batch"
        return
    with pytest.raises(InputError) as caught:
        params.read("gans.tiny", adversarial.Params, path)
    assert str(caught.value) == (
        f"{path}: gans.tiny: discriminator_norm = 'batch': {network} has none; allowed are none, spectral"
    )


def test_a_key_that_comes_from_elsewhere_is_added_and_must_not_be_in_the_file(path):
    path.write_text(GAN.replace("    seed: 0\n", ""))
    assert params.read("gans.tiny", adversarial.Params, path, seed=7).seed == 7
    path.write_text(GAN)
    with pytest.raises(InputError) as caught:
        params.read("gans.tiny", adversarial.Params, path, seed=7)
    assert str(caught.value) == f"{path}: gans.tiny.seed = 0: does not belong here"


def test_a_key_that_comes_from_elsewhere_is_checked_like_the_others(path):
    path.write_text(GAN.replace("    seed: 0\n", ""))
    with pytest.raises(InputError, match=r"gans\.tiny\.seed = -1: .*greater than or equal to 0"):
        params.read("gans.tiny", adversarial.Params, path, seed=-1)


def test_an_unknown_key_is_refused_and_the_near_one_suggested(path):
    message = refusal(path, "    num_latents: 64", "    num_latents: 64\n    learning_rat: 0.1")
    assert "gans.tiny.learning_rat = 0.1: unknown key; did you mean 'learning_rate'?" in message
    assert all(key in message for key in adversarial.Params.model_fields)
    assert "\n" not in message


def test_no_guess_is_made_for_a_key_like_no_other(path):
    message = refusal(path, "    seed: 0", "    seed: 0\n    xyzzy: 1")
    assert "gans.tiny.xyzzy = 1: unknown key; allowed are" in message
    assert "did you mean" not in message


def test_a_misspelt_loss_is_refused_with_the_valid_ones_and_a_guess(path):
    message = refusal(path, "nonsaturating", "nonsaturatin")
    assert "gans.tiny.loss = 'nonsaturatin': allowed are" in message
    assert "(did you mean 'nonsaturating'?)" in message
    assert all(name in message for name in ADVERSARIAL_LOSSES)
    assert "\n" not in message


def test_an_unknown_network_is_refused_with_the_valid_ones(path):
    message = refusal(path, "network: dcgan", "network: transformer")
    assert f"gans.tiny.network = 'transformer': allowed are {', '.join(sorted(NETWORKS))}" in message


def test_a_missing_key_is_named(path):
    message = refusal(path, "    beta1: 0.5\n", "")
    assert message == f"{path}: gans.tiny.beta1 is missing"


def test_all_problems_of_a_section_stand_in_one_message(path):
    message = refusal(path, "batch_size: 64\n    num_steps: 300", "batch_size: 0\n    num_steps: -3")
    assert "gans.tiny.batch_size = 0" in message
    assert "gans.tiny.num_steps = -3" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("gans.huge", ["'gans.huge' is missing", "gans has: tiny"]),
        ("judge", ["'judge' is missing", "the top level has: gans"]),
        ("gans.tiny.seed.more", ["'gans.tiny.seed.more' is missing", "gans.tiny.seed has: 0"]),
    ],
)
def test_a_missing_section_is_refused_with_what_is_there_instead(path, section, words):
    path.write_text(GAN)
    with pytest.raises(InputError) as caught:
        params.read(section, adversarial.Params, path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert [word for word in words if word not in message] == []


def test_an_empty_section_is_refused_by_name(path):
    path.write_text("gans:\n  tiny:\n")
    for more in ({}, {"seed": 0}):
        with pytest.raises(InputError, match=r"gans\.tiny = None: .*valid dictionary"):
            params.read("gans.tiny", adversarial.Params, path, **more)


@pytest.mark.parametrize(
    "content",
    [
        b"gans: [",
        b"gans:\n\ttiny: 1",
        b"a: 1\na: 2",
        b"a: *unknown",
        b"a: !!python/object/apply:os.getcwd []",
        b"\xff\xfe",
        b"\0",
        b"gans: 2024-99-99",
        b"gans: !!int many",
    ],
)
def test_what_is_not_yaml_is_refused_in_one_line(path, content):
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        params.read("gans.tiny", adversarial.Params, path)
    assert str(caught.value).startswith(f"{path}: cannot be read: ")
    assert "\n" not in str(caught.value)


def test_an_empty_file_is_refused(path):
    path.write_text("")
    with pytest.raises(InputError, match=r"section 'gans\.tiny' is missing"):
        params.read("gans.tiny", adversarial.Params, path)


def test_a_missing_file_is_refused_by_name(tmp_path):
    absent = tmp_path / "params.yaml"
    with pytest.raises(InputError, match="No such file") as caught:
        params.read("gans.tiny", adversarial.Params, absent)
    assert str(caught.value).startswith(f"{absent}: cannot be read: ")


def test_the_file_is_looked_for_in_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "params.yaml").write_text(GAN.replace("width: 32", "width: 5"))
    monkeypatch.chdir(tmp_path)
    assert params.read("gans.tiny", adversarial.Params).width == 5


def test_a_number_without_a_point_before_its_exponent_is_a_number(path):
    assert read_changed(path, "learning_rate: 0.001", "learning_rate: 1e-4").learning_rate == 1e-4


def test_a_whole_number_is_accepted_where_a_fraction_may_stand(path):
    found = read_changed(path, "learning_rate: 0.001", "learning_rate: 2").learning_rate
    assert (found, type(found)) == (2.0, float)


@settings(max_examples=25, deadline=None)
@given(rate=st.floats(min_value=0, exclude_min=True, allow_nan=False, allow_infinity=False))
def test_every_positive_learning_rate_is_read_as_it_was_written(path, rate):
    assert read_changed(path, "learning_rate: 0.001", f"learning_rate: {rate!r}").learning_rate == rate


@settings(max_examples=25, deadline=None)
@given(rate=st.floats(max_value=0, allow_nan=False, allow_infinity=False))
def test_a_learning_rate_that_is_not_positive_is_refused_by_name(path, rate):
    message = refusal(path, "learning_rate: 0.001", f"learning_rate: {rate!r}")
    assert f"gans.tiny.learning_rate = {rate!r}: Input should be greater than 0" in message


@settings(max_examples=25, deadline=None)
@given(size=st.integers(max_value=0))
def test_a_batch_size_below_one_is_refused_by_name(path, size):
    assert f"gans.tiny.batch_size = {size}: " in refusal(path, "batch_size: 64", f"batch_size: {size}")


def test_a_single_value_can_be_read_and_is_checked_like_a_section(path):
    path.write_text("digits: {dataset: kmnist, other: mnst}")
    assert params.read("digits.dataset", mnist.DatasetName, path) == "kmnist"
    with pytest.raises(InputError) as caught:
        params.read("digits.other", mnist.DatasetName, path)
    allowed = "allowed are fashion_mnist, kmnist, mnist (did you mean 'mnist'?)"
    assert str(caught.value) == f"{path}: digits.other = 'mnst': {allowed}"
