"""The report's sections on what is known exactly: the losses, and one flipper with five answers."""

from pathlib import Path

from pipeline.report.figures import theory
from pipeline.report.results import Section, arrays, read


def of_losses(details: Path, curves: Path) -> Section:
    """Gradients in closed form, and the value of the game."""
    found, lines = read(details)["losses"], arrays(curves / "losses.npz")
    trained = found["value_at_trained_discriminator"]
    values = found | {"num_draws": trained["num_steps"] * trained["batch_size"]}
    drawn = {"gradients": theory.gradients(lines), "discriminators": theory.discriminators(lines)}
    return Section("theory", {f"theory-{name}": figure for name, figure in drawn.items()}, values)


def of_penguins(details: Path, curves: Path) -> Section:
    """The claim, where the truth can be written down."""
    found = read(details)["bayes"]
    at = found["answers_at_shown_x"]
    figure = theory.posteriors(arrays(curves / "bayes.npz"), at["x"], at["regression"])
    labels = {name: style.label for name, style in theory.SAMPLED.items()}
    return Section("bayes", {"bayes-posteriors": figure}, found | {"labels": labels})
