"""Metrics as files hold them, beside their noise floors."""

from pathlib import Path

import pytest

from pipeline.metrics import entries
from pipeline.runtime.errors import InputError
from pipeline.runtime.files import write_json


def test_each_value_says_from_how_many_images_it_was_taken() -> None:
    assert entries.entries({"fid": 1.5, "kid": 0.5}, 4, 0) == {
        "fid": {"value": 1.5, "num_samples": 4, "num_real": 0},
        "kid": {"value": 0.5, "num_samples": 4, "num_real": 0},
    }


def test_floors_are_the_values_of_the_file_for_real_images(tmp_path: Path) -> None:
    held = {"fid": {"value": 1.5, "num_samples": 4, "num_real": 4}, "kid": {"value": -0.25}}
    write_json(tmp_path / "real.json", {"model": "real", "metrics": held})
    assert entries.read_floors(tmp_path / "real.json") == {"fid": 1.5, "kid": -0.25}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "3",
        "{}",
        '{"metrics": []}',
        '{"metrics": {"fid": 1.0}}',
        '{"metrics": {"fid": {}}}',
        '{"metrics": {"fid": {"value": null}}}',
        "\udcff",  # the byte 0xff: not UTF-8
    ],
)
def test_what_is_not_the_metrics_of_real_images_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "real.json"
    path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(InputError) as caught:
        entries.read_floors(path)
    assert str(caught.value).startswith(f"{path}: not the metrics of real images")
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="not the metrics of real images"):
        entries.read_floors(tmp_path / "missing.json")


def test_each_entry_stands_beside_its_own_floor() -> None:
    bare = {"fid": {"value": 9.0, "num_samples": 4.0}, "kid": {"value": 2.0, "num_samples": 4.0}}
    found = entries.with_floors(bare, {"kid": 0.25, "fid": 1.5, "recall": 0.7})
    assert found == {
        "fid": {"value": 9.0, "num_samples": 4.0, "floor": 1.5},
        "kid": {"value": 2.0, "num_samples": 4.0, "floor": 0.25},
    }
    assert "floor" not in bare["fid"]
