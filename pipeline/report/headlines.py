"""Three numbers of all that was measured, for who has just seen it run; the page has the others."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from pipeline.metrics.conformal import ALPHA

SAMPLERS = {"engression": "engression", "cgan": "the conditional GAN", "flow": "the flow"}
METHODS = {"regression": "regression", **SAMPLERS}


class Headline(NamedTuple):
    number: str  # what is written large
    line: str  # what it is of, a colon, and what was measured


def headlines(reports: Path, left_out: str = "") -> list[Headline]:
    """Without the models of one task; those of which this project has measured nothing are left out."""
    found = digits(reports), tones(reports), intervals(reports, left_out)
    return [each for each in found if each]


def digits(reports: Path) -> Headline | None:
    """How far from real digits: the FID of regression, of the conditional GAN and of the flow."""
    fids = {said: average(reports, method, "digit", "fid") for method, said in METHODS.items()}
    known = {
        said: f"{fid:.1f}" for said, fid in fids.items() if fid is not None and said != SAMPLERS["engression"]
    }
    if not known:
        return None
    parts = [f"{said} {fid}" for said, fid in known.items()]
    return Headline(" / ".join(known.values()), f"digit: FID (lower is better) of {', '.join(parts)}")


def tones(reports: Path) -> Headline | None:
    """The best energy score where all right answers are known, and what it could be at best."""
    scores = {said: average(reports, method, "tones", "energy_score") for method, said in SAMPLERS.items()}
    known = {said: score for said, score in scores.items() if score is not None}
    if not known:
        return None
    best = min(known, key=known.__getitem__)
    line = f"tones: energy score (lower is better) of the best method, {best}, {known[best]:.4f}"
    exact = [
        details["exact"] for details in files(reports / "details", "flow", "tones") if "exact" in details
    ]
    least = exact[0].get("energy_score_least") if exact else None
    line += "" if least is None else f"; the least possible {least:.4f}"
    return Headline(f"{known[best]:.4f}", line)


def intervals(reports: Path, left_out: str = "") -> Headline | None:
    """How often the truth lay in the intervals of all models of all tasks but one."""
    every = sorted((reports / "metrics").glob("*.json"))
    others = [file for file in every if not re.fullmatch(rf"[a-z]+-{left_out}-\d+", file.stem)]
    found = [json.loads(file.read_text("utf-8")) for file in others]
    shares = [each["interval_coverage"] for each in found if each.get("interval_coverage") is not None]
    if not shares:
        return None
    promised = f"intervals: {1 - ALPHA:.0%} of unseen pixels are to lie in them"
    line = f"{promised}; {mean(shares):.1%} do ({min(shares):.1%} to {max(shares):.1%} by model)"
    return Headline(f"{mean(shares):.1%}", line)


def average(reports: Path, method: str, task: str, metric: str) -> float | None:
    """A metric of a method on a task, over its seeds."""
    found = [
        each[metric] for each in files(reports / "metrics", method, task) if each.get(metric) is not None
    ]
    return mean(found) if found else None


def files(folder: Path, method: str, task: str) -> Iterator[dict[str, Any]]:
    """What is known of a method's models of a task, one a seed."""
    for file in sorted(folder.glob(f"{method}-{task}-*.json")):
        if file.stem.removeprefix(f"{method}-{task}-").isdigit():
            yield json.loads(file.read_text("utf-8"))
