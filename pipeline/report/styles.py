"""What the report calls each answer, and its colour; in the order in which they are shown."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Style(NamedTuple):
    label: str
    colour: str
    sampled: bool = True  # another answer each time


STYLES = {
    "real": Style("real", "#222222", False),
    "regression": Style("regression", "#c0392b", False),
    "engression": Style("engression", "#e0700b"),
    "cgan": Style("conditional GAN", "#1f6fb2"),
    "flow": Style("flow", "#7a3fb0"),
    "gan": Style("GAN", "#2e8b57"),
}


def style_of(details: Mapping[str, Any]) -> Style:
    """The style of the model with these details: by its method and the kind of its condition."""
    if details["method"] == "adversarial":
        return STYLES["gan" if details["kind"] == "none" else "cgan"]
    method = str(details["method"])
    return STYLES.get(method, Style(method, "#8a8a8f", details.get("num_draws", 1) > 1))
