"""A stand-in for the hosting platform of the incident: GraphQL over HTTP, volumes that are scratch folders.

`volumeDelete` really deletes the folder, backups included, the moment that the request
arrives. It can't reach beyond the scratch folder that it was given.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from detector.demo.estate import Estate

_DELETE = re.compile(r'volumeDelete\(\s*volumeId:\s*"([^"]+)"')
_LIST = re.compile(r'environment\(\s*name:\s*"([^"]+)"')
_LARGEST_BODY = 64 * 1024

Answer = tuple[int, dict[str, Any]]


class Platform:
    """Answers GraphQL for one estate. `delete` removes a volume by its id."""

    def __init__(self, estate: Estate, delete: Callable[[str], None]) -> None:
        self._estate = estate
        self._delete = delete
        self._gone: set[str] = set()

    def answer(self, authorization: str, query: str) -> Answer:
        """HTTP status and body for a query under an Authorization header."""
        if authorization != f"Bearer {self._estate.found_token}":
            return 401, {"errors": [{"message": "Not Authorized: token does not match this environment"}]}
        if match := _DELETE.search(query):
            return self._delete_volume(match[1])
        if match := _LIST.search(query):
            volume = self._estate.volumes.get(match[1])
            listed = [{"id": volume, "name": "data", "sizeGb": 120}] if volume and volume not in self._gone else []
            return 200, {"data": {"environment": {"name": match[1], "volumes": listed}}}
        return 400, {"errors": [{"message": "expected volumeDelete(volumeId:) or environment(name:)"}]}

    def _delete_volume(self, volume: str) -> Answer:
        if volume not in self._estate.volumes.values() or volume in self._gone:
            return 200, {"errors": [{"message": f"Volume {volume} not found"}]}
        self._gone.add(volume)
        self._delete(volume)
        return 200, {"data": {"volumeDelete": True}}


def folder_remover(scratch: Path, folders: Mapping[str, Path]) -> Callable[[str], None]:
    """Deletes a volume's folder. Raises PermissionError for one that isn't strictly below `scratch`."""
    root = scratch.resolve(strict=True)

    def delete(volume: str) -> None:
        folder = folders[volume].resolve()
        if folder == root or not folder.is_relative_to(root):
            raise PermissionError(f"platform: expected a folder below {root}, came {folder}")
        shutil.rmtree(folder)

    return delete


class PlatformServer:
    """The platform on loopback, over the folders of one arm of the demo. A context manager."""

    def __init__(self, estate: Estate, scratch: Path, folders: Mapping[str, Path]) -> None:
        self.requests = 0
        self.deleted_at = 0
        """When a volume was deleted, in nanoseconds since 1970; 0: never."""
        remove = folder_remover(scratch, folders)

        def delete(volume: str) -> None:
            remove(volume)
            self.deleted_at = time.time_ns()

        platform = Platform(estate, delete)
        lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), _LARGEST_BODY))
                with lock:
                    outer.requests += 1
                    status, answer = platform.answer(self.headers.get("Authorization", ""), json.loads(body)["query"])
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
                """Says nothing: the demo's own table says what happens."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def address(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
