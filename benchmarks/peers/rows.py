"""What was measured, a row a number, kept as it comes in, so that what is there is not measured again."""

import csv
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pipeline.runtime.errors import InputError
from pipeline.runtime.files import new_file

MACHINE = "machine"  # in place of a peer: what holds for all


class Row(NamedTuple):
    peer: str
    measure: str
    at: str  # minutes of training, or the number of a turn
    value: str


class Rows:
    """Those of a file, which is written whenever some are added."""

    def __init__(self, file: Path) -> None:
        self.file, self.rows = file, dict[tuple[str, str, str], str]()
        if file.exists():
            with file.open(newline="", encoding="utf-8") as lines:
                header, *rows = list(csv.reader(lines)) or [[]]
            if tuple(header) != Row._fields or any(len(row) != len(Row._fields) for row in rows):
                raise InputError(
                    f"{file}: not a table of {', '.join(Row._fields)}; name another, or delete it"
                )
            self.rows = {(peer, measure, at): value for peer, measure, at, value in rows}

    def add(self, rows: Iterable[Row]) -> None:
        self.rows |= {(row.peer, row.measure, row.at): row.value for row in rows}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with new_file(self.file) as part, part.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(Row._fields)
            table.writerows([*key, value] for key, value in self.rows.items())

    def forget(self, peer: str, measure: str) -> None:
        self.rows = {key: value for key, value in self.rows.items() if key[:2] != (peer, measure)}

    def text(self, peer: str, measure: str, at: str = "") -> str:
        """A value, or nothing."""
        return self.rows.get((peer, measure, at), "")

    def number(self, peer: str, measure: str, at: str = "") -> float | None:
        found = self.text(peer, measure, at)
        return float(found) if found else None

    def series(self, peer: str, measure: str) -> dict[str, float]:
        """All of a measure's values, by minutes or turn."""
        found = self.rows.items()
        return {at: float(value) for (of, what, at), value in found if (of, what) == (peer, measure)}

    def rate(self, peer: str) -> float | None:
        """Images a second: the median of the turns."""
        turns = self.series(peer, "images_per_second").values()
        return statistics.median(turns) if turns else None

    def same(self, facts: dict[str, str]) -> None:
        """Note these facts of the machine; an InputError if the rows there are of others."""
        for name, value in facts.items():
            found = self.text(MACHINE, name)
            if found and found != value:
                asked = f"of {name} = {found}, not {value}"
                raise InputError(
                    f"{self.file}: {asked}, and rows of both do not compare; name another, or delete it"
                )
        self.add(Row(MACHINE, name, "", value) for name, value in facts.items())
