"""Finding, checking and downloading the public files, on files made here."""

import gzip
import hashlib
import importlib.metadata
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest

from bench.dataset import Dataset, RemoteFile, Unavailable, remote_files
from bench.errors import BenchError
from bench.files.downloads import verify
from bench.files.folders import cache_folder
from bench.files.tables import read_tsv
from bench.tasks.spec import TargetSpec, TaskSpec

TABLE = b"sequence\ty\nACGT\t1\nGGCC\t2\nTTTT\t3\n"
CONTENT = gzip.compress(TABLE, mtime=0)


def file_of(content, url="http://localhost:9/t.tsv.gz"):
    return RemoteFile("toy/t.tsv.gz", url, hashlib.sha256(content).hexdigest(), len(content))


class Toy(Dataset):
    name = "toy"
    title = "a toy"
    files = (file_of(CONTENT),)

    def spec(self):
        return TaskSpec(name="toy", targets={"y": TargetSpec(replicates=["y"])})

    def frame(self, files):
        return read_tsv(files["toy/t.tsv.gz"])


@pytest.fixture(autouse=True)
def _apart(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("BENCH_DATA_DIR", raising=False)


@pytest.fixture
def served(tmp_path):
    """A function that serves bytes at an address of this machine."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def serve(content):
        (folder / "t.tsv.gz").write_bytes(content)
        return f"http://127.0.0.1:{server.server_port}/t.tsv.gz"

    yield serve
    server.shutdown()
    server.server_close()


def put(folder, content):
    path = folder / "toy" / "t.tsv.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_files_are_taken_from_the_data_folder_then_the_cache(tmp_path, monkeypatch):
    put(cache_folder(), CONTENT)
    assert Toy().locate()["toy/t.tsv.gz"] == cache_folder() / "toy" / "t.tsv.gz"
    here = put(tmp_path / "data", CONTENT)
    assert Toy().locate(tmp_path / "data")["toy/t.tsv.gz"] == here
    monkeypatch.setenv("BENCH_DATA_DIR", str(tmp_path / "data"))
    assert Toy().locate()["toy/t.tsv.gz"] == here
    assert Toy().problem() is None
    assert len(Toy().load()) == 3


def test_absent_files_are_unavailable_with_the_fix():
    with pytest.raises(Unavailable) as caught:
        Toy().load()
    assert caught.value.reason == "1 of 1 files of toy are not here."
    assert "bench data fetch toy" in caught.value.fix
    assert Toy().problem() == str(caught.value)


def test_a_data_folder_that_does_not_exist_is_said(tmp_path):
    with pytest.raises(Unavailable, match=r"nowhere, named as the data folder, does not exist"):
        Toy().load(tmp_path / "nowhere")


def test_a_wrong_checksum_names_the_file(tmp_path):
    path = put(tmp_path, b"something else")
    with pytest.raises(BenchError, match=r"t.tsv.gz: SHA-256 is .*Delete it and fetch it again"):
        Toy().locate(tmp_path)
    path.write_bytes(CONTENT[:20])
    with pytest.raises(BenchError, match="It is cut short"):
        Toy().locate(tmp_path)


def check(path, **more):
    verify(path, Toy.files[0].sha256, Toy.files[0].bytes, **more)


def test_a_file_is_checked_again_only_when_it_changes_or_on_request(tmp_path):
    path = put(tmp_path, CONTENT)
    status = path.stat()
    check(path)
    path.write_bytes(bytes(len(CONTENT)))
    with pytest.raises(BenchError):
        check(path)
    import os

    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    check(path)
    with pytest.raises(BenchError):
        check(path, fresh=True)


def test_downloads_are_checked_and_kept(served):
    toy = Toy()
    toy.files = (file_of(CONTENT, served(CONTENT)),)
    assert len(toy.load(download=True)) == 3
    served(b"gone")
    assert len(toy.load()) == 3


def test_a_wrong_download_is_refused_and_not_kept(served):
    toy = Toy()
    toy.files = (file_of(CONTENT, served(CONTENT + b"x")),)
    with pytest.raises(BenchError, match="another checksum than the published file"):
        toy.load(download=True)
    assert toy.problem() is not None


def test_no_network_is_unavailable():
    with pytest.raises(Unavailable, match="could not be downloaded"):
        Toy().load(download=True)


def test_listing_of_remote_files():
    files = remote_files("set", "http://x/y", "\naa 3 p/one.txt\nbb 4 q/one.txt\ncc 5 two.txt\n")
    assert files[1] == RemoteFile("set/q/one.txt", "http://x/y/q/one.txt", "bb", 4)
    assert files[2] == RemoteFile("set/two.txt", "http://x/y/two.txt", "cc", 5)


def test_every_registered_data_set_says_what_it_is():
    for point in importlib.metadata.entry_points(group="bench.datasets"):
        if point.dist is None or point.dist.name != "bench-gc":
            continue
        dataset = point.load()()
        assert dataset.name == point.name == dataset.spec().name
        assert dataset.title
        assert dataset.spec().split
        assert all(len(file.sha256) == 64 and file.bytes > 0 for file in dataset.files)


def test_frames_are_plain_tables():
    assert isinstance(Toy().frame({"toy/t.tsv.gz": _written()}), pd.DataFrame)


def _written():
    return put(cache_folder(), CONTENT)
