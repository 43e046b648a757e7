"""The three numbers that `make repro` ends with."""

import json
from pathlib import Path

from pipeline.report.headlines import headlines


def write(reports: Path, kind: str, name: str, **values: object) -> None:
    (reports / kind).mkdir(parents=True, exist_ok=True)
    (reports / kind / f"{name}.json").write_text(json.dumps(values))


def test_three_lines_over_seeds_and_with_the_least_possible(tmp_path: Path) -> None:
    write(tmp_path, "metrics", "regression-digit-0", fid=570.0, interval_coverage=0.9)
    write(tmp_path, "metrics", "cgan-digit-0", fid=4.0)
    write(tmp_path, "metrics", "cgan-digit-1", fid=6.0)
    write(tmp_path, "metrics", "cgan-digit-quick-0", fid=99.0)  # another task
    write(tmp_path, "metrics", "flow-digit-0", fid=14.43)
    write(tmp_path, "metrics", "engression-tones-0", energy_score=0.0669)
    write(tmp_path, "metrics", "flow-tones-0", energy_score=0.064, interval_coverage=0.94)
    write(tmp_path, "metrics", "regression-tones-0", energy_score=0.01)  # no sampler
    write(tmp_path, "details", "flow-tones-0", exact={"energy_score_least": 0.0397})
    found = headlines(tmp_path)
    assert [each.number for each in found] == ["570.0 / 5.0 / 14.4", "0.0640", "92.0%"]
    assert [each.line for each in found] == [
        "digit: FID (lower is better) of regression 570.0, the conditional GAN 5.0, the flow 14.4",
        "tones: energy score (lower is better) of the best method, the flow, 0.0640;"
        " the least possible 0.0397",
        "intervals: 90% of unseen pixels are to lie in them; 92.0% do (90.0% to 94.0% by model)",
    ]


def test_a_short_form_counts_in_no_headline(tmp_path: Path) -> None:
    write(tmp_path, "metrics", "cgan-digit-0", interval_coverage=0.8)
    write(tmp_path, "metrics", "cgan-digit-quick-0", interval_coverage=0.2)
    write(tmp_path, "metrics", "cgan-digit-quick-2-0", interval_coverage=0.9)  # of another task
    assert "85.0% do (80.0% to 90.0% by model)" in headlines(tmp_path, "digit-quick")[0].line
    assert "63.3% do (20.0% to 90.0% by model)" in headlines(tmp_path)[0].line


def test_what_was_not_measured_is_left_out(tmp_path: Path) -> None:
    assert headlines(tmp_path) == []
    write(tmp_path, "metrics", "cgan-digit-0", fid=4.0, interval_coverage=None)
    assert headlines(tmp_path) == [("4.0", "digit: FID (lower is better) of the conditional GAN 4.0")]
    write(tmp_path, "metrics", "cgan-tones-0", energy_score=0.07)
    assert headlines(tmp_path)[1].line.endswith("the best method, the conditional GAN, 0.0700")
