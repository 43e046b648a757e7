"""The two pages: `page.html`, of the server, and `recorded.html`, which opens from disk; they share files."""

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Environment(loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined)


def page() -> str:
    return TEMPLATES.get_template("page.html").render()


def recorded(found: dict[str, Any]) -> str:
    """The page of what was recorded: JSON values by section, without those that are not there."""
    text = json.dumps(found, allow_nan=False, separators=(",", ":"))
    # in a script element nothing but "<" can end it, or begin a comment
    return TEMPLATES.get_template("recorded.html").render(found=found, json=text.replace("<", "\\u003c"))
