"""A part of the page that a module of its own makes: a template, its images, its numbers."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Section:
    name: str  # the heading's id
    template: str  # a file of this folder
    figures: dict[str, bytes]  # PNG files by name
    values: dict[str, Any]
