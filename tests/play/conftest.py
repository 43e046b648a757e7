"""A server of a small project, for all tests of this folder."""

from collections.abc import Iterator
from typing import Any

import pytest
from helpers import play
from helpers.browser import started

from pipeline.play.laboratory import Laboratory


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    return play.laboratory(tmp_path_factory.mktemp("play"))


@pytest.fixture(scope="session")
def port(laboratory: Laboratory) -> Iterator[int]:
    with play.serving(laboratory) as port:
        yield port


@pytest.fixture(scope="module")  # it ends before the server does
def browser() -> Iterator[Any]:
    with started() as browser:
        yield browser
