"""The section `theory` of params.yaml, and all numbers of the game, each beside what it should be."""

from functools import partial
from typing import Any

import numpy as np
import torch

from pipeline.runtime.params import Count, Positive, Section
from pipeline.theory import discriminator, divergence, saturation
from pipeline.theory.discriminator import Settings as DiscriminatorSettings
from pipeline.theory.divergence import LOG_4, Function
from pipeline.theory.normals import Normals

EXACT = 1e-6  # what an identity may be off by
TRAINED = 0.02  # what the value at a trained D may be off by, of the exact value


class Settings(Section):
    max_logit: Positive = 12.0  # the gradients of G's losses are taken at logits from minus this to this
    num_logits: Count = 481  # evenly spaced
    real: Normals = Normals(means=[-2.0, 1.5], sds=[0.5, 0.8], shares=[0.4, 0.6])  # p
    fake: Normals = Normals(means=[0.0], sds=[1.5], shares=[1.0])  # q
    discriminator: DiscriminatorSettings = DiscriminatorSettings()  # that learns to tell p from q


def measure(settings: Settings) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """All numbers, and the curves that figures show."""
    gradients, derivatives = of_gradients(settings)
    values, curves = of_value(settings)
    return {"gradients": gradients} | values, derivatives | curves


def of_gradients(settings: Settings) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """How far each loss's gradient is from its closed form at worst, and the gradients themselves."""
    logits = torch.linspace(-settings.max_logit, settings.max_logit, settings.num_logits, dtype=torch.float64)
    found = saturation.gradients(logits)
    entries = {
        name: {
            "largest_deviation": saturation.deviation(name, gradient, logits),
            "compared_to": saturation.CLOSED_FORMS[name][0],
            "tolerance": EXACT,
            "num_logits": settings.num_logits,
        }
        for name, gradient in found.items()
    }
    return entries, {"logits": logits.numpy()} | {name: each.numpy() for name, each in found.items()}


def of_value(settings: Settings) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The game's value at the best D and at a trained one, and the curves of both."""
    p, q = settings.real, settings.fake
    trained = partial(discriminator.logits, discriminator.train(p, q, settings.discriminator))
    x = np.linspace(*divergence.support(p, q), 1001)
    curves = {
        "x": x,
        "real": np.exp(p.log_density(x)),
        "fake": np.exp(q.log_density(x)),
        "optimal": divergence.sigmoid(divergence.optimal_logits(p, q)(x)),
        "trained": divergence.sigmoid(trained(x)),
    }
    return values(p, q, trained, settings.discriminator), curves


def values(p: Normals, q: Normals, trained: Function, settings: DiscriminatorSettings) -> dict[str, Any]:
    """The numbers: V(D*) against 2 JSD - log 4, V of a trained D against V(D*), its D against D*."""
    jsd = divergence.jensen_shannon(p, q)
    optimal = divergence.value(p, q, divergence.optimal_logits(p, q))
    reached = divergence.value(p, q, trained)
    budget = {"num_steps": settings.num_steps, "batch_size": settings.batch_size}
    at_trained = relative(reached, "the value at the optimal discriminator", optimal)
    return {
        "value_at_optimal_discriminator": {
            "value": optimal,
            "compared_to": "2 JSD - log 4",
            "expected": 2 * jsd - LOG_4,
            "deviation": abs(optimal - 2 * jsd + LOG_4),
            "tolerance": EXACT,
        },
        "value_at_trained_discriminator": budget | at_trained | {"tolerance": TRAINED},
        "jsd_from_trained_discriminator": budget | relative((reached + LOG_4) / 2, "JSD by quadrature", jsd),
        "trained_probability_minus_optimal": budget
        | {"compared_to": "p / (p + q)"}
        | divergence.deviation(p, q, trained),
    }


def relative(value: float, compared_to: str, expected: float) -> dict[str, Any]:
    """A value beside what it should be, and by what share of that it is off."""
    error = abs(value / expected - 1)
    return {"value": value, "compared_to": compared_to, "expected": expected, "relative_error": error}
