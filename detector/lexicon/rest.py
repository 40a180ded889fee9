"""A request as a verb and what it is done to: by its method, its path and what stands in the path's last words.

`DELETE /repos/acme/shop/branches/main/protection` removes a protection, `DELETE /carts/5/items/2` one item,
`POST /volumes/7/delete` a volume, `DELETE /v1/users` all of them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from detector.lexicon import deeds, routes, verbs
from detector.records import Does


class Route(NamedTuple):
    """What a request says by its method and path."""

    name: deeds.Name
    does: int
    collection: bool = False
    """Whether a whole collection is named, and not one of it."""
    words: str = ""


@lru_cache(maxsize=4096)
def read(method: str, host: str, path: str) -> Route:
    """What a request does. `path`: without parameters, cut by the caller."""
    segments = [unquote(part) for part in path[: routes.MAX_PATH_CHARS].split("/") if part][: routes.MAX_SEGMENTS]
    plain = "/" + "/".join(segments)
    does = int(routes.METHODS.get(method, Does.WRITE))
    if method == "POST" and _is_read(plain, host):
        return Route(deeds.Name(), int(Does.READ | Does.SEARCH) if "search" in plain else int(Does.READ))
    if does & Does.READ:
        return _reads(method, host, plain, segments)
    segments = _stored(method, host, segments)
    resource, behind, action = _resource(segments, method)
    words = deeds.split(resource)
    name = _named(method, action, words, tuple(word for part in segments for word in deeds.split(part)))
    collection = (
        method == "DELETE"
        and not behind
        and bool(words)
        and words[-1] in routes.PLURAL_KNOWN
        and words[-1].endswith("s")
    )
    name = _adjusted(name, method, plain)
    acts = name.does & ~int(Does.EXECUTE | Does.SEND | Does.READ | Does.SEARCH | Does.WAIT | Does.ASK)
    wide = routes.WILDCARD.search(plain) is not None and bool(acts & Does.DELETE)
    if wide:
        acts |= Does.BROAD | Does.IRREVERSIBLE
    return Route(name, (acts if acts & (Does.DELETE | Does.WRITE) else does | acts), collection or wide, resource)


def _is_read(plain: str, host: str) -> bool:
    if routes.ASKS_MODEL.search(plain) and (
        routes.MODEL_HOSTS.search(host) or plain.endswith(("/completions", "/embeddings"))
    ):
        return True
    return routes.READ_BY_POST.search(plain) is not None


def _reads(method: str, host: str, plain: str, segments: list[str]) -> Route:
    does = int(routes.METHODS[method])
    lower = plain.lower()
    if routes.METADATA.search(host) is not None:
        return Route(deeds.Name(), does | (int(Does.OPEN_CREDENTIAL) if routes.OF_METADATA.search(lower) else 0))
    if method in ("HEAD", "OPTIONS", "TRACE") or ".well-known" in lower or routes.NAMES_ONLY.search(host):
        return Route(deeds.Name(), does)
    opens = any(
        _is_credential(segment) and len(segments) - place <= 4 and not routes.ABOUT.intersection(segments[place + 1 :])
        for place, segment in enumerate(segments)
    )
    opens = opens or ("vault" in host and bool({"secret", "kv"} & set(segments[:3])))
    document = "/docs/" in lower or "." in segments[-1][-5:] if segments else False
    return Route(deeds.Name(), does | (int(Does.OPEN_CREDENTIAL) if opens and not document else 0))


def _is_credential(segment: str) -> bool:
    words = deeds.split(segment)
    return "".join(words) in routes.KEPT_SECRET or (
        bool(words) and words[-1] in routes.KEPT_SECRET and words[0] not in ("page", "next", "refresh", "csrf")
    )


def _stored(method: str, host: str, segments: list[str]) -> list[str]:
    """The path with the kind of store that a host stands for: an index, a database, a bucket."""
    if method != "DELETE" or (not segments and not routes.BUCKET_HOST.search(host)):
        return segments
    if routes.INDEX_HOST.search(host) and len(segments) == 1 and (segments[0][0] != "_" or segments[0] == "_all"):
        return ["opensearch", "indices", segments[0]]
    if routes.DOCUMENT_HOST.search(host) and len(segments) == 1:
        return ["databases", segments[0]]
    if routes.BUCKET_HOST.search(host):
        named = routes.BUCKET_NAMED.match(host) is not None
        if segments[:2] == ["storage", "v1"] and len(segments) == 4:
            return ["buckets", segments[3]]
        return ["buckets", "it"] if len(segments) == (0 if named else 1) else ["object", *segments[-1:]]
    return segments


def _named(method: str, action: str, resource: tuple[str, ...], around: tuple[str, ...]) -> deeds.Name:
    """The deed of a request: of the verb in its path, else of its method."""
    if action:
        words = deeds.split(action)
        found = deeds.read(words, around)
        if (
            found.verb
            and (not found.noun or not found.deed or not found.deed.nouns)
            and not set(resource) <= set(words)
        ):
            within = deeds.read((*words, *resource), around)
            found = within if within.deed is not None and within.deed.nouns else found
        if found.verb:
            return found
    return deeds.read((routes.VERB.get(method, "update"), *resource), around)


def _adjusted(name: deeds.Name, method: str, plain: str) -> deeds.Name:
    if (
        method == "DELETE"
        and ("/protection" in plain or plain.endswith(("/lock", "/rulesets")))
        and not name.does & Does.SAFEGUARD
    ):
        return name._replace(does=name.does | int(Does.SAFEGUARD))
    if method == "DELETE" and "/audit" in plain and not name.does & Does.AUDIT:
        return name._replace(does=name.does | int(Does.AUDIT))
    if routes.KEY_VALUE.search(plain) and method == "DELETE" and plain.rstrip("/").endswith(("/kv", "/keys")):
        return name._replace(does=name.does | int(Does.IRREVERSIBLE))
    return name


def _resource(segments: list[str], method: str) -> tuple[str, int, str]:
    """The noun that a path is about, how many segments stand behind it, and a verb at its end."""
    action, segments = _action(segments, method)
    end = len(segments)
    for place in range(end - 1, -1, -1):
        if _is_noun(segments, place):
            return segments[place].lstrip("_"), end - 1 - place, action
    for place in range(end - 1, -1, -1):
        named = routes.NAME.match(segments[place]) and not routes.PREFIX.match(segments[place])
        if named and (place == 0 or not _is_collection(segments[place - 1])):
            return segments[place], end - 1 - place, action
    return "", 0, action


def _action(segments: list[str], method: str) -> tuple[str, list[str]]:
    """The verb at a path's end, and the path without it."""
    if not segments:
        return "", segments
    if method == "DELETE":
        ends = segments[-1].lower().startswith(("delete_", "delete-", "purge", "remove_", "drop_"))
        return (segments[-1] if ends else ""), segments
    before, colon, last = segments[-1].rpartition(":")
    words = deeds.split(last)
    if not words or not _acts(words, last):
        return "", segments
    return last, [*segments[:-1], *([before] if colon else [])]


def _is_noun(segments: list[str], place: int) -> bool:
    """Whether a segment is what the path is about, and not the name of one of what stands before it."""
    segment = segments[place].lstrip("_")
    words, behind = deeds.split(segment), len(segments) - 1 - place
    if not words or routes.PREFIX.match(segment) or not routes.NAME.match(segment):
        return False
    before = segments[place - 1] if place else ""
    plural, known = words[-1].endswith("s") and len(segment) > 3, words[-1] in routes.PLURAL_KNOWN
    if not plural and (not known or (behind and _is_collection(before))):
        return False
    if not known and (behind > 1 or segment in routes.NO_COLLECTIONS):
        return False
    if behind == 0 and _is_id_of(before, segment, plural=plural):
        return False
    return behind <= 1 or segment in routes.TWO_PARTS or not _unknown(segments[place + 1 :])


def _acts(words: tuple[str, ...], last: str) -> bool:
    """Whether the last segment of a path is a verb."""
    if "." in last:
        return any(word in deeds.VERBS for word in words)
    words = tuple(word for word in words if word not in verbs.MANY and word not in routes.MANNERS) or words
    return words[0] in deeds.VERBS and (len(words) > 1 or words[0] in verbs.STRONG or words[0] not in verbs.OFTEN_NOUNS)


def _is_collection(segment: str) -> bool:
    words = deeds.split(segment)
    return bool(words) and (words[-1] in routes.PLURAL_KNOWN and words[-1].endswith("s"))


def _is_id_of(before: str, segment: str, *, plural: bool) -> bool:
    """Whether a segment is the name of one of what stands before it: `namespaces/payments`, `secrets/db`."""
    if not _is_collection(before) or segment in routes.SINGLE or segment.startswith("_"):
        return False
    return not plural or deeds.split(before)[-1] in routes.NAMED_ALONE


def _unknown(segments: list[str]) -> bool:
    """Whether a noun that is not known stands among them."""
    return any(routes.NAME.match(segment) and segment.endswith("s") and len(segment) > 3 for segment in segments[1:])


def parameters(query: str) -> dict[str, str]:
    """The parameters of an address."""
    found: dict[str, str] = {}
    for part in query[:2048].split("&")[: routes.MAX_PARAMETERS]:
        key, _, value = part.partition("=")
        if key:
            found[unquote(key)] = unquote(value.replace("+", " ")) if value else "true"
    return found
