"""The Palmer penguins (Horst, Hill and Gorman 2020): a table -> the flipper lengths of one species."""

import csv
import math
from pathlib import Path

import numpy as np

from pipeline.runtime.errors import InputError

SPECIES_COLUMN, LENGTH_COLUMN = "species", "flipper_length_mm"
SPECIES = "Adelie"
MISSING = ("", "NA")  # how tables write that an animal was not measured


def flipper_lengths(path: Path) -> np.ndarray:
    """The measured flippers of the Adelie penguins, in mm, (N,), ascending, whatever the order of the rows.

    Raises:
        InputError: the file cannot be read, has not the columns `species` and `flipper_length_mm`, a length
            is no positive number, or no Adelie penguin was measured.
    """
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a table: {error}") from error
    found = list(rows[0]) if rows else []
    if absent := [name for name in (SPECIES_COLUMN, LENGTH_COLUMN) if name not in found]:
        has = ", ".join(map(str, found)) or "no rows"
        raise InputError(f"{path}: lacks the column {' and '.join(absent)}; it has {has}")
    measured = [
        (number, row[LENGTH_COLUMN])
        for number, row in enumerate(rows, start=2)  # the file's line: the first is the heading
        if row[SPECIES_COLUMN] == SPECIES and row[LENGTH_COLUMN] not in MISSING
    ]
    if not measured:
        species = ", ".join(sorted({str(row[SPECIES_COLUMN]) for row in rows}))
        raise InputError(f"{path}: no measured {SPECIES} penguin; {SPECIES_COLUMN} has {species}")
    return np.sort([length(path, number, text) for number, text in measured])


def length(path: Path, number: int, text: str | None) -> float:
    """A length in mm, from line `number` of the file."""
    try:
        value = float(text or "nothing")
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise InputError(f"{path}, line {number}: {LENGTH_COLUMN} = {text!r}: must be a positive number")
    return value
