"""The report's section on whether it is the posterior, and that on seeds."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from helpers.report import rendered, result

from pipeline.metrics import bases
from pipeline.report import by_seed, posteriors
from pipeline.report.results import Result

NAMES = ["brightness", "TARP"]
NUM = 30  # conditions


def evidence(deviation: float, ratio: float, p_value: float, share: float) -> dict[str, Any]:
    told = {"p_value": p_value, "classifier": {"share": share, "p_value": p_value, "interval": (0.4, 0.6)}}
    row = {"interval": (0.78, 0.82)}
    return {
        "gains": [{"num_draws": num, "gain": 1.5, "interval": (1.4, 1.6)} for num in (2, 4)],
        "spread": {"ratio": ratio, "interval": (ratio - 0.05, ratio + 0.05)},
        "uniformity": {
            "names": NAMES,
            "num_draws": 4,
            "p_value": p_value,
            "deviation": [[deviation] * 4, [0.0] * 4],
            "band": [[0.1] * 4] * 2,
        },
        "coverage": [{"k": 1, "level": 0.6, "share": 0.8} | row],
        "told": {"pixels": told},
        "intervals": intervals(),
    }


def intervals() -> dict[str, Any]:
    found = {"coverage": 0.912, "interval": (0.9, 0.93), "standard_error": 0.007}
    return found | {"width": 0.25, "multiple": 1.25, "num_bases": 48, "num_draws": 4}


def model(method: str, scale: float, about: dict[str, Any], seed: int = 0) -> Result:
    values = np.random.default_rng(0).uniform(1, 2, NUM) * scale
    scores = dict.fromkeys(posteriors.SCORES, values)
    details = {"task": "sketch", "method": method, "kind": "image", "evidence": about, "num_draws": 4}
    metrics = {name: values.mean() for name in posteriors.SCORES} | {"fid": scale}
    samples = scores | {"bases": np.arange(NUM) // 2}
    return result(f"{method}s", "sketch", seed, details=details, metrics=metrics, samples=samples)


MODELS = {
    "a": model("regression", 1.0, {"told": {}, "intervals": intervals()}),
    "b": model("engression", 0.75, evidence(0.05, 1.0, 0.5, 0.5)),
    "c": model("flow", 0.8, evidence(0.2, 2 / 3, 0.001, 0.75)),
}


def test_each_method_has_a_verdict_in_words() -> None:
    section = posteriors.section(MODELS)
    assert section is not None
    assert set(section.figures) == {"posteriors-sketch"}
    verdicts = dict(section.values["tasks"]["sketch"]["verdicts"])
    assert verdicts == {
        "regression": "one answer, without spread: no samples of any posterior",
        "engression": "calibrated within the band",
        "flow": "too narrow by 33 %; ranks out of the band: brightness; "
        "told from truths in pixels (75 % rightly)",
    }
    page = rendered(section)
    for text in ("91.2 % ± 0.7", "<b>flow</b>: too narrow", "15 independent images"):
        assert text in page


def test_skill_is_against_regression_with_the_same_conditions() -> None:
    section = posteriors.section(MODELS)
    assert section is not None
    rows = {row[0]: row[1] for row in section.values["tasks"]["sketch"]["scores"]}
    mean = MODELS["b"].metrics["crps"]
    assert rows["engression"] == f"{mean:.4f} (25.0 %, 25.0 to 25.0)"  # of each condition the same share
    assert "%" not in rows["regression"]


def test_the_function_furthest_out_is_what_dvc_plots_draws() -> None:
    table = posteriors.worst_ranks(MODELS["c"].details["evidence"])
    assert table["rank"].tolist() == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert table["excess"].tolist() == pytest.approx([2.0] * 4)


def test_models_that_were_not_held_against_posteriors_make_no_section() -> None:
    other = result("gans", "dcgan", details={"task": "digits", "method": "adversarial", "kind": "none"})
    assert posteriors.section({"gan": other}) is None


def test_differences_are_of_the_same_seed() -> None:
    rows = [("a", seed, 1.0 + seed) for seed in range(3)] + [
        ("b", seed, 0.5 + 1.1 * seed) for seed in range(3)
    ]
    table = pd.DataFrame(rows, columns=["model", "seed", "fid"])
    names = {"a": model("engression", 1, {}), "b": model("flow", 1, {})}
    section = by_seed.section(names, table, Path("none"))
    assert section is not None
    found = section.values["tasks"]["sketch"]
    cells = [[re.sub("<.*?>", "", cell) for cell in row] for row in found["rows"]]
    assert cells == [["engression", "2.000 ± 1.000"], ["flow", "1.600 ± 1.100"]]
    assert found["pairs"] == [["engression less flow", "0.400 ± 0.248"]]  # 4.303 x 0.1 / sqrt 3
    assert "<h3>sketch</h3>" in rendered(section)
    assert by_seed.section(names, table[table["seed"] == 0], Path("none")) is None


def test_intervals_resample_bases_not_values() -> None:
    """Each of twenty bases has two values that are equal: as sure as twenty values."""
    values = torch.from_numpy(np.random.default_rng(0).normal(size=20))
    twice = values.repeat_interleave(2)
    once = bases.resampled_means(values, torch.arange(20), 0)
    found = bases.resampled_means(twice, torch.arange(40) // 2, 0)
    torch.testing.assert_close(found, once)
    low, high = bases.interval(once)
    assert high - low == pytest.approx(2 * 1.96 * values.std().item() / 20**0.5, rel=0.2)
