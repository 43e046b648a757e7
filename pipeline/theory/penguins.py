"""Five answers to: a camera says x, how long is the flipper?

The exact posterior, a network trained by squared error, and three whose samples should be the posterior's:
engression, a conditional GAN and flow matching. Beside them the posterior of a normal prior.
"""

from typing import Any

import numpy as np
import torch

from pipeline.metrics import scores
from pipeline.metrics.dial import STEPS
from pipeline.networks.flow import Flow, sampling_with
from pipeline.theory import posterior as bayes
from pipeline.theory.learned import Networks, Settings, train
from pipeline.theory.posterior import Camera, Posterior

HELD = [0.025, 0.975]  # shares of p(x) below and above which regression is not measured
REGRESSION_TOLERANCE, TOLERANCE = 0.3, 1.0  # mm: of regression's mean, and of W1 of samples
NUM_SHOWN = 201  # values of x along the figure
TOGETHER = 200  # exact posteriors held in memory at a time

# purposes of random numbers
HELD_OUT, HELD_OUT_LATENTS, FLOOR = "held out", "latents of held-out draws", "W1's floor"
FIGURE_LATENTS, CURVE_LATENTS = "latents of the figure", "latents of the curves"
DIAL, DIAL_LATENTS = "dial", "latents of the dial"


def measure(lengths: np.ndarray, settings: Settings) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """All numbers, in mm, each with what it is compared to and the counts it comes from; and the curves."""
    networks = train(lengths, settings)
    camera, num, shown = networks.camera, settings.num_draws, np.array([settings.shown_x])
    low, high = camera.seen.quantiles(HELD)
    x = np.linspace(low, high, NUM_SHOWN)
    drawn_along = {name: networks.draws_along(name, x, num, CURVE_LATENTS) for name in networks.samplers}
    drawn_at = {name: networks.draws(name, shown, num, FIGURE_LATENTS) for name in networks.samplers}
    along, at_shown = answers(networks, x, drawn_along), answers(networks, shown, drawn_at)
    compared = {"compared_to": "mean of the exact posterior", "x_from": low, "x_to": high, "num_x": NUM_SHOWN}
    prior = {"num_lengths": len(lengths), "bandwidth": settings.bandwidth}
    counts = {"x": settings.shown_x, "num_draws": num}
    numbers = {
        "prior": prior | {"mean": camera.prior.mean, "sd": camera.prior.sd},
        "answers_at_shown_x": counts | {name: values[0] for name, values in at_shown.items()},
        "regression": compared | errors(along, "regression") | {"tolerance": REGRESSION_TOLERANCE},
        "conjugate": compared | errors(along, "conjugate_mean"),
        **on_held_out(networks, settings),
        "dial": dial(networks, settings),
    }
    return numbers, curves(camera, settings.shown_x, drawn_at, {"x": x} | along) | weights(networks)


def weights(networks: Networks) -> dict[str, np.ndarray]:
    """All networks' weights, float32: `regression.layers.0.weight` and so on."""
    modules = {"regression": networks.regression, **networks.samplers}
    states = {name: module.state_dict() for name, module in modules.items()}
    return {f"{name}.{key}": value.numpy() for name, state in states.items() for key, value in state.items()}


def answers(networks: Networks, x: np.ndarray, drawn: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All answers to each x, (N,), with draws of each sampler, (N, M): by name, (N,), in mm."""
    posterior = bayes.exact(networks.camera, x)
    mean, sd = bayes.conjugate(networks.camera, x)
    found = {
        "exact_mean": posterior.mean,
        "exact_sd": posterior.sd,
        "conjugate_mean": mean,
        "conjugate_sd": np.full(len(x), sd),
        "regression": networks.answers(x),
    }
    for name, values in drawn.items():
        found |= {f"{name}_mean": values.mean(1), f"{name}_sd": values.std(1)}
    return found


def errors(found: dict[str, np.ndarray], name: str) -> dict[str, float]:
    """How far an answer is from the posterior mean."""
    off = np.abs(found[name] - found["exact_mean"])
    return {"largest_error": off.max(), "mean_error": off.mean()}


def on_held_out(networks: Networks, settings: Settings) -> dict[str, dict[str, Any]]:
    """How far each sampler's draws are from the posteriors of held-out measurements, and each answer from the
    truth, with the CRPS, whose least is the posteriors' own; the floor is what as many draws from these get.
    In mm.
    """
    num = settings.num_draws
    x, y = held_out(networks.camera, settings.num_held_out, settings.seed, HELD_OUT)
    posterior = bayes.exact(networks.camera, x)
    best = bayes.draws(posterior, num, settings.seed, FLOOR)
    compared = {
        "compared_to": "exact posteriors of held-out x",
        "floor": bayes.wasserstein(posterior, best).mean(),
        "tolerance": TOLERANCE,
        "num_held_out": settings.num_held_out,
        "num_draws": num,
    }
    drawn = {name: networks.draws(name, x, num, HELD_OUT_LATENTS) for name in networks.samplers}
    of_draws = {name: compared | deviations(posterior, values) for name, values in drawn.items()}
    rmse = {"posterior_mean": posterior.mean, "regression": networks.answers(x)}
    for name, values in drawn.items():
        rmse |= {f"mean_of_{name}_draws": values.mean(1), f"one_{name}_draw": values[:, 0]}
    errors = {name: float(np.sqrt(np.square(found - y).mean())) for name, found in rmse.items()}
    everyone = {"posterior": best, "regression": rmse["regression"][:, None], **drawn}
    scored = {name: crps(found, y) for name, found in everyone.items()}
    counted = {"num_held_out": settings.num_held_out}
    return of_draws | {"rmse_held_out": counted | errors, "crps_held_out": counted | scored}


def crps(drawn: np.ndarray, y: np.ndarray) -> float:
    """The mean CRPS, in mm, of draws (N, M) for truths (N,)."""
    return scores.crps(torch.from_numpy(drawn)[..., None], torch.from_numpy(y)[:, None]).mean().item()


def deviations(posterior: Posterior, drawn: np.ndarray) -> dict[str, float]:
    """How far draws, (N, M), are from the posterior in their row, over all rows, in mm."""
    distances = bayes.wasserstein(posterior, drawn)
    return {
        "wasserstein": distances.mean(),
        "worst_wasserstein": distances.max(),
        "mean_error": np.abs(drawn.mean(1) - posterior.mean).mean(),
        "sd_error": np.abs(drawn.std(1) - posterior.sd).mean(),
    }


def held_out(camera: Camera, num: int, seed: int, purpose: str) -> tuple[np.ndarray, np.ndarray]:
    """x and y of so many animals that no network was trained on, (num,) each, in mm, float64."""
    x, y = camera.pairs(num, seed, purpose)
    return x.double().numpy(), y.double().numpy()


def dial(networks: Networks, settings: Settings) -> dict[str, Any]:
    """What the flow's draws are after few and after many Euler steps: from the mean to a draw of the
    posterior.

    `sample_mse`, in mm^2, is one draw's against the true length, over num_dial measurements. With V their
    mean posterior variance, the mean has V and a draw of the posterior 2 V. W1, in mm, is over the held-out
    measurements.
    """
    camera, seed, sampler = networks.camera, settings.seed, networks.samplers["flow"]
    assert isinstance(sampler, Flow)
    x, y = held_out(camera, settings.num_dial, seed, DIAL)
    variances = [
        np.square(bayes.exact(camera, part).sd) for part in np.split(x, range(TOGETHER, len(x), TOGETHER))
    ]
    few, _ = held_out(camera, settings.num_held_out, seed, HELD_OUT)
    posterior, rows = bayes.exact(camera, few), []
    for num_steps in STEPS:
        with sampling_with(sampler, "euler", num_steps, guidance=1.0):
            one = networks.draws("flow", x, 1, DIAL_LATENTS)[:, 0]
            drawn = networks.draws("flow", few, settings.num_draws, HELD_OUT_LATENTS)
        mse, distances = np.square(one - y).mean(), bayes.wasserstein(posterior, drawn)
        rows.append({"steps": num_steps, "sample_mse": mse, "wasserstein": distances.mean()})
    return {"variance": np.concatenate(variances).mean(), "num_x": len(x), "rows": rows}


def curves(
    camera: Camera, shown_x: float, drawn: dict[str, np.ndarray], along: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """What the figures show, by name; *_at is about the one x shown, with draws (1, M), the rest runs over x.

    In float32: in the last digits of float64 processors differ.
    """
    shown = np.array([shown_x])
    at, (mean, sd) = bayes.exact(camera, shown), bayes.conjugate(camera, shown)
    likelihood = np.exp(-np.square((shown_x - at.y) / camera.noise) / 2)
    normal = np.exp(-np.square((at.y - mean) / sd) / 2)
    found = {
        "y": at.y,
        "prior": np.exp(camera.prior.log_density(at.y)),
        "likelihood_at": likelihood / (camera.noise * np.sqrt(2 * np.pi)),
        "exact_at": at.density[0],
        "conjugate_at": normal / (sd * np.sqrt(2 * np.pi)),
    }
    found |= {f"{name}_drawn_at": values[0] for name, values in drawn.items()}
    found |= {name: values for name, values in along.items() if name != "conjugate_sd"}
    return {name: values.astype(np.float32) for name, values in found.items()}
