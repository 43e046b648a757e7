"""The archive of prepared drawings: read back, or refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from emoji_files import HANDS, TONES

from pipeline.data import drawings
from pipeline.data.digits import SPLITS
from pipeline.runtime.errors import InputError

torch.set_num_threads(1)


def test_what_was_prepared_is_loaded_as_tensors(prepared: dict[str, np.ndarray], tmp_path: Path) -> None:
    np.savez(tmp_path / "drawings.npz", **prepared)
    loaded = drawings.load(tmp_path / "drawings.npz")
    for split in SPLITS:
        part = getattr(loaded, split)
        assert len(part) == len(prepared[f"{split}_names"])
        for name in ("pictures", "sketches", "kinds", "tokens", "bases", "tones"):
            assert np.array_equal(getattr(part, name).numpy(), prepared[f"{split}_{name}"])
        assert part.captions == tuple(prepared[f"{split}_captions"].tolist())
        assert part.names == tuple(prepared[f"{split}_names"].tolist())
        assert (part.pictures.dtype, part.tokens.dtype) == (torch.uint8, torch.int64)
        assert (part.num_kinds, part.num_words) == (5, int(prepared["num_words"]))


def test_six_toned_drawings_are_found_with_their_tones_in_order(
    prepared: dict[str, np.ndarray], tmp_path: Path
) -> None:
    np.savez(tmp_path / "drawings.npz", **prepared)
    loaded = drawings.load(tmp_path / "drawings.npz")
    found = []
    for part in (loaded.train, loaded.validation, loaded.test):
        rows = part.six_tones()
        assert rows.shape[1:] == (6,)
        for names in ([part.names[i] for i in row] for row in rows.tolist()):
            assert names[1:] == [f"{names[0]}-{tone}" for tone in TONES]
            found.append(names[0])
        assert all((part.sketches[row] == part.sketches[row[0]]).all() for row in rows)
    assert sorted(found) == sorted(HANDS)


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        drawings.load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: not the prepared drawings (")
    assert message.endswith("; make them with: dvc repro prepare@drawings")
    assert "\n" not in message
    return message


def test_a_missing_archive_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "drawings.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04N.", b"some text", bytes(100)])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "drawings.npz").write_bytes(content)
    refusal(tmp_path / "drawings.npz")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_an_archive_cut_short_is_refused(
    prepared: dict[str, np.ndarray], tmp_path: Path, share: float
) -> None:
    path = tmp_path / "drawings.npz"
    np.savez(path, **prepared)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    refusal(path)


def test_an_archive_with_a_changed_byte_is_refused_or_gives_the_same(
    prepared: dict[str, np.ndarray], tmp_path: Path
) -> None:
    """A zip file has bytes that do not matter, such as its members' dates."""
    path = tmp_path / "drawings.npz"
    few = {name: array[:1] if array.ndim else array for name, array in prepared.items()}
    np.savez(path, **few)
    content = path.read_bytes()
    expected = drawings.load(path)
    num_refused, step = 0, 97
    for place in range(0, len(content), step):
        path.write_bytes(content[:place] + bytes([content[place] ^ 8]) + content[place + 1 :])
        try:
            found = drawings.load(path)
        except InputError:
            num_refused += 1
        else:
            assert torch.equal(found.train.pictures, expected.train.pictures)
            assert torch.equal(found.test.kinds, expected.test.kinds)
            assert found.validation.captions == expected.validation.captions
    assert num_refused > 0.7 * len(content) / step


@pytest.mark.parametrize(
    ("place", "value"),
    [(6, 255), (8, 1), (8, 0x20), (8, 0x40), (10, 8), (10, 9), (10, 12), (10, 14)],
    ids=["version", "password", "patch", "encryption", "deflate", "deflate64", "bzip2", "lzma"],
)
def test_an_archive_that_calls_itself_another_kind_of_zip_is_refused(
    prepared: dict[str, np.ndarray], tmp_path: Path, place: int, value: int
) -> None:
    path = tmp_path / "drawings.npz"
    np.savez(path, **prepared)
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + place] = value  # in the first entry of its directory
    path.write_bytes(content)
    refusal(path)


@pytest.mark.parametrize("missing", ["num_kinds", "num_words", "train_pictures", "test_tones"])
def test_an_archive_that_lacks_an_array_is_refused_by_its_name(
    prepared: dict[str, np.ndarray], tmp_path: Path, missing: str
) -> None:
    np.savez(tmp_path / "drawings.npz", **{n: a for n, a in prepared.items() if n != missing})
    assert missing in refusal(tmp_path / "drawings.npz")


def test_pickled_objects_are_not_loaded(prepared: dict[str, np.ndarray], tmp_path: Path) -> None:
    np.savez(tmp_path / "drawings.npz", **(prepared | {"train_names": np.array([print], object)}))
    assert "allow_pickle" in refusal(tmp_path / "drawings.npz")


def test_a_single_array_is_refused(tmp_path: Path) -> None:
    with open(tmp_path / "drawings.npz", "wb") as file:
        np.save(file, np.zeros(3))
    refusal(tmp_path / "drawings.npz")
