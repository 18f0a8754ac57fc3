"""Locks hold across processes and threads, with the file system's own locks and without."""

import errno
import fcntl
import multiprocessing
import os
import socket
import threading

import pytest

from bench.errors import BenchError
from bench.files.locks import is_held, locked


def no_flock(number):
    def refuse(handle, how):
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.fixture(params=[None, errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP])
def path(request, tmp_path, monkeypatch):
    """A lock's file, where the file system has locks and where it answers that it has none."""
    if request.param is not None:
        monkeypatch.setattr(fcntl, "flock", no_flock(request.param))
        monkeypatch.setattr("filelock._native._unix.fcntl.flock", no_flock(request.param))
    return tmp_path / "locks" / "one"


def test_one_holds_and_the_others_do_not(path):
    assert not is_held(path)
    with locked(path, wait=False) as mine:
        assert mine
        assert is_held(path)
        with locked(path, wait=False) as another:
            assert not another
        with locked(path.with_name("two"), wait=False) as other:
            assert other
    assert not is_held(path)
    with locked(path, wait=False) as again:
        assert again


def test_who_waits_gets_it_next(path):
    order = []

    def wait():
        with locked(path, wait=True) as mine:
            order.append(("waited", mine))

    with locked(path, wait=False):
        thread = threading.Thread(target=wait)
        thread.start()
        thread.join(0.2)
        order.append(("held", True))
    thread.join(60)
    assert order == [("held", True), ("waited", True)]


def _leave(path, number):
    fcntl.flock = no_flock(number)
    with locked(path, wait=False) as mine:
        os._exit(0 if mine else 1)


def test_a_lock_without_the_file_systems_help_is_taken_over_when_its_process_is_gone(tmp_path, monkeypatch):
    path = tmp_path / "locks" / "one"
    process = multiprocessing.get_context("spawn").Process(target=_leave, args=(path, errno.ENOSYS))
    process.start()
    process.join()
    assert process.exitcode == 0
    left = path.with_name("one.soft")
    assert left.read_text().split("\n")[1] == socket.gethostname()
    assert not is_held(path)
    monkeypatch.setattr(fcntl, "flock", no_flock(errno.ENOSYS))
    with locked(path, wait=False) as mine:
        assert mine


def test_a_lock_of_another_machine_is_never_taken_over(tmp_path, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", no_flock(errno.ENOSYS))
    path = tmp_path / "locks" / "one"
    path.parent.mkdir()
    path.with_name("one.soft").write_text("999999999\nanother-machine\n")
    assert is_held(path)
    with locked(path, wait=False) as mine:
        assert not mine
    assert path.with_name("one.soft").exists()


def test_asking_changes_nothing(tmp_path):
    assert not is_held(tmp_path / "nowhere" / "one")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BenchError, match="cannot write there"), locked(tmp_path / "file" / "one", wait=False):
        pass
