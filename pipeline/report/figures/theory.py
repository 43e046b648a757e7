"""Curves of what is known exactly, and of what networks make of it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.report.figures.figures import Arrays, subplots
from pipeline.report.styles import STYLES, Style

EXACT, CONJUGATE, OTHER = STYLES["real"].colour, "#4f9d96", "#8a8a8f"
BIN = 2.0  # mm, of histograms of draws
SAMPLED = {name: STYLES[name] for name in ("engression", "cgan", "flow")}
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
    """Five answers: to one measurement on the left, with regression's; to all on the right. Lengths in mm."""
    figure = Figure(figsize=(12, 6), layout="constrained")
    one, rest = figure.subfigures(1, 2, width_ratios=(1.15, 1), squeeze=False)[0]
    answers_to_one(one.subplots(), curves, shown_x, regression)
    upper, middle, lower = rest.subplots(3, 1, sharex=True, height_ratios=(1.8, 1, 1))
    answers_to_all(upper, curves)
    errors(middle, curves, "mean")
    errors(lower, curves, "sd")
    lower.set(xlabel="what the camera says, mm", xlim=curves["x"][[0, -1]])
    return figure


def answers_to_one(cell: Axes, curves: Arrays, shown_x: float, regression: float) -> None:
    """Prior, likelihood and posterior of the measurement, regression's one answer and outlines of draws."""
    y, drawn = curves["y"], {name: curves[f"{name}_drawn_at"] for name in SAMPLED}
    cell.plot(y, curves["prior"], color=OTHER, label="prior: penguins measured before")
    cell.plot(y, curves["likelihood_at"], color=OTHER, linestyle="--", label="likelihood of the measurement")
    cell.axvline(shown_x, color=OTHER, linestyle=":", label=f"the camera: {shown_x:g} mm")
    cell.fill_between(y, curves["exact_at"], color="#ededf0", linewidth=0)
    cell.plot(y, curves["exact_at"], color=EXACT, linewidth=2, label="posterior, exact")
    label = "posterior of a normal prior"
    cell.plot(y, curves["conjugate_at"], color=CONJUGATE, linestyle="-.", label=label)
    cell.axvline(regression, color=STYLES["regression"].colour, linewidth=2, label="regression's one answer")
    low, high = np.min(list(drawn.values())), np.max(list(drawn.values()))
    edges = np.arange(np.floor(low), high + BIN, BIN)
    for name, style in SAMPLED.items():
        density, _ = np.histogram(drawn[name], edges, density=True)
        label = f"{style.label}: {len(drawn[name]):,} draws"
        cell.stairs(density, edges, color=style.colour, linewidth=1.5, label=label)
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
    for i, (name, style) in enumerate(SAMPLED.items()):
        dashes = (3 * i, (3, 3 * len(SAMPLED) - 3))  # lines that coincide take turns
        for side, label in ((-1, f"{style.label}: mean ± sd"), (0, None), (1, None)):
            edge = curves[f"{name}_mean"] + side * curves[f"{name}_sd"]
            cell.plot(x, edge, color=style.colour, linewidth=1.5, linestyle=dashes, label=label)
    cell.plot(x, x, color=OTHER, linewidth=1, linestyle=(0, (1, 3)), label="the camera's word for it")
    cell.set(ylabel="flipper length, mm")
    cell.legend()


def errors(cell: Axes, curves: Arrays, moment: str) -> None:
    """How far each answer's mean, or sd, is from the exact one; `moment` is which."""
    cell.axhline(0, color=EXACT, linewidth=2)
    lines = {f"{name}_{moment}": style for name, style in SAMPLED.items()}
    if moment == "mean":
        lines |= {
            "conjugate_mean": Style("posterior of a normal prior", CONJUGATE),
            "regression": STYLES["regression"],
        }
    for name, style in lines.items():
        off = curves[name] - curves[f"exact_{moment}"]
        line = "-." if style.colour == CONJUGATE else "-"
        cell.plot(curves["x"], off, color=style.colour, linewidth=1.2, linestyle=line, label=style.label)
    cell.set(ylabel=f"{moment} less\nexact {moment}, mm")
