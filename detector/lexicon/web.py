"""HTTP requests and GraphQL operations as lines and names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

MAX_QUERY_CHARS = 4096
"""Of a GraphQL document that is read."""

MAX_FIELDS = 8

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\Z)|[{}()]|@?\$?[A-Za-z_]\w*|:|#[^\n]*')
_SEGMENT = re.compile(r"[A-Za-z][A-Za-z_.-]{1,40}")
_decode = msgspec.json.Decoder().decode

METHODS = frozenset("GET HEAD OPTIONS POST PUT PATCH DELETE CONNECT TRACE".split())


def address(url: str) -> tuple[str, str]:
    """Host (with user info and port) and path with query of a URL, an address without scheme, or a path."""
    rest = url.split("://", 1)[-1] if "://" in url[:64] else url.removeprefix("//")
    if rest.startswith("/"):
        return "", rest
    host, slash, path = rest.partition("/")
    host, question, query = host.partition("?")
    return host, (slash + path if slash else "/") + question + query


def path_words(path: str) -> str:
    """The segments of a path that are names and not ids, joined for classification."""
    segments = path.split("?", 1)[0].split("/")[:12]
    return "_".join(segment for segment in segments if _SEGMENT.fullmatch(segment))


def mutated(text: str) -> list[str]:
    """Names of the root fields of the first mutation in a GraphQL document; aliases are passed over."""
    start = text.find("mutation")
    if start < 0:
        return []
    fields: list[str] = []
    for word in _root_words(text, start):
        if word == ":" and fields:
            fields.pop()
        elif word[0] not in ':"@$#':
            fields.append(word)
        if len(fields) > MAX_FIELDS:
            break
    return fields[:MAX_FIELDS]


def _root_words(text: str, start: int) -> Iterator[str]:
    """What stands in the outermost braces, outside of arguments."""
    depth = brackets = 0
    for match in _TOKEN.finditer(text, start, start + MAX_QUERY_CHARS):
        word = match[0]
        if word in "(){}":
            brackets += (word == "(") - (word == ")")
            if brackets == 0:
                depth += (word == "{") - (word == "}")
                if depth == 0 and word == "}":
                    return
        elif depth == 1 and brackets == 0:
            yield word


def is_graphql(text: str) -> bool:
    """Whether a text is a GraphQL document, by its begin."""
    head = text.lstrip()[:16]
    return head.startswith(("mutation", "query ", "query{", "subscription", "fragment ", "{"))


def document(body: Any) -> tuple[str, Mapping[str, Any]]:
    """The GraphQL document in a request's body and its variables; empty where there is none."""
    if isinstance(body, str):
        text = body.strip()
        if not text.startswith("{") or '"query"' not in text:
            return (text, {}) if "mutation" in text[:64] else ("", {})
        try:
            body = _decode(text)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            return text, {}
    if not isinstance(body, Mapping):
        return "", {}
    query, variables = body.get("query"), body.get("variables")
    return (query if isinstance(query, str) else ""), (variables if isinstance(variables, Mapping) else {})


_DATA = frozenset(("-d", "--data", "--data-raw", "--data-binary", "--json", "--data-ascii", "--data-urlencode"))


def curl(words: list[str]) -> dict[str, Any]:
    """A curl, wget or httpie command as `method`, `url`, `headers`, `body`."""
    found: dict[str, Any] = {"headers": []}
    index = 1
    while index < len(words):
        word = words[index]
        following = words[index + 1] if index + 1 < len(words) else ""
        flag, equals, inline = word.partition("=")
        value = inline if equals and flag.startswith("--") else following
        if flag in ("-X", "--request", "--method"):
            found["method"] = value
            index += not inline
        elif word.startswith("-X") and len(word) > 2:
            found["method"] = word[2:]
        elif flag in ("-H", "--header"):
            found["headers"].append(value)
            index += not inline
        elif flag in _DATA or flag in ("--post-data", "--body-data"):
            found["body"] = value
            index += not inline
        elif flag == "--url":
            found["url"] = value
        elif word.upper() in METHODS and "method" not in found:
            found["method"] = word
        elif not word.startswith("-") and "url" not in found and ("." in word or ":" in word or "/" in word):
            found["url"] = word
        elif flag in _TAKES_VALUE:
            index += 1
        index += 1
    found.setdefault("method", "POST" if "body" in found else "GET")
    return found


_TAKES_VALUE = frozenset("-o -u -A -e -b -c -w -m --output --user --max-time --connect-timeout --retry -F -T".split())
