"""Curves of what is known exactly, and of what networks make of it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.report.figures.figures import Arrays, subplots
from pipeline.report.styles import STYLES

EXACT, CONJUGATE, OTHER = STYLES["real"].colour, "#e08e0b", "#8a8a8f"
LOSSES = {"saturating": "#c0392b", "nonsaturating": "#1f6fb2"}
SEEN = 1e-4  # of a density's peak: the part of the line that is shown


def gradients(curves: Arrays) -> Figure:
    """How hard each loss pushes G, over D's `logits`: `saturating` and `nonsaturating`, all (N,)."""
    figure, (left, right) = subplots(10, 3.4, columns=2)
    logits = curves["logits"]
    for name, colour in LOSSES.items():
        strength = np.abs(curves[name])
        left.plot(1 / (1 + np.exp(-logits)), strength, color=colour, label=name)
        right.plot(logits, strength, color=colour, label=name)
    left.set(xlabel="D's probability that the fake is real, sigmoid(logit)", ylabel="|gradient|", xlim=(0, 1))
    right.set(xlabel="D's logit of the fake", ylabel="|gradient|, logarithmic", yscale="log")
    right.axvspan(logits[0], 0, color="#f1f1f3", zorder=0)
    right.set_xlim(logits[0], logits[-1])
    right.text(0.72 * logits[0], 0.02, "D is right:\nit takes the image\nfor a fake", ha="center", fontsize=8)
    left.legend()
    right.legend()
    return figure


def discriminators(curves: Arrays) -> Figure:
    """Densities `real` and `fake` over `x`, and D's probabilities, `optimal` and `trained`, all (N,)."""
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True)
    x, density = curves["x"], curves["real"] + curves["fake"]
    for name, colour in (("real", EXACT), ("fake", STYLES["gan"].colour)):
        left.fill_between(x, curves[name], color=colour, alpha=0.12, linewidth=0)
        left.plot(x, curves[name], color=colour, label={"real": "p, real", "fake": "q, fake"}[name])
    right.axhline(0.5, color="#dddddd", linewidth=1)
    right.plot(x, curves["optimal"], color=EXACT, label="best: p / (p + q)")
    right.plot(x, curves["trained"], color=LOSSES["nonsaturating"], linestyle="--", label="trained on draws")
    shown = x[density > SEEN * density.max()]
    left.set(xlabel="x", ylabel="density", xlim=(shown[0], shown[-1]), ylim=(0, None))
    right.set(xlabel="x", ylabel="probability of being real", ylim=(-0.03, 1.03))
    left.legend()
    right.legend()
    return figure


def posteriors(curves: Arrays, shown_x: float, regression: float) -> Figure:
    """Four answers: to one measurement on the left, with regression's; to all on the right. Lengths in mm."""
    figure = Figure(figsize=(12, 5), layout="constrained")
    one, rest = figure.subfigures(1, 2, width_ratios=(1.15, 1), squeeze=False)[0]
    answers_to_one(one.subplots(), curves, shown_x, regression)
    upper, lower = rest.subplots(2, 1, sharex=True, height_ratios=(2.2, 1))
    answers_to_all(upper, curves)
    errors(lower, curves)
    return figure


def answers_to_one(cell: Axes, curves: Arrays, shown_x: float, regression: float) -> None:
    """Prior, likelihood and posterior of the measurement, regression's one answer and the cGAN's draws."""
    y, drawn = curves["y"], curves["drawn_at"]
    cell.plot(y, curves["prior"], color=OTHER, label="prior: penguins measured before")
    cell.plot(y, curves["likelihood_at"], color=OTHER, linestyle="--", label="likelihood of the measurement")
    bins = np.arange(np.floor(drawn.min()), np.ceil(drawn.max()) + 1).tolist()
    label = f"cGAN: {len(drawn)} draws"
    cell.hist(drawn, bins, density=True, color=STYLES["cgan"].colour, alpha=0.35, label=label)
    cell.plot(y, curves["exact_at"], color=EXACT, linewidth=2, label="posterior, exact")
    label = "posterior of a normal prior"
    cell.plot(y, curves["conjugate_at"], color=CONJUGATE, linestyle="-.", label=label)
    cell.axvline(regression, color=STYLES["regression"].colour, linewidth=2, label="regression's one answer")
    cell.axvline(shown_x, color=OTHER, linestyle=":", label=f"the camera: {shown_x:g} mm")
    held = y[curves["exact_at"] + curves["prior"] + curves["likelihood_at"] > 1e-3]
    top = max(curves[name].max() for name in ("prior", "exact_at", "likelihood_at"))
    cell.set(xlabel="flipper length, mm", ylabel="density", xlim=(held[0], held[-1]), ylim=(0, 1.25 * top))
    cell.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)


def answers_to_all(cell: Axes, curves: Arrays) -> None:
    """Mean and spread of each answer over the measurement."""
    x, mean, sd = curves["x"], curves["exact_mean"], curves["exact_sd"]
    cell.fill_between(x, mean - sd, mean + sd, color="#dcdce0", linewidth=0, label="posterior: mean ± sd")
    cell.plot(x, mean, color=EXACT, linewidth=2)
    cell.plot(x, curves["regression"], color=STYLES["regression"].colour, linestyle="--", label="regression")
    for i, side in enumerate((-1, 0, 1)):
        label = "cGAN: mean ± sd" if i == 0 else None
        style = "-" if side == 0 else ":"
        edge = curves["cgan_mean"] + side * curves["cgan_sd"]
        cell.plot(x, edge, color=STYLES["cgan"].colour, linewidth=1, linestyle=style, label=label)
    cell.plot(x, x, color=OTHER, linewidth=1, linestyle=(0, (1, 3)), label="the camera's word for it")
    cell.set(ylabel="flipper length, mm")
    cell.legend()


def errors(cell: Axes, curves: Arrays) -> None:
    """How far each mean is from the exact one."""
    cell.axhline(0, color=EXACT, linewidth=2)
    for name, colour, label in (
        ("cgan_mean", STYLES["cgan"].colour, "cGAN"),
        ("conjugate_mean", CONJUGATE, "posterior of a normal prior"),
        ("regression", STYLES["regression"].colour, "regression"),
    ):
        cell.plot(curves["x"], curves[name] - curves["exact_mean"], color=colour, linewidth=1.2, label=label)
    cell.set(xlabel="what the camera says, mm", ylabel="mean less\nexact mean, mm", xlim=curves["x"][[0, -1]])
    cell.legend(ncols=3, loc="upper center", bbox_to_anchor=(0.5, 1.22))
