"""Flipper lengths from tables good and bad, and the published table from each source."""

import numpy as np
import pytest
from helpers.project import wheel

from pipeline.data import penguins
from pipeline.data.download import penguins as source
from pipeline.data.download.choice import Source
from pipeline.runtime.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # urllib's
TABLE = """\
species,island,flipper_length_mm,sex
Adelie,Torgersen,190,male
Adelie,Torgersen,NA,NA
Gentoo,Biscoe,217,female
Adelie,Dream,181.5,female
Adelie,Dream,,female
Adelie,Dream,172,female
"""


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "mine" / "penguins.csv"
    path.parent.mkdir()
    path.write_text(TABLE)
    return path


@pytest.fixture
def published(table, monkeypatch):
    """The table above taken for the published one; its content."""
    monkeypatch.setattr(source, "LENGTHS_SHA256", source.digest(table))
    return table.read_bytes()


def chosen(kind="folder", folder="", timeout=5.0):
    return Source(source=kind, folder=str(folder), timeout=timeout)


def fetch(settings, root):
    root.mkdir()
    source.fetch(settings, root)


def refusal(function, *arguments):
    with pytest.raises(InputError) as caught:
        function(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_lengths_are_those_of_the_measured_adelies_in_ascending_order(table):
    assert penguins.flipper_lengths(table).tolist() == [172, 181.5, 190]


def test_the_order_of_rows_and_other_columns_change_nothing(table):
    head, *rows = TABLE.splitlines()
    other = [f"year,{head}", *(f"2007,{row}" for row in rows[::-1])]
    table.with_name("other.csv").write_text("\n".join(other))
    found = penguins.flipper_lengths(table.with_name("other.csv"))
    assert np.array_equal(found, penguins.flipper_lengths(table))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("_length_mm", "", "lacks the column flipper_length_mm; it has species, island, flipper"),
        ("species,", "kind,", "lacks the column species; it has kind, island"),
        ("Adelie", "Chinstrap", "no measured Adelie penguin; species has Chinstrap, Gentoo"),
        ("181.5", "long", "line 5: flipper_length_mm = 'long': must be a positive number"),
        ("181.5", "-3", "line 5: flipper_length_mm = '-3': must be a positive number"),
        ("181.5", "inf", "line 5: flipper_length_mm = 'inf': must be a positive number"),
        ("181.5", "nan", "line 5: flipper_length_mm = 'nan': must be a positive number"),
        ("Dream,172,female", "Dream", "line 7: flipper_length_mm = None: must be a positive number"),
    ],
)
def test_a_table_that_will_not_do_is_refused_with_what_is_wrong(table, old, new, words):
    assert old in TABLE
    table.write_text(TABLE.replace(old, new))
    message = refusal(penguins.flipper_lengths, table)
    assert message.startswith(str(table))
    assert words in message


@pytest.mark.parametrize("content", [b"", b"\n", b"species,flipper_length_mm\n"])
def test_a_table_without_rows_is_refused(table, content):
    table.write_bytes(content)
    assert "lacks the column species and flipper_length_mm; it has no rows" in refusal(
        penguins.flipper_lengths, table
    )


@pytest.mark.parametrize("content", [b"\xff\xfe\0", b"species,flipper_length_mm\nAdelie,\x80\n"])
def test_what_is_no_text_is_refused(table, content):
    table.write_bytes(content)
    assert "cannot be read as a table" in refusal(penguins.flipper_lengths, table)


# From a folder.


def test_the_users_table_is_taken_as_it_is(table, tmp_path):
    fetch(chosen(folder=table.parent), tmp_path / "out")
    assert (tmp_path / "out/penguins.csv").read_text() == TABLE


def test_a_folder_without_the_table_is_refused_with_what_it_must_hold(tmp_path):
    message = refusal(fetch, chosen(folder=tmp_path), tmp_path / "out")
    columns = "penguins.csv with the columns species and flipper_length_mm"
    assert message == f"folder = {str(tmp_path)!r}: penguins.csv is missing; it must hold {columns}"


def test_a_table_of_the_user_that_will_not_do_is_refused_and_not_kept(table, tmp_path):
    table.write_text(TABLE.replace("Adelie", "Emperor"))
    message = refusal(fetch, chosen(folder=table.parent), tmp_path / "out")
    assert message.startswith(f"{table}: no measured Adelie penguin")
    assert list((tmp_path / "out").iterdir()) == []


# From the wheel.


def test_the_table_is_taken_out_of_the_wheel(local_pip, published, monkeypatch, tmp_path):
    found = wheel(local_pip, "palmerpenguins==0.1.6", source.WHEEL_MEMBER, published)
    monkeypatch.setattr(source, "WHEEL", f"palmerpenguins==0.1.6 --hash=sha256:{found}")
    fetch(chosen("wheel"), tmp_path / "out")
    assert (tmp_path / "out/penguins.csv").read_bytes() == published


# From the mirror.


@pytest.fixture
def at_mirror(mirror, monkeypatch):
    monkeypatch.setattr(source, "MIRROR", mirror.url("penguins.csv"))
    return mirror.files


def test_the_published_lengths_are_taken_from_the_mirror_whatever_stands_beside_them(
    at_mirror, published, tmp_path
):
    at_mirror["penguins.csv"] = b"\n".join(b"extra," + line for line in published.splitlines())
    fetch(chosen("mirror"), tmp_path / "out")
    assert (tmp_path / "out/penguins.csv").read_bytes() == at_mirror["penguins.csv"]


def test_other_lengths_from_the_mirror_are_refused_with_both_hashes(at_mirror, published, tmp_path):
    at_mirror["penguins.csv"] = published.replace(b"172", b"173")
    message = refusal(fetch, chosen("mirror"), tmp_path / "out")
    assert message.startswith(f"{source.MIRROR}: SHA-256 of its lengths is ")
    assert message.endswith(f"of the published {source.LENGTHS_SHA256}")


def test_a_mirror_that_has_no_table_is_an_input_error(at_mirror, tmp_path):
    message = refusal(fetch, chosen("mirror"), tmp_path / "out")
    assert message.startswith(f"source = 'mirror': no penguins from {source.MIRROR}: ")
