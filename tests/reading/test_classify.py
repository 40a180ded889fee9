"""What is remembered of calls changes nothing: a reader that has seen others reads as one that has seen none."""

from __future__ import annotations

from typing import Any

import pytest

from detector.dialects.base import Kind
from detector.reading.classify import Classifier


@pytest.mark.parametrize(
    ("tool", "before", "then"),
    [
        ("graphql", None, ""),
        ("graphql", "", None),
        ("bash", {"path": "/b", "file": "/a"}, {"file": "/a", "path": "/b"}),
        ("bash", '{"path": "/b", "file": "/a"}', '{"file": "/a", "path": "/b"}'),
        ("graphql", '"\\"mutation{a}\\""', '"mutation{a}"'),
        ("python", True, "true"),
        ("bash", ["rm", "-rf", "/"], '["rm","-rf","/"]'),
    ],
)
def test_a_call_reads_the_same_whatever_came_before(tool: str, before: Any, then: Any) -> None:
    """Arguments that are written alike are not taken for each other."""
    warm = Classifier(b"key", 16_384)
    warm.call(tool, before)

    assert warm.call(tool, then) == Classifier(b"key", 16_384).call(tool, then)


@pytest.mark.parametrize(
    ("before", "then"),
    [
        ({"sql": "a\0DROP TABLE users"}, {"sql": "a", "table": "DROP TABLE users"}),
        ({"sql": "select 1\0x", "table": "y"}, {"sql": "select 1", "table": "x\0y"}),
        ({"command": "['rm', '-rf', '/']"}, {"command": ["rm", "-rf", "/"]}),
    ],
)
def test_a_closer_look_reads_the_same_whatever_came_before(before: dict[str, Any], then: dict[str, Any]) -> None:
    """Nobody can have a harmless look remembered in a harmful one's place."""
    kind = Kind.PROCESS if "command" in then else Kind.DATABASE
    warm = Classifier(b"key", 16_384)
    warm.infra("db.x", kind, before)

    assert warm.infra("db.x", kind, then) == Classifier(b"key", 16_384).infra("db.x", kind, then)


def test_what_was_asked_for_and_then_done_is_read_once() -> None:
    """Blanks in the text make no other call."""
    classifier = Classifier(b"key", 16_384)

    assert classifier.call("bash", '{"command": "ls"}') is classifier.call("bash", '{"command":"ls"}')
