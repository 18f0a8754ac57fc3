"""Messages on a stream of bytes, each behind its length, so that half a message keeps nobody waiting."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

from bench.fit.messages import MalformedMessage

_HEAD = struct.Struct(">4sQ")
_MAGIC = b"bnch"
#: Bytes of the longest message: predictions of 1e9 rows.
_MOST = 1 << 35


def framed(message: bytes) -> bytes:
    """A message as it is sent."""
    return _HEAD.pack(_MAGIC, len(message)) + message


class Frames:
    """Puts what is received together into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that are whole with these bytes.

        Raises
        ------
        MalformedMessage : for bytes that begin no message.
        """
        self._buffer += data
        while len(self._buffer) >= _HEAD.size:
            magic, size = _HEAD.unpack_from(self._buffer)
            if magic != _MAGIC or size > _MOST:
                raise MalformedMessage("does not begin as one")
            if len(self._buffer) < _HEAD.size + size:
                return
            message = bytes(self._buffer[_HEAD.size : _HEAD.size + size])
            del self._buffer[: _HEAD.size + size]
            yield message


def receive(pipe: socket.socket) -> bytes | None:
    """The next message of a process that is trusted; None at the end. Nothing beyond it is read."""
    head = _exactly(pipe, _HEAD.size)
    if head is None:
        return None
    return _exactly(pipe, _HEAD.unpack(head)[1])


def _exactly(pipe: socket.socket, size: int) -> bytes | None:
    pieces = bytearray()
    while len(pieces) < size:
        piece = pipe.recv(min(size - len(pieces), 1 << 20))
        if not piece:
            return None
        pieces += piece
    return bytes(pieces)
