"""The tables of benchmarks/peers.md, in the place that it keeps for them."""

import re
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.entrants import IN_ORDER
from benchmarks.peers.peer import Peer
from benchmarks.peers.rows import MACHINE, Rows
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import new_file

PAGE = Path("benchmarks") / "peers.md"
BEGIN, END = "<!-- begin: python -m benchmarks.peers -->", "<!-- end -->"
NONE = "-"


def fill(page: Path, rows: Rows) -> None:
    """Write the tables between the page's marks."""
    text = page.read_text("utf-8")
    marks = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if not marks.search(text):
        raise InputError(f"{page}: has no place for the tables: {BEGIN} and {END} must stand in it")
    with new_file(page) as part:
        part.write_text(marks.sub(lambda _: f"{BEGIN}\n\n{tables(rows)}\n{END}", text), "utf-8")


def tables(rows: Rows) -> str:
    """Speed, quality and cost of a sample."""
    facts = {name: rows.text(MACHINE, name) for name in ("processor", "torch", "threads", "turn_seconds")}
    turns = max((len(rows.series(peer.name, "images_per_second")) for peer in IN_ORDER), default=0)
    caption = (
        f"{facts['processor']}, PyTorch {facts['torch']}, threads of each: {facts['threads']}. Rates: "
        f"medians of {turns} turns of {facts['turn_seconds']} seconds, with the lowest and the highest."
    )
    return "\n".join([caption, "", *speed(rows), "", *quality(rows), "", *cost(rows), ""])


def speed(rows: Rows) -> list[str]:
    lines = ["setting", "MFLOP an image", "images/s", "GFLOP/s", "of the convolution's"]
    found = table(["program", *lines])
    for peer in IN_ORDER:
        rate, flop = rows.rate(peer.name), rows.number(peer.name, "mflop_per_image")
        if rate is None or flop is None:
            continue
        turns = rows.series(peer.name, "images_per_second").values()
        spread = f"{rate:.0f} ({min(turns):.0f} to {max(turns):.0f})" if rate >= 10 else f"{rate:.1f}"
        share, done = share_of_peak(rows, peer), rate * flop / 1000
        found += table_row([peer.name, peer.setting, f"{flop:.1f}", spread, f"{done:.0f}", share])
    return found


def share_of_peak(rows: Rows, peer: Peer) -> str:
    """Operations a second, over those of the convolution in the peer's precision."""
    precision = rows.text(peer.name, "precision")
    limit = f"convolution-{precision}"
    rate, flop = rows.rate(peer.name), rows.number(peer.name, "mflop_per_image")
    peak, one = rows.rate(limit), rows.number(limit, "mflop_per_image")
    if rate is None or flop is None or peak is None or one is None:
        return NONE
    return f"{rate * flop / (peak * one):.0%} of {precision}"


def quality(rows: Rows) -> list[str]:
    judged = [peer for peer in IN_ORDER if rows.series(peer.name, "fid")]
    marks = sorted({at for peer in judged for at in rows.series(peer.name, "fid")}, key=float)
    found = table(
        [
            "program",
            *(f"FID after {at} min" for at in marks),
            "squared errors",
            "real",
            "samples",
            "images seen",
        ]
    )
    for peer in judged:
        errors = [value(rows.number(peer.name, "mse", at), 4) for at in marks]
        seen = rows.series(peer.name, "images_trained")
        found += table_row(
            [
                peer.name,
                *(distance(rows.number(peer.name, "fid", at)) for at in marks),
                ", ".join(errors) if set(errors) != {NONE} else NONE,
                distance(rows.number(peer.name, "real_fid")),
                value(rows.number(peer.name, "samples"), 0),
                value(max(seen.values(), default=None), 0),
            ]
        )
    return found


def cost(rows: Rows) -> list[str]:
    """Of a sample, by the network that was trained the longest: an adaptive solver's depends on it."""
    found = table(["program", "parameters, millions", "evaluations a sample", "ms a sample"])
    for peer in IN_ORDER:
        if known := rows.series(peer.name, "evaluations"):
            last = max(known, key=float)
            measures = (("parameters", "", 2), ("evaluations", last, 1), ("ms_per_sample", last, 2))
            cells = [value(rows.number(peer.name, name, at), digits) for name, at, digits in measures]
            found += table_row([peer.name, *cells])
    return found


def distance(number: float | None) -> str:
    """An FID: those in features of drawings are small."""
    return value(number, 1 if number is not None and number >= 10 else 2)


def value(number: float | None, digits: int) -> str:
    return NONE if number is None else f"{number:,.{digits}f}"


def table(columns: Sequence[str]) -> list[str]:
    """The head of a table."""
    return [*table_row(columns), "|" + "---|" * len(columns)]


def table_row(cells: Sequence[str]) -> list[str]:
    return [f"| {' | '.join(cells)} |"]
