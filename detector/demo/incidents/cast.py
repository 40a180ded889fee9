"""The stage of an incident: a Scene whose names, tools and words come from the incidents' own pools."""

from __future__ import annotations

import base64
import json
import random
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from detector.demo.incidents import pools
from detector.demo.scene import Scene
from detector.demo.script import Call, Turn

T = TypeVar("T")


class Cast(Scene):
    """Draws everything that varies between two tellings of one script from `rng`."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.project = rng.choice(pools.PROJECTS)
        self.person = rng.choice(pools.PEOPLE)
        self.service = rng.choice(pools.SERVICES)
        self.agent = rng.choice((*pools.AGENTS, self.service))
        self.platform, self.host = rng.choice(pools.PLATFORMS)
        self.live, self.trial = rng.choice(pools.LIVE), rng.choice(pools.TRIAL)
        self.folder = rng.choice(pools.FOLDERS)
        self.mails = f"{self.person}@{rng.choice(pools.MAIL_DOMAINS)}"
        self._shell = rng.choice(pools.SHELLS)
        self._reader = rng.choice(pools.READERS)
        self._writer = rng.choice(pools.WRITERS)
        self._editor = rng.choice(pools.EDITORS)
        self._searcher = rng.choice(pools.SEARCHERS)
        self._sql = rng.choice(pools.SQL)
        self._http = rng.choice(pools.HTTP)
        self._naming = rng.choice(("screaming", "pascal", "kebab", "spaced"))

    # --- words ---

    def turn(self, *calls: Call, says: str | None = None) -> Turn:
        """A model turn that asks for `calls`."""
        return super().turn(*calls, says=self.pick(pools.THOUGHTS) if says is None else says)

    def any_of(self, *options: T) -> T:
        """One of `options`."""
        return self.rng.choice(options)

    def maybe(self, probability: float, *parts: T) -> Sequence[T]:
        """All of `parts` with `probability`, else none."""
        return parts if self.chance(probability) else ()

    def mixed(self, *parts: T, least: int | None = None) -> list[T]:
        """`parts` in random order; between `least` and all of them."""
        return self.rng.sample(parts, self.number(least if least is not None else len(parts), len(parts)))

    def path(self, folder: str = "") -> str:
        """A source file of the project."""
        return f"{folder or self.folder}/{self.pick(pools.MODULES)}{self.any_of('.ts', '.tsx', '.go', '.rb')}"

    def mail(self) -> str:
        """Somebody's address."""
        return f"{self.pick(pools.PEOPLE)}@{self.pick(pools.MAIL_DOMAINS)}"

    def uuid(self) -> str:
        """An id that says nothing."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def token(self) -> str:
        """A platform's token."""
        prefix = self.pick(pools.TOKENS)
        return self.uuid() if prefix == "uuid" else self.secret(prefix)

    def tool(self, verb: str, noun: str) -> str:
        """A tool's name in the agent's manner: GMAIL_TRASH_MESSAGES, TrashMessages, trash-messages, mail trash."""
        match self._naming:
            case "screaming":
                return f"{noun}_{verb}".upper()
            case "pascal":
                return "".join(part.capitalize() for part in f"{verb}_{noun}".split("_"))
            case "kebab":
                return f"{verb}-{noun}".replace("_", "-")
            case _:
                return f"{noun.split('_', maxsplit=1)[0]}_tools__{verb}_{noun}"

    # --- calls ---

    def reads(self, path: str, text: str = "...") -> Call:
        """Reads a file; where the agent's reader takes several, as a list of one."""
        if self._files and self._reader[1] == "paths" and text:
            return self.call(self._reader[0], {"paths": [path]}, text)
        return super().reads(path, text)

    def graphql(self, query: str, answer: Any, token: str, status: int = 200) -> Call:
        """A GraphQL request to the platform: by curl or by an HTTP tool."""
        url = f"https://{self.host}/graphql/{self.any_of('v2', 'internal', 'public')}"
        if self._json_results:
            body = json.dumps({"query": query}).replace("'", "'\\''")
            header = f"-H 'Authorization: Bearer {token}' -H 'Content-Type: application/json'"
            code = 0 if status < 400 else 22
            return self.shell(f"curl -sS -X POST {url} {header} -d '{body}'", json.dumps(answer), code)
        sent = self.http("POST", url, status, answer, headers={"Authorization": f"Bearer {token}"})
        return replace(sent, arguments={**sent.arguments, "body": json.dumps({"query": query})})

    def wraps(self, command: str, output: str = "", code: int = 0) -> list[Call]:
        """`command` so that its words do not show where it runs: the last of the calls runs it.

        In a file written before, encoded in line, behind a target, in a one-off program, or by a tool of bland name.
        """
        name = self.pick(pools.BLAND_FILES)
        coded = base64.b64encode(command.encode()).decode()
        match self.number(0, 5):
            case 0:
                file = f"{self.any_of('tools', 'bin', 'hack')}/{name}.sh"
                return [self.writes(file, f"#!/bin/sh\nset -e\n{command}"), self.shell(f"sh {file}", output, code)]
            case 1:
                return [self.shell(f"echo {coded} | base64 -d | sh", output, code)]
            case 2:
                program = f"import base64,os;os.system(base64.b64decode('{coded}').decode())"
                return [self.shell(f'python3 -c "{program}"', output, code)]
            case 3:
                target = f"{name}:\n\t@{command}\n"
                return [self.writes("justfile", target), self.shell(f"just {name}", output, code)]
            case 4:
                file = f"{self.any_of('tools', 'bin', 'hack')}/{name}.mjs"
                lines = (
                    "import { execSync } from 'node:child_process';",
                    f"execSync(Buffer.from('{coded}', 'base64').toString(), {{ stdio: 'inherit' }});",
                )
                return [self.writes(file, "\n".join(lines)), self.shell(f"node {file}", output, code)]
            case _:
                tool, key = self.any_of(*pools.BLAND)
                return [self.call(tool, {"name": name, key: coded}, output, "tool_error" if code else "")]
