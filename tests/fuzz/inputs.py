"""The n-th input of a seed: a request of the samples, changed in some ways, in one of the two encodings."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from tests.fuzz import attributes, conversation, hostile, text, topology, wire, wire_faults
from tests.fuzz.tree import corpus
from tests.fuzz.wire import Tree

Mutation = Callable[[Random, Tree], None]

MUTATIONS: dict[Mutation, float] = {
    attributes.swap_keys: 3,
    attributes.graft: 4,
    attributes.retype: 3,
    attributes.call: 10,
    attributes.infra: 4,
    attributes.break_json: 4,
    conversation.messages: 3,
    conversation.flat_messages: 2,
    conversation.events: 3,
    attributes.secret: 4,
    attributes.about_resource: 3,
    attributes.prune: 2,
    attributes.many: 2,
    attributes.large: 0.15,
    topology.ids: 4,
    topology.parents: 3,
    topology.twins: 2,
    topology.crowd: 0.08,
    topology.clocks: 3,
    topology.kinds: 2,
    topology.shapes: 3,
    topology.groups: 2,
}
"""With how often each is drawn."""
RENEWED = 0.6
"""Share of inputs whose spans belong to runs that many other inputs belong to as well."""
_LATE = {attributes.large}
_ALL, _WEIGHTS = tuple(MUTATIONS), tuple(MUTATIONS.values())


class Input(NamedTuple):
    """What a Kafka record may hold."""

    value: bytes
    stream: str
    """`spans`, `labels` or `acks`."""
    changes: tuple[str, ...]
    """What was done to it, by name."""


def make(seed: int, number: int) -> Input:
    """Input `number` of `seed`: the same whenever it is made."""
    rng = Random(seed << 40 | number)
    if rng.random() < 0.02:
        return _of_people(rng)
    request = corpus().request(rng)
    changes: list[str] = []
    drawn: list[Mutation] = [topology.renew] if rng.random() < RENEWED else []
    drawn += rng.choices(_ALL, _WEIGHTS, k=rng.choice([0, 1, 1, 2, 2, 3, 5]))
    # Megabytes come last, where nothing doubles or replaces them any more.
    for mutation in sorted(drawn, key=_LATE.__contains__):
        mutation(rng, request)
        changes.append(mutation.__name__)
    rate = rng.choice([0.0, 0.0, 0.0, 0.001, 0.004, 0.02])
    if rng.random() < 0.5:
        changes.append("json" if rate == 0 else "json_faults")
        value = text.encode(request, text.Faults(rng, rate))
    else:
        changes.append("protobuf" if rate == 0 else "wire_faults")
        value = wire.encode(request, wire_faults.Faults(rng, rate))
    if rng.random() < 0.12:
        changes.append("bytes")
        value = flipped(rng, value)
    if rng.random() < 0.03:
        changes.append("wrapped")
        value = text.wrapped(rng, value)
    return Input(value, "spans", tuple(changes))


def flipped(rng: Random, value: bytes) -> bytes:
    """Bytes changed, cut, moved or doubled, a few times."""
    data = bytearray(value)
    for _ in range(rng.choice([1, 1, 2, 8])):
        if not data:
            break
        at, other = rng.randrange(len(data)), rng.randrange(len(data))
        length = rng.choice([1, 4, 16, 200])
        kind = rng.randrange(7)
        if kind == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at] = rng.choice([0, 0x7F, 0x80, 0xFF, 0x0A, 0x12, 0x22, 0x7B])
        elif kind == 2:
            del data[at:]
        elif kind == 3:
            del data[at : at + length]
        elif kind == 4:
            data[at:at] = data[other : other + length]
        elif kind == 5:
            data[at:at] = rng.randbytes(length)
        else:
            data[at : at + length] = data[other : other + length]
    return bytes(data)


def _of_people(rng: Random) -> Input:
    """A label or an ack, broken in some way."""
    stream = rng.choice(["labels", "acks"])
    run = f"{topology.SERVICE}/run-{rng.randrange(topology.RUNS)}" if rng.random() < 0.8 else rng.choice(hostile.OTHER)
    at = rng.choice([1_780_000_000_000_000_000, *hostile.TIMES])
    record: dict[str, object] = {"run": run, "at": at, "sequence": rng.randrange(3)}
    if stream == "labels":
        kinds = ["resume", "approve", "pause", "kill", "correct", "honest", "reopen", hostile.text(rng)]
        record |= {"kind": rng.choice(kinds), "who": hostile.text(rng), "why": hostile.text(rng)}
    else:
        record["outcome"] = rng.choice(["done", "already", "failed", hostile.text(rng)])
        record["enforcer"] = hostile.text(rng)
        record["sequence"] = rng.choice([1, 2, 1_780_000_000 + rng.randrange(10), 2**64, -1])
    value = text.encode(record, text.Faults(rng, rng.choice([0.0, 0.0, 0.1])))
    return Input(flipped(rng, value) if rng.random() < 0.1 else value, stream, (stream,))
