"""The report's sections on GANs: the study of losses, networks and stabilisers; stacked digits."""

from collections.abc import Mapping

import pandas as pd

from pipeline.methods.adversarial import Settings
from pipeline.report import tables
from pipeline.report.figures import figures
from pipeline.report.results import Result, Results, Section

PENALTIES = {"r1": "R1", "r2": "R2", "gradient_penalty": "gradient penalty", "orthogonal": "orthogonal"}
SHOWN: tuple[str, ...] = ("fid", "coverage", "precision", "recall", "class_kl", "two_sample_accuracy")
SHOWN += ("path_unevenness_slerp", "memorisation")
COLUMNS = {name: tables.COLUMNS[name] for name in SHOWN}
OF_STACKED: dict[str, tables.Column] = {
    "modes": ("modes hit", "higher", "{:.0f}"),
    "kl": ("KL of modes", "lower", "{:.3f}"),
}


def section(entries: Mapping[str, Settings], table: pd.DataFrame, digits: Results) -> Section:
    """The study of the unconditional GANs, by name, and why the saturating loss is not used; and what
    truncation does to all models of digits that can truncate. `table` is a comparison of these, among others.
    """
    results = {name: digits[name] for name in entries}
    curves = {name: curve(result.history, entries[name]) for name, result in results.items()}
    drawn = {"study-curves": figures.descents(curves, "images seen")}
    pair = twins(entries)
    if pair:
        of_losses = {entries[name].loss: results[name].history for name in pair}
        drawn["study-saturation"] = figures.saturation(of_losses)
    if truncated := of_truncation(digits):
        drawn["study-truncation"] = figures.truncations(truncated)
    cells = tables.written(table, COLUMNS, results)
    said = [facts(result, entries[name]) for name, result in results.items()]
    rows = [[result.entry, *cells[name]] for name, result in results.items()]
    named = [results[name].entry for name in pair]
    values = {"facts": said, "rows": rows, "headings": tables.headings(COLUMNS), "pair": named}
    return Section("study", drawn, values | {"truncated": truncated})


def of_truncation(results: Results) -> dict[str, list[dict[str, float]]]:
    """The truncation curves of those models whose network can truncate."""
    found = {name: result.details.get("truncation_curve") for name, result in results.items()}
    return {name: rows for name, rows in found.items() if rows}


def of_stacked(table: pd.DataFrame, results: Results, num_stacks: int) -> Section:
    """How many of a thousand modes each GAN of stacked digits hits, trained on so many images."""
    drawn = {f"{name}-sheet": figures.sheet(result.samples["sheet"], 20) for name, result in results.items()}
    num_samples = next(iter(results.values())).details["counts"]["modes"][0]
    cells, counted = tables.written(table, OF_STACKED, results), ["1,000", f"{num_samples:,}"]
    rows = [[name, *row, *counted] for name, row in cells.items()]
    headings = ["GAN", *(heading for heading, _ in tables.headings(OF_STACKED)), "of", "samples counted"]
    values = {"headings": headings, "rows": rows, "names": list(results), "num_stacks": num_stacks}
    return Section("stacked", drawn, values)


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


def curve(history: pd.DataFrame, entry: Settings) -> list[tuple[float, float]]:
    """Pairs of images seen and the cheap FID after them."""
    measured = history.dropna(subset=["fid"])
    return list(zip(measured["step"] * entry.batch_size, measured["fid"], strict=True))


def twins(entries: Mapping[str, Settings]) -> list[str]:
    """Two entries that differ in nothing but the loss, saturating and not; empty if there are none."""
    for first, one in entries.items():
        for second, other in entries.items():
            same = one.model_dump(exclude={"loss"}) == other.model_dump(exclude={"loss"})
            if same and (one.loss, other.loss) == ("saturating", "nonsaturating"):
                return [first, second]
    return []
