"""The report's sections on what is known exactly: the losses, and one flipper with four answers."""

from pathlib import Path

from pipeline.report.figures import theory
from pipeline.report.figures.figures import png
from pipeline.report.results import arrays, read
from pipeline.report.sections import Section


def of_losses(details: Path, curves: Path) -> Section:
    """Gradients in closed form, and the value of the game."""
    found, lines = read(details)["losses"], arrays(curves / "losses.npz")
    figures = {
        "theory-gradients": png(theory.gradients(lines)),
        "theory-discriminators": png(theory.discriminators(lines)),
    }
    trained = found["value_at_trained_discriminator"]
    values = found | {"num_draws": trained["num_steps"] * trained["batch_size"]}
    return Section("theory", "losses.html", figures, values)


def of_penguins(details: Path, curves: Path) -> Section:
    """The claim, where the truth can be written down."""
    found = read(details)["bayes"]
    at = found["answers_at_shown_x"]
    figure = theory.posteriors(arrays(curves / "bayes.npz"), at["x"], at["regression"])
    return Section("bayes", "bayes.html", {"bayes-posteriors": png(figure)}, found)
