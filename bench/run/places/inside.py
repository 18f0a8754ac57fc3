"""Inside a child: answer what is asked, until the run closes the pipe."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import pickle
import socket
import sys
import threading

from bench.fit.messages import Failed, Said, encode, encoded_answer
from bench.fit.worker import Worker
from bench.plugins.modules import helpers_from_source
from bench.run.places.frames import framed, receive


class Pipe:
    """The way back to the run. Threads take turns; a copy of this process that a fork made cannot use it."""

    def __init__(self, fd: int) -> None:
        self._socket = socket.socket(fileno=fd)
        self._turn = threading.Lock()
        self._mine = True
        os.register_at_fork(after_in_child=self._leave)

    def _leave(self) -> None:
        # Whatever a fork does, it neither answers for this process nor holds its pipe open.
        self._mine = False
        with contextlib.suppress(OSError):
            self._socket.close()

    def send(self, message: bytes) -> None:
        """Send a message as a whole."""
        if not self._mine:
            os._exit(1)
        with self._turn:
            self._socket.sendall(framed(message))

    def tell(self, said: Said) -> None:
        """Send a line of progress; a fork says nothing."""
        if self._mine:
            self.send(encode(said))

    def receive(self) -> bytes | None:
        """The next thing that is asked; None where there will be none."""
        if not self._mine:
            os._exit(1)
        return receive(self._socket)


def serve(fd: int) -> int:
    """Answer until the pipe closes. Returns the exit status."""
    pipe, worker = Pipe(fd), Worker()
    sys.dont_write_bytecode = True  # no folder of somebody's plugins gets a __pycache__
    helpers_from_source()
    with contextlib.suppress(Exception):
        faulthandler.enable()
    while (asked := pipe.receive()) is not None:
        number, ask = pickle.loads(asked)  # the run is trusted
        try:
            reply = encoded_answer(worker.answer(number, ask, pipe.tell))
        except KeyboardInterrupt as error:  # a plugin's own: Ctrl-C does not come here
            reply = encode(Failed.of(number, error))
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        pipe.send(reply)
    return 0
