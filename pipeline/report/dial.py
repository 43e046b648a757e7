"""The report's section on the dial: one network, from the average to one plausible answer; and what is known
exactly of a posterior, beside what the methods make of it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from pipeline.report.figures import dial
from pipeline.report.figures.figures import sheet
from pipeline.report.results import Result, Results, Section

GREY_LEVEL = 1 / 255
SHOWN = 1  # which of the conditions that a task's dial has pictures of
NUM_TURNED = 2  # of them on the first screen, from that one on


def section(models: Results, toys: Results, penguins: Mapping[str, Any], num_samples: int) -> Section:
    """The dials of all models and toys that have one, and of the penguins; those of models are of so many
    conditions at most.
    """
    turned = {result.task: result for result in models.values() if "dial" in result.details}
    dials = {task: of_model(result, models) for task, result in turned.items()}
    for name, toy in toys.items():
        if rows := toy.details.get("dial"):
            dials[name] = table(rows, toy.details["variance"], True)
    of_penguins = penguins["dial"]
    dials["penguins"] = table(of_penguins["rows"], of_penguins["variance"], True)
    curves = dial.curves({task: columns(found["rows"]) for task, found in dials.items()})
    drawn: dict[str, Figure | bytes] = {"dial-curves": curves}
    steps: list[int] = []
    if turned:
        steps = [int(row["steps"]) for row in next(iter(turned.values())).details["dial"]]
        drawn["dial-pictures"] = dial.pictures([pictures(result) for result in turned.values()], steps)
        drawn |= frames(turned, steps)
    exact = {name: result for name, result in models.items() if "exact" in result.details}
    values = {"dials": dials, "pictured": list(turned), "num_samples": f"{num_samples:,}"}
    turns = [{"steps": num, "of": at(dials, list(turned), i)} for i, num in enumerate(steps)]
    known = of_known(exact) if exact else None
    return Section("dial", drawn, {**values, "frames": turns, "exact": known})


def of_model(result: Result, models: Results) -> dict[str, Any]:
    """The dial of a flow: errors over V where the task's is known, else over regression's error, and where
    there is none over its own in one step.
    """
    rows = result.details["dial"]
    if known := result.details.get("exact"):
        return table(rows, known["variance"], True)
    regressions = [each for each in models.values() if each.task == result.task and not each.style.sampled]
    error = regressions[0].metrics["sample_mse"] if regressions else rows[0]["sample_mse"]
    return table(rows, error, False)


def table(rows: list[dict[str, float]], average: float, exact: bool) -> dict[str, Any]:
    """The rows, each with `error`, that of a sample over the average's, and its FID over the first
    one's; in `fids` as they are. `grouped`: the answers of one step differ, being means of hidden groups.
    """
    found = []
    for row in rows:
        shown = row | {"error": row["sample_mse"] / average}
        if "fid" in row:
            shown |= {"fid": row["fid"] / rows[0]["fid"]}
        found.append(shown)
    grouped = rows[0].get("apsd", 0.0) > GREY_LEVEL
    return {"rows": found, "fids": [row.get("fid") for row in rows], "exact": exact, "grouped": grouped}


def columns(rows: list[dict[str, float]]) -> dict[str, list[float]]:
    return {key: [row[key] for row in rows] for key in rows[0]}


def pictures(result: Result, k: int = SHOWN) -> dict[str, Any]:
    samples = result.samples
    found = {"truth": samples["dial_truth"][k], "answers": samples["dial"][:, k]}
    return found | ({"condition": samples["dial_condition"][k]} if "dial_condition" in samples else {})


def frames(turned: Results, steps: list[int]) -> dict[str, bytes]:
    """For the dial that is turned by hand, PNG files with a column a drawing: what is given of it, and below
    it the truth; and a file a number of steps, the flow's answers.
    """
    chosen = [pictures(result, k) for result in turned.values() for k in range(SHOWN, SHOWN + NUM_TURNED)]
    side = max(each["truth"].shape[1] for each in chosen)
    blank = np.full((3, side, side), 255, np.uint8)
    rows = {"dial-given": [each.get("condition", blank) for each in chosen]}
    rows["dial-given"] += [each["truth"] for each in chosen]
    rows |= {f"dial-{num}": [each["answers"][i] for each in chosen] for i, num in enumerate(steps)}
    return {
        name: sheet(np.stack([dial.framed(image, side) for image in images]), len(chosen))
        for name, images in rows.items()
    }


def at(dials: Mapping[str, Any], tasks: list[str], i: int) -> dict[str, Any]:
    """Of each task the i-th row of its dial."""
    return {task: dials[task]["rows"][i] for task in tasks}


def of_known(exact: Results) -> dict[str, Any]:
    """Each method on the task whose posteriors are known: its errors over V, and its energy score over the
    least there is; and a flow's x-hat by t.
    """
    first = next(iter(exact.values())).details["exact"]
    rows = []
    for result in exact.values():
        found, metrics = result.details["exact"], result.metrics
        errors = (metrics["sample_mse"] / found["variance"], metrics["mean_mse"] / found["variance"])
        rows.append([result.style.label, *errors, found["energy_score"] / found["energy_score_least"]])
    denoisers = [result.details["exact"].get("denoiser") for result in exact.values()]
    denoiser = next((found for found in denoisers if found), None)
    times = ["how far from the exact x-hat, over V", *(f"t = {row['t']:g}" for row in denoiser or [])]
    task = next(iter(exact.values())).task
    return {"first": first, "rows": rows, "denoiser": denoiser, "times": times, "task": task}
