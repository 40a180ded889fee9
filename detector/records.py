"""The records that go between the parts, and onto the topics.

Internal records (`Action` and the other events, `RunEvents`, `Run`) are msgpack arrays:
compact, versioned by `LOG_VERSION`, read by nobody else. Public records (`Verdict`,
`Command`, `Ack`, `Label`, `Summary`) are JSON objects whose schema is published.

Times are integer nanoseconds since 1970 in UTC. Hashes are 64-bit and keyed (see
lexicon.secrets). No record past `Span` holds a word of an argument or a result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum, IntFlag, StrEnum
from typing import Any

import msgspec

from detector.errors import VersionError

LOG_VERSION = 2
"""First byte of a record on the run log: the lowest version that can say it, so that workers of the version
before go on reading most of the log. Version 2 came with `Alias`, `Adopted`, `Below`, `Tree` and adopted records.
"""


# --- what a call does -------------------------------------------------------------------


class Does(IntFlag):
    """What one call does, as the lexicon reads it. Flags combine."""

    READ = 1
    SEARCH = 2
    WRITE = 4
    DELETE = 8
    SEND = 16
    GRANT = 32
    EXECUTE = 64
    ROTATE = 128
    WAIT = 256
    ASK = 512
    SEEK_CREDENTIAL = 1 << 10
    """Searches for credentials (grep for tokens, find .env)."""
    OPEN_CREDENTIAL = 1 << 11
    """Reads a place where credentials are kept (.env, ~/.aws/credentials, a vault)."""
    USE_CREDENTIAL = 1 << 12
    """Carries a credential of its own (an Authorization header, --token, PGPASSWORD=)."""
    IRREVERSIBLE = 1 << 13
    BROAD = 1 << 14
    """All, wildcard, recursive, no WHERE, force, cascade."""
    BACKUP = 1 << 15
    """Touches backups, snapshots or versions."""
    SAFEGUARD = 1 << 16
    """Turns a protection off: branch protection, deletion protection, --no-verify."""
    AUDIT = 1 << 17
    """Turns off or erases an audit trail, a log or history."""
    ESCALATE = 1 << 18
    """Asks for more authority: sudo, another role, a wider permission mode."""


HARMFUL = Does.DELETE | Does.SAFEGUARD | Does.AUDIT | Does.GRANT


class Environment(IntFlag):
    """Where a call acts. Zero: nothing in the call or its resource says."""

    LOCAL = 1
    TEST = 2
    PREVIEW = 4
    STAGING = 8
    PRODUCTION = 16


class Outcome(IntEnum):
    """How a call ended, from status, error type, exit code, HTTP status and phrases."""

    UNKNOWN = 0
    OK = 1
    ERROR = 2
    REFUSED = 3
    """Authentication or authorisation failed: 401, 403, permission denied."""
    DENIED = 4
    """A person, a hook or a gate said no before the call ran."""


class Blind(IntFlag):
    """What could not be seen of a call."""

    ARGUMENTS = 1
    RESULT = 2
    UNREADABLE = 4
    """Too long, too wrapped or encoded to read."""
    CLOCK = 8
    """The span's clock was implausible; its arrival stands in for it."""
    IDS = 16
    """The span came without an id of its own, or as its own parent."""
    WORDS = 32
    """A model's turn came without the messages that it read."""


class Phase(IntEnum):
    """INTENDED: asked for by the model, not seen to run. DONE: the tool's span has ended."""

    INTENDED = 0
    DONE = 1


# --- spans ------------------------------------------------------------------------------


class Resource(msgspec.Struct, frozen=True, weakref=True):
    """What emitted the spans: resource attributes by key."""

    attributes: Mapping[str, Any]


class Span(msgspec.Struct, gc=False):
    """One span as decoded, whatever the encoding. Attribute values are plain Python values
    (str, bool, int, float, list, dict, bytes), made when asked for.
    """

    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    name: str
    kind: int
    start: int
    end: int
    status: int
    attributes: Mapping[str, Any]
    events: Sequence[tuple[str, Mapping[str, Any]]]
    resource: Resource
    scope: str
    message: str = ""
    """Text of the status; only errors have one."""
    blind: int = 0
    """Blind.IDS where an id had to be made up or was no id."""


# --- events of the run log --------------------------------------------------------------


class Values(msgspec.Struct, array_like=True, gc=False):
    """Where the salient values of a call belong: keyed hashes of 4 bytes, joined (reading.provenance)."""

    kinds: int = 0
    """What a person would have to ask for: flags of lexicon.asked.Asked."""
    aims: bytes = b""
    """Of the arguments that say to what or whom: 5 bytes each, the first one tells what it is; at most 20."""
    carried: bytes = b""
    """Of the arguments that are content, where it goes out; at most 24."""
    supplied: bytes = b""
    """Of the result; at most 48."""


class Action(msgspec.Struct, array_like=True, tag="a", gc=False):
    """A call of an agent: intended, or done. The unit that behaviours learn from."""

    span: bytes
    trace: bytes
    at: int
    """End of the span."""
    phase: int = Phase.DONE
    call: int = 0
    """Keyed hash of the call id; 0 where the dialect has none."""
    parent: bytes = b""
    inner: bool = False
    """An HTTP, database or process span inside a tool's span: a closer look at the same call."""
    tool: str = ""
    """Tool name, at most 64 characters of [A-Za-z0-9_.:/-]."""
    does: int = 0
    env: int = 0
    outcome: int = Outcome.UNKNOWN
    blind: int = 0
    shape: int = 0
    """Keyed hash of tool and arguments: equal where a call is repeated."""
    targets: tuple[int, ...] = ()
    """Keyed hashes of at most 8 paths, hosts, tables, volumes."""
    secrets_seen: tuple[int, ...] = ()
    """Keyed hashes of secret-looking values in the result; at most 8."""
    secrets_used: tuple[int, ...] = ()
    """Keyed hashes of secret-looking values in the arguments; at most 8."""
    signs: tuple[str, ...] = ()
    """Lexicon entries that matched, by name; at most 8. Words of ours, never of the call."""
    assets: tuple[int, ...] = ()
    """Keyed hashes of the globs of workflows' manifests that a target matches; at most 8."""
    principals: tuple[int, ...] = ()
    """Keyed hashes of who acts: users, service accounts, kinds of token; at most 8. The lowest three bits are none of
    the hash: reading.principals.PERSON, BROAD, FORM."""
    mode: str = ""
    """Permission mode that the call acts under or switches on, where one is known."""
    values: Values | None = None
    """What tells where its targets and contents come from; None: nothing does."""


class Turn(msgspec.Struct, array_like=True, tag="t", gc=False):
    """A model turn, or the agent's own span, that asked for no tool."""

    span: bytes
    trace: bytes
    at: int
    root: bool = False
    """The agent's own span: the run, or one part of it, ended."""
    failed: bool = False
    user: int = 0
    """Messages of a person that this turn read."""
    tokens_in: int = 0
    tokens_out: int = 0
    asked: int = 0
    """Kinds of deeds that people's words in it ask for: lexicon.asked.Asked; 0 where it has no words of theirs."""
    named: bytes = b""
    """Keyed hashes of the salient values in them and in the set-up, 4 bytes each; at most 48."""
    supplied: bytes = b""
    """The same of results that it read, where no tool's span in the record has one; at most 48."""
    blind: int = 0
    """Blind.WORDS where it came without the messages that it read."""


class Labelled(msgspec.Struct, array_like=True, tag="l", gc=False):
    """What a person or a hook said of the run; the log's form of `Label`."""

    at: int
    kind: str
    who: str
    why: str = ""
    sequence: int = 0
    """The command or verdict that it answers; 0: the run as it stands."""


class Acked(msgspec.Struct, array_like=True, tag="k", gc=False):
    """What an enforcer did; the log's form of `Ack`."""

    at: int
    sequence: int
    enforcer: str
    outcome: str


class Tick(msgspec.Struct, array_like=True, tag="c", gc=False):
    """Time passing for one run: expiry of an idle run, the deadline of a paused one."""

    at: int
    evict: bool = False
    """The worker holds too many runs, and this quiet one was idle longest."""


class Alias(msgspec.Struct, array_like=True, tag="m", gc=False):
    """A span shows that this run, named by its trace, is a part of another one. Alone in its record."""

    at: int
    run: str


class Aliases(msgspec.Struct, array_like=True, tag="s", gc=False):
    """Aliases of many traces of one partition in one record: under a key of its own, alone in it."""

    at: int
    runs: list[tuple[str, str]]
    """(trace-keyed run, the run that it is a part of)."""


class Adopted(msgspec.Struct, array_like=True, tag="d", gc=False):
    """What was decided about a trace-keyed run before it was handed over; first in its adopt record."""

    at: int
    level: int
    cause: str
    """Of the newest verdict."""
    desired: str
    sequence: int
    """Of its newest command; 0: it never had one."""
    settled: int
    """So many of the record's actions and turns, the first ones, a person has let pass."""
    labels: dict[str, int] = {}


class Below(msgspec.Struct, array_like=True, tag="b", gc=False):
    """The run's spans lie below those of another run: it is a sub-agent's. First in its record."""

    at: int
    above: str


class Tree(msgspec.Struct, array_like=True, tag="f", gc=False):
    """Runs that stand below this one. First in its record."""

    at: int
    runs: list[str]


Event = Action | Turn | Labelled | Acked | Tick | Alias | Aliases | Adopted | Below | Tree
_SINCE_2 = frozenset({Alias, Aliases, Adopted, Below, Tree})


class RunEvents(msgspec.Struct, array_like=True):
    """One record of the run log: events of one run out of one request, in order of their end."""

    run: str
    events: list[Event]
    arrived: int = 0
    """When the request reached Kafka."""
    written: int = 0
    """When ingest wrote this record: expiry and deadlines go by it, since the clocks of spans may lie."""
    service: str = ""
    workflow: str = ""
    workflow_rank: int = 9
    """Place in the order of keys that name a workflow; the lowest seen wins."""
    where: dict[str, str] = {}
    """host.name, process.pid, container.id, k8s.*: what enforcers find the process by."""
    adopted_from: str = ""
    """The trace-keyed run that hands these over."""
    adopted_sequence: int = 0
    """Rises by one with each record that it hands over; what comes again is skipped."""
    traced: bool = False
    """The run is named by its trace: nothing in the request said whose it is."""


_log_encoder = msgspec.msgpack.Encoder()
_log_decoder = msgspec.msgpack.Decoder(RunEvents)


def encode_log(record: RunEvents) -> bytes:
    """A run-log record as bytes: the version, then msgpack."""
    new = record.adopted_from or (record.events and record.events[0].__class__ in _SINCE_2)
    return (b"\x02" if new else b"\x01") + _log_encoder.encode(record)


def decode_log(value: bytes) -> RunEvents:
    """The record in `value`, of this version or the one before.

    Raises VersionError where a newer worker wrote it, ValueError that names the fault where it is none.
    """
    if not value or not 0 < value[0] <= LOG_VERSION:
        if value and value[0] > LOG_VERSION and _is_record(value):
            raise VersionError("run log", LOG_VERSION, value[0])
        came = value[0] if value else "an empty record"
        raise ValueError(f"run log: expected version 1 to {LOG_VERSION}, came {came}")
    try:
        return _log_decoder.decode(memoryview(value)[1:])
    except msgspec.MsgspecError as fault:
        raise ValueError(f"run log: {fault}") from fault


def _is_record(value: bytes) -> bool:
    """Whether the bytes after the version are what all versions are: a run's name first in a msgpack array."""
    try:
        found = msgspec.msgpack.decode(memoryview(value)[1:])
    except msgspec.MsgspecError:
        return False
    return isinstance(found, list) and len(found) > 1 and isinstance(found[0], str)


# --- public records ---------------------------------------------------------------------


class Level(IntEnum):
    """Verdicts by rank; the highest that any signal proposes wins."""

    ALLOW = 0
    ALERT = 1
    PAUSE = 2
    KILL = 3


class Desired(StrEnum):
    """The state that a run must be in."""

    RUNNING = "running"
    PAUSED = "paused"
    KILLED = "killed"


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step that counted, in words of ours."""

    text: str
    span_id: str
    trace_id: str
    at: int
    tool: str = ""
    call: int = 0
    """Which of the run's calls, from 1."""


class Share(msgspec.Struct, frozen=True):
    """How much one behaviour contributes to a score: shares of a score add up to 1."""

    behaviour: str
    share: float
    value: float
    words: str


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """A change of verdict with its evidence: a line of the audit trail (agent-verdicts)."""

    run: str
    workflow: str
    sequence: int
    """Rises by one with each verdict of the run, from the second in which it was first seen."""
    level: str
    previous: str
    cause: str
    """`rule:NAME`, `manifest:SIGNAL`, `model`, `shadow` (an alert in place of the model's pause, in the share of runs
    that it does not stop), `brake` (the same, while the model has stopped too many), `person:WHO`, `deadline`.
    """
    at: int
    """Event time of the deciding event."""
    span_id: str
    score: float
    threshold: float
    evidence: list[Evidence]
    behaviours: list[Share]
    model: str
    policy: str
    mode: str
    service: str = ""
    traces: list[str] = []
    calls: int = 0
    quiet: list[str] = []
    """The fewest behaviours, in words, without which the score would not have passed the threshold; empty where it
    did not.
    """


class Command(msgspec.Struct, frozen=True, omit_defaults=True):
    """The whole desired state of a run (agent-commands, compacted)."""

    run: str
    desired: Desired
    sequence: int
    """Rises by one, from the second in which the run was first seen. An enforcer applies a command
    whose number is higher than what it did; killed absorbs everything.
    """
    cause: str
    at: int
    workflow: str = ""
    service: str = ""
    tree: list[str] = []
    """Runs below this one that it covers too: where this one must not run, none of them may."""
    aliases: list[str] = []
    """Names by which parts of this run went before it was known whose they are. Their own commands count no more."""
    root: str = ""
    """The run above this one; empty: none is known. Where that must not run, this one may not either."""
    traces: list[str] = []
    where: dict[str, str] = {}
    evidence: list[str] = []
    """The evidence in words, for people who read the command."""
    deadline: int = 0
    """When a pause ends by itself; 0: never."""
    signature: str = ""
    """HMAC-SHA256 over the command without its signature, hex; empty where no key is set."""


class Ack(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an enforcer did with a command (agent-acks)."""

    run: str
    sequence: int
    enforcer: str
    outcome: str
    """done, already, not mine, failed."""
    at: int
    desired: str = ""
    detail: str = ""
    signature: str = ""


class Label(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a person or a hook says of a run (agent-labels)."""

    run: str
    kind: str
    """One of LABELS."""
    who: str
    at: int
    why: str = ""
    sequence: int = 0
    signature: str = ""


LABELS = frozenset(
    "pause resume kill approve deny accept correct clarify reopen complete honest destructive".split(),
)


class Summary(msgspec.Struct, frozen=True, omit_defaults=True):
    """A finished run: what training reads (agent-summaries, compacted)."""

    run: str
    workflow: str
    service: str
    started: int
    ended: int
    calls: int
    turns: int
    outcome: str
    """finished, expired, evicted, killed."""
    level: str
    """The highest verdict that it reached."""
    peak: float
    peak_position: int
    features: list[float]
    """At the end, in the order of `feature_names` of `model`."""
    peak_features: list[float]
    model: str
    policy: str
    labels: dict[str, int] = {}
    blind: dict[str, int] = {}
    traces: list[str] = []
    """Ids of its newest traces."""
    tokens_in: int = 0
    """That its model turns took, and gave: 0 where its spans carry none."""
    tokens_out: int = 0
    asked: int = 0
    """Questions to a person that its calls put."""
    refused: int = 0
    """Calls that a person, a hook or a gate of its own said no to."""
