"""The report: one page that holds all it shows, made from DVC outputs alone.

Sections are in the order of an argument, each under a question that a reader has.
"""

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.report.figures import figures
from pipeline.report.figures.images import Pace, costs, paces
from pipeline.report.headlines import Headline
from pipeline.report.results import Section

QUESTIONS = {  # by section, in the order of the page
    "claim": "What does each method return, asked for a digit?",
    "dial": "Is it squared error that blurs?",
    "bayes": "Does it hold where the truth can be written down?",
    "images": "What if part of an image is given?",
    "posteriors": "Is it the posterior?",
    "seeds": "How much of a difference is luck?",
    "patience": "What does longer training buy?",
    "numbers": "How close to real digits is each model?",
    "study": "Which loss, network and stabilisers does a GAN need?",
    "stacked": "How many of a thousand modes does a GAN miss?",
    "toys": "When do modes collapse?",
    "theory": "Does the code do what theory promises?",
    "others": "What of other data sets?",
    "models": "What does each model of digits draw?",
    "facts": "What is this page made from?",
}
HERE = FileSystemLoader(Path(__file__).parent)
TEMPLATES = Environment(
    loader=HERE, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def index(sections: Iterable[Section], headlines: list[Headline]) -> Section:
    """The page: sections in the order of QUESTIONS, after a first screen."""
    ordered = sorted(sections, key=lambda section: list(QUESTIONS).index(section.name))
    none: Mapping[str, Any] = {"frames": []}
    dial = next((section.values for section in ordered if section.name == "dial"), none)
    values = {"sections": ordered, "questions": QUESTIONS, "headlines": headlines, "dial": dial}
    return Section("index", {}, values)


def timings(seconds: dict[str, dict[str, float]], speeds: Mapping[str, Mapping[str, Any]]) -> Section:
    """The page of times: `seconds` and `loop_seconds` of each stage; of each model its `task`, `label` and
    `colour`, `fid`, `energy_score` or None, `num_parameters`, `num_evaluations`, `train_seconds`,
    `images_per_second`, `milliseconds_per_sample` and `curve`, pairs of seconds and cheap FID.
    """
    panels: dict[str, dict[str, Pace]] = {}
    for speed in speeds.values():
        if speed["curve"]:
            panels.setdefault(speed["task"], {})[speed["label"]] = Pace(speed["curve"], speed["colour"])
    several = {task: methods for task, methods in panels.items() if len(methods) > 1}
    drawn = {"paces": paces(several, "seconds of training")} if several else {}
    compared = [speed for speed in speeds.values() if speed["energy_score"] is not None]
    of_tasks = {
        speed["task"]: [each for each in compared if each["task"] == speed["task"]] for speed in compared
    }
    drawn |= {f"costs-{task}": costs(of_task) for task, of_task in of_tasks.items()}
    keys = ("seconds", "loop_seconds")
    total = {"all": {key: sum(times[key] for times in seconds.values()) for key in keys}} if seconds else {}
    stages = [[name, *(f"{times[key]:.1f}" for key in keys)] for name, times in (seconds | total).items()]
    forms = {"num_parameters": "{:,}", "num_evaluations": "{}", "fid": "{:.3g}", "train_seconds": "{:.1f}"}
    forms |= {"images_per_second": "{:.0f}", "milliseconds_per_sample": "{:.2f}"}
    models = [
        [name, *(written(row[key], form) for key, form in forms.items())] for name, row in speeds.items()
    ]
    return Section("timings", drawn, {"stages": stages, "speeds": models, "costs": list(of_tasks)})


def written(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)


def files(sections: Iterable[Section]) -> dict[str, bytes]:
    """The figures of all sections as PNG files, by name."""
    drawn = {name: figure for section in sections for name, figure in section.figures.items()}
    return {name: each if isinstance(each, bytes) else figures.png(each) for name, each in drawn.items()}


def render(section: Section, files: Mapping[str, bytes]) -> str:
    """A section or a whole page, as HTML that holds these PNG files, by name."""
    encoded = {name: base64.b64encode(figures.webp(file)).decode() for name, file in files.items()}
    images = {name: f"data:image/webp;base64,{text}" for name, text in encoded.items()}
    return TEMPLATES.get_template(f"{section.name}.html").render(values=section.values, images=images)
