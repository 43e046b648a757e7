"""The GAN study: what each loss, network and stabiliser comes to, and why the saturating loss is not used."""

from collections.abc import Mapping

import pandas as pd

from pipeline.methods.adversarial import Settings
from pipeline.report import tables
from pipeline.report.figures import figures
from pipeline.report.results import Result, Results
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


def section(entries: Mapping[str, Settings], table: pd.DataFrame, results: Results) -> Section:
    """The study of the unconditional GANs.

    Args:
        entries: the settings of each GAN, by name.
        table: rows of `tables.comparison`, these models' among others.
        results: theirs, by the same names.
    """
    curves = {name: curve(result.history, entries[name]) for name, result in results.items()}
    drawn = {"study-curves": figures.png(figures.training_curves(curves))}
    pair = twins(entries)
    if pair:
        of_losses = {entries[name].loss: results[name].history for name in pair}
        drawn["study-saturation"] = figures.png(figures.saturation(of_losses))
    cells = {row[0]: row[1:] for row in tables.written(table, COLUMNS)}
    rows = [facts(result, entries[name]) + cells[name] for name, result in results.items()]
    named = [results[name].entry for name in pair]
    values = {"rows": rows, "headings": list(COLUMNS.values()), "pair": named}
    return Section("study", "study.html", drawn, values)


def facts(result: Result, entry: Settings) -> list[str]:
    """What is said of one GAN before its metrics."""
    loss, switches = entry.loss.replace("_", " "), ", ".join(stabilisers(entry)) or "none"
    sizes = f"{result.details['num_parameters']:,}", f"{result.details['flops'] / 1e6:.1f}"
    return [result.entry, entry.network, loss, switches, f"{entry.num_steps * entry.batch_size:,}", *sizes]


def stabilisers(entry: Settings) -> list[str]:
    """The stabilisers that are on, in words."""
    found = []
    if entry.discriminator_norm != "none":
        found.append(f"{entry.discriminator_norm} norm")
    found += [f"{word} {weight:g}" for key, word in PENALTIES.items() if (weight := getattr(entry, key))]
    if entry.minibatch_stddev:
        found.append("minibatch stddev")
    if entry.packing > 1:
        found.append(f"packs of {entry.packing}")
    found += entry.augment
    if entry.clusters:
        found.append(f"{entry.clusters} clusters")
    if entry.discriminator_steps > 1:
        found.append(f"K = {entry.discriminator_steps}")
    return found


def curve(history: pd.DataFrame, entry: Settings) -> pd.DataFrame:
    """Images seen and the cheap FID after them."""
    measured = history.dropna(subset=["fid"])
    return pd.DataFrame({"images": measured["step"] * entry.batch_size, "fid": measured["fid"]})


def twins(entries: Mapping[str, Settings]) -> list[str]:
    """Two entries that differ in nothing but the loss, saturating and not; empty if there are none."""
    for first, one in entries.items():
        for second, other in entries.items():
            same = one.model_dump(exclude={"loss"}) == other.model_dump(exclude={"loss"})
            if same and (one.loss, other.loss) == ("saturating", "nonsaturating"):
                return [first, second]
    return []
