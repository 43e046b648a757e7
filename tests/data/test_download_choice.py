"""Which source is asked, and what is said when it gives nothing."""

import hashlib
import time

import pytest
from helpers.project import wheel

from pipeline.data.download import choice, wheels
from pipeline.runtime.errors import InputError

pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),  # urllib's, after a timeout
    pytest.mark.usefixtures("no_sockets_left"),
]


def chosen(source="mirror", folder="", timeout=5.0):
    return choice.Source(source=source, folder=str(folder), timeout=timeout)


def sources(asked, *broken):
    """A data set's three sources, which write down that they were asked."""

    def source(name):
        def get(settings, root):
            asked.append(name)
            if name in broken:
                raise InputError(f"no {name}")

        return get

    return [source(name) for name in ("wheel", "mirror", "folder")]


@pytest.mark.parametrize(
    ("name", "broken", "expected"),
    [
        ("wheel", [], ["wheel"]),
        ("mirror", [], ["mirror"]),
        ("folder", [], ["folder"]),
        ("auto", [], ["wheel"]),
        ("auto", ["wheel"], ["wheel", "mirror"]),
    ],
)
def test_the_named_source_is_asked_and_by_auto_the_mirror_after_the_wheel(name, broken, expected, tmp_path):
    asked = []
    choice.fetch(*sources(asked, *broken), chosen(name), tmp_path)
    assert asked == expected


def test_where_neither_is_to_be_had_both_are_reported(tmp_path):
    with pytest.raises(InputError, match=r"^no wheel; then no mirror$"):
        choice.fetch(*sources([], "wheel", "mirror"), chosen("auto"), tmp_path)


@pytest.mark.parametrize("name", ["nowhere/at/all", ""])
def test_a_folder_that_is_none_is_refused_with_what_it_must_hold(name):
    expected = rf"^folder = '{name}': not a folder; it must hold a table$"
    with pytest.raises(InputError, match=expected):
        chosen("folder", name).user_folder("a table")


def test_an_unknown_source_is_refused_with_the_valid_ones():
    with pytest.raises(
        ValueError, match=r"allowed are auto, folder, mirror, wheel \(did you mean 'mirror'\?\)"
    ):
        chosen("mirrors")


# A mirror's file.


def refusal(url, timeout=5.0):
    with pytest.raises(InputError) as caught:
        chosen(timeout=timeout).mirrored(url, "tables")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"source = 'mirror': no tables from {url}: ")
    return message


def test_a_mirrors_file_is_read_whole_or_refused(mirror):
    mirror.files["table"] = b"1,2,3"
    assert chosen().mirrored(mirror.url("table"), "tables") == b"1,2,3"
    assert "404" in refusal(mirror.url("tables"))
    mirror.missing = 30
    assert "30 more expected" in refusal(mirror.url("table"))


def test_a_mirror_that_does_not_answer_is_given_up_after_the_timeout(closed, silent, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert "Connection refused" in refusal(f"http://127.0.0.1:{closed}/table")
    start = time.monotonic()
    assert "timed out" in refusal(f"http://127.0.0.1:{silent}/table", timeout=0.3)
    assert 0.25 < time.monotonic() - start < 5


# A wheel.


def test_a_wheel_of_another_hash_is_refused_with_both_hashes(local_pip):
    found, wanted = wheel(local_pip, "tables==1.0", "table", b"1,2,3"), hashlib.sha256().hexdigest()
    with pytest.raises(InputError) as caught:
        wheels.downloaded(f"tables==1.0 --hash=sha256:{wanted}", 5.0).__enter__()
    message = str(caught.value)
    assert message.startswith("source = 'wheel': no tables==1.0 from pip: ERROR: ")
    assert found in message
    assert wanted in message
    assert "\n" not in message


def test_a_wheel_that_is_not_there_is_refused(local_pip):
    expected = r"^source = 'wheel': no tables==1\.0 from pip: ERROR: .*matching distribution found"
    with pytest.raises(InputError, match=expected):
        wheels.downloaded(f"tables==1.0 --hash=sha256:{'0' * 64}", 5.0).__enter__()
