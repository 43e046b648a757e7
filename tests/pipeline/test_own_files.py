"""Nothing of the user's is lost or run: folders and names of params.yaml, in DVC's hands and a shell's."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from dvc.repo import Repo
from helpers.pair_files import side_by_side
from helpers.project import edit, run
from PIL import Image

from pipeline.data import prepared
from pipeline.runtime import own_files
from pipeline.runtime.errors import InputError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def project(make_project: Callable[[str], Path]) -> Path:
    """A small one, in which nothing has run."""
    return make_project("own")


def test_images_in_an_output_are_refused_before_dvc_takes_them_away(project):
    place = "data/raw/drawings/mine"
    before = names(side_by_side(project / place))
    edit(project, {"datasets.mine": {"kind": "pairs", "folder": place}})
    done = run(project, "dvc repro prepare@mine")
    assert done.returncode
    assert f"error: datasets.mine.folder = '{place}': DVC writes and removes" in done.stderr
    assert names(project / place) == before


@pytest.mark.parametrize("place", ["data/raw/drawings", "data/raw/drawings/mine", "data/tasks/own"])
def test_a_folder_that_is_an_output_or_lies_in_one_is_refused(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    side_by_side(tmp_path / place, 1)
    output = "/".join(place.split("/")[:2])
    with pytest.raises(InputError, match=f"^key = '{place}': DVC writes and removes {output}"):
        own_files.check_folder("key", place)


NAME = "a;touch X;b/set[1]/my pairs/it's"
STAGES = ("download@digits", "download@mine", "prepare@mine")


@pytest.fixture(scope="module")
def of_any_name(project: Path) -> Path:
    """The project with a folder of images by that name, which is prepared."""
    side_by_side(project / "own" / NAME, 12)
    edit(project, {"datasets.mine": {"kind": "pairs", "folder": f"own/{NAME}", "image_size": 16}})
    done = run(project, f"dvc repro {' '.join(STAGES)}")
    assert done.returncode == 0, done.stdout + done.stderr
    return project


def out_of_date() -> set[str]:
    """Which of these stages, all of which read the user's files."""
    with Repo() as repo:
        return set(repo.status(list(STAGES)))


def test_an_entry_of_the_users_own_is_prepared_beside_the_others_and_touches_none(of_any_name, monkeypatch):
    monkeypatch.chdir(of_any_name)
    side_by_side(of_any_name / "own/more", 12)
    edit(of_any_name, {"datasets.more": {"kind": "pairs", "folder": "own/more", "image_size": 16}})
    done = run(of_any_name, "dvc repro prepare@more")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"mine", "more"} <= {*names(of_any_name / "data/prepared")}
    assert out_of_date() == set()


def test_a_folder_of_any_name_is_read_and_never_run_and_a_changed_file_puts_its_stage_out_of_date(
    of_any_name, monkeypatch
):
    monkeypatch.chdir(of_any_name)
    assert not list(of_any_name.rglob("X"))
    splits = prepared.load(of_any_name / "data/prepared/mine").splits.values()
    assert sum(len(split["images"]) for split in splits) == 12

    assert out_of_date() == set()
    Image.new("RGB", (32, 16), "red").save(of_any_name / "own" / NAME / "3.png")
    assert out_of_date() == {"download@mine", "prepare@mine"}
    digits = next((of_any_name / "mine/digits").glob("t10k-labels*"))
    digits.write_bytes(digits.read_bytes()[:-1] + b"\0")
    assert out_of_date() == set(STAGES)


def test_a_link_to_a_folder_is_refused_and_one_to_a_file_is_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    side_by_side(tmp_path / "elsewhere")
    (tmp_path / "own").mkdir()
    (tmp_path / "own/1.png").symlink_to(tmp_path / "elsewhere/1.png")
    own_files.check_folder("key", "own")
    (tmp_path / "own/A").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=r"DVC sees no change behind own/A, a link to a folder"):
        own_files.check_folder("key", "own")


def test_a_link_that_leads_into_an_output_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/raw/digits").mkdir(parents=True)
    (tmp_path / "own").symlink_to(tmp_path / "data/raw/digits")
    with pytest.raises(InputError, match="DVC writes and removes data/raw"):
        own_files.check_folder("key", "own")


def test_what_dvc_stops_or_waits_at_is_refused_by_name_in_utf_8(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, make, reason in (
        ("gone", lambda path: path.symlink_to("nowhere"), "gone, a link to nothing"),
        ("pipe", os.mkfifo, "pipe, which is a pipe, a socket or a device"),
        (os.fsdecode(b"caf\xe9"), Path.touch, r"caf\xe9, whose name is not UTF-8"),
    ):
        (tmp_path / "own/sub").mkdir(parents=True)
        make(tmp_path / "own/sub" / name)
        with pytest.raises(InputError) as caught:
            own_files.check_folder("key", "own")
        assert str(caught.value) == f"key = 'own': DVC cannot read own/sub/{reason}; remove or rename it"
        (tmp_path / "own/sub" / name).unlink()
        (tmp_path / "own/sub").rmdir()
        (tmp_path / "own").rmdir()


def test_the_first_stage_and_repro_look_at_the_folders_of_all_entries(project, monkeypatch):
    monkeypatch.chdir(project)
    edit(project, {"datasets.gone": {"kind": "images", "folder": "own/gone"}})
    for command in ("dvc repro check", "python -m stages.repro"):
        done = run(project, command)
        assert done.returncode
        assert "error: datasets.gone.folder = 'own/gone': not a folder" in done.stderr
