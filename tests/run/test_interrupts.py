"""Ctrl-C: what the first and the second one do."""

import os
import signal
import threading

import pytest

from bench.run.interrupts import STATUS, Interrupts


class Ended:
    """What was said and done, in order, instead of ending the process."""

    def __init__(self):
        self.done, self.left = [], threading.Event()

    def say(self, line):
        self.done.append("said")

    def last(self):
        self.done.append("last")

    def leave(self, status):
        self.done.append(status)
        self.left.set()


@pytest.fixture
def heard():
    """Ctrl-C that is not ignored, as a shell's background jobs have it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_block_that_ends_in_time_ends_by_itself(heard):
    ended = Ended()
    with pytest.raises(KeyboardInterrupt), Interrupts(ended.say, ended.last, grace=60, leave=ended.leave):
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert set(ended.done) <= {"said"}


def test_a_block_that_does_not_end_is_ended(heard):
    ended = Ended()
    with Interrupts(ended.say, ended.last, grace=0.05, leave=ended.leave):
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            assert ended.left.wait(30)
    assert ended.done == ["said", "last", STATUS]


def test_the_second_one_ends_at_once(heard):
    ended = Ended()
    with Interrupts(ended.say, ended.last, grace=60, leave=ended.leave):
        for _ in range(2):
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt:
                continue
    assert STATUS in ended.done
    assert "last" not in ended.done


def test_other_threads_leave_ctrl_c_alone(heard):
    ended = Ended()

    def inside():
        with Interrupts(ended.say, ended.last):
            ended.done.append(signal.getsignal(signal.SIGINT) is signal.default_int_handler)

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert ended.done == [True]
