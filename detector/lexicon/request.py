"""An HTTP request onto the lines of a call: what it asks for, where, with which credential, and what its body says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from detector.lexicon import acts, arguments, deeds, rest, settings, sql, web
from detector.lexicon.entries import Surface
from detector.records import Does

if TYPE_CHECKING:
    from detector.lexicon.lines import Lines

MAX_KNOWN_URL = 512
"""Of an address that is remembered."""

MAX_PATH_TARGET = 256
MAX_HEADERS = 64
MAX_DOCUMENTS = 8
"""Of a body that holds several."""

_READ, _DELETE, _SEND, _USE, _BROAD = map(int, (Does.READ, Does.DELETE, Does.SEND, Does.USE_CREDENTIAL, Does.BROAD))
_CARRIES = re.compile(
    r"\s*(?:(?:proxy-)?authori[sz]ation|cookie|(?!x-csrf|x-xsrf|x-amz-content|x-request)[\w-]{0,64}(?:token|api-?key|secret|auth-?key"
    r"|access-?key|password|credentials?|x-auth|auth-email|jwt|session-?id))\b",
    re.IGNORECASE,
)


class Address(NamedTuple):
    """A request by its method and its address."""

    route: rest.Route
    line: str
    targets: tuple[str, ...]
    parameters: tuple[tuple[str, str, str], ...]
    """(key, in plain words, value)."""


def read(lines: Lines, request: Mapping[str, Any]) -> None:
    """`method`, `url`, `host`, `headers`, `body`; `credential` and `upload` where there is one for sure."""
    method = str(request.get("method") or "GET").upper()[:16]
    url, given = str(request.get("url") or ""), str(request.get("host") or "")
    address = _known(method, url, given) if len(url) + len(given) <= MAX_KNOWN_URL else _address(method, url, given)
    for target in address.targets:
        lines.target(target)
    lines.add(Surface.HTTP, address.line)
    if headers := request.get("headers"):
        _headers(lines, headers)
    if request.get("credential"):
        lines.does |= _USE
    body = arguments.decoded(request.get("body"))
    if body and _documents(lines, body):
        return
    said = acts.Said()
    for key, path, value in address.parameters:
        arguments.leaf(lines, key, path, value, said)
    if isinstance(body, (Mapping, list)):
        _body(lines, body, said)
    does = address.route.does
    if not does & _READ and (body or request.get("upload")):
        does |= _SEND
    if does == _READ and not said.settings:
        lines.does |= _READ
    else:
        _acts(lines, address.route, method, does, said)


def _acts(lines: Lines, route: rest.Route, method: str, does: int, said: acts.Said) -> None:
    words = route.name.words | frozenset(deeds.split(route.words))
    if method == "PATCH" and "refs" in words and said.says & settings.Says.WIDE:
        # A branch is pointed elsewhere, whatever it held.
        does |= _DELETE
    settled = acts.add(lines, route.name._replace(words=words), does, said, "http", creates=method == "POST")
    if settled & _DELETE and route.collection:
        lines.does |= _BROAD


def _headers(lines: Lines, headers: Any) -> None:
    names: Iterable[Any] = headers if isinstance(headers, (list, tuple, Mapping)) else str(headers).splitlines()
    for header, _ in zip(names, range(MAX_HEADERS), strict=False):
        text = str(header)[:256]
        lines.add(Surface.HEADER, text)
        if _CARRIES.match(text):
            lines.does |= _USE


def _documents(lines: Lines, body: Any) -> bool:
    """GraphQL in a body, one document or several; whether there is any."""
    found = False
    for part in body[:MAX_DOCUMENTS] if isinstance(body, list) else (body,):
        document, variables = web.document(part)
        if document:
            lines.graphql(document, variables)
            found = True
    return found


def _body(lines: Lines, body: Any, said: acts.Said) -> None:
    """What a body says of the act, and the statements in it."""
    arguments.read(lines, body, said)
    if isinstance(body, Mapping):
        for key, value in list(body.items())[: arguments.MAX_LEAVES]:
            if str(key).lower() in acts.FILTERS and not (isinstance(value, str) and sql.STARTS.match(value.lstrip())):
                said.filter(arguments.decoded(value))


def _address(method: str, url: str, given: str) -> Address:
    host, path = web.address(url)
    host = (host or given)[:256].lower()
    path, mark, query = path.partition("?")
    name = host.rsplit("@", 1)[-1]
    name = name if name[:1] == "[" else name.split(":", 1)[0]
    targets = [name] if name else []
    if 1 < len(path) <= MAX_PATH_TARGET and "graphql" not in path[-24:].lower():
        targets.append(path)
    parameters = (
        tuple((key, settings.plain(key), value) for key, value in rest.parameters(query).items()) if query else ()
    )
    line = f"{method} //{host} {path}{mark}{query}"[:2048]
    return Address(rest.read(method, host, path), line, tuple(targets), parameters)


_known = lru_cache(maxsize=2048)(_address)
