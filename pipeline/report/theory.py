"""The report's section on what is known of the losses: gradients in closed form, the value of the game."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.report.figures import digits as figures
from pipeline.report.figures import theory as figures_theory
from pipeline.report.sections import Section


def section(numbers: Path, curves: Path) -> Section:
    """What the stage `theory` found, from its two files."""
    found: dict[str, Any] = json.loads(numbers.read_text())
    with np.load(curves) as arrays:
        lines = dict(arrays)
    pictures = {
        "theory-gradients": figures.png(figures_theory.gradients(lines)),
        "theory-discriminators": figures.png(figures_theory.discriminators(lines)),
    }
    trained = found["value_at_trained_discriminator"]
    values = found | {"num_draws": trained["num_steps"] * trained["batch_size"]}
    return Section("theory", "theory.html", pictures, values)
