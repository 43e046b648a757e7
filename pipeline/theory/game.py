"""The section `theory` of params.yaml, and all that is measured of the game: each number beside what it
should be.
"""

from functools import partial
from typing import Any

import numpy as np

from pipeline.runtime.params import Count, Positive, Section
from pipeline.theory import discriminator, divergence, saturation
from pipeline.theory.discriminator import Settings as DiscriminatorSettings
from pipeline.theory.divergence import LOG_4, Function
from pipeline.theory.normals import Normals

EXACT = 1e-6  # what an identity may be off by
TRAINED = 0.02  # what the value at a trained D may be off by, of the exact value


class Settings(Section):
    max_logit: Positive = 12.0  # the gradients of G's losses are taken at logits from minus this to this
    num_logits: Count = 481
    real: Normals = Normals(means=[-2.0, 1.5], sds=[0.5, 0.8], shares=[0.4, 0.6])  # p
    fake: Normals = Normals(means=[0.0], sds=[1.5], shares=[1.0])  # q
    discriminator: DiscriminatorSettings = DiscriminatorSettings()


def gradients(settings: Settings) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """How far each loss's gradient is from its closed form at worst, and the gradients themselves."""
    logits = saturation.logits(settings.max_logit, settings.num_logits)
    found = saturation.gradients(logits)
    entries = {
        name: {
            "largest_deviation": largest,
            "compared_to": saturation.CLOSED_FORMS[name][0],
            "tolerance": EXACT,
            "num_logits": settings.num_logits,
        }
        for name, largest in saturation.deviations(logits).items()
    }
    return entries, {"logits": logits.numpy()} | {name: each.numpy() for name, each in found.items()}


def value(settings: Settings) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The game's value at the best D and at a trained one, and the curves of both."""
    p, q = settings.real, settings.fake
    best = divergence.optimal_logits(p, q)
    trained = partial(discriminator.logits, discriminator.train(p, q, settings.discriminator))
    x = np.linspace(*divergence.support(p, q), 1001)
    shown = {
        name: divergence.sigmoid(logits(x)) for name, logits in (("optimal", best), ("trained", trained))
    }
    densities = {"real": np.exp(p.log_density(x)), "fake": np.exp(q.log_density(x))}
    return values(p, q, trained, settings.discriminator), {"x": x} | densities | shown


def flat(found: dict[str, Any]) -> dict[str, float]:
    """The numbers that a metrics file holds of these."""
    optimal, trained = found["value_at_optimal_discriminator"], found["value_at_trained_discriminator"]
    return {
        "value_deviation": optimal["deviation"],
        "trained_relative_error": trained["relative_error"],
        "jsd_relative_error": found["jsd_from_trained_discriminator"]["relative_error"],
        **{
            f"{name}_gradient_deviation": entry["largest_deviation"]
            for name, entry in found["gradients"].items()
        },
    }


def values(p: Normals, q: Normals, trained: Function, settings: DiscriminatorSettings) -> dict[str, Any]:
    """The numbers: V(D*) against 2 JSD - log 4, V of a trained D against V(D*), its D against D*."""
    jsd = divergence.jensen_shannon(p, q)
    optimal = divergence.value(p, q, divergence.optimal_logits(p, q))
    reached = divergence.value(p, q, trained)
    implied = (reached + LOG_4) / 2
    budget = {"num_steps": settings.num_steps, "batch_size": settings.batch_size}
    return {
        "value_at_optimal_discriminator": {
            "value": optimal,
            "compared_to": "2 JSD - log 4",
            "expected": 2 * jsd - LOG_4,
            "deviation": abs(optimal - 2 * jsd + LOG_4),
            "tolerance": EXACT,
        },
        "value_at_trained_discriminator": budget
        | {
            "value": reached,
            "compared_to": "the value at the optimal discriminator",
            "expected": optimal,
            "relative_error": abs(reached / optimal - 1),
            "tolerance": TRAINED,
        },
        "jsd_from_trained_discriminator": budget
        | {
            "value": implied,
            "compared_to": "JSD by quadrature",
            "expected": jsd,
            "relative_error": abs(implied / jsd - 1),
        },
        "trained_probability_minus_optimal": budget
        | {"compared_to": "p / (p + q)"}
        | divergence.deviation(p, q, trained),
    }
