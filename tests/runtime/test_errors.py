"""Whose mistake it is."""

import pytest

from pipeline.runtime.errors import InputError, told_of


def test_a_mistake_that_comes_out_of_a_block_is_told_as_one_of_a_key() -> None:
    mistake = InputError("folder = 'nowhere': not a folder")
    with (
        pytest.raises(InputError, match=r"^params.yaml: datasets.mine: folder = 'nowhere': not") as caught,
        told_of("datasets.mine"),
    ):
        raise mistake
    assert caught.value.__cause__ is mistake


def test_whatever_else_comes_out_stays_what_it_is() -> None:
    with pytest.raises(KeyError, match="'x'"), told_of("datasets.mine"):
        raise KeyError("x")
