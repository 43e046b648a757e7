"""The user's images, in the two layouts."""

from pathlib import Path

import pytest
from helpers.pair_files import in_two_folders, side_by_side


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return side_by_side(tmp_path)


@pytest.fixture
def two(tmp_path: Path) -> Path:
    return in_two_folders(tmp_path)
