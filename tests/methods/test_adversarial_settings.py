"""Settings of adversarial training: which class a kind of condition has, and what is refused."""

from typing import Any

import pytest
from helpers.adversarial import (
    settings,
)
from pydantic import ValidationError

from pipeline.methods import adversarial, adversarial_settings
from pipeline.methods.method import available, load, settings_class
from pipeline.runtime.errors import InputError


def test_methods_are_found_by_name_and_kind_and_others_refused_with_those_there_are() -> None:
    assert {"adversarial", "classification", "engression", "flow", "regression"} <= set(available())
    assert "one_network" not in available()
    assert "ema" not in available()
    assert load("adversarial") is adversarial
    assert settings_class("adversarial", "words") is adversarial_settings.WordSettings
    with pytest.raises(InputError, match=r"^method = 'ema': allowed are ablation, .*, regression$"):
        load("ema")
    expected = (
        "^method 'regression' takes no conditions of kind 'none'; allowed are class, image, words, numbers$"
    )
    with pytest.raises(InputError, match=expected):
        settings_class("regression", "none")


@pytest.mark.parametrize(
    ("kind", "network", "allowed"),
    [
        ("class", "unet", "biggan, dcgan, mlp, r3gan, stylegan2"),
        ("class", "denoiser", "biggan, dcgan, mlp, r3gan, stylegan2"),
        ("none", "points", "biggan, dcgan, mlp, r3gan, stylegan2"),
        ("image", "caption", "unet"),
        ("words", "dcgan", "caption"),
        ("numbers", "mlp", "line"),
        ("class", "classifier", "biggan, dcgan, mlp, r3gan, stylegan2"),
    ],
)
def test_a_network_is_refused_for_conditions_it_cannot_take(kind: str, network: str, allowed: str) -> None:
    message = f"network = {network!r} takes no condition of kind {kind!r}; allowed are {allowed}"
    with pytest.raises(ValidationError, match=message):
        settings(kind, network=network)


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("none", "discriminator_sees_condition", False),
        *((kind, "mirror", True) for kind in ("none", "class", "numbers")),
        *((kind, "latents_at_every_level", False) for kind in ("none", "class", "numbers")),
        *((kind, "layer_noise", True) for kind in ("none", "class", "words", "numbers")),
        *((kind, "patch_size", 4) for kind in ("none", "class", "numbers")),
        *((kind, "clusters", 2) for kind in ("image", "words", "numbers")),
        *(("numbers", *each) for each in (("augment", ["brightness"]), ("discriminator_norm", "spectral"))),
        *(("numbers", *each) for each in (("packing", 2), ("minibatch_stddev", True))),
        *((kind, "num_members", 2) for kind in ("none", "class", "image", "words", "numbers")),
    ],
)
def test_a_key_that_means_nothing_for_a_kind_of_condition_is_refused_by_name(
    kind: str, key: str, value: Any
) -> None:
    with pytest.raises(ValidationError, match=f"{key} = .* means nothing for conditions of kind {kind!r}"):
        settings(kind, **{key: value})


@pytest.mark.parametrize("key", ["save_every", "monitor_every"])
def test_checkpoints_and_metrics_fall_on_rows_of_the_history(key: str) -> None:
    with pytest.raises(ValidationError, match=f"{key} = 3 must be a multiple of log_every = 2"):
        settings(**{"log_every": 2, key: 3})
