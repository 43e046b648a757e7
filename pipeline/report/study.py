"""The GAN study: what each loss, network and remedy comes to, and why the loss of the theory is not used."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.report import tables
from pipeline.report.figures import digits as figures
from pipeline.report.sections import Section

PENALTIES = {"r1": "R1", "r2": "R2", "gradient_penalty": "gradient penalty", "orthogonal": "orthogonal"}
COLUMNS = {
    name: tables.COLUMNS[name]
    for name in (
        "fid",
        "coverage",
        "precision",
        "recall",
        "class_kl",
        "two_sample_accuracy",
        "path_unevenness_slerp",
        "memorisation",
    )
}


def section(
    entries: Mapping[str, Mapping[str, Any]],
    table: pd.DataFrame,
    sizes: Mapping[str, Mapping[str, float]],
    histories: Mapping[str, pd.DataFrame],
) -> Section:
    """The study of the unconditional GANs.

    Args:
        entries: the section `gans` of params.yaml.
        table: rows of `tables.comparison`, these models' among others, named gan-<entry>.
        sizes: for each entry its generator's `num_parameters` and `flops`.
        histories: for each entry the history of its training.
    """
    courses = {name: course(histories[name], entry) for name, entry in entries.items()}
    pictures = {"study-courses": figures.png(figures.courses(courses))}
    pair = twins(entries)
    if pair:
        of_losses = {entries[name]["loss"]: histories[name] for name in pair}
        pictures["study-saturation"] = figures.png(figures.saturation(of_losses))
    cells = {row[0]: row[1:] for row in tables.written(table, COLUMNS)}
    rows = [facts(name, entry, sizes[name]) + cells[f"gan-{name}"] for name, entry in entries.items()]
    return Section(
        "study", "study.html", pictures, {"rows": rows, "headings": list(COLUMNS.values()), "pair": pair}
    )


def facts(name: str, entry: Mapping[str, Any], size: Mapping[str, float]) -> list[str]:
    """What is said of one GAN before its metrics."""
    loss, switches = entry["loss"].replace("_", " "), ", ".join(remedies(entry)) or "none"
    num_images = entry["num_steps"] * entry["batch_size"]
    numbers = [f"{num_images:,}", f"{size['num_parameters']:,}", f"{size['flops'] / 1e6:.1f}"]
    return [name, entry["network"], loss, switches, *numbers]


def remedies(entry: Mapping[str, Any]) -> list[str]:
    """The switches that are on, in words."""
    found = []
    if entry["discriminator_norm"] != "none":
        found.append(f"{entry['discriminator_norm']} norm")
    found += [f"{word} {entry[key]:g}" for key, word in PENALTIES.items() if entry[key]]
    if entry["minibatch_stddev"]:
        found.append("minibatch stddev")
    if entry["packing"] > 1:
        found.append(f"packs of {entry['packing']}")
    found += entry["augment"]
    if entry["clusters"]:
        found.append(f"{entry['clusters']} clusters")
    if entry["discriminator_steps"] > 1:
        found.append(f"K = {entry['discriminator_steps']}")
    return found


def course(history: pd.DataFrame, entry: Mapping[str, Any]) -> pd.DataFrame:
    """Images seen and the cheap FID after them."""
    measured = history.dropna(subset=["fid"])
    return pd.DataFrame({"images": measured["step"] * entry["batch_size"], "fid": measured["fid"]})


def twins(entries: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Two entries that differ in nothing but the loss, saturating and not; empty if there are none."""
    for first, one in entries.items():
        for second, other in entries.items():
            same = all(one[key] == other[key] for key in one if key != "loss")
            if same and (one["loss"], other["loss"]) == ("saturating", "nonsaturating"):
                return [first, second]
    return []
