"""The report's section on one flipper and four answers: the claim, where the truth can be written down."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.report.figures import digits as figures
from pipeline.report.figures import theory as figures_theory
from pipeline.report.sections import Section


def section(numbers: Path, curves: Path) -> Section:
    """What the stage `bayes` found, from its two files."""
    found: dict[str, Any] = json.loads(numbers.read_text())
    at = found["answers_at_shown_x"]
    with np.load(curves) as arrays:
        picture = figures_theory.posteriors(dict(arrays), at["x"], at["regression"])
    return Section("bayes", "bayes.html", {"bayes-posteriors": figures.png(picture)}, found)
