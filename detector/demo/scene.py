"""The stage of one story: a seeded agent with its tools' names, its tempo and the words that it uses.

Two agents of one workflow differ in what their tools are called, whether they have file tools
or do all by a shell, how a failed command shows (status, exit code in the text, both), how
fast they think, and which conventions their spans follow.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from detector.demo import pools
from detector.demo.script import Call, Dialect, Identity, Inner, Result, Turn

_SHELLS = (
    ("bash", "command"), ("run_shell", "command"), ("shell", "cmd"), ("Bash", "command"),
    ("run_command", "command_line"), ("execute_bash", "command"), ("terminal", "input"),
)  # fmt: skip
_READERS = (("read_file", "path"), ("Read", "file_path"), ("view_file", "path"), ("open_file", "filename"))
_WRITERS = (("write_file", "path"), ("Write", "file_path"), ("create_file", "path"), ("save_file", "filename"))
_EDITORS = (("edit_file", "path"), ("Edit", "file_path"), ("str_replace", "path"), ("apply_edit", "file"))
_SEARCHERS = (("grep", "pattern"), ("Grep", "pattern"), ("search_files", "query"), ("code_search", "query"))
_SQL = (("run_sql", "query"), ("execute_sql", "sql"), ("query_database", "query"), ("sql", "statement"))
_HTTP = (("http_request", "url"), ("fetch", "url"), ("call_api", "url"))
_NO_SUCCESS = 400


class Scene:
    """Draws names, words and durations for one run from `rng`, and makes its calls and turns."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.project = rng.choice(pools.PROJECTS)
        self.person = rng.choice(pools.PEOPLE)
        self.ticket = rng.randrange(100, 9999)
        self.dialect: Dialect = rng.choice(("genai", "genai", "genai-old", "openinference", "openinference"))
        self.identity: Identity = rng.choice(("conversation", "conversation", "conversation", "trace"))
        self._shell = rng.choice(_SHELLS)
        self._files = rng.random() < 0.7
        self._reader = rng.choice(_READERS)
        self._writer = rng.choice(_WRITERS)
        self._editor = rng.choice(_EDITORS)
        self._searcher = rng.choice(_SEARCHERS)
        self._sql = rng.choice(_SQL)
        self._http = rng.choice(_HTTP)
        self._naming = rng.choice(("snake", "snake", "camel", "dotted", "mcp"))
        self._exit_in_text = rng.random() < 0.6
        self._status_on_failure = rng.random() < 0.7
        self._json_results = rng.random() < 0.5
        self._thinking = rng.lognormvariate(-0.3, 0.25)
        self._heard: list[str] = []

    # --- words ---

    def chance(self, probability: float) -> bool:
        """True with `probability`."""
        return self.rng.random() < probability

    def pick(self, words: Sequence[str]) -> str:
        """One of `words`."""
        return self.rng.choice(words)

    def some(self, words: Sequence[str], least: int, most: int) -> list[str]:
        """Between `least` and `most` different `words`, in random order."""
        return self.rng.sample(list(words), min(len(words), self.rng.randint(least, most)))

    def number(self, least: int, most: int) -> int:
        """A whole number between `least` and `most`."""
        return self.rng.randint(least, most)

    def path(self, folder: str = "src") -> str:
        """A source file of the project."""
        return f"{folder}/{self.project.replace('-', '_')}/{self.pick(pools.MODULES)}.py"

    def mail(self) -> str:
        """Somebody's address."""
        return f"{self.pick(pools.PEOPLE)}@example.com"

    def secret(self, prefix: str) -> str:
        """A secret-looking value of this run: `prefix` and 40 hexadecimal digits."""
        return f"{prefix}{self.rng.getrandbits(160):040x}"

    def tool(self, verb: str, noun: str) -> str:
        """A tool's name in the agent's manner: send_email, sendEmail, email.send, mcp__email__send."""
        match self._naming:
            case "camel":
                return verb + "".join(part.capitalize() for part in noun.split("_"))
            case "dotted":
                return f"{noun}.{verb}"
            case "mcp":
                return f"mcp__{noun}__{verb}"
            case _:
                return f"{verb}_{noun}"

    # --- turns ---

    def hears(self, text: str) -> None:
        """A person says `text`; the next turn reads it."""
        self._heard.append(text)

    def turn(self, *calls: Call, says: str | None = None) -> Turn:
        """A model turn that asks for `calls`."""
        heard, self._heard = tuple(self._heard), []
        words = self.pick(pools.STEPS_OF_THOUGHT) if says is None else says
        return Turn(heard, words, calls, min(6.0, self._thinking * self.rng.lognormvariate(0, 0.35)))

    # --- calls ---

    def call(self, tool: str, arguments: dict[str, Any], result: Any = "ok", failed: str = "") -> Call:
        """Any tool. A `result` that is no string is written as JSON; `failed` is its error.type."""
        text = result if isinstance(result, str) else json.dumps(result)
        return Call(tool, arguments, Result(text, failed), self._took(-1.6))

    def shell(self, command: str, output: str = "", code: int = 0, seconds: float = 0) -> Call:
        """A shell command with its output and exit code."""
        name, key = self._shell
        text = output
        if self._json_results:
            text = json.dumps({"stdout": "" if code else output, "stderr": output if code else "", "exit_code": code})
        elif code and self._exit_in_text:
            text = f"{output}\nExit code {code}"
        failed = (
            "tool_error" if code and (self._status_on_failure or not (self._json_results or self._exit_in_text)) else ""
        )
        return Call(name, {key: command}, Result(text, failed), seconds or self._took(-1.3))

    def reads(self, path: str, text: str = "...") -> Call:
        """Reads a file, by a file tool or by the shell; a missing one where `text` is empty."""
        if not self._files:
            command = self.pick((f"cat {path}", f"sed -n '1,200p' {path}", f"head -n 120 {path}"))
            if not text:
                return self.shell(command, f"cat: {path}: No such file or directory", 1)
            return self.shell(command, text)
        name, key = self._reader
        if not text:
            return self.call(name, {key: path}, f"File not found: {path}", "FileNotFoundError")
        return self.call(name, {key: path}, text)

    def writes(self, path: str, text: str) -> Call:
        """Writes a file."""
        name, key = self._writer
        if not self._files:
            return self.shell(f"cat > {path} <<'EOF'\n{text}\nEOF")
        return self.call(name, {key: path, "content": text}, f"wrote {path}")

    def edits(self, path: str, old: str, new: str, missed: bool = False) -> Call:
        """Replaces `old` by `new` in a file; `missed` where the text is not found."""
        name, key = self._editor
        if not self._files:
            return self.shell(f"sed -i 's/{old}/{new}/' {path}")
        arguments = {key: path, "old_string": old, "new_string": new}
        if missed:
            return self.call(name, arguments, "String to replace not found in file.", "tool_error")
        return self.call(name, arguments, f"The file {path} has been updated.")

    def greps(self, pattern: str, where: str, output: str = "") -> Call:
        """Searches the project for `pattern`."""
        if not self._files:
            command = self.pick((f"grep -rn '{pattern}' {where}", f"rg -n '{pattern}' {where}"))
            return self.shell(command, output, 0 if output else 1)
        name, key = self._searcher
        return self.call(name, {key: pattern, "path": where}, output or "No matches found")

    def sql(self, database: str, statement: str, rows: Any = (), error: str = "") -> Call:
        """A statement against `database`, with its database span; `error` is what the server said."""
        name, key = self._sql
        verb = statement.split(None, 1)[0].upper()
        inner = {
            "db.system.name": "postgresql",
            "db.namespace": database,
            "db.query.text": statement,
            "db.operation.name": verb,
        }
        result = Result(f"ERROR: {error}", "DatabaseError") if error else Result(json.dumps(rows))
        # Half the agents name the database in the call, half are bound to one.
        arguments = {"database": database, key: statement} if self._json_results else {key: statement}
        return Call(name, arguments, result, self._took(-1.4), Inner("db", inner), statement)

    def http(self, method: str, url: str, status: int = 200, body: Any = None, **arguments: Any) -> Call:
        """An HTTP request with its client span."""
        name, key = self._http
        inner = {
            "http.request.method": method,
            "url.full": url,
            "server.address": urlsplit(url).hostname or "",
        }
        text = json.dumps(body) if body is not None else ("" if status < _NO_SUCCESS else f"HTTP {status}")
        failed = "" if status < _NO_SUCCESS else "HTTPStatusError" if self._status_on_failure else ""
        if status >= _NO_SUCCESS:
            text = json.dumps({"status": status, "error": text})
        result = Result(text, failed, status)
        return Call(
            name,
            {"method": method, key: url, **arguments},
            result,
            self._took(-1.3),
            Inner("http", inner),
            f"{method} {url}",
        )

    def _took(self, scale: float) -> float:
        return min(4.0, self.rng.lognormvariate(scale, 0.7))
