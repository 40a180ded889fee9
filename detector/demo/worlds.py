"""What the incident's tools act on: real files and a real server, or the same on paper."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from detector.demo.estate import Estate, repository
from detector.demo.platform import Platform


class World(Protocol):
    """Files and a platform."""

    def read(self, path: str) -> str:
        """A file of the repository."""

    def search(self, word: str) -> str:
        """The lines of the repository that hold `word`, as `grep -rn` prints them."""

    def post(self, url: str, authorization: str, query: str) -> tuple[int, str]:
        """A GraphQL request: HTTP status and body."""


class RealWorld:
    """A repository on disk, and a platform at `address` that answers for every host name."""

    def __init__(self, repo: Path, address: str) -> None:
        self._repo = repo
        self._address = address

    def read(self, path: str) -> str:
        """A file of the repository."""
        return (self._repo / path).read_text()

    def search(self, word: str) -> str:
        """What `grep -rn` finds in the repository."""
        command = ["grep", "-rniI", "--", word, "."]
        found = subprocess.run(command, cwd=self._repo, capture_output=True, text=True, check=False)  # noqa: S603
        return "\n".join(sorted(line.removeprefix("./") for line in found.stdout.splitlines()))

    def post(self, url: str, authorization: str, query: str) -> tuple[int, str]:
        """A real request over loopback, with the host name of `url`."""
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(self._address, timeout=30)
        try:
            headers = {"Host": parts.netloc, "Authorization": authorization, "Content-Type": "application/json"}
            connection.request("POST", parts.path, json.dumps({"query": query}), headers)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()


class PaperWorld:
    """The same estate without a disk or a network: nothing is touched."""

    def __init__(self, estate: Estate) -> None:
        self._files = repository(estate)
        self._platform = Platform(estate, lambda _volume: None)

    def read(self, path: str) -> str:
        """A file of the repository."""
        return self._files[path]

    def search(self, word: str) -> str:
        """The lines that hold `word`."""
        lines = [
            f"{path}:{number}:{line}"
            for path, text in self._files.items()
            for number, line in enumerate(text.splitlines(), 1)
            if re.search(re.escape(word), line, re.IGNORECASE)
        ]
        return "\n".join(sorted(lines))

    def post(self, url: str, authorization: str, query: str) -> tuple[int, str]:
        """The platform's answer."""
        del url
        status, answer = self._platform.answer(authorization, query)
        return status, json.dumps(answer)
