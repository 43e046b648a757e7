"""The report's section on mode collapse where the truth is known."""

import numpy as np
import pandas as pd

from pipeline.metrics.points import NUM_SIGMAS
from pipeline.report.figures import points
from pipeline.report.figures.points import Evolution
from pipeline.report.results import Result, Results, Section
from pipeline.tasks.points import TARGETS


def section(results: Results) -> Section:
    """The section on all entries of toys, by name.

    Their snapshots are `steps` (T,), `clouds` (T, S, N, 2) and, of GANs, `landscapes` (T, S, side, side).
    """
    totals: dict[str, int] = {}
    histories: dict[str, dict[str, pd.DataFrame]] = {}
    for name, result in results.items():
        target = result.details["target"]
        totals[target] = result.details["num_modes"]
        histories.setdefault(target, {})[name] = result.history
    evolutions = points.evolutions({name: worst(result) for name, result in results.items()})
    drawn = {"points-evolution": evolutions, "points-modes": points.modes(histories, totals)}
    scores = {name: result.details | {"mean": result.metrics} for name, result in results.items()}
    num_members = max(len(score["members"]) for score in scores.values())
    headings = [("modes, good samples", f"seed {i + 1}") for i in range(num_members)]
    return Section("toys", drawn, {"toys": scores, "of_members": headings})


def worst(result: Result) -> Evolution:
    """The training of the member that ended with the fewest modes; of these, with the fewest good samples."""
    members = result.details["members"]
    k = min(range(len(members)), key=lambda i: (members[i]["modes"], members[i]["good_share"]))
    target = TARGETS[result.details["target"]]
    centres, clouds = target.centres.numpy(), result.snapshots["clouds"][:, k]
    distance = np.linalg.norm(clouds[:, :, None] - centres, axis=3).min(2)
    landscapes = None
    if "landscapes" in result.snapshots:
        landscapes = result.snapshots["landscapes"][:, k].astype(np.float32)
    good = distance < NUM_SIGMAS * target.sigma
    return Evolution(result.snapshots["steps"], clouds, good, landscapes, centres, target.extent)
