"""One client's connection: frames in, frames out, one request at a time."""

import asyncio
import logging
from collections.abc import Callable
from typing import cast

from detector.embedded.call import Call, Reply
from detector.embedded.wire import MalformedRequestError, Reader, Writer

log = logging.getLogger(__name__)

_LENGTH = 4
# Bytes of later requests that a connection holds while one is being answered.
_READ_AHEAD = 1 << 20

Dispatch = Callable[[int, Call], Reply]


class Connection(asyncio.Protocol):
    """Answers requests in the order in which they came, as Kafka promises.

    What can be answered at once is answered without a task; a fetch or join that has to
    wait holds back only its own connection. A malformed request ends the connection.
    """

    def __init__(self, dispatch: Dispatch, max_request: int, open_: set["Connection"]) -> None:
        """Register in `open_` while connected; `max_request` is in bytes."""
        self._dispatch = dispatch
        self._max_request = max_request
        self._open = open_
        self._buffer = bytearray()
        self._task: asyncio.Task[Writer] | None = None
        self._writable = True
        self.closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember who is on the other end."""
        self._transport = cast("asyncio.Transport", transport)
        self._peer = transport.get_extra_info("peername") or ("?", 0)
        self._local = transport.get_extra_info("sockname") or ("127.0.0.1", 0)
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop what the client waited for."""
        self._open.discard(self)
        self.closed.set()
        self._buffer.clear()
        if exc is not None:
            log.debug("connection of %s ended: %s", self._peer, exc)
        if self._task is not None:
            self._task.cancel()

    def close(self) -> None:
        """End the connection at once."""
        self._transport.abort()

    def pause_writing(self) -> None:
        """The client reads too slowly: take no further request."""
        self._writable = False

    def resume_writing(self) -> None:
        """Go on."""
        self._writable = True
        self._advance()

    def data_received(self, data: bytes) -> None:
        """Collect bytes and answer the requests that are whole."""
        self._buffer += data
        self._advance()

    def _advance(self) -> None:
        try:
            while self._task is None and self._writable:
                frame = self._next_frame()
                if frame is None:
                    break
                self._serve(frame)
        except MalformedRequestError as error:
            log.warning("connection of %s closed: %s", self._peer, error)
            self.close()
        except Exception:
            log.exception("connection of %s closed: broker error", self._peer)
            self.close()
        self._throttle()

    def _throttle(self) -> None:
        if self._transport.is_closing():
            return
        held_back = self._task is not None or not self._writable
        if held_back and len(self._buffer) > _READ_AHEAD:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _next_frame(self) -> bytes | None:
        if len(self._buffer) < _LENGTH:
            return None
        length = int.from_bytes(self._buffer[:_LENGTH], "big", signed=True)
        if not 0 < length <= self._max_request:
            msg = f"a request of {length} bytes, at most {self._max_request} are taken"
            raise MalformedRequestError(msg)
        end = _LENGTH + length
        if len(self._buffer) < end:
            return None
        with memoryview(self._buffer) as view:
            frame = bytes(view[_LENGTH:end])
        del self._buffer[:end]
        return frame

    def _serve(self, frame: bytes) -> None:
        reader = Reader(frame)
        key, version, correlation = reader.i16(), reader.i16(), reader.i32()
        client = reader.string()
        local = (str(self._local[0]), int(self._local[1]))
        call = Call(version, reader, client, str(self._peer[0]), local)
        reply = self._dispatch(key, call)
        if isinstance(reply, Writer):
            self._transport.write(reply.frame(correlation))
        elif reply is not None:
            self._task = asyncio.create_task(reply)
            self._task.add_done_callback(lambda task: self._answer(task, correlation))

    def _answer(self, task: asyncio.Task[Writer], correlation: int) -> None:
        self._task = None
        if task.cancelled() or self._transport.is_closing():
            return
        if (error := task.exception()) is not None:
            log.error("connection of %s closed: broker error", self._peer, exc_info=error)
            self.close()
            return
        self._transport.write(task.result().frame(correlation))
        self._advance()
