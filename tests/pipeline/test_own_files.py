"""Nothing of the user's is lost or run: folders and names of params.yaml, in DVC's hands and a shell's."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dvc.repo import Repo
from helpers.project import edit, run
from PIL import Image

from pipeline.data import prepared
from pipeline.runtime import own_files
from pipeline.runtime.errors import InputError


def write_pairs(folder: Path, num: int = 12) -> None:
    """Images A|B side by side."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(num):
        pixels = np.random.default_rng(i).integers(0, 255, (16, 32, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def project(make_project: Callable[[str], Path]) -> Path:
    """A small one, in which nothing has run."""
    return make_project("own")


def test_images_in_an_output_are_refused_before_dvc_takes_them_away(project):
    place = "data/raw/openmoji/mine"
    write_pairs(project / place)
    before = names(project / place)
    edit(project, {"drawings.source": "folder", "drawings.folder": place})
    done = run(project, "dvc repro prepare@drawings")
    assert done.returncode
    assert f"error: drawings.folder = '{place}': DVC writes and removes" in done.stderr
    assert names(project / place) == before


@pytest.mark.parametrize("place", ["data/raw/openmoji", "data/raw/openmoji/mine", "data/tasks/own"])
def test_a_folder_that_is_an_output_or_lies_in_one_is_refused(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_pairs(tmp_path / place, 1)
    output = "/".join(place.split("/")[:2])
    with pytest.raises(InputError, match=f"drawings.folder = '{place}': DVC writes and removes {output}"):
        own_files.check_folder("drawings.folder", place)


def test_a_folder_of_any_name_is_read_and_never_run_and_a_changed_file_puts_its_stage_out_of_date(
    project, monkeypatch
):
    monkeypatch.chdir(project)
    name = "a;touch X;b/set[1]/my pairs/it's"
    write_pairs(project / "own" / name)
    edit(project, {"drawings.source": "folder", "drawings.folder": f"own/{name}"})
    done = run(project, "dvc repro prepare@drawings download@mnist")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not list(project.rglob("X"))
    splits = prepared.load(project / "data/prepared/drawings.npz").splits.values()
    assert sum(len(split["images"]) for split in splits) == 12

    assert out_of_date() == set()
    Image.new("RGB", (32, 16), "red").save(project / "own" / name / "3.png")
    assert out_of_date() == {"prepare@drawings"}
    digits = next((project / "mine").glob("t10k-labels*"))
    digits.write_bytes(digits.read_bytes()[:-1] + b"\0")
    assert out_of_date() == {"prepare@drawings", "download@mnist"}


def out_of_date() -> set[str]:
    """Which of the two stages that read the user's files."""
    with Repo() as repo:
        return set(repo.status(["prepare@drawings", "download@mnist"]))


def test_a_link_to_a_folder_is_refused_and_one_to_a_file_is_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_pairs(tmp_path / "elsewhere")
    (tmp_path / "own").mkdir()
    (tmp_path / "own/1.png").symlink_to(tmp_path / "elsewhere/1.png")
    own_files.check_folder("drawings.folder", "own")
    (tmp_path / "own/A").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=r"DVC sees no change behind own/A, a link to a folder"):
        own_files.check_folder("drawings.folder", "own")


def test_a_link_that_leads_into_an_output_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/raw/mnist").mkdir(parents=True)
    (tmp_path / "own").symlink_to(tmp_path / "data/raw/mnist")
    with pytest.raises(InputError, match="DVC writes and removes data/raw"):
        own_files.check_folder("download.folder", "own")
