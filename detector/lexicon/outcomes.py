"""How a call ended, from what stands in its result and its error. Phrases count only where they
are the answer: at the begin of a result, or in the words of an error. A file that was read well and
talks about "permission denied" is no refusal.
"""

# ruff: noqa: E501 - a pattern is read in one piece

from __future__ import annotations

import re

import msgspec

from detector.lexicon import secrets
from detector.lexicon.entries import PatternSet
from detector.records import Does, Outcome

HEAD_CHARS = 320
"""The begin of a result, where an error speaks."""

REFUSALS = (
    # Not the line 401 of a traceback; RE2 can't look behind.
    r"(?:^|[^ \w]|(?:[^e ]|[^n]e) )(?:401|403|407)\b",
    r"permission[ _]?denied|access[ _]?denied|unauthori[sz]ed|forbidden|not authori[sz]ed|unauthenticated|not authenticated",
    (
        r"(?:invalid|expired|revoked|bad|wrong|incorrect|missing|unknown|mismatched)[ _-](?:\w+[ _-])?(?:token|credentials?|api[ _-]?key"
        r"|password|signature|login|access[ _-]?key)"
    ),
    (
        r"(?:token|credentials?|api[ _-]?key|password|signature|session)s? (?:\w+ ){0,4}(?:invalid|expired|revoked|rejected|mismatch"
        r"|not valid|incorrect|does not match|do not match)"
    ),
    (
        r"authentication (?:\w+ )?(?:failed|failure|required|error)|authorization (?:\w+ )?failed|login (?:failed|incorrect)"
        r"|could not authenticate|credential mismatch|insufficient (?:permissions?|privileges?|scopes?)|EACCES|EPERM"
        r"|operation not permitted|AuthenticationError|AuthError|PermissionError|AccessDenied|UnauthorizedError|InvalidToken"
    ),
)
"""Authentication or authorisation failed."""

DENIALS = (
    (
        r"requires? (?:human |user |your |manual )?(?:confirmation|approval)|(?:approval|confirmation) (?:is )?required|(?:awaiting|pending"
        r"|waiting for) (?:\w+ )?approval"
    ),
    (
        r"(?:blocked|denied|rejected|stopped|vetoed|prevented) by (?:a |an |the )?(?:\w+ )?(?:hook|policy|user|operator|person|human|guard\w*"
        r"|gate|reviewer|admin\w*)"
    ),
    (
        r"(?:operator|user|human|reviewer|supervisor) (?:has )?(?:said no|denied|rejected|declined|refused|doesn't want|does not want"
        r"|did not approve|disapproved)"
    ),
    (
        r"action rejected|tool (?:call|use|execution) (?:was )?(?:rejected|denied|blocked|cancell?ed)|not approved|permission to use"
        r"|execution blocked|command blocked|denied this (?:action|call)"
    ),
)
"""A person, a hook or a gate said no, or has yet to say yes."""

_OPENING = (
    r"^[\s\"'{\[(]*(?:(?:type|text|result|results|output|content|body|stdout|stderr|response|name|tool)\"\s*:"
    r"\s*[\s\"'{\[(]*(?:text\",\s*\")?){0,4}"
)
_ERRORS = (
    _OPENING
    + r"(?:error|exception|traceback|fatal|failed|failure|fail|curl: \(|http(?:/\d\S*)? ?(?:error )?[45]\d\d\b|[45]\d\d[ :]|status:? [45]\d\d|bash: |sh: "
    r"|zsh: |command failed|unable to|could not|cannot|can't|denied|permission denied|access denied|unauthori[sz]ed|forbidden"
    r"|invalid |authentication|tool error|toolerror|\w+error\b|\w+exception\b)",
    r"^\s*[{\[][^\n]{0,80}\"(?:error|errors|error_message|errormessage|exception|is_?error)\"\s*:\s*(?:[\"{\[t1-9])",
    (
        r"^\s*\{\s*\"(?:message|detail|status|code|statuscode|status_code)\"\s*:\s*\"?(?:unauthori|forbidden|not authori|permission|access denied"
        r"|authentication|invalid (?:token|cred|api)|bad cred|4\d\d|5\d\d)"
    ),
)
"""A result that is an error though its span is not: by its begin."""

_CODES = (
    r"[\"'<]?(?:exit[_ ]?code|exitcode|return[_ ]?code|returncode|exit[_ ]?status)[\"'>]?\s*[:=>]?\s*-?[1-9]",
    r"(?:exited|terminated|failed|finished) with (?:exit )?(?:code|status) -?[1-9]",
)
_CODE = re.compile(
    r"(?:exit[_ ]?code|return[_ ]?code|exit[_ ]?status|with (?:exit )?(?:code|status))[\"'>]?\s*[:=>]?\s*(-?\d{1,6})",
    re.IGNORECASE,
)

_CODE_FIELD = re.compile(
    r"[\s{<\"']{0,8}(?:exit_?code|return_?code|exit_?status)[\"'>:=\s]{1,6}(-?\d{1,6})", re.IGNORECASE
)

_HTTP_FIELD = r"\"(?:status|status_code|statuscode|http_status|httpstatus|code)\"\s*:\s*\"?[45]\d\d\b"
_STATUS = re.compile(
    r"\"(?:status|status_code|statuscode|http_status|httpstatus|code)\"\s*:\s*\"?([45]\d\d)\b", re.IGNORECASE
)

_PATTERNS = (*REFUSALS, *DENIALS, *_ERRORS, *_CODES, _HTTP_FIELD)
# What secrets look for comes along: most results are short, and one pass reads both in them.
_match = PatternSet((*_PATTERNS, *secrets.FIRST_PASS)).match
_FIRST_SECRET = len(_PATTERNS)
_REFUSED = frozenset(range(len(REFUSALS)))
_DENIED = frozenset(range(len(_REFUSED), len(_REFUSED) + len(DENIALS)))
_FAILED = frozenset(range(max(_DENIED) + 1, max(_DENIED) + 1 + len(_ERRORS)))
_CODED = frozenset(range(max(_FAILED) + 1, max(_FAILED) + 1 + len(_CODES)))
_FIELD = max(_CODED) + 1

REFUSING_STATUS = frozenset((401, 403, 407))

_READ_ONLY = int(Does.READ | Does.SEARCH)
_READ, _SEARCH, _EXECUTE = int(Does.READ), int(Does.SEARCH), int(Does.EXECUTE)
_NOTHING: frozenset[int] = frozenset()


class Result(msgspec.Struct, frozen=True, gc=False):
    """A result as looked at once: its text, what its begin says, and the secrets in it."""

    text: str
    said: frozenset[int]
    secrets: tuple[int, ...]
    """Keyed hashes; at most 8."""


NO_RESULT = Result("", _NOTHING, ())


def look(text: str, key: bytes) -> Result:
    """Looks at a result, which the caller has cut. `key`: for the hashes of secrets."""
    head = _encoded(text[:HEAD_CHARS])
    hits = _match(head)
    if len(text) > HEAD_CHARS or "\\" in text:
        found = secrets.hashes(secrets.plain(text), key)
    elif hits is None:
        return Result(text, _NOTHING, ())
    else:
        found = secrets.hashes(head, key, [hit - _FIRST_SECRET for hit in hits if hit >= _FIRST_SECRET])
    return Result(text, _ours(hits), found)


def read(result: Result, message: str, failed: bool, status: int, does: int) -> Outcome:
    """How a call ended. `message` is the error in words, `status` an HTTP or exit status of the span's own."""
    text, said = result.text, result.said
    tail = ""
    if does & _EXECUTE and len(text) > HEAD_CHARS:
        tail = text[-HEAD_CHARS:]
        said |= _ours(_match(_encoded(tail))) & _CODED
    if not said and not failed and not status:
        return _OK
    head = text[:HEAD_CHARS]
    wrong = _ours(_match(_encoded(message[: 2 * HEAD_CHARS]))) if message else _NOTHING
    field = int(found[1]) if _FIELD in said and (found := _STATUS.search(head)) else 0
    coded = bool(said & _CODED) and _exit_code(head, tail, does) != 0
    bad = failed or field != 0 or coded or bool(said & _FAILED)
    only_reads = bool(does & _READ) and not does & ~_READ_ONLY
    answer = bad or (len(text) < HEAD_CHARS and not only_reads)
    if wrong & _DENIED or (answer and said & _DENIED):
        return Outcome.DENIED
    if {status, field} & REFUSING_STATUS or wrong & _REFUSED or (bad and said & _REFUSED):
        return Outcome.REFUSED
    return Outcome.ERROR if bad or status >= HTTP_ERROR else _OK


HTTP_ERROR = 400
_OK = Outcome.OK


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _ours(hits: list[int] | None) -> frozenset[int]:
    return frozenset(hit for hit in hits if hit < _FIRST_SECRET) if hits else _NOTHING


def _exit_code(head: str, tail: str, does: int) -> int:
    """The exit code that a result names: in a field at its begin, else the last one in words.

    1 of a search is an answer, not a failure.
    """
    field = _CODE_FIELD.match(head)
    codes = [field[1]] if field else _CODE.findall(tail) or _CODE.findall(head)
    code = int(codes[-1]) if codes else 1
    return 0 if code == 1 and does & _SEARCH else code
