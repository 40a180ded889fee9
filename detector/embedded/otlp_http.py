"""What an OTLP/HTTP receiver takes, what it refuses, and how much at a time.

OTLP specification 1.x, "OTLP/HTTP" (https://opentelemetry.io/docs/specs/otlp/#otlphttp).
"""

import zlib

from aiohttp import web

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
_GZIP_WINDOW = 31
_RETRY_AFTER_S = 2


class RejectedError(Exception):
    """The request gets this status and text."""

    def __init__(self, status: int, text: str, **headers: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def response(self, kind: str) -> web.Response:
        """Return the text as `google.rpc.Status` in the encoding of the request."""
        if kind == JSON:
            return web.json_response({"message": self.text}, status=self.status, headers=self.headers)
        if kind == PROTOBUF:
            raw = self.text.encode()[:127]
            body = b"\x12" + bytes([len(raw)]) + raw  # field 2, string message
            return web.Response(status=self.status, body=body, content_type=kind, headers=self.headers)
        return web.Response(status=self.status, text=self.text, headers=self.headers)


def later(status: int, text: str) -> RejectedError:
    """Refuse for now: OTLP clients send again after 429 and 503."""
    return RejectedError(status, text, Retry_After=str(_RETRY_AFTER_S))


class Room:
    """The bytes that may still come in."""

    def __init__(self, free: int) -> None:
        self.free = free


class Hold:
    """A share of the bytes that may be in flight, from reading to acknowledgement."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._size = 0

    def resize(self, size: int) -> None:
        """Hold `size` bytes; raises RejectedError 429 where they are not there."""
        if size - self._size > self._room.free:
            raise later(429, "too many bytes wait for Kafka")
        self._room.free -= size - self._size
        self._size = size


def check_type(request: web.Request) -> None:
    """Raise RejectedError 400 without a content type, 415 for types and encodings other than OTLP's."""
    if not request.headers.get("Content-Type"):
        raise RejectedError(400, "no content type")
    if request.content_type not in {PROTOBUF, JSON}:
        raise RejectedError(415, f"content type must be {PROTOBUF} or {JSON}")
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding not in {"identity", "gzip"}:
        raise RejectedError(415, "content encoding must be gzip or identity")


def inflated(raw: bytes, limit: int) -> bytes:
    """Return what is in a gzip body; RejectedError 413 beyond `limit` bytes, 400 where it is broken."""
    body = bytearray()
    while raw:
        stream = zlib.decompressobj(_GZIP_WINDOW)
        try:
            body += stream.decompress(raw, limit + 1 - len(body))
        except zlib.error:
            raise RejectedError(400, "body is not gzip") from None
        if len(body) > limit:
            raise too_large(limit)
        if not stream.eof:
            raise RejectedError(400, "gzip body ends too early")
        raw = stream.unused_data
    return bytes(body)


def too_large(limit: int) -> RejectedError:
    """Refuse a body for good."""
    return RejectedError(413, f"body is larger than {limit} bytes")
