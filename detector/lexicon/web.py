"""Addresses, command lines that make requests, and GraphQL in bodies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from detector.lexicon.graphql import is_document

METHODS = frozenset("GET HEAD OPTIONS POST PUT PATCH DELETE CONNECT TRACE".split())

_decode = msgspec.json.Decoder().decode


def address(url: str) -> tuple[str, str]:
    """Host (with user info and port) and path with query of a URL, an address without scheme, or a path."""
    rest = url.split("://", 1)[-1] if "://" in url[:64] else url.removeprefix("//")
    if rest.startswith("/"):
        return "", rest
    host, slash, path = rest.partition("/")
    host, question, query = host.partition("?")
    return host, (slash + path if slash else "/") + question + query


def document(body: Any) -> tuple[str, Mapping[str, Any]]:
    """The GraphQL document in a request's body and its variables; empty where there is none."""
    if isinstance(body, str):
        text = body.strip()
        if not text.startswith("{") or '"query"' not in text:
            return (text, {}) if "mutation" in text[:64] and is_document(text) else ("", {})
        try:
            body = _decode(text)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            return text, {}
    if not isinstance(body, Mapping):
        return "", {}
    query, variables = body.get("query"), body.get("variables")
    if not isinstance(query, str) or not is_document(query):
        return "", {}
    return query, variables if isinstance(variables, Mapping) else {}


# --- command lines ------------------------------------------------------------------------

_LETTERS = {
    "X": "method", "H": "headers", "d": "body", "F": "form", "T": "upload", "I": "head", "G": "get",
    **dict.fromkeys("uEba", "credential"),
}  # fmt: skip
_LONG = {
    **dict.fromkeys(("request", "method"), "method"),
    **dict.fromkeys(("header", "headers"), "headers"),
    **dict.fromkeys(
        "data data-raw data-binary data-ascii data-urlencode json post-data body-data body raw".split(), "body"
    ),
    **dict.fromkeys(
        "user oauth2-bearer cert auth proxy-user aws-sigv4 cookie http-user http-password password token".split(),
        "credential",
    ),
    **dict.fromkeys(("form", "form-string"), "form"),
    **dict.fromkeys(("upload-file", "post-file", "body-file"), "upload"),
    "head": "head",
    "get": "get",
    "url": "url",
}
_TAKING = frozenset("XHduEbFToAecwmKxrzYyCtUQPh")
"""Letters of curl that take a value. `-a`, `-h` and the like of others are read by their program."""
_LONG_TAKING = frozenset(
    "output user-agent referer cookie-jar write-out max-time connect-timeout retry retry-delay proxy cacert capath"
    " resolve output-document timeout tries limit-rate range config interface max-filesize max-redirs ciphers tls-max"
    " key".split()
)
_SWITCHES = frozenset(("head", "get"))
_HTTPIE = frozenset(("http", "https", "xh"))


def curl(words: list[str]) -> dict[str, Any]:
    """A curl, wget or httpie command as `method`, `url`, `headers`, `body`, `credential`, `upload`."""
    found: dict[str, Any] = {"headers": []}
    pie = words[0] in _HTTPIE
    index = 1
    while index < len(words):
        word = words[index]
        index += 1
        if word[:2] == "--":
            index += _long(word[2:], words[index : index + 1], found)
        elif word[:1] == "-" and len(word) > 1:
            index += _short(word[1:], words[index : index + 1], found, words[0])
        elif word.upper() in METHODS and "method" not in found and "url" not in found:
            found["method"] = word
        elif "url" not in found and ("." in word or ":" in word or "/" in word):
            found["url"] = word
        elif pie and "url" in found:
            _item(word, found)
    got = found.pop("get", False)
    if found.pop("head", False):
        found.setdefault("method", "HEAD")
    found.setdefault("method", "POST" if ("body" in found or "upload" in found) and not got else "GET")
    return found


def _put(kind: str, value: str, found: dict[str, Any]) -> None:
    if kind == "headers":
        found["headers"].append(value)
    elif kind in ("credential", "head", "get"):
        found[kind] = True
    elif kind == "form":
        found["upload"] = found.get("upload", False) or "@" in value or "=<" in value
        found.setdefault("body", value)
    elif kind == "upload":
        found["upload"] = True
        found.setdefault("method", "PUT")
    elif kind == "body":
        found["body"] = f"{found['body']}&{value}" if "body" in found else value
        found["upload"] = found.get("upload", False) or value[:1] == "@"
    else:
        found[kind] = value


def _long(flag: str, following: list[str], found: dict[str, Any]) -> int:
    """Reads a long flag; how many words it took behind itself."""
    name, equals, value = flag.partition("=")
    kind = _LONG.get(name)
    if kind is None:
        return int(name in _LONG_TAKING and not equals)
    if kind in _SWITCHES:
        _put(kind, "", found)
        return 0
    _put(kind, value if equals else "".join(following), found)
    return int(not equals)


def _short(letters: str, following: list[str], found: dict[str, Any], program: str) -> int:
    """Reads letters behind one dash; how many words they took behind themselves."""
    taking = _TAKING if program == "curl" else frozenset("aoO") if program in _HTTPIE else frozenset("OoUPtTQweai")
    for place, letter in enumerate(letters):
        kind = _LETTERS.get(letter) if program == "curl" or letter == "a" else None
        if letter in taking:
            value = letters[place + 1 :]
            if kind is not None:
                _put(kind, value or "".join(following), found)
            return int(not value)
        if kind in _SWITCHES:
            _put(str(kind), "", found)
    return 0


def _item(word: str, found: dict[str, Any]) -> None:
    """HTTPie's request items: `Header:value`, `name=value`, `name:=json`, `name@file`."""
    name, colon, rest = word.partition(":")
    if colon and rest[:1] != "=" and "=" not in name and "@" not in name:
        found["headers"].append(name)
        return
    if "=" in word or "@" in word:
        found.setdefault("body", word)
        found["upload"] = found.get("upload", False) or "@" in word.split("=", 1)[0]


def gh(words: list[str]) -> dict[str, Any]:
    """A `gh api` command: its route, method and fields. Its login is kept elsewhere."""
    found: dict[str, Any] = {"headers": []}
    fields: dict[str, Any] = {}
    index = 2
    while index < len(words):
        word = words[index]
        index += 1
        name, equals, value = word.partition("=")
        if word[:1] != "-":
            found.setdefault("url", word)
            continue
        if name in (
            "-X",
            "--method",
            "-f",
            "-F",
            "--field",
            "--raw-field",
            "-H",
            "--header",
            "--input",
            "-q",
            "--jq",
            "-t",
            "--template",
        ):
            value, index = (
                (value, index) if equals and word[:2] == "--" else ("".join(words[index : index + 1]), index + 1)
            )
        if name in ("-X", "--method"):
            found["method"] = value
        elif name in ("-f", "-F", "--field", "--raw-field"):
            key, _, given = value.partition("=")
            fields[key] = given
    if "query" in fields:
        fields = {"query": fields.pop("query"), "variables": fields}
    found["url"] = f"https://api.github.com/{str(found.get('url', '')).lstrip('/')}"
    found.setdefault("method", "POST" if fields else "GET")
    return found | ({"body": fields} if fields else {})
